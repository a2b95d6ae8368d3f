"""The obvious alternatives to a plan, priced by the same function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tripoint.domain.plan import Baseline, PlanStatus
from tripoint.engines.answers.baselines import baseline, empty_baseline, missing_baseline
from tripoint.engines.answers.unplaced import unplaced
from tripoint.engines.placement.conflict import explain
from tripoint.engines.placement.families.today import pin_today
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.restrict import Alternative, alternatives, without_recovery
from tripoint.engines.placement.milp.program import Program, Solution
from tripoint.engines.placement.outcome import solve_instance
from tripoint.ports import MilpSolver
from tripoint.usecases.planning.options import PlanOptions
from tripoint.usecases.solving import Clock, Stop, by_size


def baselines_of(
    instance: Instance, solver: MilpSolver, options: PlanOptions, clock: Clock, should_stop: Stop
) -> tuple[Baseline, ...]:
    """Alternatives priced until somebody stops: one that was not priced is left out, since it may well exist."""
    limits = replace(options.limits, gap=max(options.gap, options.baseline_gap))
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
