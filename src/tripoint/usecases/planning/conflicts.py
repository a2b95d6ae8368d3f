"""Why an estate has no plan, and what would make one possible."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from tripoint.domain.plan import ConflictSet
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.conflict import explain, unhoused
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.program import Program, Solution, SolutionStatus
from tripoint.engines.placement.outcome import Outcome
from tripoint.engines.placement.why.smallest import smallest_conflict
from tripoint.engines.placement.why.waiting import patient, waiting, waiting_told
from tripoint.engines.placement.why.ways import Trouble, ways_out
from tripoint.ports import MilpSolver
from tripoint.usecases.planning.options import PlanOptions
from tripoint.usecases.solving import Stop

_CONFLICT_S = 20.0
_SIFTING = 0.5
"""Share of the time in which the families that conflict are found; the rest is for what gives, and ways out."""
_MOST_RELAXATIONS = 3
_RELAXED_GAP = 0.02
"""How close to the least raise of a limit is close enough."""


_CUT_OFF = (
    "the search for why ended early, at the time limit or because it was stopped: "
    "there may be a smaller set, or more ways out"
)


class Search:
    """Short solves with one time limit together; once it is over, or somebody stops it, they find nothing."""

    def __init__(
        self,
        solver: MilpSolver,
        options: PlanOptions,
        should_stop: Stop,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._solver = solver
        self._options = options
        self._should_stop = should_stop
        self._clock = clock
        self._begun = clock()
        self.is_cut_off = False
        """True once a solve was refused or cut off: what it did not find may well be there."""

    def within(self, gap: float, part: float = 1.0) -> Callable[[Program], Solution]:
        """Solves to within a gap, in the first part of the time; a gap of 1 means that any plan will do."""
        until = self._begun + part * self._options.seconds

        def solve(program: Program) -> Solution:
            left = until - self._clock()
            if left <= 0.0 or self._should_stop():
                self.is_cut_off = True
                return Solution.nothing(SolutionStatus.UNKNOWN)
            limits = replace(self._options.limits, seconds=min(left, _CONFLICT_S), gap=gap)
            found = self._solver.solve(program, limits, lambda state: None, self._should_stop)
            self.is_cut_off |= found.status is SolutionStatus.UNKNOWN
            return found

        return solve


def conflict_of(
    outcome: Outcome, loaded: LoadedEstate, solver: MilpSolver, options: PlanOptions, should_stop: Stop
) -> ConflictSet:
    """The families that cannot hold together, and what would do; as far as it is found within the time limit."""
    search = Search(solver, options, should_stop)
    solve = search.within(1.0)
    found = explain(outcome.program, solve, search.within(1.0, _SIFTING))
    if search.is_cut_off:  # families may be named without need: what to do about each would mislead
        found = replace(found, hint="")
    members = smallest_conflict(outcome.program, found.families, solve)
    if not search.is_cut_off:  # else some of them may be there without need
        found = replace(found, members=tuple(label for _, label in members))
    ids = waiting(outcome.program, patient(outcome.instance), solve)
    told = "" if search.is_cut_off else waiting_told(outcome.instance, ids)
    return _adding(_with_ways(found, outcome.instance, loaded, search, options), told)


def without_home(
    found: ConflictSet,
    instance: Instance,
    loaded: LoadedEstate,
    solver: MilpSolver,
    options: PlanOptions,
    should_stop: Stop,
) -> ConflictSet:
    """That some workloads have no offer left, and what would do: that they wait, where priorities let all of them."""
    lost = unhoused(instance)
    ids = lost if set(lost) <= set(patient(instance)) else ()
    search = Search(solver, options, should_stop)
    return _adding(_with_ways(found, instance, loaded, search, options), waiting_told(instance, ids))


def _adding(found: ConflictSet, told: str) -> ConflictSet:
    return replace(found, hint="; ".join(filter(None, (found.hint, told))))


def _with_ways(
    found: ConflictSet, instance: Instance, loaded: LoadedEstate, search: Search, options: PlanOptions
) -> ConflictSet:
    """The conflict with what would make a plan possible: one step, or two together."""
    solve = search.within(max(options.gap, _RELAXED_GAP))
    ways = ways_out(Trouble(instance, loaded.profiles, found.families, found.details, solve))[:_MOST_RELAXATIONS]
    if search.is_cut_off:
        found = _adding(found, _CUT_OFF)
    if not ways:
        return found
    told = " or ".join(" and ".join(str(step) for step in way) for way in ways)
    alone = "this alone would do" if len(ways) == 1 else "one of these alone would do"
    what = alone if len(ways[0]) == 1 else "no single step would do, these together would"
    return replace(found, hint=f"{what}: {told}; {found.hint}")
