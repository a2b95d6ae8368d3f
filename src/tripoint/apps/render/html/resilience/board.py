"""The first screen: three scores side by side, the expected loss, and the lowest of them as the heading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.sections import tile, top
from tripoint.apps.render.reading.amounts import Money, percent, plural
from tripoint.apps.render.resilience.scores import GROUNDS, STANDINGS
from tripoint.domain.cut import Spread
from tripoint.domain.score import Score, Scores, Standing

if TYPE_CHECKING:
    from tripoint.usecases.assess_recovery import Assessment

_MONEY = Money()
_NOT_MET = (Standing.FAILED, Standing.EXCLUDED, Standing.EXPIRED, Standing.MISSING)


def board(found: Assessment) -> Markup:
    """Heading and tiles."""
    size = f"{plural(len(found.asked), 'objective')}, {plural(len(found.dependencies.reliances), 'workload')}"
    heading = top(f"Recovery of {found.name} · {size}", _claim(found.scores))
    return join(heading, el("dl", _tiles(found), class_="tiles"))


def _claim(scores: Scores) -> str:
    if scores.headline is None:
        return "No recovery objective is declared"
    lowest = next(each for each in (scores.design, scores.simulation, scores.drill) if each.ground is scores.weakest)
    why = ": nothing was tried" if len(lowest.standing(Standing.MISSING)) == len(lowest.graded) else ""
    return f"{percent(scores.headline)} of objectives are met {GROUNDS[scores.weakest]}{why}"


def _tiles(found: Assessment) -> list[Markup]:
    scores, report = found.scores, found.dependencies
    tiles = [_score(each) for each in (scores.design, scores.simulation, scores.drill)]
    if report.usd_per_year is None:
        tiles.append(tile("Expected annual loss", "not known", "what an hour costs is not declared"))
    else:
        tiles.append(tile("Expected annual loss", _MONEY.short(report.usd_per_year.value),
                           f"90 % interval of failure rates: {loss_between(report.usd_per_year)}"))  # fmt: skip
    told = f"of {plural(len(report.members), 'thing')} that can fail; all {report.pairs_tried:,} pairs were tried"
    tiles.append(tile("Single points of failure", f"{len(report.points)}", told))
    return tiles


def _score(score: Score) -> Markup:
    counts = ((len(score.standing(standing)), STANDINGS[standing]) for standing in _NOT_MET)
    rest = ", ".join(f"{count} {words}" for count, words in counts if count) or "all of them"
    big = "–" if score.share is None else percent(score.share).replace(" %", "\u00a0%")
    if not score.graded:
        return tile(f"Met {GROUNDS[score.ground]}", big, "no objective is declared")
    return tile(f"Met {GROUNDS[score.ground]}", big, f"{score.met} of {len(score.graded)}: {rest}")


def loss_between(spread: Spread) -> str:
    """The ends of an interval of money: `$129k to $1.44M`."""
    return f"{_MONEY.short(spread.low)} to {_MONEY.short(spread.high)}"
