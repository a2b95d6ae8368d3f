"""The first screen: three scores side by side, the expected loss, and the lowest of them as the heading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.reading.amounts import plural
from tripoint.apps.render.resilience.dependencies import spread_text
from tripoint.apps.render.resilience.scores import GROUNDS, STANDINGS
from tripoint.domain.score import Score, Scores, Standing

if TYPE_CHECKING:
    from tripoint.usecases.assess_recovery import Assessment

_NOT_MET = (Standing.FAILED, Standing.EXCLUDED, Standing.EXPIRED, Standing.MISSING)


def board(found: Assessment) -> Markup:
    """Heading and tiles."""
    size = f"{plural(len(found.asked), 'objective')}, {plural(len(found.dependencies.reliances), 'workload')}"
    top = el("header", el("p", f"Recovery of {found.name} · {size}", class_="eyebrow"), el("h1", _claim(found.scores)))
    return join(top, el("dl", _tiles(found), class_="tiles"))


def _claim(scores: Scores) -> str:
    if scores.headline is None:
        return "Nothing is asked after any loss"
    lowest = next(each for each in (scores.design, scores.simulation, scores.drill) if each.ground is scores.weakest)
    why = ": nothing was tried" if len(lowest.standing(Standing.MISSING)) == len(lowest.graded) else ""
    return f"{scores.headline:.0%} of what is asked is met {GROUNDS[scores.weakest]}{why}".replace("%", "\u00a0%")


def _tiles(found: Assessment) -> list[Markup]:
    scores, report = found.scores, found.dependencies
    tiles = [_score(each) for each in (scores.design, scores.simulation, scores.drill)]
    if report.usd_per_year is None:
        tiles.append(_tile("Expected annual loss", "not known", "nobody said what an hour costs"))
    else:
        tiles.append(_tile("Expected annual loss", f"{report.usd_per_year.value:,.0f} USD",
                           f"90 % interval of failure rates: {spread_text(report.usd_per_year)}"))  # fmt: skip
    told = f"of {plural(len(report.members), 'thing')} that fail; all {report.pairs_tried:,} pairs were tried"
    tiles.append(_tile("Take something down alone", f"{len(report.points)}", told))
    return tiles


def _score(score: Score) -> Markup:
    counts = ((len(score.standing(standing)), STANDINGS[standing]) for standing in _NOT_MET)
    rest = ", ".join(f"{count} {words}" for count, words in counts if count) or "all of them"
    big = "–" if score.share is None else f"{score.share:.0%}".replace("%", "\u00a0%")
    return _tile(f"Met {GROUNDS[score.ground]}", big, f"{score.met} of {len(score.graded)}: {rest}")


def _tile(name: str, big: str, small: str) -> Markup:
    return el(
        "div", el("dt", name), el("dd", el("span", big, class_="big"), el("span", small, class_="small")), class_="tile"
    )
