"""Cost against a measure by epsilon constraints: the cheapest plan under each of several ceilings.

A plan under a tighter ceiling is one under every looser one, so what is proven for a looser ceiling is proven for the
tighter ones as well (Haimes, Lasdon and Wismer 1971; bounds carried along the front).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tripoint.engines.placement.milp.program import INFINITY, Program, Solution
from tripoint.engines.placement.tradeoff.measures import Measure

FAMILY = "frontier"
"""Family of the row that holds a ceiling."""
_SLACK = 1e-6
_SAME = 1e-6


def with_ceiling(program: Program, measure: Measure) -> Program:
    """The program with one row more, the last: the measure below a ceiling that is not set yet."""
    order = np.argsort(np.asarray(measure.columns, dtype=np.int64), kind="stable")
    return replace(
        program,
        row_lower=np.append(program.row_lower, -INFINITY),
        row_upper=np.append(program.row_upper, INFINITY),
        starts=np.append(program.starts, len(program.index) + len(order)).astype(np.int32),
        index=np.concatenate([program.index, np.asarray(measure.columns, dtype=np.int32)[order]]),
        value=np.concatenate([program.value, np.asarray(measure.weights, dtype=np.float64)[order]]),
        row_names=(*program.row_names, f"{measure.name} at most, {measure.unit}"),
        row_families=(*program.row_families, FAMILY),
    )


def under(program: Program, ceiling: float) -> Program:
    """The program with the ceiling of its last row set, and as much above it as the solver's tolerance asks for."""
    upper = program.row_upper.copy()
    upper[-1] = ceiling + _SLACK * max(abs(ceiling), 1.0)
    return replace(program, row_upper=upper)


def aimed(program: Program, measure: Measure) -> Program:
    """The program that seeks the least of the measure instead of the least cost."""
    cost = np.zeros(program.columns)
    cost[list(measure.columns)] = measure.weights
    return replace(program, cost=cost)


def ceilings(least: float, cheapest: float, count: int, *, is_whole: bool) -> tuple[float, ...]:
    """Ceilings from the least of a measure up to, and without, that of the cheapest plan; at most `count`.

    Every whole value, or the first `count` of them, where only whole values mean anything; else equally far apart.
    """
    if is_whole:
        return tuple(float(value) for value in range(round(least), round(cheapest)))[:count]
    if cheapest - least <= _SAME * max(abs(cheapest), 1.0):
        return ()
    return tuple(least + (cheapest - least) * number / count for number in range(count))


def carried(solutions: Sequence[Solution]) -> tuple[Solution, ...]:
    """The solutions, the tightest first, each with the best bound of itself and all looser ones, and its gap."""
    bound, found = -INFINITY, []
    for solution in reversed(solutions):
        bound = max(bound, solution.bound)
        proven = min(bound, solution.objective)
        gap = (solution.objective - proven) / max(abs(solution.objective), 1e-9)
        found.append(replace(solution, bound=proven, gap=gap))
    return tuple(reversed(found))


def undominated(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """Which points (measure, cost) no other beats in one without losing in the other, by measure.

    Of points alike in both the first stays; cost alike is within a millionth.
    """
    order = sorted(range(len(points)), key=lambda number: (points[number], number))
    kept: list[int] = []
    cheapest = INFINITY
    for number in order:
        cost = points[number][1]
        if cost < cheapest - _SAME * abs(cost):
            kept.append(number)
            cheapest = cost
    return tuple(kept)
