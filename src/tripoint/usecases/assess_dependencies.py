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
from tripoint.engines.resilience.loss.report import Question, dependency_report


def planned_dependencies(
    instance: Instance, plan: Plan, *, today: date, reached: Sequence[Reached] = (), seed: int = 0
) -> DependencyReport:
    """What the estate leans on as the plan places it, in the busiest block of the plan's first period.

    `reached` shortens outages to the recovery times found for the same losses. Raises `OptionError` where the plan is
    none of this estate.
    """
    question = Question(
        served=served_by_plan(instance, next(iter(moments(instance, plan)))),
        copies=_copies(instance, plan),
        back_hours=_back_hours(reached),
        lockins=lock_ins(instance, plan, f"{today:%Y-%m}"),
        seed=seed,
    )
    return dependency_report(instance.estate, instance.catalog, question)


def _copies(instance: Instance, plan: Plan) -> dict[str, tuple[str, ...]]:
    """Dataset -> sites with a copy in the plan's first period; as declared where the plan says nothing."""
    planned: dict[str, tuple[str, ...]] = {}
    for copy in plan.copies:
        if copy.from_period == 0:
            planned[copy.dataset] = (*planned.get(copy.dataset, ()), copy.site)
    declared = {str(each.id): tuple(map(str, each.copies)) for each in instance.estate.datasets}
    return {name: planned.get(name) or sites for name, sites in declared.items()}


def _back_hours(reached: Sequence[Reached]) -> Mapping[tuple[str, DisruptionClass], float]:
    return {(each.workload, each.disruption): each.rta_s / SECONDS_PER_HOUR for each in reached}
