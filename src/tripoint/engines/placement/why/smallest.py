"""The smallest set of an estate's rules that cannot hold together: without any one of them the others can.

Rows of the families in conflict are grouped into rules (a label without its period), and the rules are divided until
only those are left that are needed (QuickXplain: Junker 2004, which needs few solves where few rules conflict).
Definitions, such as presence, always hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tripoint.engines.placement.conflict import STRUCTURE
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.program import INFINITY, Program, Solution, SolutionStatus
from tripoint.engines.placement.why.worth import rule_of

Solve = Callable[[Program], Solution]
Rule = tuple[str, str]
"""Family and label."""
_MOST_SOLVES = 80


class _TooManyError(Exception):
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
            raise _TooManyError
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
        needed = _divided(lambda kept: fails(kept, tested), frozenset(), is_new=False, rules=list(rows))
    except _TooManyError:
        return ()
    return tuple(rule for rule in rows if rule in needed)


def _rules(program: Program, families: Sequence[str]) -> dict[Rule, list[int]]:
    rows: defaultdict[Rule, list[int]] = defaultdict(list)
    for row, family in enumerate(program.row_families):
        if family in families and family not in STRUCTURE:
            rows[family, rule_of(program.row_names[row])].append(row)
    return dict(rows)


def _divided(
    fails: Callable[[frozenset[Rule]], bool], held: frozenset[Rule], *, is_new: bool, rules: list[Rule]
) -> frozenset[Rule]:
    """Those of the rules that are needed beside what is held."""
    if is_new and fails(held):
        return frozenset()
    if len(rules) == 1:
        return frozenset(rules)
    first, second = rules[: len(rules) // 2], rules[len(rules) // 2 :]
    later = _divided(fails, held | frozenset(first), is_new=bool(first), rules=second)
    return later | _divided(fails, held | later, is_new=bool(later), rules=first)
