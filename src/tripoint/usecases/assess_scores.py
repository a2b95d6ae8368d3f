"""Score an estate: objectives met by design, by simulation and by drill, and the next things to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tripoint.domain.cut import DependencyReport
from tripoint.domain.recovery import Reached, Remedy
from tripoint.domain.scenario import TrialMode
from tripoint.domain.score import Ground, Proof, Scores
from tripoint.domain.source import LoadedEstate
from tripoint.domain.stress import StressReport
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.resilience.scores.grading import asked_of, designed, excluded, graded, simulated
from tripoint.engines.resilience.scores.steps import Findings, next_steps

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


def stress_proofs(report: StressReport, loaded: LoadedEstate, plan_digest: str, today: date) -> tuple[Proof, ...]:
    """What a stress run proved; of another version of the estate or of another plan nothing that still counts.

    Pairs of scenarios ask for more than any objective, and planning anew plays no loss: both are left to the report.
    """
    disruptions = {
        each.id: each.disruption
        for each in report.scenarios
        if each.mode is not TrialMode.PLAN and _PAIRED not in each.id
    }
    is_same = (report.estate_digest, report.plan_digest) == (loaded.digest, plan_digest)
    return simulated(report.verdicts, disruptions, expires="" if is_same else f"{today:%Y-%m-%d}")
