"""A good assignment with proof, at sizes no solver takes whole: bound, kernel, relax-and-fix, then parts in turn.

A generator without clock or solver: it hands out programs to solve, several at a time, and is told what came of them
and how many seconds have passed. One program may run beside all others: where the whole is small enough for a solver's
cuts, they raise the bound while parts lower the cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripoint.engines.placement.assignment.alike import Counted, count, needed
from tripoint.engines.placement.assignment.dual import (
    DualAscent,
    DualBound,
    Prices,
    bound_at,
    prices_of,
    reduced_costs,
    shared_pairs,
)
from tripoint.engines.placement.assignment.formulate import formulate
from tripoint.engines.placement.assignment.layout import Layout, lay_out
from tripoint.engines.placement.assignment.parts import (
    Guide,
    Relaxed,
    fix_most,
    guide_to,
    of_clusters,
    ranked,
    roomy,
    within_sites,
)
from tripoint.engines.placement.assignment.problem import Assignment, bill
from tripoint.engines.placement.assignment.restrict import Part, with_choices
from tripoint.engines.placement.milp.asking import Answers, Asking, Batch, Task
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.program import (
    BoolArray,
    FloatArray,
    IntArray,
    Program,
    Solution,
    SolutionStatus,
    SolveLimits,
)

_VISITED = 0.003
"""Share of the settled steps that makes a choice worth keeping."""
_SIZE_OF_WHOLE = 2_500
"""Columns up to which nothing beats the solver on the whole program."""
_SIZE_OF_CUTS = 60_000
"""Columns up to which a solver's cuts raise the bound in useful time."""
_ATTEMPTS = ((1.5, 0.0), (3.0, 0.0), (3.0, 1.0), (6.0, 2.0), (24.0, 1e9))
"""Nodes' worth of small workloads freed on every offer, and how far nodes may be from the relaxation's."""
_ROUGH_COLUMNS = 700_000
"""Columns from which any first plan will do: rounds of parts improve it sooner than a solver finds a good one."""
_ROUGH_GAP = 0.05
_POLISH = 4
_WORTH_POLISHING = 2e-3
"""How far below the ascent's bound prices of the kernel may begin to be worth a second ascent."""
_FIRST_LONGER = 12.0
"""How much longer than a part the first plan may take, more in proportion where it has more columns than usual."""
_FIRST_COLUMNS = 8_000
_PART_GAP = 5e-5
_WIDER = 2
"""More choices by reduced cost in parts within sites than in the kernel."""
_SITES_LONGER = 4.0
"""How much longer a part within sites may take at first than one of clusters."""
_NEAREST = (1, 2, 3)
"""Choices by reduced cost in a part, in turn: the more there are, the fewer workloads a solver decides in the time."""
_SIZES = (1.6, 0.8, 0.4)
"""Workloads drawn for a part at each, beside what the effort says, at first."""
_LARGER, _SMALLER, _LEAST = 1.3, 0.75, 0.2
"""What becomes of a size after a round whose parts were all solved, or were not, and the least, of what it was."""
_WORTH = 0.01
"""Of the gap: a round that saves less ends the turn."""
_PATIENCE, _MOST_PATIENCE = 1.3, 8.0
"""How much longer parts may take after such a round in which one was cut off, and at most, beside the first time."""
_SURE = 0.3
"""Share of settled steps from which a choice stands for the relaxation's, where that has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long and how hard to search."""

    gap: float = 5e-3
    """Relative gap at which to stop."""
    seconds: float = 60.0
    """Seconds at which no further round begins."""
    rounds: int = 10_000
    """Most rounds of parts."""
    steps: int = 600
    """Steps of the dual ascent."""
    nearest: int = 3
    """Choices by reduced cost that every workload keeps in the kernel."""
    part: int = 250
    """Workloads drawn for a part, about: more where few choices each are looked at, fewer where many are."""
    part_seconds: float = 0.5
    """Longest solve of a part, seconds."""
    part_nodes: int | None = None
    """Branch-and-bound nodes of a part, for runs that must not depend on the clock."""
    threads: int = 2
    """Parts solved at once."""
    cuts: bool = True
    """Whether a solver works on the whole program beside, where that is small enough for its cuts to help."""
    seed: int = 0
    """Of the random choice of parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An assignment with its proof."""

    chosen: IntArray
    """[workloads] choice; empty when none was found."""
    usd: float
    """What it costs; infinite when none was found."""
    bound: float
    """No assignment costs less."""
    seconds: float
    """Since the search began."""
    bounded_by: str
    """Where the bound comes from: `dual`, `linear program` or `cuts`."""
    strategy: str
    """`monolithic` or `decomposition`."""
    rounds: int
    """Rounds of parts."""
    path: tuple[tuple[float, float, float], ...]
    """(seconds, cost, bound) whenever either got better."""

    @property
    def gap(self) -> float:
        """(cost - bound) / cost."""
        return max(0.0, self.usd - self.bound) / self.usd if np.isfinite(self.usd) else float("inf")


@dataclass(slots=True)
class _Standing:
    """What is known so far."""

    effort: Effort
    usd: float = float("inf")
    bound: float = -float("inf")
    bounded_by: str = "dual"
    strategy: str = "decomposition"
    seconds: float = 0.0
    path: tuple[tuple[float, float, float], ...] = ()

    def proven(self, bound: float, source: str) -> None:
        if bound > self.bound:
            self.bound, self.bounded_by = bound, source
            self.note()

    def note(self) -> None:
        self.path = (*self.path, (self.seconds, self.usd, self.bound))

    def heard(self, answers: Answers) -> tuple[Solution, ...]:
        self.seconds = answers.seconds
        self.proven(answers.bound, "cuts")
        return answers.solutions

    def is_done(self, rounds: int) -> bool:
        close = self.usd - self.bound <= self.effort.gap * self.usd
        return close or rounds >= self.effort.rounds or self.seconds >= self.effort.seconds


def search(problem: Assignment, effort: Effort) -> Asking[Found]:
    """The best assignment found within the effort, with its bound."""
    kept = needed(problem)
    if kept.all():
        return (yield from _search(problem, effort))
    lean = with_choices(problem, kept)
    found = yield from _search(lean.problem, effort)
    return replace(found, chosen=lean.choice[found.chosen])


def _search(problem: Assignment, effort: Effort) -> Asking[Found]:
    standing = _Standing(effort)
    counted = count(problem)
    if counted.layout.columns <= _SIZE_OF_WHOLE:
        return (yield from _whole(problem, counted, standing))
    layout = lay_out(problem)
    dual = DualAscent(layout).run(effort.steps)
    standing.proven(dual.usd, "dual")
    kernel = _kernel(layout, dual, effort.nearest)
    laid = lay_out(kernel.problem)
    whole = _cuts(layout, effort) if effort.cuts and layout.columns <= _SIZE_OF_CUTS else None
    linear = formulate(laid)
    answers = yield Batch(tasks=(_linear(linear, effort),), beside=whole)
    relaxed = standing.heard(answers)[0]
    point = Relaxed(shares=dual.visits, nodes=dual.nodes, opened=dual.opened)
    liked = np.where(dual.visits > _SURE, dual.visits, 0.0)
    if relaxed.values.size:
        point = _point(layout, kernel, laid, relaxed.values)
        liked = point.shares
        prices = prices_of(layout, laid, relaxed.duals, dual.prices)
        dual = _polished(layout, dual, prices, standing)
    allowed = np.zeros(problem.choices, dtype=np.bool_)
    allowed[kernel.choice] = True
    is_rough = layout.columns > _ROUGH_COLUMNS
    spare = roomy(problem, point, reduced_costs(layout, dual.prices)) if is_rough else False
    chosen = yield from _first(layout, standing, point, allowed | spare, is_rough)
    if not chosen.size:
        return (yield from _whole(problem, counted, standing))
    is_small = layout.columns <= _SIZE_OF_CUTS
    if is_rough:
        dual = _again(layout, dual, dual.prices, standing, "dual")
    costs = reduced_costs(layout, dual.prices)
    kept = (liked > 0.0) | (ranked(layout, costs) < (effort.nearest + _WIDER if is_small else max(_NEAREST)))
    kept[chosen] = True
    if is_small:
        kept |= allowed
    lean = with_choices(problem, kept)
    improve = _by_sites if is_small else _by_clusters
    guide = _guide(layout, lean, dual.prices, costs, liked)
    better, rounds = yield from improve(guide, standing, lean.inner(chosen))
    return _found(standing, lean.choice[better], rounds)


def _guide(layout: Layout, lean: Part, prices: Prices, costs: FloatArray, liked: FloatArray) -> Guide:
    """The guide within the choices that rounds of parts look at, a few of each workload."""
    laid = lay_out(lean.problem)
    there = replace(prices, apart=prices.apart[shared_pairs(layout, laid)])
    return guide_to(laid, there, costs[lean.choice], liked[lean.choice])


def _whole(problem: Assignment, counted: Counted, standing: _Standing) -> Asking[Found]:
    """The whole program, left to the solver: the best there is for small ones, and the last resort for others."""
    effort = standing.effort
    left = max(effort.seconds - standing.seconds, 1.0)
    # On a small program a second thread, or a jump, takes longer to begin than all the rest.
    is_small = counted.layout.columns <= _SIZE_OF_WHOLE
    limits = SolveLimits(
        gap=effort.gap,
        seconds=left,
        nodes=effort.part_nodes,
        seed=effort.seed,
        threads=1 if is_small else effort.threads,
        jumps=not is_small,
    )
    answers = yield Batch(tasks=(Task(program=counted.program(), limits=limits),))
    found = standing.heard(answers)[0]
    standing.strategy = "monolithic"
    chosen = np.zeros(0, dtype=np.int32)
    if found.values.size:
        chosen = counted.chosen(found.values)
        standing.usd = bill(problem, chosen).usd
    if found.status is not SolutionStatus.INFEASIBLE:
        standing.proven(min(found.bound, standing.usd), "cuts")
    standing.note()
    return _found(standing, chosen, 0)


def _polished(layout: Layout, dual: DualBound, prices: Prices, standing: _Standing) -> DualBound:
    """The ascent begun again near a kernel's prices, where these are nearly as good as its own."""
    if bound_at(layout, prices) < dual.usd - _WORTH_POLISHING * abs(dual.usd):
        return dual
    return _again(layout, dual, prices, standing, "linear program")


def _again(layout: Layout, dual: DualBound, near: Prices, standing: _Standing, source: str) -> DualBound:
    """The ascent begun again near some prices, with small steps; its bound where that is better."""
    polished = DualAscent(layout).run(standing.effort.steps // _POLISH, near=near)
    if polished.usd <= dual.usd:
        return dual
    standing.proven(polished.usd, source)
    return replace(dual, usd=polished.usd, prices=polished.prices)


def _kernel(layout: Layout, dual: DualBound, nearest: int) -> Part:
    """Choices that were taken while prices settled, and each workload's best by reduced cost."""
    rank = ranked(layout, reduced_costs(layout, dual.prices))
    return with_choices(layout.problem, (dual.visits > _VISITED) | (rank < nearest))


def _point(layout: Layout, kernel: Part, laid: Layout, columns: FloatArray) -> Relaxed:
    shares = np.zeros(layout.problem.choices)
    shares[kernel.choice] = columns[: kernel.problem.choices]
    nodes, opened = columns[laid.nodes_at : laid.open_at], columns[laid.open_at : laid.apart_at]
    return Relaxed(shares=shares, nodes=nodes, opened=opened)


def _linear(program: Program, effort: Effort) -> Task:
    return Task(program=relaxation(program), limits=SolveLimits(seconds=max(effort.seconds, 1.0), threads=1))


def _cuts(layout: Layout, effort: Effort) -> Task:
    limits = SolveLimits(gap=effort.gap / 2, seconds=effort.seconds, threads=1, nodes=effort.part_nodes, heuristics=0.0)
    return Task(program=formulate(layout), limits=limits)


def _first(layout: Layout, standing: _Standing, point: Relaxed, allowed: BoolArray, is_rough: bool) -> Asking[IntArray]:
    """Relax and fix: what is whole in the relaxation stays, small workloads make the rest come out; more of them,
    should it not. Nodes as near to the relaxation's as they get make good plans rare; a rough one has one to spare."""
    effort = standing.effort
    for freed, slack in _ATTEMPTS:
        draft = fix_most(layout, point.shares, allowed, freed)
        counted = count(draft.part.problem)
        limits = _part_limits(effort, longer=_FIRST_LONGER * max(1.0, counted.layout.columns / _FIRST_COLUMNS))
        if is_rough:
            limits, slack = replace(limits, gap=_ROUGH_GAP), max(slack, 1.0)
        answers = yield Batch(tasks=(Task(program=draft.bounded(counted, point, slack), limits=limits),))
        found = standing.heard(answers)[0]
        if found.values.size:
            chosen = draft.chosen.copy()
            chosen[draft.part.workload] = draft.part.choice[counted.chosen(found.values)]
            standing.usd = bill(layout.problem, chosen).usd
            standing.note()
            return chosen
    return np.zeros(0, dtype=np.int32)


def _part_limits(effort: Effort, longer: float = 1.0) -> SolveLimits:
    return SolveLimits(
        gap=_PART_GAP,
        seconds=min(effort.part_seconds * longer, effort.seconds),
        nodes=effort.part_nodes,
        seed=effort.seed,
        threads=1,
    )


def _by_sites(guide: Guide, standing: _Standing, chosen: IntArray) -> Asking[tuple[IntArray, int]]:
    """Rounds of parts within groups of sites; the best assignment, and how many rounds it took."""
    effort = standing.effort
    draw = np.random.default_rng(effort.seed)
    rounds, longer = 0, _SITES_LONGER
    while not standing.is_done(rounds):
        before = standing.usd
        parts = within_sites(guide, chosen, draw, effort.part, effort.threads)
        chosen, is_cut = yield from _round(guide, standing, chosen, parts, _part_limits(effort, longer))
        if standing.usd == before and is_cut:
            longer = min(longer * _PATIENCE, _SITES_LONGER * _MOST_PATIENCE)
        rounds += 1
    return chosen, rounds


def _by_clusters(guide: Guide, standing: _Standing, chosen: IntArray) -> Asking[tuple[IntArray, int]]:
    """Rounds of parts of whole clusters; the best assignment, and how many rounds it took.

    Parts grow while a solver is done with them in time, and shrink when it is not.
    """
    problem, effort = guide.layout.problem, standing.effort
    draw = np.random.default_rng(effort.seed)
    first = tuple(effort.part * size for size in _SIZES)
    sizes, turn = list(first), 0
    rounds, longer = 0, 1.0
    while not standing.is_done(rounds):
        before = standing.usd
        parts = of_clusters(guide, chosen, draw, round(sizes[turn]), _NEAREST[turn], effort.threads)
        chosen, is_cut = yield from _round(guide, standing, chosen, parts, _part_limits(effort, longer))
        size = sizes[turn] * (_SMALLER if is_cut else _LARGER)
        sizes[turn] = min(max(size, _LEAST * first[turn]), float(problem.workloads))
        if before - standing.usd < _WORTH * (before - standing.bound):
            turn = (turn + 1) % len(_NEAREST)
            longer = min(longer * _PATIENCE, _MOST_PATIENCE) if is_cut else longer
        rounds += 1
    return chosen, rounds


def _round(
    guide: Guide, standing: _Standing, chosen: IntArray, parts: list[Part], limits: SolveLimits
) -> Asking[tuple[IntArray, bool]]:
    """All parts solved and put together, where that is better, and whether one was cut off."""
    counted = [count(part.problem) for part in parts]
    tasks = tuple(
        Task(program=each.program(), limits=limits, start=each.values(part.inner(chosen)))
        for part, each in zip(parts, counted, strict=True)
    )
    answers = yield Batch(tasks=tasks)
    better = chosen.copy()
    for part, each, found in zip(parts, counted, standing.heard(answers), strict=True):
        if found.values.size:
            better[part.workload] = part.choice[each.chosen(found.values)]
    now = bill(guide.layout.problem, better)
    if now.excess == 0.0 and now.usd < standing.usd:
        chosen, standing.usd = better, now.usd
        standing.note()
    return chosen, any(found.was_interrupted for found in answers.solutions)


def _found(standing: _Standing, chosen: IntArray, rounds: int) -> Found:
    return Found(
        chosen=chosen,
        usd=standing.usd,
        bound=min(standing.bound, standing.usd),
        seconds=standing.seconds,
        bounded_by=standing.bounded_by,
        strategy=standing.strategy,
        rounds=rounds,
        path=standing.path,
    )
