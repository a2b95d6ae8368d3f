"""The first screen: what held, what broke first, and how near the rest is, in one heading and a few numbers."""

from __future__ import annotations

from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.sections import tile, top
from tripoint.apps.render.html.resilience.board import loss_between
from tripoint.apps.render.html.stress.reading import broken_scenarios, tried, weakest, workloads
from tripoint.apps.render.reading.amounts import Money, plural
from tripoint.apps.render.stress.figures import aim_of, magnitude, share, span
from tripoint.apps.render.stress.ranking import promised
from tripoint.domain.stress import StressReport


def board(report: StressReport) -> Markup:
    """Heading and tiles."""
    size = f"{plural(len(tried(report)), 'scenario')}, {plural(len(workloads(report)), 'workload')}"
    when = f" in {report.period}" if report.period else ""
    eyebrow = f"Stress test of {report.name} · {size} · {plural(report.played, 'trial')}{when}, seed {report.seed}"
    return join(top(eyebrow, _claim(report)), el("dl", _tiles(report), class_="tiles"))


def _claim(report: StressReport) -> str:
    broken, every = broken_scenarios(report), tried(report)
    if not every:
        return "Nothing was tried"
    if not broken:
        which = "Every objective that could be judged" if report.unjudged else "Every objective"
        return f"{which} holds under {'the one scenario' if len(every) == 1 else f'all {len(every)} scenarios'}"
    if len(broken) == len(every) == 1:
        return f"{broken[0].title}: an objective breaks"
    return f"Objectives break under {len(broken)} of {len(every)} scenarios"


def _tiles(report: StressReport) -> list[Markup]:
    held = [each for verdict in report.verdicts for each in verdict.held]
    met = sum(each.is_met for each in held)
    outside = sum(each.outside for each in report.verdicts)
    tiles = [
        tile("Objectives met", f"{met} of {len(held) + len(report.unjudged)}", _met_told(report)),
        tile("Served outside policy", f"{outside:,.0f}", "requests, over all trials; must be 0"),
    ]
    if report.verdicts:
        ranked = promised(report.verdicts)
        worst = min(ranked, key=lambda each: each.availability.mean)
        where = f"{worst.workload} under {worst.scenario}"
        tiles.append(tile("Least answered in time", share(worst.availability.mean), where))
        longest = max(ranked, key=lambda each: each.outage_s.p95)
        where = f"{longest.workload} under {longest.scenario}, 95 % of trials were shorter"
        tiles.append(tile("Longest outage", span(longest.outage_s.p95), where))
    first = weakest(report)
    if first:
        one = first[0]
        told = f"{aim_of(one.held.aim, one.workload)}; the usual is {magnitude(one.knob, one.knob.usual)}"
        at = one.held.breaks_at
        assert at is not None  # only those that break are among the weakest
        tiles.append(tile(f"First to break: {one.scenario.id}", magnitude(one.knob, at), told))
    if report.usd_per_year is not None:
        told = f"90 % interval of rates and trials: {loss_between(report.usd_per_year)}"
        tiles.append(tile("Expected annual loss", Money().short(report.usd_per_year.value), told))
    tiles.append(tile("Not tried", f"{len(report.untried)}", "scenarios that mean nothing here, listed below"))
    return tiles


def _met_told(report: StressReport) -> str:
    told = "in at least 95 % of trials; residency in every one"
    return f"{told}; {len(report.unjudged)} could not be judged" if report.unjudged else told
