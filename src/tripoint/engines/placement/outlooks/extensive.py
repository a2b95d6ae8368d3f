"""The extensive form of two stages (Birge and Louveaux, Introduction to Stochastic Programming, 2011, section 2.4).

minimise sum over outlooks s of weight[s] c[s].x[s], each x[s] a plan of its own program, and x[s] alike in all s on the
columns that are decided here and now: what is ordered, signed, given up and built at the first review.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.milp.program import INFINITY, FloatArray, IntArray, Program


class Extensive(NamedTuple):
    """One program over all outlooks."""

    program: Program
    """Its columns: those decided here and now, then the others of each outlook."""
    columns: tuple[IntArray, ...]
    """[outlook][columns of its program] the column of the whole."""

    def joined(self, values: Sequence[FloatArray]) -> FloatArray:
        """[columns] of the whole, from those of each outlook."""
        whole = np.zeros(self.program.columns)
        for place, mine in zip(self.columns, values, strict=True):
            whole[place] = mine
        return whole


def decided_now(form: Formulation) -> tuple[int, ...]:
    """Columns that are decided at the first review: nodes bought, committed and kept, and steps of expansion."""
    review_of = form.instance.estate.horizon.review_of
    found = {
        *(column for (_, order), column in form.buy.items() if review_of(order) == 0),
        *(column for (_, _, start), column in form.commit.items() if review_of(start) == 0),
        *(column for (_, period), column in form.keep.items() if review_of(period) == 0),
        *(column for (_, _, order), column in form.expand.items() if review_of(order) == 0),
    }
    return tuple(sorted(found))


def extensive(programs: Sequence[Program], weights: Sequence[float], now: Sequence[Sequence[int]]) -> Extensive:
    """The programs as one; `now` are the columns of each that are decided here and now, alike where named alike.

    What not every outlook knows is not decided here and now: it stays at nought.
    """
    names = [
        {program.column_names[column]: column for column in mine} for program, mine in zip(programs, now, strict=True)
    ]
    shared = {name: number for number, name in enumerate(dict.fromkeys(name for each in names for name in each))}
    columns, size = [], len(shared)
    for program, mine in zip(programs, names, strict=True):
        is_own = np.ones(program.columns, dtype=np.bool_)
        is_own[list(mine.values())] = False
        place = np.zeros(program.columns, dtype=np.int32)
        place[is_own] = size + np.arange(int(is_own.sum()), dtype=np.int32)
        for name, column in mine.items():
            place[column] = shared[name]
        columns.append(place)
        size += int(is_own.sum())
    lower, upper, cost = np.full(size, -INFINITY), np.full(size, INFINITY), np.zeros(size)
    is_integer, known = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.int32)
    labels = [""] * size
    for program, place, weight in zip(programs, columns, weights, strict=True):
        lower[place] = np.maximum(lower[place], program.lower)
        upper[place] = np.minimum(upper[place], program.upper)
        cost[place] += weight * program.cost
        is_integer[place] |= program.is_integer
        known[place] += 1
        for column, name in zip(place.tolist(), program.column_names, strict=True):
            labels[column] = name
    upper[: len(shared)] = np.where(known[: len(shared)] == len(programs), upper[: len(shared)], 0.0)
    return Extensive(_stacked(programs, columns, (cost, lower, upper), is_integer, labels), tuple(columns))


def _stacked(
    programs: Sequence[Program],
    columns: Sequence[IntArray],
    sides: tuple[FloatArray, FloatArray, FloatArray],
    is_integer: np.ndarray[tuple[int], np.dtype[np.bool_]],
    labels: list[str],
) -> Program:
    """The rows of all programs, one under the other, over the columns of the whole."""
    before = np.cumsum([0, *(len(program.index) for program in programs)])
    starts = [program.starts[1:] + begin for program, begin in zip(programs, before[:-1], strict=True)]
    cost, lower, upper = sides
    return Program(
        cost=cost,
        lower=lower,
        upper=upper,
        is_integer=is_integer,
        row_lower=np.concatenate([program.row_lower for program in programs]),
        row_upper=np.concatenate([program.row_upper for program in programs]),
        starts=np.concatenate([[0], *starts]).astype(np.int32),
        index=np.concatenate([place[program.index] for program, place in zip(programs, columns, strict=True)]),
        value=np.concatenate([program.value for program in programs]),
        column_names=labels,
        row_names=[name for program in programs for name in program.row_names],
        row_families=[family for program in programs for family in program.row_families],
    )


def choice_of(program: Program, now: Sequence[int], values: FloatArray) -> dict[str, float]:
    """What is decided here and now, by name of column."""
    return {program.column_names[column]: float(round(values[column])) for column in now}


def holding(program: Program, now: Sequence[int], choice: Mapping[str, float]) -> Program:
    """The program with what is decided here and now held; what the choice does not know stays at nought."""
    lower, upper = program.lower.copy(), program.upper.copy()
    for column in now:
        held = choice.get(program.column_names[column], 0.0)
        lower[column] = upper[column] = held
    return replace(program, lower=lower, upper=upper)


def allows(program: Program, now: Sequence[int], choice: Mapping[str, float]) -> bool:
    """True where nothing in the choice is unknown to the program or beyond its bounds."""
    known = {program.column_names[column]: column for column in now}
    if any(amount and name not in known for name, amount in choice.items()):
        return False
    return all(
        program.lower[column] <= choice.get(name, 0.0) <= program.upper[column] for name, column in known.items()
    )


def hold(form: Formulation, choice: Mapping[str, float]) -> None:
    """Holds what is decided here and now in a formulation; nothing without a choice."""
    for column in decided_now(form) if choice else ():
        held = choice.get(form.builder.name_of(column), 0.0)
        form.builder.bound(column, lower=held, upper=held)
