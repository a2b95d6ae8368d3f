"""The whole page of a stress test, and its parts for the report of a plan."""

from __future__ import annotations

from tripoint.apps.render.html.document import sectioned_page
from tripoint.apps.render.html.drawing.markup import el
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.stress.board import board
from tripoint.apps.render.html.stress.change import change
from tripoint.apps.render.html.stress.courses import courses
from tripoint.apps.render.html.stress.distance import distance
from tripoint.apps.render.html.stress.heat import heat
from tripoint.apps.render.html.stress.lists import figures, replanned, yearly
from tripoint.domain.stress import StressReport


def stress_html(report: StressReport, before: StressReport | None = None) -> str:
    """The page; `before` is the report of the estate without a proposed change, of the same seed."""
    parts = stress_sections(report, before)
    footer = (
        f"Made by tripoint {report.tripoint_version} of estate {report.estate_digest[:19]} and plan "
        f"{report.plan_digest[:19]} with seed {report.seed}: the same again gives the same page."
    )
    return sectioned_page(f"{report.name}: stress test", board(report), parts, el("footer", footer))


def stress_sections(report: StressReport, before: StressReport | None = None) -> list[Section]:
    """The parts without the first screen."""
    parts = [heat(report), distance(report), courses(report)]
    if report.losses:
        parts.append(yearly(report))
    if report.replanned:
        parts.append(replanned(report))
    if before is not None:
        parts.insert(0, change(report, before))
    return [*parts, figures(report)]
