"""Scores side by side and the next things to do, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from tripoint.apps.render.plan_text.layout import lines, table, titled
from tripoint.apps.render.reading.amounts import percent
from tripoint.apps.render.resilience.dependencies import spread_text
from tripoint.domain.score import Ground, Standing

if TYPE_CHECKING:
    from tripoint.domain.score import NextStep, Score, Scores

_MOST = 6
GROUNDS: Mapping[Ground, str] = MappingProxyType(
    {Ground.DESIGN: "by design", Ground.SIMULATION: "by simulation", Ground.DRILL: "by fresh drill"}
)
"""Grounds in words."""
STANDINGS: Mapping[Standing, str] = MappingProxyType(
    {each: "not tried" if each is Standing.MISSING else each.value for each in Standing}
)
"""How an objective stands, in words."""


def score_parts(scores: Scores, *, is_full: bool = False) -> list[RenderableType]:
    """The three scores, the loss, what stands in the way, and the next steps."""
    each = (scores.design, scores.simulation, scores.drill)
    columns = (("objectives met", "l"), ("share", "r"), ("met", "r"), ("failed", "r"), ("excluded", "r"),
               ("expired", "r"), ("not tried", "r"))  # fmt: skip
    body: list[RenderableType] = [table(columns, map(_row, each))]
    if scores.headline is None:
        body.append(lines(["no objective is declared, so nothing is scored"]))
    else:
        body.append(lines([f"headline, the lowest: {percent(scores.headline)}, {GROUNDS[scores.weakest]}"]))
    if scores.usd_per_year is not None:
        body.append(lines([f"expected annual loss: {spread_text(scores.usd_per_year)} USD"]))
    told = [line for score in each for line in _reasons(score, is_full)]
    if told:
        body.append(lines(told))
    parts: list[RenderableType] = [titled("Scores", *body)]
    if scores.steps:
        numbered = [f"{number}. {step_line(step)}" for number, step in enumerate(scores.steps, start=1)]
        parts.append(titled("Next", lines([*numbered, *drill_lines(scores)])))
    return parts


def drill_lines(scores: Scores) -> list[str]:
    """What a drill changes here and what not, where one is among the next steps."""
    if all(step.raises is not Ground.DRILL for step in scores.steps):
        return []
    return [
        "no command records drills yet, so the score by drill stays as it is; declare the times a drill measured under "
        "`recovery.timings` with `source: drilled`"
    ]


def score_payload(scores: Scores) -> dict[str, Any]:
    """Scores with every objective and the next steps."""
    return {
        **{name: _score(score) for name, score in (("design", scores.design), ("simulation", scores.simulation),
                                                   ("drill", scores.drill))},
        "headline": scores.headline,
        "weakest": scores.weakest if scores.headline is not None else None,
        "usd_per_year": None if scores.usd_per_year is None else asdict(scores.usd_per_year),
        "next": [asdict(step) for step in scores.steps],
    }  # fmt: skip


def step_line(step: NextStep) -> str:
    """One step as a sentence with its cost."""
    gains = f"{step.objectives} more {GROUNDS[step.raises]}" if step.objectives else GROUNDS[step.raises]
    avoids = f", avoids {step.avoids_usd_per_year:,.0f} USD a year" if step.avoids_usd_per_year else ""
    return f"{step.does}: {gains}, costs {cost_text(step)} ({step.cost_basis}){avoids}"


def cost_text(step: NextStep) -> str:
    """What it costs, once and from then on."""
    costs = [f"{step.usd_once:,.0f} USD once"] if step.usd_once else []
    if step.usd_per_month:
        costs.append(f"{step.usd_per_month:,.0f} USD/month")
    return " and ".join(costs) or "no money"


def _score(score: Score) -> dict[str, Any]:
    return {"met": score.met, "asked": len(score.graded), "share": score.share, **asdict(score)}


def _row(score: Score) -> list[str]:
    share = "" if score.share is None else percent(score.share)
    counts = (
        len(score.standing(standing))
        for standing in (Standing.FAILED, Standing.EXCLUDED, Standing.EXPIRED, Standing.MISSING)
    )
    return [
        GROUNDS[score.ground],
        share,
        f"{score.met} of {len(score.graded)}",
        *(str(count or "") for count in counts),
    ]


def _reasons(score: Score, is_full: bool) -> list[str]:
    """What failed, was excluded or has expired; what nobody tried is only counted."""
    shown = score.standing(Standing.FAILED, Standing.EXCLUDED, Standing.EXPIRED)
    told = [
        f"{GROUNDS[score.ground]}, {each.workload}, {each.disruption.value}: {each.standing.value}, {each.because}"
        for each in shown[: None if is_full else _MOST]
    ]
    return [*told, f"... {len(shown) - len(told)} more with `--full`"] if len(shown) > len(told) else told
