"""What would make a plan possible: the least by which one limit alone has to be raised.

For each limit of the families in conflict the program gets one more column, so many units more of that limit in every
period, and is solved for the least of it. Limits that do not help alone are not told. Where time runs out before the
least is found, a raise that is enough is told with what is proven to be needed at least.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tripoint.engines.placement.conflict import whole_raise, with_unit
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.program import INFINITY, Program, Solution, SolutionStatus
from tripoint.engines.placement.why.worth import Limit, about, rule_of

UNITS = {"power": "kW", "racks": "racks", "obtainable": "nodes", "links": "Gbit/s", "budget": "USD a period"}
"""Families whose limits are amounts somebody can raise, and their units."""
_WHOLE = ("racks", "obtainable")
_MOST_TRIED = 4
_TINY = 1e-6

Solve = Callable[[Program], Solution]


class Relaxation(NamedTuple):
    """One limit raised as little as makes a plan possible."""

    limit: Limit
    """Which."""
    units: float
    """By how much."""
    since: str = ""
    """First period it is needed in; empty where that is the first of all, or was not looked for."""
    least: float | None = None
    """What is proven to be needed, where the search for the least ended early; `None` where `units` is that."""

    def __str__(self) -> str:
        """As a person reads it."""
        limit, since = self.limit, f" from {self.since}" if self.since else ""
        amount = with_unit(_enough(self.units, limit.family), limit.unit)
        return f"raise `{limit.family}` by {amount}{since} ({limit.name}{self._early()})"

    def _early(self) -> str:
        if self.least is None:
            return ""
        proven = f"; at least {_enough(self.least, self.limit.family)} is needed" if self.least > _TINY else ""
        return f"; less may do: the search ended early{proven}"


def relaxations(
    program: Program, instance: Instance, families: tuple[str, ...], solve: Solve
) -> tuple[Relaxation, ...]:
    """Limits of these families that would do alone, the smallest raise against the limit first."""
    found = []
    for limit in limits_in(program, instance, families)[:_MOST_TRIED]:
        solution = solve(with_more(program, limit))
        if not solution.values.size or solution.values[-1] <= _TINY:
            continue
        units = float(solution.values[-1])
        if solution.status is SolutionStatus.OPTIMAL:
            found.append(Relaxation(limit, units, _since(program, limit, units, solve)))
        else:
            found.append(Relaxation(limit, units, least=max(float(solution.bound), 0.0)))
    return tuple(sorted(found, key=lambda each: (each.units / size_of(program, each.limit), each.limit.name)))


def with_more(program: Program, limit: Limit) -> Program:
    """The program for the least raise of a limit: one more column, taken off each of its rows, is all that costs."""
    return with_column(replace(program, cost=np.zeros(program.columns)), limit, 1.0)


def _since(program: Program, limit: Limit, units: float, solve: Solve) -> str:
    """The last period from which so much more is enough, found by halving; empty where it is the first."""
    periods = list(dict.fromkeys(_period(program.row_names[row]) for row in limit.rows))
    first, beyond = 0, len(periods)
    while beyond - first > 1:
        middle = (first + beyond) // 2
        later = tuple(row for row in limit.rows if _period(program.row_names[row]) in periods[middle:])
        tried = with_more(program, limit._replace(rows=later))
        enough = np.append(tried.upper[:-1], units * (1.0 + _TINY))
        is_enough = solve(replace(tried, upper=enough, cost=np.zeros(tried.columns))).values.size > 0
        first, beyond = (middle, beyond) if is_enough else (first, middle)
    return periods[first] if first else ""


def _period(label: str) -> str:
    """The period a row's label ends with."""
    return label.rpartition(" in ")[2]


def size_of(program: Program, limit: Limit) -> float:
    """The largest of a limit's rows, in its units: what a raise is measured against."""
    return max(float(abs(program.row_upper[list(limit.rows)]).max()), 1.0) / limit.step


def with_column(program: Program, limit: Limit, cost: float) -> Program:
    """The program with one more column, so many units more of a limit in all its rows, at so much each."""
    rows = set(limit.rows)
    index, value, starts = [], [], [0]
    for row in range(program.rows):
        entries = slice(int(program.starts[row]), int(program.starts[row + 1]))
        index.append(program.index[entries])
        value.append(program.value[entries])
        if row in rows:
            index.append(np.array([program.columns], dtype=np.int32))
            value.append(np.array([-limit.step]))
        starts.append(starts[-1] + int(program.starts[row + 1] - program.starts[row]) + (row in rows))
    is_bought = np.array([name.startswith(("buy[", "commit[")) for name in program.column_names], dtype=np.bool_)
    return replace(
        program,
        cost=np.append(program.cost, cost),
        lower=np.append(program.lower, 0.0),
        upper=np.append(np.where(is_bought, INFINITY, program.upper), INFINITY),
        is_integer=np.append(program.is_integer, limit.family in _WHOLE),
        starts=np.array(starts, dtype=np.int32),
        index=np.concatenate(index).astype(np.int32),
        value=np.concatenate(value),
        column_names=(*program.column_names, "more"),
    )


def _enough(units: float, family: str) -> str:
    """Rounded up, to whole units or four digits: what is told must do; the solver's own tolerance does not count."""
    if family in (*_WHOLE, "budget"):
        return f"{whole_raise(units):,}"
    least = units * (1.0 - _TINY)
    step = 10.0 ** (math.floor(math.log10(least)) - 3)
    return f"{math.ceil(least / step) * step:,.4g}"


def limits_in(program: Program, instance: Instance, families: tuple[str, ...]) -> list[Limit]:
    """Limits of these families that are amounts somebody can raise."""
    rows: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row, family in enumerate(program.row_families):
        if family in UNITS and family in families:
            rows[family, rule_of(program.row_names[row])].append(row)
    found = []
    for (family, label), mine in rows.items():
        step, gpus = (1.0, 0) if family == "budget" else about(instance, family, label)[1:]
        found.append(Limit(family, label, UNITS[family], step, gpus, tuple(mine)))
    return found
