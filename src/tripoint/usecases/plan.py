"""Plan an estate: resolve, fit, formulate, solve, settle, compare, explain."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import SolverError
from tripoint.domain.near_plan import NearPlan
from tripoint.domain.outlook import Outlook, Weighed
from tripoint.domain.plan import Baseline, ConflictSet, Plan, PlanStatus
from tripoint.domain.source import LoadedEstate, Positions
from tripoint.domain.units import seconds_told
from tripoint.engines.answers.assemble import Frame, assemble, infeasible
from tripoint.engines.answers.baselines import baseline, empty_baseline, missing_baseline
from tripoint.engines.answers.unplaced import unplaced
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.conflict import explain, homeless
from tripoint.engines.placement.families.today import pin_today
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.instance.restrict import Alternative, alternatives, without_recovery
from tripoint.engines.placement.milp.program import (
    FloatArray,
    Program,
    Solution,
    SolutionStatus,
    SolveLimits,
)
from tripoint.engines.placement.outcome import Outcome, solve_instance
from tripoint.engines.placement.outlooks.extensive import hold
from tripoint.engines.placement.proof.carry import Carried, carried
from tripoint.engines.placement.proof.kept import packed, unpacked
from tripoint.engines.placement.recall import recall
from tripoint.engines.placement.revise import revised
from tripoint.engines.placement.why.smallest import smallest_conflict
from tripoint.engines.placement.why.ways import Trouble, ways_out
from tripoint.ports import MilpSolver
from tripoint.usecases.drive import drive
from tripoint.usecases.near import Wanted, near_plans
from tripoint.usecases.solving import UNWATCHED, Clock, ProgressState, Stop, Watch, by_size, peak_mb
from tripoint.usecases.weigh import Held, Outlooks, weigh

_WARM_PART = 0.05
"""Share of the earlier solve's time after which planning from it sets nothing more free."""
_LEAST_WARM_S = 0.5
_NEAR_PART = 1 / 3
"""Share of the longest solve that each search for a plan nearly as cheap may take."""
_NEAR_GAP = 5e-3
_CONFLICT_S = 20.0
_NO_PLAN_AFTER = "as declared the estate has no plan after this choice; the plan is made without it"
_MOST_RELAXATIONS = 3
_RELAXED_GAP = 0.02
"""How close to the least raise of a limit is close enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """Options of one run."""

    gap: float = 1e-3
    """Relative gap at which the plan is good enough."""
    seconds: float = 60.0
    """Time limit, seconds; the best plan so far is kept."""
    seed: int = 0
    """Random seed of the solver."""
    threads: int = 2
    """Threads of the solver."""
    nodes: int | None = None
    """Branch-and-bound nodes, for runs that must not depend on the clock."""
    baselines: bool = True
    """Whether to price the alternatives."""
    baseline_gap: float = 5e-3
    """Relative gap at which an alternative is good enough."""
    previous: Plan | None = None
    """An earlier plan to start from: its decisions stay unless a change forces them or moving pays."""
    near: int = 0
    """Most plans nearly as cheap that differ from it, to be told beside it."""
    within: float = 0.03
    """What those may cost more, as a share of its discounted cost."""
    outlooks: tuple[Outlook, ...] = ()
    """How demand and prices may turn out: what is decided at the first review is then decided over all of them."""
    outlook_places: Positions = field(default_factory=Positions)
    """Where they stand in their file, for what is wrong with them."""


def plan(
    loaded: LoadedEstate,
    catalog: Catalog,
    solver: MilpSolver,
    options: PlanOptions,
    *,
    today: date,
    watch: Watch = UNWATCHED,
) -> Plan:
    """The plan of an estate; infeasible is an answer, with the families in conflict.

    Raises:
        SolverError: a limit came before the first incumbent.
    """
    clock = Clock(watch.show, time.perf_counter())
    clock.enter("resolving figures and fits")
    instance = prepare(loaded.estate, catalog, loaded.profiles)
    frame = Frame(loaded=loaded, instance=instance, options=_stated(options), today=today)
    nobody = homeless(instance)
    if nobody is not None:
        return infeasible(frame, _with_ways(nobody, instance, loaded, solver, options))
    weighed, held = _weighed(loaded, catalog, solver, options, clock, watch.should_stop)
    clock.enter("planning")
    outcome = _outcome(instance, solver, options, clock, watch.should_stop, held)
    if outcome.is_infeasible and weighed is not None:
        weighed = replace(weighed, note=_NO_PLAN_AFTER)
        outcome = _outcome(instance, solver, options, clock, watch.should_stop, {})
    if outcome.is_infeasible:
        clock.enter("finding the conflict")
        return infeasible(frame, _conflict(outcome, loaded, solver, options))
    if outcome.summary is None:
        raise SolverError(
            f"no plan found within {seconds_told(min(outcome.solution.seconds, options.seconds))}",
            hint="raise `--time-limit`, or widen `--gap`",
        )
    others = _baselines(instance, solver, options, clock, watch.should_stop) if options.baselines else ()
    clock.enter("writing the answer")
    found = replace(assemble(replace(frame, instance=outcome.instance), outcome, others), weighed=weighed)
    if options.near:
        found = replace(found, near=_near(instance, found, outcome, solver, options, clock, watch.should_stop))
    return replace(found, solve=found.solve and replace(found.solve, peak_mb=peak_mb()), proof=packed(outcome.program))


def _near(
    instance: Instance, found: Plan, outcome: Outcome, solver: MilpSolver, options: PlanOptions, clock: Clock,
    should_stop: Stop,
) -> tuple[NearPlan, ...]:  # fmt: skip
    """Plans nearly as cheap; each is sought for a part of the time a plan may take."""
    quick = replace(_limits(options), gap=max(options.gap, _NEAR_GAP), seconds=options.seconds * _NEAR_PART)
    solve = by_size(solver, quick, clock, should_stop)
    wanted = Wanted(options.near, options.within)
    return near_plans(instance, found, outcome.solution.values, wanted, solve, clock, should_stop)


def _weighed(
    loaded: LoadedEstate, catalog: Catalog, solver: MilpSolver, options: PlanOptions, clock: Clock, should_stop: Stop
) -> tuple[Weighed | None, Held]:
    """What is best decided now over all outlooks, where there are any."""
    if not options.outlooks:
        return None, {}
    given = Outlooks(options.outlooks, options.outlook_places)
    return weigh(loaded, catalog, given, by_size(solver, _limits(options), clock, should_stop), clock)


def _outcome(
    instance: Instance, solver: MilpSolver, options: PlanOptions, clock: Clock, should_stop: Stop, held: Held
) -> Outcome:
    """The plan: near the earlier one where there is one, afresh where there is none or nothing near it holds."""
    limits = _limits(options)
    afresh = by_size(solver, limits, clock, should_stop)
    earlier = options.previous
    if earlier is None or earlier.solve is None:
        return solve_instance(instance, afresh, lambda form: hold(form, held))
    near = replace(limits, seconds=min(limits.seconds, max(_LEAST_WARM_S, earlier.solve.seconds * _WARM_PART)))
    recalled: list[FloatArray] = []

    def solve(program: Program) -> Solution:
        clock.enter("planning from the earlier plan")
        found = drive(
            revised(program, near, recalled[0], _proven(earlier, program)),
            solver,
            threads=limits.threads,
            progress=lambda state: clock.solving(replace(state, bound=None, gap=None)),
            should_stop=should_stop,
        )
        if found.status is not SolutionStatus.UNKNOWN or should_stop():
            return found
        clock.enter("planning afresh: the earlier plan does not hold")
        return afresh(program)

    def prepared(form: Formulation) -> None:
        hold(form, held)
        recalled.append(recall(form, earlier))

    return solve_instance(instance, solve, prepared)


def _proven(earlier: Plan, program: Program) -> Carried | None:
    """What the bound of an earlier plan says about the program now."""
    before = unpacked(earlier.proof)
    return None if before is None or earlier.solve is None else carried(before, earlier.solve.bound_usd, program)


def _stated(options: PlanOptions) -> dict[str, str]:
    return {
        "gap": f"{options.gap:g}",
        "time_limit_s": f"{options.seconds:g}",
        "seed": str(options.seed),
        "threads": str(options.threads),
        "baselines": str(options.baselines).lower(),
        **({"near": str(options.near), "within": f"{options.within:g}"} if options.near else {}),
        **({"outlooks": ", ".join(each.id for each in options.outlooks)} if options.outlooks else {}),
        **({} if options.previous is None else {"warm_from": options.previous.estate_digest}),
    }


def _limits(options: PlanOptions) -> SolveLimits:
    return SolveLimits(
        gap=options.gap,
        seconds=options.seconds,
        nodes=options.nodes,
        seed=options.seed,
        threads=options.threads,
    )


def _conflict(outcome: Outcome, loaded: LoadedEstate, solver: MilpSolver, options: PlanOptions) -> ConflictSet:
    """The families that cannot hold together, and what would do."""
    solve = _quick(solver, options)
    found = explain(outcome.program, solve)
    members = smallest_conflict(outcome.program, found.families, solve)
    found = replace(found, members=tuple(label for _, label in members))
    return _with_ways(found, outcome.instance, loaded, solver, options)


def _quick(solver: MilpSolver, options: PlanOptions, gap: float = 1.0) -> Callable[[Program], Solution]:
    """Short solves: any plan will do, or one within the gap."""
    limits = replace(_limits(options), seconds=min(options.seconds, _CONFLICT_S), gap=gap)

    def solve(program: Program) -> Solution:
        return solver.solve(program, limits, lambda state: None, lambda: False)

    return solve


def _with_ways(
    found: ConflictSet, instance: Instance, loaded: LoadedEstate, solver: MilpSolver, options: PlanOptions
) -> ConflictSet:
    """The conflict with what would make a plan possible: one step, or two together."""
    solve = _quick(solver, options, max(options.gap, _RELAXED_GAP))
    ways = ways_out(Trouble(instance, loaded.profiles, found.families, found.details, solve))[:_MOST_RELAXATIONS]
    if not ways:
        return found
    told = " or ".join(" and ".join(str(step) for step in way) for way in ways)
    what = "one of these alone would do" if len(ways[0]) == 1 else "no single step would do, these together would"
    return replace(found, hint=f"{what}: {told}; {found.hint}")


def _baselines(
    instance: Instance, solver: MilpSolver, options: PlanOptions, clock: Clock, should_stop: Stop
) -> tuple[Baseline, ...]:
    """Alternatives priced until somebody stops: one that was not priced is left out, since it may well exist."""
    limits = replace(_limits(options), gap=max(options.gap, options.baseline_gap))
    rows: list[Baseline] = []
    for alternative in alternatives(instance):
        if should_stop():
            break
        clock.enter(f"pricing the alternative: {alternative.label}")
        row = _priced(alternative, by_size(solver, limits, clock, should_stop))
        if row.status is PlanStatus.INFEASIBLE and should_stop():
            break
        rows.append(row)
    return tuple(rows)


def _priced(alternative: Alternative, solve: Callable[[Program], Solution]) -> Baseline:
    if len(alternative.exempt) == len(alternative.instance.estate.workloads):
        return empty_baseline(alternative)
    adjust = pin_today if alternative.pins_today else (lambda form: None)
    outcome = solve_instance(alternative.instance, solve, adjust)
    unprotected = False
    if outcome.is_infeasible and (exposed := without_recovery(alternative)) is not None:
        unprotected = True
        outcome = solve_instance(exposed.instance, solve, adjust)
    if outcome.summary is None:
        reason = explain(outcome.program, solve) if outcome.is_infeasible else None
        crowded = unplaced(outcome.instance, outcome.program, solve) if outcome.is_infeasible else ()
        return missing_baseline(alternative, outcome, reason, crowded)
    return baseline(alternative.name, alternative.label, outcome, alternative.exempt, unprotected=unprotected)


__all__ = ["Plan", "PlanOptions", "PlanStatus", "ProgressState", "Watch", "plan"]
