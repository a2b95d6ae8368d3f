"""A plan after a change: what was decided stays, unless the change forces it or moving pays for itself.

Two programs tell at once what the earlier decisions cost now and what no plan can undercut; where the change forbids
the earlier ones, places stay and nodes are counted anew. Where cost and bound are close the decisions stand; else those
that the relaxation would take otherwise are set free. The whole program, begun from the same plan, runs along for its
bound, and for a plan that is cheaper by more than it is worth staying for.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tripoint.engines.placement.milp.asking import Asking, Batch, Task
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.program import (
    BoolArray,
    FloatArray,
    Program,
    Solution,
    SolutionStatus,
    SolveLimits,
)

_TINY = 1e-6
_INERTIA = 1e-7
"""What a changed yes or no must save, as a share of the whole cost."""
_WORTH_MOVING = 1e-4
"""What a plan found without regard to the earlier one must save, likewise."""
_HELD_PART = 0.3


def revised(program: Program, limits: SolveLimits, recalled: FloatArray) -> Asking[Solution]:
    """The best plan near the recalled one ([columns], NaN where nothing is known), with a bound over all plans.

    `unknown` when nothing near it is a plan any more: then one plans afresh.
    """
    known = program.is_integer & ~np.isnan(recalled)
    earlier = np.clip(np.where(known, recalled, 0.0), program.lower, program.upper)
    single = replace(limits, threads=1, seconds=max(limits.seconds * _HELD_PART, 0.5))
    told = yield Batch(
        tasks=(
            Task(program=relaxation(program), limits=single),
            Task(program=_held(program, earlier, known), limits=single),
        )
    )
    relaxed, best = told.solutions
    if relaxed.status is SolutionStatus.INFEASIBLE:
        return replace(relaxed, strategy="warm")
    bound, seconds = relaxed.bound, told.seconds
    if not best.values.size:
        places = known & (program.upper <= 1.0)
        told = yield Batch(tasks=(Task(program=_held(program, earlier, places), limits=single),))
        best, seconds = told.solutions[0], told.seconds
    if relaxed.values.size and _gap(best.objective, bound) > limits.gap:
        agreed = known & (np.abs(earlier - relaxed.values) < _TINY)
        near = _reluctant(_held(program, earlier, agreed), earlier, known & ~agreed, relaxed.objective)
        last = replace(single, seconds=max(limits.seconds - seconds, 0.5))
        start = best.values if best.values.size else None
        told = yield Batch(
            tasks=(Task(program=near, limits=last, start=start), Task(program=program, limits=last, start=start))
        )
        seconds = told.seconds
        best = _better(program, best, told.solutions[0], 0.0)
        best = _better(program, best, told.solutions[1], _WORTH_MOVING)
        bound = max(bound, told.solutions[1].bound)
    if not best.values.size:
        return replace(best, status=SolutionStatus.UNKNOWN, bound=bound, seconds=seconds, strategy="warm")
    gap = _gap(best.objective, bound)
    return replace(
        best,
        status=SolutionStatus.OPTIMAL if gap <= limits.gap else SolutionStatus.FEASIBLE,
        bound=min(bound, best.objective),
        gap=gap,
        seconds=seconds,
        strategy="warm",
    )


def _better(program: Program, one: Solution, other: Solution, least: float) -> Solution:
    """The other plan where, at what both really cost, it saves more than the least share of the cost."""
    if not other.values.size:
        return one
    objective = float(program.cost @ other.values)
    return replace(other, objective=objective) if objective < one.objective - least * abs(objective) else one


def _held(program: Program, values: FloatArray, held: BoolArray) -> Program:
    return replace(program, lower=np.where(held, values, program.lower), upper=np.where(held, values, program.upper))


def _reluctant(program: Program, earlier: FloatArray, free: BoolArray, objective: float) -> Program:
    """Yes and no cost a little more where they are not what they were."""
    is_binary = free & (program.upper <= 1.0)
    toll = _INERTIA * abs(objective)
    cost = program.cost + np.where(is_binary, np.where(earlier > 0.5, -toll, toll), 0.0)
    return replace(program, cost=cost)


def _gap(objective: float, bound: float) -> float:
    if not math.isfinite(objective) or not math.isfinite(bound):
        return math.inf
    return max(0.0, objective - bound) / max(abs(objective), 1e-9)
