"""The smallest set of an estate's rules that cannot hold together: without any one of them the others can.

Rows of the families in conflict are grouped into rules (a label without its period), and the rules are divided until
only those are left that are needed (QuickXplain: Junker 2004, which needs few solves where few rules conflict).
Definitions, such as presence, always hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from tripoint.engines.placement.conflict import STRUCTURE
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.program import INFINITY, Program, Solution, SolutionStatus
from tripoint.engines.placement.why.worth import rule_of

Solve = Callable[[Program], Solution]
Item = TypeVar("Item")
Rule = tuple[str, str]
"""Family and label."""
_MOST_SOLVES = 80


class TooManyError(Exception):
    """The search took more solves than it may."""


def smallest_conflict(program: Program, families: Sequence[str], solve: Solve) -> tuple[Rule, ...]:
    """Rules of these families that cannot hold together, none without need; empty where that was not found in time."""
    rows = _rules(program, families)
    plain = replace(program, cost=np.zeros(program.columns))
    relaxed = relaxation(plain)
    off = np.array(
        [family not in families and family not in STRUCTURE for family in program.row_families], dtype=np.bool_
    )
    left = _MOST_SOLVES

    def fails(kept: frozenset[Rule], tested: Program) -> bool:
        nonlocal left
        if left <= 0:
            raise TooManyError
        left -= 1
        dropped = off.copy()
        dropped[[row for rule, mine in rows.items() if rule not in kept for row in mine]] = True
        held = replace(
            tested,
            row_lower=np.where(dropped, -INFINITY, tested.row_lower),
            row_upper=np.where(dropped, INFINITY, tested.row_upper),
        )
        return solve(held).status is SolutionStatus.INFEASIBLE

    every = frozenset(rows)
    try:
        tested = next((each for each in (relaxed, plain) if fails(every, each)), None)
        if tested is None:
            return ()
        needed = divided(lambda kept: fails(kept, tested), frozenset(), is_new=False, items=list(rows))
    except TooManyError:
        return ()
    return tuple(rule for rule in rows if rule in needed)


def _rules(program: Program, families: Sequence[str]) -> dict[Rule, list[int]]:
    rows: defaultdict[Rule, list[int]] = defaultdict(list)
    for row, family in enumerate(program.row_families):
        if family in families and family not in STRUCTURE:
            rows[family, rule_of(program.row_names[row])].append(row)
    return dict(rows)


def divided(
    holds: Callable[[frozenset[Item]], bool], held: frozenset[Item], *, is_new: bool, items: list[Item]
) -> frozenset[Item]:
    """Those of the items that are needed beside what is held, where `holds` is true of all of them and of any more."""
    if is_new and holds(held):
        return frozenset()
    if len(items) == 1:
        return frozenset(items)
    first, second = items[: len(items) // 2], items[len(items) // 2 :]
    later = divided(holds, held | frozenset(first), is_new=bool(first), items=second)
    return later | divided(holds, held | later, is_new=bool(later), items=first)
