"""Everything about dependencies, from an estate to a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.cut import DependencyReport, LockIn, Member
from tripoint.domain.dependency import DependencyKind
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.estate import Estate
from tripoint.domain.provenance import Figure
from tripoint.domain.recovery import Impact
from tripoint.domain.workload import Workload
from tripoint.engines.resilience.cuts.derive.draft import Derived
from tripoint.engines.resilience.cuts.derive.estate import Wanted, derive
from tripoint.engines.resilience.cuts.derive.served import Served
from tripoint.engines.resilience.cuts.graph import knots
from tripoint.engines.resilience.cuts.search import search
from tripoint.engines.resilience.loss.bearing import annual_loss, bearings, single_points
from tripoint.engines.resilience.loss.draws import drawn
from tripoint.engines.resilience.loss.reliance import Yearly, relied_on
from tripoint.engines.resilience.times.objectives import objective_of

_DRAWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a report is made from, beside the estate."""

    served: Sequence[Served]
    """[workload] where it is served."""
    copies: Mapping[str, tuple[str, ...]]
    """Dataset -> sites with a copy."""
    back_hours: Mapping[tuple[str, DisruptionClass], float]
    """Workload and loss -> hours until the rest has taken over; until repaired where there is none."""
    lockins: tuple[LockIn, ...] = ()
    """How hard each dependency is to leave."""
    seed: int = 0
    """Of the years drawn."""


def dependency_report(estate: Estate, catalog: Catalog, question: Question) -> DependencyReport:
    """Cut sets, what they cost in a year, and what is borne."""
    wanted = [Wanted(served=each, least_share=least_share(estate, each.workload)) for each in question.served]
    derived = derive(estate, catalog, wanted, question.copies)
    usd_per_hour = {str(each.id): usd for each in estate.workloads if (usd := hourly_loss(estate, each)) is not None}
    yearly = Yearly(
        draws=drawn(_figures(derived), _DRAWS, question.seed),
        seed=question.seed,
        usd_per_hour=usd_per_hour,
        back_hours=question.back_hours,
    )
    relied = relied_on(derived, wanted, search(derived.graph), yearly)
    events = len(derived.graph.events)
    return DependencyReport(
        members=_members(derived),
        pairs_tried=events * (events - 1) // 2,
        reliances=tuple(each.reliance for each in relied),
        points=single_points(derived, relied),
        bearings=tuple(bearings(derived, relied, estate.recovery.tolerances, usd_per_hour)),
        knots=knots(derived.graph),
        lockins=question.lockins,
        undeclared=_undeclared(estate),
        usd_per_year=annual_loss(relied, usd_per_hour),
    )


def least_share(estate: Estate, workload: Workload) -> float:
    """Share below which a workload counts as down: that of its objective after the loss of a site, else its own."""
    objective = objective_of(estate, workload, DisruptionClass.SITE)
    declared = None if objective is None else objective.least_share
    return workload.recovery.survive_share if declared is None else declared


def hourly_loss(estate: Estate, workload: Workload) -> float | None:
    """What an hour without it costs, USD: an impact that names it before one for all, the dearest of several."""
    fitting = [each for each in estate.recovery.impacts if not each.workloads or workload.id in each.workloads]
    named = [each for each in fitting if each.workloads]
    return max((each.usd_per_hour for each in _first(named, fitting)), default=None)


def _first(named: list[Impact], fitting: list[Impact]) -> list[Impact]:
    return named or fitting


def _figures(derived: Derived) -> list[Figure]:
    return [figure for member in derived.members.values() for figure in (member.per_year, member.hours)]


def _members(derived: Derived) -> tuple[Member, ...]:
    return tuple({member.id: member for _, member in sorted(derived.members.items())}.values())


def _undeclared(estate: Estate) -> tuple[str, ...]:
    """Kinds nobody can do without that nothing is said about."""
    declared = {each.kind for each in estate.dependencies}
    return tuple(kind.value for kind in DependencyKind if kind.is_people_or_tooling and kind not in declared)
