"""Plan an estate: resolve, fit, formulate, solve, settle, compare, explain."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import SolverError
from tripoint.domain.near_plan import NearPlan
from tripoint.domain.outlook import Weighed
from tripoint.domain.plan import Plan, PlanStatus
from tripoint.domain.source import LoadedEstate
from tripoint.domain.units import seconds_told
from tripoint.engines.answers.assemble import Frame, assemble, infeasible
from tripoint.engines.placement.conflict import homeless
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.outcome import Outcome
from tripoint.engines.placement.outlooks.choices import Held
from tripoint.engines.placement.proof.kept import packed
from tripoint.ports import MilpSolver
from tripoint.usecases.near import Wanted, near_plans
from tripoint.usecases.planning.alternatives import baselines_of
from tripoint.usecases.planning.conflicts import conflict_of, without_home
from tripoint.usecases.planning.options import PlanOptions, stated
from tripoint.usecases.planning.warm import outcome_of
from tripoint.usecases.solving import UNWATCHED, Clock, ProgressState, Stop, Watch, by_size, peak_mb
from tripoint.usecases.weigh import Outlooks, weigh

_NEAR_PART = 1 / 3
"""Share of the longest solve that each search for a plan nearly as cheap may take."""
_NEAR_GAP = 5e-3
_NO_PLAN_AFTER = "as declared the estate has no plan after this choice; the plan is made without it"


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
    frame = Frame(loaded=loaded, instance=instance, options=stated(options), today=today)
    nobody = homeless(instance)
    if nobody is not None:
        return infeasible(frame, without_home(nobody, instance, loaded, solver, options, watch.should_stop))
    weighed, held = _weighed(loaded, catalog, solver, options, clock, watch.should_stop)
    clock.enter("planning")
    outcome = outcome_of(instance, solver, options, clock, watch.should_stop, held)
    if outcome.is_infeasible and weighed is not None:
        weighed = replace(weighed, note=_NO_PLAN_AFTER)
        outcome = outcome_of(instance, solver, options, clock, watch.should_stop, {})
    if outcome.is_infeasible:
        clock.enter("finding the conflict")
        return infeasible(frame, conflict_of(outcome, loaded, solver, options, watch.should_stop))
    if outcome.summary is None:
        raise SolverError(
            f"no plan found within {seconds_told(min(outcome.solution.seconds, options.seconds))}",
            hint="raise `--time-limit`, or widen `--gap`",
        )
    others = baselines_of(instance, solver, options, clock, watch.should_stop) if options.baselines else ()
    clock.enter("writing the answer")
    found = replace(assemble(replace(frame, instance=outcome.instance), outcome, others), weighed=weighed)
    if options.near:
        found = replace(found, near=_near(instance, found, outcome, solver, options, clock, watch.should_stop))
    proof = packed(outcome.program, outcome.solution.duals, outcome.solution.basis)
    return replace(found, solve=found.solve and replace(found.solve, peak_mb=peak_mb()), proof=proof)


def _near(
    instance: Instance, found: Plan, outcome: Outcome, solver: MilpSolver, options: PlanOptions, clock: Clock,
    should_stop: Stop,
) -> tuple[NearPlan, ...]:  # fmt: skip
    """Plans nearly as cheap; each is sought for a part of the time a plan may take."""
    quick = replace(options.limits, gap=max(options.gap, _NEAR_GAP), seconds=options.seconds * _NEAR_PART)
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
    return weigh(loaded, catalog, given, by_size(solver, options.limits, clock, should_stop), clock)


__all__ = ["Plan", "PlanOptions", "PlanStatus", "ProgressState", "Watch", "plan"]
