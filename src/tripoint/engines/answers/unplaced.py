"""Which workloads are in the way of an alternative that does not exist: those it cannot place in full.

The program is asked for as much of everybody's demand as it can carry instead of all of it, at no price and with parts
of nodes. What is left out then is what the links, the power or the nodes have no room for. Where all of it fits in
parts of nodes, or other rules forbid even none of it, nobody is named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.program import FloatArray, Program, Solution

_ASKING = ("demand", "deadline", "standby", "today")
"""Families that ask for service; all others limit it."""
_TOLD = 0.005
_MOST = 3


def unplaced(instance: Instance, program: Program, solve: Callable[[Program], Solution]) -> tuple[str, ...]:
    """Workloads whose demand does not fit, the largest part left out first, at most three."""
    asking = np.array([family in _ASKING for family in program.row_families], dtype=np.bool_)
    solution = solve(
        replace(
            program,
            cost=_service(program),
            is_integer=np.zeros_like(program.is_integer),
            row_lower=np.where(asking, np.minimum(program.row_lower, 0.0), program.row_lower),
        )
    )
    if not solution.values.size:
        return ()
    placed = program.activity(solution.values)
    left: dict[str, list[float]] = {}
    for row, family in enumerate(program.row_families):
        if family == "demand":
            left.setdefault(program.row_names[row].partition("` in ")[0], []).append(1.0 - float(placed[row]))
    mean = {w.id: float(np.mean(left.get(f"demand of `{w.id}", [0.0]))) for w in instance.estate.workloads}
    return tuple(sorted((name for name in mean if mean[name] > _TOLD), key=lambda name: -mean[name])[:_MOST])


def _service(program: Program) -> FloatArray:
    """[columns] minus the part of a demand row that a unit of the column serves."""
    owners = np.repeat(np.arange(program.rows), np.diff(program.starts))
    is_demand = np.array([family == "demand" for family in program.row_families], dtype=np.bool_)[owners]
    cost = np.zeros(program.columns)
    np.add.at(cost, program.index[is_demand], -program.value[is_demand])
    return cost
