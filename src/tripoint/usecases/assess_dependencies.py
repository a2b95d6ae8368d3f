"""Assess dependencies: what an estate leans on, what it cannot lose, what that costs, and how it would be left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from tripoint.domain.cut import DependencyReport
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Reached
from tripoint.domain.units import SECONDS_PER_HOUR
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.resilience.capacity.moment import moments
from tripoint.engines.resilience.cuts.derive.served import served_by_plan
from tripoint.engines.resilience.lockin.exits import lock_ins
from tripoint.engines.resilience.loss.periods import over_periods
from tripoint.engines.resilience.loss.report import Question, dependency_report


def planned_dependencies(
    instance: Instance, plan: Plan, *, today: date, reached: Sequence[Reached] = (), seed: int = 0
) -> DependencyReport:
    """What the estate leans on as the plan places it, in the busiest block of every period; the worst is told.

    `reached` shortens outages to the recovery times found for the same losses. Raises `OptionError` where the plan is
    none of this estate.
    """
    known: list[tuple[Question, DependencyReport]] = []
    reports: dict[str, DependencyReport] = {}
    for moment in moments(instance, plan):
        question = Question(
            served=served_by_plan(instance, moment),
            copies=_copies(instance, plan, moment.period),
            back_hours=_back_hours(reached),
            lockins=() if known else lock_ins(instance, plan, f"{today:%Y-%m}"),
            seed=seed,
        )
        report = next((each for asked, each in known if _is_alike(asked, question)), None)
        if report is None:
            report = dependency_report(instance.estate, instance.catalog, question)
            known.append((question, report))
        reports[instance.grid.periods[moment.period]] = report
    return over_periods(reports)


def _is_alike(one: Question, other: Question) -> bool:
    """True where places and copies are the same, as they mostly are from one period to the next."""
    return one.served == other.served and one.copies == other.copies


def _copies(instance: Instance, plan: Plan, period: int) -> dict[str, tuple[str, ...]]:
    """Dataset -> sites with a copy in a period of the plan; as declared where the plan says nothing."""
    planned: dict[str, tuple[str, ...]] = {}
    for copy in plan.copies:
        if copy.from_period <= period <= copy.to_period:
            planned[copy.dataset] = (*planned.get(copy.dataset, ()), copy.site)
    declared = {str(each.id): tuple(map(str, each.copies)) for each in instance.estate.datasets}
    return {name: planned.get(name) or sites for name, sites in declared.items()}


def _back_hours(reached: Sequence[Reached]) -> Mapping[tuple[str, DisruptionClass], float]:
    return {
        (each.workload, each.disruption): (each.rta_s if each.elsewhere_s is None else each.elsewhere_s)
        / SECONDS_PER_HOUR
        for each in reached
    }
