"""A plan after a change: what was decided stays, unless the change forces it or moving pays for itself.

One small program tells what the earlier decisions cost now. Where that is close to what the earlier proof, carried
over (`proof/carry.py`), says no plan can undercut, they stand. Else the relaxation, once more with the proof as one of
its rows, bounds all plans; where the change forbids the earlier decisions, places stay and nodes are counted anew
beside it. Then what the relaxation would take otherwise is set free, and so is all that either of them uses.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tripoint.engines.placement.milp.asking import Asking, Batch, Task
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.pricing import groups_of, lagrangian
from tripoint.engines.placement.milp.program import (
    BoolArray,
    FloatArray,
    Program,
    Solution,
    SolutionStatus,
    SolveLimits,
)
from tripoint.engines.placement.milp.staged import is_large
from tripoint.engines.placement.proof.carry import Carried, with_proof

_TINY = 1e-6
_INERTIA = 1e-7
"""What a changed yes or no must save, as a share of the whole cost."""
_WORTH_MOVING = 1e-4
"""What a plan found without regard to the earlier one must save, likewise."""
_SAFE_S = 10.0
"""What a program that ends by itself is given at least: on a busy machine a tenth of a second of work takes one."""
_LEAST_S = 0.2
_ROUGH_PROOF = 3e-2
"""A proof within this gap will do where time is short; without one the relaxation is needed, whatever it takes."""
_ROUGH_GAP = 5e-3
"""How close nodes counted anew come to the best for these places, before anything else is set free."""


def revised(
    program: Program, limits: SolveLimits, recalled: FloatArray, proven: Carried | None = None
) -> Asking[Solution]:
    """The best plan near the recalled one ([columns], NaN where nothing is known), with a bound over all plans.

    `proven` is what the earlier plan's own bound says about this program, where it says anything.

    `unknown` when nothing near it is a plan any more: then one plans afresh.
    """
    known = program.is_integer & ~np.isnan(recalled)
    earlier = np.clip(np.where(known, recalled, 0.0), program.lower, program.upper)
    single = replace(limits, threads=1, seconds=max(limits.seconds, _SAFE_S))
    told = yield Batch(tasks=(Task(program=_held(program, earlier, known), limits=single),))
    best, seconds = told.solutions[0], told.seconds
    bound = max(-math.inf if proven is None else proven.bound, _of_costs(program))
    if _gap(best.objective, bound) > limits.gap:
        is_proven = _gap(best.objective, bound) <= _ROUGH_PROOF
        left = max(limits.seconds - seconds, _LEAST_S) if is_proven else single.seconds
        # With the proof as a row a large one takes thrice as long, which a proof that says so little is not worth.
        row = proven if is_proven or not is_large(program) else None
        tasks = _bounding(program, row, replace(single, seconds=left))
        relaxations = len(tasks)
        if not best.values.size:
            places = _held(program, earlier, known & (program.upper <= 1.0))
            rough = replace(single, gap=max(limits.gap, _ROUGH_GAP))
            tasks.append(Task(program=places, limits=rough))
        told = yield Batch(tasks=tuple(tasks))
        relaxed, seconds = told.solutions[0], told.seconds
        if relaxed.status is SolutionStatus.INFEASIBLE:
            return replace(relaxed, strategy="warm")
        bound = max(bound, *(each.bound for each in told.solutions[:relaxations]))
        best = best if best.values.size else told.solutions[-1]
        is_time_left = not best.values.size or limits.seconds - seconds > _LEAST_S
        if relaxed.values.size and is_time_left and _gap(best.objective, bound) > limits.gap:
            told = yield _around(
                program, replace(single, seconds=limits.seconds - seconds), (earlier, known), relaxed, best
            )
            seconds = told.seconds
            best = _better(program, best, told.solutions[0], 0.0)
            best = _better(program, best, told.solutions[1], _WORTH_MOVING)
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


def _of_costs(program: Program) -> float:
    """What costs alone prove: little, but for any program at any size."""
    return lagrangian(program, np.zeros(program.rows), groups_of(program))


def _bounding(program: Program, proven: Carried | None, limits: SolveLimits) -> list[Task]:
    """The relaxation without the earlier proof, for what it takes; with it, for its bound: such plans burn money."""
    both = [program]
    if proven is not None and not np.array_equal(proven.weights, program.cost):
        both.append(with_proof(program, proven))
    return [Task(program=relaxation(each), limits=limits) for each in both]


def _around(
    program: Program, limits: SolveLimits, recalled: tuple[FloatArray, BoolArray], relaxed: Solution, best: Solution
) -> Batch:
    """Near the earlier decisions, and over all that they, the best plan or the relaxation use."""
    earlier, known = recalled
    agreed = known & (np.abs(earlier - relaxed.values) < _TINY)
    near = _reluctant(_held(program, earlier, agreed), earlier, known & ~agreed, relaxed.objective)
    used = (relaxed.values > _TINY) | (known & (earlier > _TINY))
    if best.values.size:
        used |= best.values > _TINY
    kernel = replace(program, upper=np.where(program.is_integer & ~used, np.maximum(program.lower, 0.0), program.upper))
    limits = replace(limits, seconds=max(limits.seconds, _LEAST_S))
    start = best.values if best.values.size else None
    return Batch(tasks=tuple(Task(program=each, limits=limits, start=start) for each in (near, kernel)))


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
