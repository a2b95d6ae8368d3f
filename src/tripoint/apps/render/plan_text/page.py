"""The printed answer, top to bottom: the numbers first, then why, then how sure that is.

Fits 100 columns, or a narrower terminal, and says the same without colour: colour only repeats what a word or sign
already says.
"""

from __future__ import annotations

from rich.console import Group, RenderableType

from tripoint.apps.render.plan_text.doubts import assumptions, refusals
from tripoint.apps.render.plan_text.future import breakevens, lapses, roadmap_lines, timeline
from tripoint.apps.render.plan_text.layout import BRIEF, FULL, Rows, printed
from tripoint.apps.render.plan_text.placements import placements
from tripoint.apps.render.plan_text.prospects import near, weighed
from tripoint.apps.render.plan_text.verdict import baselines, certificate, conflict, top
from tripoint.domain.plan import Plan, PlanStatus


def plan_text(plan: Plan, *, width: int | None = None, is_coloured: bool = False, is_full: bool = False) -> str:
    """The answer as text: what fits two screens, or every row; with terminal colours only where asked."""
    return printed(_parts(plan, FULL if is_full else BRIEF), width=width, is_coloured=is_coloured)


def _parts(plan: Plan, rows: Rows) -> list[RenderableType]:
    if plan.status is PlanStatus.INFEASIBLE:
        found = [top(plan), conflict(plan), refusals(plan)]
    else:
        found = [
            top(plan),
            baselines(plan),
            near(plan, rows),
            weighed(plan),
            placements(plan, rows),
            timeline(plan, rows),
            roadmap_lines(plan, rows),
            breakevens(plan, rows),
            lapses(plan),
            assumptions(plan, rows),
            refusals(plan),
            certificate(plan),
        ]
    return [part for part in found if not (isinstance(part, Group) and not part.renderables)]
