"""A plan after a change: what was decided stays, unless the change forces it or moving pays for itself.

One small program tells what the earlier decisions cost now. Where that is close to what the earlier proof, carried
over (`proof/carry.py`), or the earlier prices (`proof/apart.py`) say no plan can undercut, they stand. Else, with
prices, workloads that may gain by moving are set free, in a program of few columns, while few columns of all workloads
are relaxed for better prices. Without prices, or where they prove too little, the relaxation of the whole, once more
with the proof as one of its rows, bounds all plans: beside the first small program where nothing else would bound them.
Where the change forbids the earlier decisions, places stay and nodes are counted anew beside it. Then what the
relaxation would take otherwise is set free, and so is all that either of them uses. What gap is left then is closed, or
not, by the whole program from the best plan: for as long again as all that took, where it is small or time is left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tripoint.engines.placement.large.portions import Cut, rest
from tripoint.engines.placement.milp.asking import Asking, Batch, Task
from tripoint.engines.placement.milp.kernel import gap_of, relaxation
from tripoint.engines.placement.milp.pricing import Narrow, groups_of, lagrangian, narrowed, nearest, reduced_costs
from tripoint.engines.placement.milp.program import (
    WITHIN,
    BoolArray,
    FloatArray,
    Program,
    Solution,
    SolutionStatus,
    SolveLimits,
)
from tripoint.engines.placement.milp.staged import is_large
from tripoint.engines.placement.proof.apart import Priced, Proven, at_prices, gains, proven, repaired, split
from tripoint.engines.placement.proof.carry import Carried, with_proof

_TINY = 1e-6
_INERTIA = 1e-7
"""What a changed yes or no must save, as a share of the whole cost."""
_WORTH_MOVING = 1e-4
"""What a plan found without regard to the earlier one must save, likewise."""
_SAFE_S = 10.0
"""What a program that ends by itself is given at least: on a busy machine a tenth of a second of work takes one."""
_LEAST_S, _LOOK_S = 0.2, 0.3
"""What a search is given at least; what must be left for one around a plan: less brought 5e-6 of the cost."""
_ROUGH_PROOF = 3e-2
"""A proof within this gap will do where time is short; without one the relaxation is needed, whatever it takes."""
_ROUGH_GAP = 5e-3
"""How close nodes counted anew come to the best for these places, before anything else is set free."""

_ROUGH_PRICES = 5e-2
"""Likewise for the bound by earlier prices: a search beside it brings plan and bound closer."""
_NEAR = 1e-5
"""Choices that cost so much more than the cheapest, as a share of the whole cost, are relaxed for better prices."""
_EACH = 4
"""So many of the cheapest choices of each group are open to who is set free, beside those in use."""
_FREE = (6, 8)
"""So many of the workloads that gain most are set free, in two searches at a time; the first one is alone."""
_MOST = 3
"""They are so many times as many at most: then nothing near it is better."""
_CLOSER = 0.2
"""Of the gap that is asked for, in a search: what is held is most of the cost."""
_SMALL = 2_000
"""A program of so few columns is solved whole where all this leaves a gap, even when the time of the search is over."""
_WHOLE_S = 0.25
"""It is given as long again as all this took, and so much at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the earlier plan says about the program now."""

    proven: Carried | None = None
    """By its bound, where that says anything."""
    prices: FloatArray | None = None
    """[rows] what a unit of what workloads share was worth."""
    costs: FloatArray | None = None
    """[columns] what each column cost, for prices that are to fit what they cost now."""
    basis: bytes = b""
    """Where the simplex ended on the relaxation, of a program of the same structure."""


@dataclass(slots=True)
class _Standing:
    """What is known so far."""

    program: Program
    limits: SolveLimits
    earlier: FloatArray
    """[columns] what was decided, within what may be now."""
    known: BoolArray
    """[columns] where that says anything."""
    best: Solution
    bound: float
    seconds: float
    prices: FloatArray
    """[rows] those of the best bound by prices."""
    basis: bytes
    """Where the simplex ended on the relaxation, before the change or since."""

    @property
    def gap(self) -> float:
        return gap_of(self.best.objective, self.bound)

    @property
    def left(self) -> float:
        return self.limits.seconds - self.seconds

    def single(self, seconds: float) -> SolveLimits:
        """Limits of a part, on one core."""
        return replace(self.limits, threads=1, seconds=seconds)

    def take(self, alone: Proven) -> None:
        """Keeps a better bound by prices."""
        if alone.bound > self.bound or not self.prices.size:
            self.prices = alone.prices
        self.bound = max(self.bound, alone.bound)

    def bounded(self, relaxations: Sequence[Solution]) -> None:
        """Keeps what relaxations of the whole prove, and the prices of the first."""
        self.bound = max((self.bound, *(found.bound for found in relaxations)))
        if relaxations and relaxations[0].duals.size:
            self.prices, self.basis = relaxations[0].duals, relaxations[0].basis

    def answer(self) -> Solution:
        """The best plan with the best bound."""
        found = replace(self.best, seconds=self.seconds, strategy="warm", duals=self.prices, basis=self.basis)
        if not self.best.values.size:
            return replace(found, status=SolutionStatus.UNKNOWN, bound=self.bound)
        bound = min(self.bound, self.best.objective)
        if self.gap <= self.limits.gap:
            return replace(found, status=SolutionStatus.OPTIMAL, bound=bound, gap=self.gap, was_interrupted=False)
        return replace(found, status=SolutionStatus.FEASIBLE, bound=bound, gap=self.gap, was_interrupted=True)


def revised(
    program: Program, limits: SolveLimits, recalled: FloatArray, known: Known | None = None
) -> Asking[Solution]:
    """The best plan near the recalled one ([columns], NaN where nothing is known), with a bound over all plans.

    `unknown` when nothing near it is a plan any more: then one plans afresh.
    """
    told_before = known or Known()
    is_known = program.is_integer & ~np.isnan(recalled)
    earlier = np.clip(np.where(is_known, recalled, 0.0), program.lower, program.upper)
    single = replace(limits, threads=1, seconds=max(limits.seconds, _SAFE_S))
    quick = replace(single, jumps=False)  # hardly anything is left to jump between
    at = None
    if told_before.prices is not None:
        by = split(program)
        at = at_prices(by, repaired(by, told_before.prices, told_before.costs), max(limits.threads, 1))
    carried = told_before.proven
    bounding = _bounding(program, None, single, told_before.basis) if at is None and carried is None else []
    if at is not None:
        bounding = [Task(program=part.program, limits=single) for part in at.parts]
    told = yield Batch(tasks=(Task(program=_held(program, earlier, is_known), limits=quick), *bounding))
    standing = _Standing(
        program=program, limits=limits, earlier=earlier, known=is_known, best=told.solutions[0],
        bound=max(-math.inf if carried is None else carried.bound, _of_costs(program)), seconds=told.seconds,
        prices=np.zeros(0), basis=told_before.basis,
    )  # fmt: skip
    alone, relaxed = None, None
    if at is not None:
        alone = proven(at, told.solutions[1:])
        standing.take(alone)
    elif bounding:
        relaxed = told.solutions[1]
        standing.bounded(told.solutions[1:])
    if standing.gap <= limits.gap:
        return standing.answer()
    is_near = False
    if at is not None and alone is not None and standing.gap <= _ROUGH_PRICES:
        yield from _gaining(standing, at, alone)
        is_near = standing.gap <= _ROUGH_PRICES
    if not is_near:
        nothing = yield from _by_relaxation(standing, carried, relaxed)
        if nothing is not None:
            return nothing
    yield from _whole(standing)
    return standing.answer()


def _by_relaxation(
    standing: _Standing, carried: Carried | None, relaxed: Solution | None = None
) -> Asking[Solution | None]:
    """Bounds by the relaxation, where it is not `relaxed` yet, and searches around it; what it ends with where that
    shows there is no plan."""
    program, limits = standing.program, standing.limits
    earlier, known = standing.earlier, standing.known
    is_proven = standing.gap <= _ROUGH_PROOF
    safe_s = max(limits.seconds, _SAFE_S)
    each = standing.single(max(standing.left, _LEAST_S) if is_proven else safe_s)
    # With the proof as a row a large one takes thrice as long, which a proof that says so little is not worth.
    row = carried if is_proven or not is_large(program) else None
    tasks = _bounding(program, row, each, standing.basis) if relaxed is None else []
    relaxations = len(tasks)
    if not standing.best.values.size and (relaxed is None or relaxed.status is not SolutionStatus.INFEASIBLE):
        places = _held(program, earlier, known & (program.upper <= 1.0))
        rough = replace(standing.single(safe_s), gap=max(limits.gap, _ROUGH_GAP))
        tasks.append(Task(program=places, limits=rough))
    if tasks:
        told = yield Batch(tasks=tuple(tasks))
        standing.seconds = told.seconds
        standing.bounded(told.solutions[:relaxations])
        relaxed = told.solutions[0] if relaxed is None else relaxed
        if not standing.best.values.size:
            standing.best = told.solutions[-1]
    assert relaxed is not None
    if relaxed.status is SolutionStatus.INFEASIBLE:
        return replace(relaxed, strategy="warm")
    is_time_left = not standing.best.values.size or standing.left > _LOOK_S
    if relaxed.values.size and is_time_left and standing.gap > limits.gap:
        told = yield _around(program, standing.single(standing.left), (earlier, known), relaxed, standing.best)
        standing.seconds = told.seconds
        standing.best = _better(program, standing.best, told.solutions[0], 0.0)
        standing.best = _better(program, standing.best, told.solutions[1], _WORTH_MOVING)
    return None


def _whole(standing: _Standing) -> Asking[None]:
    """Where the gap asked for is not reached, and time is left or the program small: all of it, from the best plan.

    No neighbourhood bounds all plans, and what the relaxation proves stays short of any of them where nodes are whole.
    """
    program, limits, best = standing.program, standing.limits, standing.best
    is_small = program.columns <= _SMALL
    if not best.values.size or standing.gap <= limits.gap or is_large(program):
        return
    if standing.left <= _LEAST_S and not is_small:
        return
    seconds = max(standing.seconds, _WHOLE_S)
    if not is_small:
        seconds = min(seconds, standing.left)
    elif limits.nodes is not None:  # they end it, not the clock
        seconds = max(limits.seconds, _SAFE_S)
    told = yield Batch(tasks=(Task(program=program, limits=replace(limits, seconds=seconds), start=best.values),))
    standing.seconds = told.seconds
    found = told.solutions[0]
    standing.bound = max(standing.bound, found.bound)
    if standing.gap > limits.gap:  # else the best plan was good enough all along, and nobody moves for less
        standing.best = _better(program, best, found, 0.0)


def _gaining(standing: _Standing, at: Priced, alone: Proven) -> Asking[None]:
    """Sets those free that gain most at the earlier prices; beside it, prices that fit the change better."""
    polish_s = standing.best.seconds
    few = _few(standing, at, alone)
    search = _set_free(standing, at, alone, _FREE[0])
    limits = standing.single(max(standing.left - polish_s, _LEAST_S))
    told = yield Batch(tasks=(Task(program=relaxation(few.program), limits=limits), search.task(limits)))
    standing.seconds = told.seconds
    relaxed, found = told.solutions
    search.take(found)
    tasks: tuple[Task, ...] = ()
    safe = standing.single(max(standing.limits.seconds, _SAFE_S))
    if relaxed.duals.size:
        # Few columns price too low what the others want: half of the way from the earlier prices proves most.
        at = at_prices(at.split, repaired(at.split, (at.prices + relaxed.duals) / 2.0), len(at.parts))
        tasks = tuple(Task(program=part.program, limits=safe) for part in at.parts)
    polish = _fixed(standing)
    told = yield Batch(tasks=(polish.task(safe), *tasks))
    standing.seconds = told.seconds
    polish.take(told.solutions[0])
    if tasks:
        alone = proven(at, told.solutions[1:])
        standing.take(alone)
    if math.isfinite(alone.bound):
        yield from _rounds(standing, at, alone, polish_s)


def _rounds(standing: _Standing, at: Priced, alone: Proven, polish_s: float) -> Asking[None]:
    """Two searches at a time, then all shares anew; more are set free once a round brings nothing."""
    more = 1
    while more <= _MOST:
        left = standing.left - polish_s
        if standing.gap <= standing.limits.gap or left <= _LEAST_S:
            return
        before = standing.best.objective
        searches = [_set_free(standing, at, alone, count * more) for count in _FREE]
        told = yield Batch(tasks=tuple(search.task(standing.single(left)) for search in searches))
        standing.seconds = told.seconds
        for search, found in zip(searches, told.solutions, strict=True):
            search.take(found)
        if standing.best.objective < before:
            polish = _fixed(standing)
            told = yield Batch(tasks=(polish.task(standing.single(max(standing.limits.seconds, _SAFE_S))),))
            standing.seconds = told.seconds
            polish.take(told.solutions[0])
        else:
            more += 1


@dataclass(frozen=True, slots=True)
class _Search:
    """Some columns of the whole, the others where the best plan of its time had them."""

    standing: _Standing
    cut: Cut
    base: FloatArray
    """[columns] where the others are."""

    def task(self, limits: SolveLimits) -> Task:
        """The search, begun from the best plan."""
        limits = replace(limits, gap=limits.gap * _CLOSER)
        return Task(program=self.cut.program, limits=limits, start=self.standing.best.values[self.cut.column])

    def take(self, found: Solution) -> None:
        """Keeps what it found where that is better than the best plan."""
        if found.values.size:
            values = self.base.copy()
            values[self.cut.column] = found.values
            whole = replace(found, values=values, duals=np.zeros(0))
            self.standing.best = _better(self.standing.program, self.standing.best, whole, 0.0)


def _set_free(standing: _Standing, at: Priced, alone: Proven, count: int) -> _Search:
    """Those who would save most alone may be where they are or would be alone, or where it is cheapest; nodes and links
    are free; all others stay as the best plan has them."""
    program, best = standing.program, standing.best.values
    order = np.argsort(-gains(at, best, alone.values), kind="stable")[:count]
    free = np.zeros(len(at.split.whose.names) + 1, dtype=np.bool_)
    free[order] = True
    is_free, is_own = free[at.split.whose.column], ~at.split.is_shared
    used = (best > _TINY) | (alone.values > _TINY) | (standing.known & (standing.earlier > _TINY)) | (program.lower > 0)
    is_cheap = ~program.is_integer & nearest(reduced_costs(program, alone.prices), groups_of(program), _EACH)
    unused = is_free & ~used & ~is_cheap
    found = rest(program, (is_own & ~is_free) | unused, np.where(unused, 0.0, best))
    earlier, known = standing.earlier[found.column], (standing.known & is_own)[found.column]
    tolled = _reluctant(found.program, earlier, known, standing.best.objective)
    return _Search(standing, replace(found, program=tolled), np.where(unused, 0.0, best))


def _fixed(standing: _Standing) -> _Search:
    """Whole decisions stay as the best plan has them, all shares are free."""
    program, best = standing.program, standing.best.values
    held = _held(program, np.round(best), program.is_integer)
    every = np.arange(program.columns, dtype=np.int32)
    whole = Cut(program=held, column=every, row=np.arange(program.rows, dtype=np.int32))
    return _Search(standing, whole, best)


def _few(standing: _Standing, at: Priced, alone: Proven) -> Narrow:
    """The cheapest choices at these prices, and all that the best plan uses or each would alone."""
    program = standing.program
    worth = reduced_costs(program, alone.prices)
    kept = (groups_of(program) < 0) | (worth < _NEAR * abs(standing.best.objective)) | (program.lower > 0)
    return narrowed(program, kept | (standing.best.values > _TINY) | (alone.values > _TINY))


def _of_costs(program: Program) -> float:
    """What costs alone prove: little, but for any program at any size."""
    return lagrangian(program, np.zeros(program.rows), groups_of(program))


def _bounding(program: Program, proven: Carried | None, limits: SolveLimits, basis: bytes) -> list[Task]:
    """The relaxation without the earlier proof, for what it takes; with it, for its bound: such plans burn money."""
    tasks = [Task(program=relaxation(program), limits=replace(limits, basis=None if is_large(program) else basis))]
    if proven is not None and not np.array_equal(proven.weights, program.cost):
        limits = replace(limits, basis=basis and basis + WITHIN)
        tasks.append(Task(program=relaxation(with_proof(program, proven)), limits=limits))
    return tasks


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
