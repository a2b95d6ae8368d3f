"""A plan of a program whose relaxation alone would take all the time there is: portions, the whole of it, parts again.

1. Workloads are dealt into portions, each with its share of everything shared. Their relaxations, a few at a time, give
   prices of what is shared: the mean over portions. In each portion, integers its relaxation does not use stay at zero,
   and a plan is sought.
2. At those prices nothing is shared any more: the relaxations of the portions without it add up to a bound of the whole
   (Lagrangian: Geoffrion 1974), whatever the prices are.
3. With all workloads where the portions have them, what is shared is decided in one small program: whole nodes.
4. While time is left, some workloads and everything shared are set free, the others held.

It ends in time whatever the solver does: a portion that takes too long is halved with all that wait, and where the
pace is too slow a rough plan of a portion will do. Where a relaxation does not end in time, prices alone prove a bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from tripoint.engines.placement.large.owners import Owners, dealt, owners
from tripoint.engines.placement.large.portions import Blocks, Cut, apart, blocks_of, cut, portion, priced, rest
from tripoint.engines.placement.milp.asking import Asking, Batch, Task
from tripoint.engines.placement.milp.kernel import kernel, relaxation
from tripoint.engines.placement.milp.pricing import groups_of, lagrangian, reduced_costs, usable
from tripoint.engines.placement.milp.program import (
    BoolArray,
    FloatArray,
    IntArray,
    Program,
    Solution,
    SolutionStatus,
    SolveLimits,
)
from tripoint.engines.placement.milp.staged import generated

_HUGE_COLUMNS = 400_000
_PORTION_COLUMNS = 8_000
_FIRST_PART = 0.6
"""Share of the time for the first plan; the rest is for parts."""
_LAST_PART = 0.9
"""Share of the time after which a portion without a plan is missing."""
_ANY_GAP = 1.0
_LATE_GAP = 0.2
"""How close a late portion comes to its best: further off, and parts would have to mend it all."""
_LENIENT = 3.0
"""A portion may take so much longer than its part, or than others took: most take less."""
_FIRST_TURN = 0.1
"""Of all the time for portions, for one whatever others took."""
_MORE = 3.0
"""How much more than its share a portion gets that has no plan with it."""
_LEAST_S = 0.5
"""What a solve is given at least, seconds, whatever time it is."""
_RELAXING = 0.7
"""Of what a portion is given, for its relaxation."""
_BOUNDING = 0.3
"""Of what is left after the portions, at most, for their bound."""
_JOINING = 0.8
"""Of what is left, for any plan of what is shared where the first search found none."""
_PORTION_GAP = 5e-3
_PART_COLUMNS = 60_000
_IDLE_ROUNDS = 6
_ROUNDS_WITHOUT_CLOCK = 3
_BROKEN = 1e-5
_GANG = "gang"
"""Family of rows that ask for whole gangs of shared nodes."""
STRATEGY = "portions"


@dataclass(slots=True)
class _Work:
    """What is known so far."""

    program: Program
    limits: SolveLimits
    whose: Owners
    blocks: Blocks
    apart: BoolArray
    """[rows] those of one owner in which nothing is shared."""
    values: FloatArray
    """[columns] of the best plan so far; before there is one, of each workload's own columns."""
    prices: FloatArray
    """[rows] from the portions' relaxations."""
    unused: BoolArray
    """[columns] a workload's own integers that its portion's relaxation left at zero."""
    bound: float = -math.inf
    objective: float = math.inf
    seconds: float = 0.0
    nodes: int = 0
    missing: list[str] = field(default_factory=list)
    """Portions for which no plan was found, by their first workload."""

    @property
    def left(self) -> float:
        return self.limits.seconds - self.seconds

    @property
    def gap(self) -> float:
        return max(0.0, self.objective - self.bound) / max(abs(self.objective), 1e-9)

    def share(self, members: IntArray) -> float:
        """What of everything shared is the members': by what they take of it."""
        weight = self.whose.weight
        total = float(weight.sum())
        return float(weight[members].sum()) / total if total > 0.0 else len(members) / max(len(weight), 1)

    def hear(self, seconds: float, solutions: tuple[Solution, ...]) -> None:
        self.seconds = seconds
        self.nodes += sum(each.nodes for each in solutions)


def is_huge(program: Program) -> bool:
    """True where even the relaxation of the whole takes too long."""
    return program.columns > _HUGE_COLUMNS


def decomposed(program: Program, limits: SolveLimits, size: int = _PORTION_COLUMNS) -> Asking[Solution]:
    """The best plan found, bounded over all plans; `unknown`, still with a bound, where no plan was put together."""
    whose = owners(program)
    work = _Work(
        program=program,
        limits=limits,
        whose=whose,
        blocks=blocks_of(program, whose),
        apart=apart(program, whose),
        values=np.zeros(program.columns),
        prices=np.zeros(program.rows),
        unused=np.zeros(program.columns, dtype=np.bool_),
    )
    hands = min(max(2, math.ceil(program.columns / size)), max(len(whose.names), 1))
    work.bound = lagrangian(program, np.zeros(program.rows), groups_of(program))
    portions = yield from _portions(work, dealt(whose.weight, hands))
    if not work.missing:
        yield from _joined(work, work.values)
        yield from _bounded(work, portions)
    if math.isfinite(work.objective):
        yield from _parts(work)
    elif work.left > limits.seconds * (1.0 - _LAST_PART):
        told = yield from generated(program, replace(limits, seconds=work.left))
        return replace(told, bound=max(told.bound, work.bound), seconds=told.seconds)
    return _answer(work)


def _portions(work: _Work, hands: list[IntArray]) -> Asking[list[IntArray]]:
    """Relaxation and plan of each portion, as many at a time as there are threads; the portions it took in the end.

    Where one takes too long, those behind it would as well: all that wait are dealt anew into halves of their size. One
    that cannot be halved, or has no plan, is missing.
    """
    abreast = max(work.limits.threads, 1)
    waiting, done, taken = list(hands), [], 0
    while waiting:
        left = work.limits.seconds * _LAST_PART - work.seconds
        if left <= 0.0:
            work.missing.extend(work.whose.names[int(hand[0])] for hand in waiting)
            break
        pace = Pace(left=left, turns=math.ceil(len(waiting) / abreast), usual=work.seconds / max(taken, 1))
        some, waiting = waiting[:abreast], waiting[abreast:]
        planned = yield from _planned(work, some, pace)
        taken += 1
        done += [hand for hand, has_plan in zip(some, planned, strict=True) if has_plan]
        late = [hand for hand, has_plan in zip(some, planned, strict=True) if not has_plan]
        work.missing.extend(work.whose.names[int(hand[0])] for hand in late if len(hand) == 1)
        if late := [hand for hand in late if len(hand) > 1]:
            waiting = [half for hand in (*late, *waiting) for half in _halves(work.whose, hand)]
    return done


def _halves(whose: Owners, hand: IntArray) -> list[IntArray]:
    return [hand[half] for half in dealt(whose.weight[hand], 2)] if len(hand) > 1 else [hand]


class Pace(NamedTuple):
    """How much time there is for the plans of all portions that wait."""

    left: float
    """Till the last moment for one, seconds."""
    turns: int
    """So many solves, one after the other, are to come."""
    usual: float
    """What one took so far; 0 before the first."""

    @property
    def seconds(self) -> float:
        """What the next may take: some times its part or what is usual; what ends by itself is not to be cut off."""
        return min(max(_LENIENT * max(self.left / self.turns, self.usual), _FIRST_TURN * self.left), self.left)

    @property
    def is_late(self) -> bool:
        """True where the usual pace is too slow for the first part of the time: then a rough plan will do."""
        return self.usual * self.turns > self.left * _FIRST_PART / _LAST_PART


def _planned(work: _Work, some: list[IntArray], pace: Pace) -> Asking[list[bool]]:
    """Takes what relaxations and plans of some portions say; whether each has a plan.

    One that has none with its share, since few workloads share nodes badly, gets more of it, and gangs are left to
    what is decided for all: a hundredth of the nodes holds none.
    """
    until = work.seconds + pace.seconds
    limits = replace(work.limits, threads=1, seconds=pace.seconds * _RELAXING)
    shares = [work.share(hand) for hand in some]
    cuts = [portion(work.blocks, hand, share) for hand, share in zip(some, shares, strict=True)]
    told = yield Batch(tasks=tuple(Task(program=relaxation(part.program), limits=limits) for part in cuts))
    work.hear(told.seconds, told.solutions)
    relaxed = told.solutions
    gap = _LATE_GAP if pace.is_late else max(work.limits.gap, _PORTION_GAP)
    has_plan = [False] * len(some)
    trying = [number for number, found in enumerate(relaxed) if found.duals.size]
    for more in (1.0, _MORE):
        if not trying:
            break
        roomy = [_roomy(work, some[n], min(shares[n] * more, 1.0)) if more > 1.0 else cuts[n] for n in trying]
        near = replace(limits, seconds=max(until - work.seconds, _LEAST_S), gap=gap)
        tasks = (
            Task(program=kernel(part.program, relaxed[n]), limits=near) for n, part in zip(trying, roomy, strict=True)
        )
        told = yield Batch(tasks=tuple(tasks))
        work.hear(told.seconds, told.solutions)
        for number, plan in zip(trying, told.solutions, strict=True):
            if plan.values.size:
                has_plan[number] = True
                _take_prices(work, cuts[number], relaxed[number], shares[number])
                _take_own(work, cuts[number], plan.values)
        found = zip(trying, told.solutions, strict=True)
        trying = [number for number, plan in found if plan.status is SolutionStatus.INFEASIBLE]
    return has_plan


def _roomy(work: _Work, hand: IntArray, share: float) -> Cut:
    """A portion with that share of everything, whose gangs need not fit in it."""
    part = portion(work.blocks, hand, share)
    is_gang = np.array([family == _GANG for family in part.program.row_families], dtype=np.bool_)
    free = np.where(is_gang, -np.inf, part.program.row_lower)
    return replace(part, program=replace(part.program, row_lower=free))


def _take_prices(work: _Work, part: Cut, found: Solution, share: float) -> None:
    # Weights of every row in which something is shared add up to one: then no price is above what anything costs.
    work.prices[part.row] += np.where(work.apart[part.row], 1.0, share) * found.duals
    idle = part.program.is_integer & (found.values < _BROKEN) & (part.program.lower <= 0.0)
    work.unused[part.column[idle]] = True


def _take_own(work: _Work, part: Cut, values: FloatArray) -> None:
    own = work.whose.column[part.column] >= 0
    work.values[part.column[own]] = values[own]


def _bounded(work: _Work, hands: list[IntArray]) -> Asking[None]:
    """The bound at the mean prices; a portion not solved in time is bounded by what its own rows were worth before."""
    program, own_rows = work.program, work.apart
    prices = usable(program, np.where(own_rows, 0.0, work.prices))
    worth = reduced_costs(program, prices)
    shared = cut(program, work.whose.column < 0, ~own_rows)
    total = lagrangian(shared.program, prices[shared.row], np.full(len(shared.column), -1, dtype=np.int32))
    abreast = max(work.limits.threads, 1)
    until = work.seconds + work.left * _BOUNDING
    for first in range(0, len(hands), abreast):
        some = hands[first : first + abreast]
        parts = [priced(work.blocks, hand, worth, own_rows) for hand in some]
        turns = math.ceil((len(hands) - first) / abreast)
        bounds = [lagrangian(part.program, work.prices[part.row], groups_of(part.program)) for part in parts]
        if work.seconds < until:
            limits = replace(work.limits, threads=1, seconds=max((until - work.seconds) / turns * _LENIENT, _LEAST_S))
            told = yield Batch(tasks=tuple(Task(program=relaxation(part.program), limits=limits) for part in parts))
            work.hear(told.seconds, told.solutions)
            bounds = [max(bound, each.bound) for bound, each in zip(bounds, told.solutions, strict=True)]
        total += sum(bounds)
    work.bound = max(work.bound, total)


def _joined(work: _Work, own: FloatArray) -> Asking[None]:
    """What is shared, decided for all workloads where `own` ([columns]) has them; the first time any plan will do."""
    part = rest(work.program, work.whose.column >= 0, own)
    told = yield Batch(tasks=(Task(program=part.program, limits=_part_limits(work)),))
    work.hear(told.seconds, told.solutions)
    if told.solutions[0].status is SolutionStatus.UNKNOWN and not math.isfinite(work.objective):
        anything = replace(work.limits, seconds=max(work.left * _JOINING, _LEAST_S), gap=_ANY_GAP)
        told = yield Batch(tasks=(Task(program=part.program, limits=anything),))
        work.hear(told.seconds, told.solutions)
    _take(work, part, told.solutions[0], own)


def _part_limits(work: _Work) -> SolveLimits:
    seconds = max(work.left * 0.25, _LEAST_S)
    return replace(work.limits, seconds=seconds, gap=work.limits.gap / 4)


def _take(work: _Work, part: Cut, found: Solution, around: FloatArray) -> None:
    """Keeps a part's values with what was held `around` it, where that is a plan of the whole and cheaper."""
    if not found.values.size:
        return
    values = around.copy()
    values[part.column] = found.values
    objective = float(work.program.cost @ values)
    if objective < work.objective - 1e-9 * abs(objective) and work.program.worst_violation(values) <= _BROKEN:
        work.values, work.objective = values, objective


def _parts(work: _Work) -> Asking[None]:
    """Some workloads and everything shared are set free at a time, as many parts at once as there are threads."""
    draw = np.random.default_rng(work.limits.seed)
    abreast = max(work.limits.threads, 1)
    idle = rounds = 0
    most = math.inf if work.limits.nodes is None else _ROUNDS_WITHOUT_CLOCK
    while work.left > 0.0 and work.gap > work.limits.gap and idle < _IDLE_ROUNDS and rounds < most:
        freed = [_freed(work, draw) for _ in range(abreast)]
        before = work.objective
        yield from _improved(work, [rest(work.program, held, work.values) for held in freed])
        idle = 0 if work.objective < before else idle + 1
        rounds += 1


def _freed(work: _Work, draw: np.random.Generator) -> BoolArray:
    """[columns] what is held while some workloads, drawn, decide anew."""
    count = len(work.whose.names)
    each = max(1, round(count * min(1.0, _PART_COLUMNS / work.program.columns)))
    free = np.zeros(count + 1, dtype=np.bool_)
    free[draw.choice(count, size=each, replace=False)] = True
    held = (work.whose.column >= 0) & ~free[work.whose.column]
    return np.asarray(held | (work.unused & (work.values < _BROKEN)))


def _improved(work: _Work, parts: list[Cut]) -> Asking[None]:
    """Relaxation, then kernel of each part with fractions of shared nodes; then what is shared, in whole nodes.

    All parts together where that is cheaper, else the best of them.
    """
    limits = replace(_part_limits(work), threads=1, gap=_PORTION_GAP)
    told = yield Batch(tasks=tuple(Task(program=relaxation(part.program), limits=limits) for part in parts))
    work.hear(told.seconds, told.solutions)
    tasks = []
    for part, relaxed in zip(parts, told.solutions, strict=True):
        now = work.values[part.column]
        near = relaxed.values if relaxed.values.size else now
        whole = part.program.is_integer & (work.whose.column[part.column] >= 0)
        idle = whole & (near < _BROKEN) & (now < _BROKEN) & (part.program.lower <= 0.0)
        kept = replace(part.program, is_integer=whole, upper=np.where(idle, 0.0, part.program.upper))
        tasks.append(Task(program=kept, limits=limits, start=now))
    told = yield Batch(tasks=tuple(tasks))
    work.hear(told.seconds, told.solutions)
    before, objective = work.values, work.objective
    changed = [
        (part.column[own], found.values[own])
        for part, found in zip(parts, told.solutions, strict=True)
        if found.values.size
        for own in [work.whose.column[part.column] >= 0]
    ]
    for some in (changed, *([each] for each in changed if len(changed) > 1)):
        if some and work.objective >= objective:
            own_values = before.copy()
            for columns, values in some:
                own_values[columns] = values
            yield from _joined(work, own_values)


def _answer(work: _Work) -> Solution:
    if not math.isfinite(work.objective):
        nothing = Solution.nothing(SolutionStatus.UNKNOWN)
        return replace(nothing, bound=work.bound, seconds=work.seconds, was_interrupted=True, strategy=STRATEGY)
    is_close = work.gap <= work.limits.gap
    return Solution(
        status=SolutionStatus.OPTIMAL if is_close else SolutionStatus.FEASIBLE,
        values=work.values,
        objective=work.objective,
        bound=min(work.bound, work.objective),
        gap=work.gap,
        seconds=work.seconds,
        nodes=work.nodes,
        was_interrupted=not is_close,
        strategy=STRATEGY,
    )
