"""Whose demand could wait, so that all others have a plan: of the workloads declared last in line, those that help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.large.owners import owners
from tripoint.engines.placement.milp.program import INFINITY, Program, Solution
from tripoint.engines.placement.why.smallest import TooManyError, divided

Solve = Callable[[Program], Solution]
_MOST_SOLVES = 30
_MOST_TOLD = 4


def patient(instance: Instance) -> tuple[str, ...]:
    """Workloads of the last priority; none where all are alike."""
    workloads = instance.estate.workloads
    last = max(workload.priority for workload in workloads)
    found = tuple(str(workload.id) for workload in workloads if workload.priority == last)
    return () if len(found) == len(workloads) else found


def waiting(program: Program, ids: Sequence[str], solve: Solve) -> tuple[str, ...]:
    """Of these workloads, those that must ask for nothing for the others to have a plan; empty where that is no help.

    Found by dividing them (QuickXplain: Junker 2004). Where that takes too many solves, all of them.
    """
    whose = owners(program)
    number = {name: each for each, name in enumerate(whose.names)}
    asked = [each for each in ids if each in number]
    plain = replace(program, cost=np.zeros(program.columns))
    left = _MOST_SOLVES

    def holds(silent: frozenset[str]) -> bool:
        nonlocal left
        if left <= 0:
            raise TooManyError
        left -= 1
        free = np.isin(whose.row, [number[each] for each in silent]) & (program.row_lower > 0.0)
        return bool(solve(replace(plain, row_lower=np.where(free, -INFINITY, program.row_lower))).values.size)

    if not asked or not holds(frozenset(asked)):
        return ()
    try:
        needed = divided(holds, frozenset(), is_new=False, items=asked)
    except TooManyError:
        return tuple(asked)
    return tuple(each for each in asked if each in needed)


def waiting_told(instance: Instance, ids: Sequence[str]) -> str:
    """`what can wait by its priority (5): `night``; empty without any."""
    if not ids:
        return ""
    last = max(workload.priority for workload in instance.estate.workloads)
    more = f" and {len(ids) - _MOST_TOLD} more" if len(ids) > _MOST_TOLD else ""
    return f"what can wait by its priority ({last}): {', '.join(f'`{each}`' for each in ids[:_MOST_TOLD])}{more}"
