"""Score an estate: objectives met by design, by simulation and by drill, and the next things to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tripoint.domain.cut import DependencyReport
from tripoint.domain.recovery import Reached, Remedy
from tripoint.domain.score import Ground, Proof, Scores
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.resilience.scores.grading import asked_of, designed, graded
from tripoint.engines.resilience.scores.steps import Findings, next_steps


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
    every = (*designed(reached), *proofs)
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
