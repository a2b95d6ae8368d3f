"""Why an estate has no plan, and what would make one possible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tripoint.domain.plan import ConflictSet
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.conflict import explain, unhoused
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.program import Program, Solution
from tripoint.engines.placement.outcome import Outcome
from tripoint.engines.placement.why.smallest import smallest_conflict
from tripoint.engines.placement.why.waiting import patient, waiting, waiting_told
from tripoint.engines.placement.why.ways import Trouble, ways_out
from tripoint.ports import MilpSolver
from tripoint.usecases.planning.options import PlanOptions

_CONFLICT_S = 20.0
_MOST_RELAXATIONS = 3
_RELAXED_GAP = 0.02
"""How close to the least raise of a limit is close enough."""


def conflict_of(outcome: Outcome, loaded: LoadedEstate, solver: MilpSolver, options: PlanOptions) -> ConflictSet:
    """The families that cannot hold together, and what would do."""
    solve = _quick(solver, options)
    found = explain(outcome.program, solve)
    members = smallest_conflict(outcome.program, found.families, solve)
    found = replace(found, members=tuple(label for _, label in members))
    ids = waiting(outcome.program, patient(outcome.instance), solve)
    return _adding(with_ways(found, outcome.instance, loaded, solver, options), waiting_told(outcome.instance, ids))


def without_home(
    found: ConflictSet, instance: Instance, loaded: LoadedEstate, solver: MilpSolver, options: PlanOptions
) -> ConflictSet:
    """That some workloads have no offer left, and what would do: that they wait, where priorities let all of them."""
    lost = unhoused(instance)
    ids = lost if set(lost) <= set(patient(instance)) else ()
    return _adding(with_ways(found, instance, loaded, solver, options), waiting_told(instance, ids))


def _adding(found: ConflictSet, told: str) -> ConflictSet:
    return replace(found, hint="; ".join(filter(None, (found.hint, told))))


def _quick(solver: MilpSolver, options: PlanOptions, gap: float = 1.0) -> Callable[[Program], Solution]:
    """Short solves: any plan will do, or one within the gap."""
    limits = replace(options.limits, seconds=min(options.seconds, _CONFLICT_S), gap=gap)

    def solve(program: Program) -> Solution:
        return solver.solve(program, limits, lambda state: None, lambda: False)

    return solve


def with_ways(
    found: ConflictSet, instance: Instance, loaded: LoadedEstate, solver: MilpSolver, options: PlanOptions
) -> ConflictSet:
    """The conflict with what would make a plan possible: one step, or two together."""
    solve = _quick(solver, options, max(options.gap, _RELAXED_GAP))
    ways = ways_out(Trouble(instance, loaded.profiles, found.families, found.details, solve))[:_MOST_RELAXATIONS]
    if not ways:
        return found
    told = " or ".join(" and ".join(str(step) for step in way) for way in ways)
    alone = "this alone would do" if len(ways) == 1 else "one of these alone would do"
    what = alone if len(ways[0]) == 1 else "no single step would do, these together would"
    return replace(found, hint=f"{what}: {told}; {found.hint}")
