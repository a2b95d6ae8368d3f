"""A program too large to be solved whole: relaxation, kernel, then parts of it around the best plan so far.

1. The linear relaxation gives a bound, and says which integers matter.
2. The kernel keeps those and leaves the others at zero; its plans are plans of the whole.
3. Around the best plan, the integers of some workloads are set free at a time and the others held.
Beside it, a solver works on the whole program for the bound alone: its cuts say more than the relaxation does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from tripoint.engines.placement.milp.asking import Asking, Batch, Task
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.pricing import (
    Narrow,
    groups_of,
    lagrangian,
    narrowed,
    nearest,
    promising,
    reduced_costs,
)
from tripoint.engines.placement.milp.program import (
    BoolArray,
    FloatArray,
    IntArray,
    Program,
    Solution,
    SolutionStatus,
    SolveLimits,
)

_TINY = 1e-6
_FEW_COLUMNS = 20_000
_FEW_INTEGERS = 1_500
_CUTS_COLUMNS = 400_000
_HUGE_COLUMNS = 400_000
_EACH = 4
_MORE = 2
_GENERATIONS = 4
_GENERATING = 0.45
_KERNEL_PART = 0.5
_ROUND_PART = 0.1
_FREE = 0.3
_IDLE_ROUNDS = 6
_ROUNDS_WITHOUT_CLOCK = 4
_DOUBT = 1e-6
"""A bound so much above a plan, as a share of its cost, is wrong and not just rounded."""


def is_large(program: Program) -> bool:
    """True where a solver is not given the whole program first."""
    return program.columns > _FEW_COLUMNS or program.integers > _FEW_INTEGERS


@dataclass(slots=True)
class _Standing:
    """What is known so far."""

    program: Program
    limits: SolveLimits
    bound: float = -math.inf
    sure: float = -math.inf
    """What relaxations and prices prove, without a solver's cuts."""
    best: Solution | None = None
    seconds: float = 0.0
    nodes: int = 0
    is_whole: bool = True
    """False once the program is a narrow one, whose bounds say nothing about the whole."""

    @property
    def objective(self) -> float:
        return math.inf if self.best is None else self.best.objective

    @property
    def left(self) -> float:
        return max(self.limits.seconds - self.seconds, 0.0)

    @property
    def proven(self) -> float:
        """The bound; where a plan costs less than cuts allow, figures got the better of them: without the cuts then."""
        if self.bound - self.objective <= _DOUBT * abs(self.objective):
            return self.bound
        return self.sure

    @property
    def gap(self) -> float:
        if self.best is None or not math.isfinite(self.proven):
            return math.inf
        return max(0.0, self.objective - self.proven) / max(abs(self.objective), 1e-9)

    @property
    def is_done(self) -> bool:
        return self.gap <= self.limits.gap or self.left <= 0.0

    def is_priced_out(self, relaxed: float) -> bool:
        """True when columns that were left out can hardly lower the relaxation any more."""
        return relaxed - self.bound <= self.limits.gap / 8 * abs(relaxed)

    def take(self, found: Solution) -> bool:
        """Keeps a better plan; true when it was one."""
        self.nodes += found.nodes
        if not found.values.size or found.objective >= self.objective - 1e-9 * abs(found.objective):
            return False
        self.best = found
        return True

    def answer(self, strategy: str) -> Solution:
        """The best plan with the best bound."""
        if self.best is None:
            return _nothing(SolutionStatus.UNKNOWN, self, strategy)
        close = self.gap <= self.limits.gap
        return replace(
            self.best,
            status=SolutionStatus.OPTIMAL if close else SolutionStatus.FEASIBLE,
            bound=min(self.proven, self.objective),
            gap=self.gap,
            seconds=self.seconds,
            nodes=self.nodes,
            was_interrupted=not close,
            strategy=strategy,
        )


def _nothing(status: SolutionStatus, standing: _Standing, strategy: str) -> Solution:
    return Solution(
        status=status,
        values=np.zeros(0),
        objective=math.inf,
        bound=standing.bound,
        gap=math.inf,
        seconds=standing.seconds,
        nodes=standing.nodes,
        was_interrupted=status is SolutionStatus.UNKNOWN,
        strategy=strategy,
    )


def staged(program: Program, limits: SolveLimits, start: FloatArray | None = None) -> Asking[Solution]:
    """The best plan within the limits, from `start` where values of a plan are given."""
    if program.columns > _HUGE_COLUMNS:
        return (yield from generated(program, limits, start))
    standing = _Standing(program, limits)
    single = replace(limits, threads=1)
    beside = None
    if limits.threads > 1 and limits.nodes is None and program.columns <= _CUTS_COLUMNS:
        beside = Task(program=program, limits=replace(single, heuristics=0.0))
    told = yield Batch(tasks=(Task(program=relaxation(program), limits=single),), beside=beside)
    relaxed = told.solutions[0]
    standing.seconds = told.seconds
    if relaxed.status is SolutionStatus.INFEASIBLE:
        return _nothing(SolutionStatus.INFEASIBLE, standing, "relaxation")
    if not relaxed.values.size:
        return standing.answer("kernel")
    standing.sure = relaxed.bound
    standing.bound = max(told.bound, relaxed.bound)
    yield from _plans(standing, relaxed, single, start)
    strategy = "kernel" if limits.threads == 1 or beside is None else "kernel with cuts of the whole"
    return replace(standing.answer(strategy), duals=relaxed.duals)


def _plans(standing: _Standing, relaxed: Solution, limits: SolveLimits, start: FloatArray | None) -> Asking[None]:
    yield from _kernels(standing, relaxed, limits, start)
    if standing.best is not None:
        yield from _rounds(standing, relaxed, limits)
    if standing.best is not None and not standing.is_done:
        # Parts bring nothing more: what time is left goes to the whole, begun from the best plan.
        task = Task(program=standing.program, limits=replace(limits, seconds=standing.left), start=standing.best.values)
        told = yield Batch(tasks=(task,))
        standing.seconds, standing.bound = told.seconds, max(standing.bound, told.bound)
        standing.take(told.solutions[0])
        if standing.is_whole:
            standing.bound = max(standing.bound, told.solutions[0].bound)


def generated(program: Program, limits: SolveLimits, start: FloatArray | None = None) -> Asking[Solution]:
    """The best plan over generated columns, bounded over all of them."""
    group = groups_of(program)
    single = replace(limits, threads=1)
    costs = lagrangian(program, np.zeros(program.rows), group)
    standing = _Standing(program, limits, bound=costs, sure=costs)
    kept = promising(program, group, _EACH)
    if start is not None:
        kept |= start > _TINY
    relaxed, narrow = None, narrowed(program, kept)
    for number in range(_GENERATIONS):
        told = yield Batch(tasks=(Task(program=relaxation(narrow.program), limits=single),))
        standing.seconds = told.seconds
        found = told.solutions[0]
        if found.status is SolutionStatus.INFEASIBLE:
            kept |= promising(program, group, _EACH * 2 ** (number + 1))
        elif found.duals.size:
            relaxed = found
            standing.sure = standing.bound = max(standing.bound, lagrangian(program, found.duals, group))
            if standing.is_priced_out(found.objective) or number == _GENERATIONS - 1:
                break
            worth = reduced_costs(program, found.duals)
            kept |= nearest(worth, group, _MORE) & (worth < -_TINY)
        if standing.seconds > limits.seconds * _GENERATING:
            break
        narrow = narrowed(program, kept)
    if relaxed is None:
        return (yield from _unrelaxed(standing, narrow, single))
    found = yield from _within(standing, narrow, relaxed, single, start)
    if found.values.size or standing.left <= 0.0:
        return found
    return (yield from _whole(standing, program, single))


def _whole(standing: _Standing, program: Program, limits: SolveLimits) -> Asking[Solution]:
    """No plan over the generated columns: what time is left goes to all of them."""
    told = yield Batch(tasks=(Task(program=program, limits=replace(limits, seconds=standing.left)),))
    found = told.solutions[0]
    standing.seconds, standing.bound = told.seconds, max(standing.bound, found.bound)
    standing.take(found)
    return standing.answer("the whole, after column generation")


def _unrelaxed(standing: _Standing, narrow: Narrow, limits: SolveLimits) -> Asking[Solution]:
    """Where even the relaxation takes too long: whatever plan is found, above the bound that costs alone prove."""
    task = Task(program=narrow.program, limits=replace(limits, seconds=max(standing.left, 1.0)))
    told = yield Batch(tasks=(task,))
    standing.seconds = told.seconds
    standing.take(told.solutions[0])
    found = standing.answer("column generation")
    return replace(found, values=narrow.widened(found.values)) if found.values.size else found


def _within(
    standing: _Standing, narrow: Narrow, relaxed: Solution, limits: SolveLimits, start: FloatArray | None
) -> Asking[Solution]:
    """The best plan of the narrow program, as one of the whole."""
    standing.program, standing.is_whole = narrow.program, False
    yield from _plans(standing, relaxed, limits, None if start is None else start[narrow.column])
    found = standing.answer("column generation")
    return replace(found, values=narrow.widened(found.values), duals=relaxed.duals) if found.values.size else found


def _kernels(standing: _Standing, relaxed: Solution, limits: SolveLimits, start: FloatArray | None) -> Asking[None]:
    """The smallest kernel that holds a plan: integers the relaxation uses, then those it nearly uses, then all."""
    program = standing.program
    worth = reduced_costs(program, relaxed.duals)
    idle = program.is_integer & (relaxed.values < _TINY) & (program.lower <= 0.0)
    if start is not None:
        idle &= start < _TINY
    for near in (0.0, 0.5, 1.0):
        off = _dearest(worth, idle, near)
        seconds = max(standing.left * _KERNEL_PART, 1.0)
        kernel = replace(program, upper=np.where(off, 0.0, program.upper))
        told = yield Batch(
            tasks=(Task(program=kernel, limits=replace(limits, seconds=seconds, gap=limits.gap / 4), start=start),)
        )
        standing.seconds, standing.bound = told.seconds, max(standing.bound, told.bound)
        standing.take(told.solutions[0])
        if standing.best is not None or standing.left <= 0.0:
            return


def _dearest(worth: FloatArray, idle: BoolArray, near: float) -> BoolArray:
    """Idle integers to leave at zero: all but the `near` share of them with the smallest reduced costs."""
    columns = np.flatnonzero(idle)
    kept = columns[np.argsort(worth[columns], kind="stable")][: round(near * len(columns))]
    off = idle.copy()
    off[kept] = False
    return off


def _rounds(standing: _Standing, relaxed: Solution, limits: SolveLimits) -> Asking[None]:
    """Around the best plan: one round holds what plan and relaxation agree on, the next frees some owners' integers."""
    program = standing.program
    draw = np.random.default_rng(standing.limits.seed)
    owner, owners = owners_of(program)
    idle = rounds = 0
    most = math.inf if standing.limits.nodes is None else _ROUNDS_WITHOUT_CLOCK
    while not standing.is_done and idle < _IDLE_ROUNDS and rounds < most:
        assert standing.best is not None
        values = standing.best.values
        if rounds % 3 == 0:
            held = program.is_integer & (np.abs(values - relaxed.values) < _TINY)
        else:
            free = draw.random(owners) < _FREE
            held = program.is_integer & (owner >= 0) & ~free[owner]
        seconds = max(min(standing.left, standing.limits.seconds * _ROUND_PART), 0.5)
        task = Task(
            program=_held(program, values, held),
            limits=replace(limits, seconds=seconds, gap=limits.gap / 8),
            start=values,
        )
        told = yield Batch(tasks=(task,))
        standing.seconds, standing.bound = told.seconds, max(standing.bound, told.bound)
        idle = 0 if standing.take(told.solutions[0]) else idle + 1
        rounds += 1


def _held(program: Program, values: FloatArray, held: BoolArray) -> Program:
    whole = np.round(values)
    return replace(program, lower=np.where(held, whole, program.lower), upper=np.where(held, whole, program.upper))


def owners_of(program: Program) -> tuple[IntArray, int]:
    """[columns] whose decision a binary is, by its name (`present[chat,...]` is chat's), and how many owners there are.

    -1 for continuous columns and for counts of nodes: those are always free.
    """
    owner = np.full(program.columns, -1, dtype=np.int32)
    number: dict[str, int] = {}
    for column in np.flatnonzero(program.is_integer & (program.upper <= 1.0)).tolist():
        owner[column] = number.setdefault(_owner(program.column_names[column]), len(number))
    return owner, max(len(number), 1)


def _owner(name: str) -> str:
    return name.partition("[")[2].partition(",")[0]
