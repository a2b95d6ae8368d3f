"""The whole page of an assessment, and its parts for the report of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tripoint.apps.render.html.document import sectioned_page
from tripoint.apps.render.html.drawing.markup import el
from tripoint.apps.render.html.resilience.board import board
from tripoint.apps.render.html.resilience.hours import hours
from tripoint.apps.render.html.resilience.lists import objectives, points, steps, ways_out

if TYPE_CHECKING:
    from tripoint.apps.render.html.drawing.sections import Section
    from tripoint.usecases.assess_recovery import Assessment

_FOOTER = (
    "Made by tripoint. By design: worked out from the estate, the plan and the catalogue's failure rates, each dated; "
    "nothing was tried. Simulation and drills are scored beside it, never mixed with it."
)


def recovery_html(found: Assessment) -> str:
    """The page; the same assessment gives the same page."""
    parts = resilience_sections(found)
    return sectioned_page(f"{found.name}: recovery", board(found), parts, el("footer", _FOOTER))


def resilience_sections(found: Assessment) -> list[Section]:
    """The parts without the first screen."""
    report = found.dependencies
    parts = [steps(found.scores), objectives(found), points(report), hours(report)]
    return [*parts, ways_out(report)] if report.lockins else parts
