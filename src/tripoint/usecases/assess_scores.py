"""Score an estate: objectives met by design, by simulation and by drill, and the next things to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tripoint.domain.cut import DependencyReport
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Reached, Remedy
from tripoint.domain.scenario import TrialMode
from tripoint.domain.score import Ground, Proof, Scores
from tripoint.domain.source import LoadedEstate
from tripoint.domain.stress import Aim, StressReport
from tripoint.engines.gateway.table.shares import period_at
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.resilience.scores.grading import KEPT, Lapse, asked_of, designed, excluded, graded, simulated
from tripoint.engines.resilience.scores.steps import Findings, next_steps
from tripoint.engines.resilience.times.objectives import objective_of

_PAIRED = "+"
"""In the id of a scenario that is two."""


def assess_scores(
    instance: Instance,
    reached: Sequence[Reached],
    remedies: Sequence[Remedy],
    report: DependencyReport,
    *,
    today: date,
    proofs: Sequence[Proof] = (),
) -> Scores:
    """Scores of an assessment; `proofs` are results of trials and drills."""
    asked = asked_of(reached)
    every = (*designed(reached), *excluded(asked, instance.estate.recovery.exclusions), *proofs)
    design, simulation, drill = (graded(asked, every, ground, f"{today:%Y-%m-%d}") for ground in Ground)
    found = Findings(
        estate=instance.estate,
        catalog=instance.catalog,
        reached=reached,
        remedies=remedies,
        report=report,
        scores=(design, simulation, drill),
    )
    return Scores(
        design=design,
        simulation=simulation,
        drill=drill,
        usd_per_year=report.usd_per_year,
        steps=next_steps(found),
    )


def stress_proofs(
    report: StressReport, loaded: LoadedEstate, plan: Plan, digest: str, today: date
) -> tuple[Proof, ...]:
    """What a stress run proved; of another version of the estate, another plan or period nothing that still counts.

    `digest` is the plan's. Pairs of scenarios ask for more than any objective, and planning again plays no loss: both
    are left to the report.
    """
    disruptions = {
        each.id: each.disruption
        for each in report.scenarios
        if each.mode is not TrialMode.PLAN and _PAIRED not in each.id
    }
    lapsed = _lapsed(report, loaded, plan, digest, today)
    return simulated(report.verdicts, disruptions, lapsed, report.unjudged, _wanted(loaded))


def _wanted(loaded: LoadedEstate) -> dict[tuple[str, DisruptionClass], tuple[Aim, ...]]:
    """(workload, loss) -> what its objective asks for that a trial can be held against."""
    found: dict[tuple[str, DisruptionClass], tuple[Aim, ...]] = {}
    for workload in loaded.estate.workloads:
        for kind in DisruptionClass:
            asked = objective_of(loaded.estate, workload, kind)
            if asked is not None:
                parts = (
                    (Aim.RTO, asked.rto_minutes), (Aim.RPO, asked.rpo_minutes), (Aim.COST, asked.highest_cost_factor)
                )  # fmt: skip
                found[str(workload.id), kind] = tuple(aim for aim, limit in parts if limit is not None)
    return found


def _lapsed(report: StressReport, loaded: LoadedEstate, plan: Plan, digest: str, today: date) -> Lapse:
    """Why what a run found says nothing about this plan today."""
    now = plan.periods[period_at(plan, today)] if plan.periods else ""
    because = ""
    if report.estate_digest != loaded.digest:
        because = "tried on another version of the estate"
    elif report.plan_digest != digest:
        because = "tried with another plan"
    elif report.period and now and report.period != now:
        because = f"tried in {report.period}, it is {now}"
    return Lapse(f"{today:%Y-%m-%d}", because) if because else KEPT
