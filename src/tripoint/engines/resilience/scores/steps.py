"""The next three things to do, and what each costs.

Candidates are what would meet a missed objective, one stress run for all objectives nobody has tried, one drill per
loss for objectives that hold by design, and a second link where one link takes workloads down. What raises the lowest
score comes first; among those what avoids most loss for its money, then what serves most objectives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.cut import Cut, DependencyReport
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.provenance import Origin
from tripoint.domain.recovery import Reached, Remedy
from tripoint.domain.score import Ground, NextStep, Score, Standing
from tripoint.domain.units import SECONDS_PER_HOUR
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.facts.figures import finance_figures
from tripoint.engines.resilience.loss.reliance import disruption_of
from tripoint.engines.resilience.scores.grading import Asked

_MOST = 3
_MONTHS = 12.0
_UNTRIED = (Standing.MISSING, Standing.EXPIRED, Standing.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What steps are chosen from."""

    estate: Estate
    """As declared."""
    catalog: Catalog
    """Facts."""
    reached: Sequence[Reached]
    """By design."""
    remedies: Sequence[Remedy]
    """What would meet what is missed."""
    report: DependencyReport
    """What cannot be lost, and its cost."""
    scores: tuple[Score, Score, Score]
    """By design, by simulation, by drill."""


def next_steps(found: Findings, most: int = _MOST) -> tuple[NextStep, ...]:
    """The most useful things to do, best first; none twice."""
    steps = [*_remedies(found), *_simulation(found), *_drills(found), *_links(found)]
    lowest = min(found.scores, key=lambda score: score.share or 0.0).ground

    def order(step: NextStep) -> tuple[bool, float, int]:
        return step.raises is not lowest or not step.objectives, -_worth(step), -step.objectives

    return tuple(sorted(steps, key=order)[:most])


def _worth(step: NextStep) -> float:
    """What it avoids in a year over what it costs in the first, USD."""
    return (step.avoids_usd_per_year or 0.0) - step.usd_once - _MONTHS * step.usd_per_month


def _remedies(found: Findings) -> Iterator[NextStep]:
    by_change: dict[tuple[str, float], list[Remedy]] = {}
    for remedy in found.remedies:
        if remedy.is_possible:
            by_change.setdefault((remedy.does, remedy.usd_per_month), []).append(remedy)
    for (does, usd), rows in by_change.items():
        named = ", ".join(dict.fromkeys(f"`{each.workload}`" for each in rows))
        yield NextStep(
            does=f"for {named}: {does}",
            raises=Ground.DESIGN,
            objectives=len(rows),
            usd_once=0.0,
            usd_per_month=usd,
            avoids_usd_per_year=_avoided(found, {(each.workload, each.disruption): each.rta_s for each in rows}),
            cost_basis="the plan made again with it, less the plan as it is",
        )


def _avoided(found: Findings, rta_s: dict[Asked, float]) -> float | None:
    """Expected loss that shorter recoveries take away, USD per year."""
    saved = [
        cut.usd_per_year * (1.0 - min(1.0, seconds / SECONDS_PER_HOUR / cut.hours))
        for asked, seconds in rta_s.items()
        for cut in _cuts_of(found, asked)
        if cut.usd_per_year is not None and cut.hours > 0.0
    ]
    return sum(saved) if found.report.usd_per_year is not None else None


def _cuts_of(found: Findings, asked: Asked) -> Iterator[Cut]:
    for reliance in found.report.reliances:
        if reliance.workload == asked[0]:
            yield from (cut for cut in reliance.singles if disruption_of(cut.members[0]) is asked[1])


def _simulation(found: Findings) -> Iterator[NextStep]:
    untried = found.scores[1].standing(Standing.MISSING, Standing.EXPIRED)
    if untried:
        yield NextStep(
            does="run `tripoint stress` with this plan",
            raises=Ground.SIMULATION,
            objectives=len(untried),
            usd_once=0.0,
            usd_per_month=0.0,
            avoids_usd_per_year=None,
            cost_basis="minutes of one machine",
        )


def _drills(found: Findings) -> Iterator[NextStep]:
    """One drill per loss, of objectives that hold by design; those that do not would fail it."""
    hours = default_figure(found.catalog, found.estate.assumptions, "drill.staff_hours")
    year = default_figure(found.catalog, found.estate.assumptions, "drill.work_hours_per_year")
    staff = finance_figures(found.estate, found.catalog).staff_usd_per_fte_year
    untried = {(each.workload, each.disruption) for each in found.scores[2].standing(*_UNTRIED)}
    by_loss: dict[str, list[Reached]] = {}
    for each in found.reached:
        if each.is_met and (each.workload, each.disruption) in untried:
            by_loss.setdefault(each.loss or f"a {each.disruption.value.replace('_', ' ')}", []).append(each)
    for loss, rows in by_loss.items():
        yield NextStep(
            does=f"drill the loss of {loss}",
            raises=Ground.DRILL,
            objectives=len(rows),
            usd_once=hours.value * staff.value / year.value,
            usd_per_month=0.0,
            avoids_usd_per_year=None,
            cost_basis=f"{hours.value:g} hours of staff at {staff.value:,.0f} USD a year"
            + ("" if staff.origin is Origin.DECLARED else " (catalogue)"),
        )


def _links(found: Findings) -> Iterator[NextStep]:
    """A second of a link that takes workloads down alone and whose price is known."""
    by_id: dict[str, Link] = {f"link:{link.id}": link for link in found.estate.links}
    for point in found.report.points:
        link = by_id.get(point.member)
        if link is None or link.port_usd_per_month <= 0.0:
            continue
        asked = {(name, DisruptionClass.LINK) for name in point.workloads}
        failed = found.scores[0].standing(Standing.FAILED)
        yield NextStep(
            does=f"a second {point.text} in a duct of its own",
            raises=Ground.DESIGN,
            objectives=sum((each.workload, each.disruption) in asked for each in failed),
            usd_once=0.0,
            usd_per_month=link.port_usd_per_month,
            avoids_usd_per_year=point.usd_per_year,
            cost_basis="what the first one costs",
        )
