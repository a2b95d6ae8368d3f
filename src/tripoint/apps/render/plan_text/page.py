"""The printed answer, top to bottom: the numbers first, then why, then how sure that is.

Fits 100 columns and says the same without colour: colour only repeats what a word or sign already says.
"""

from __future__ import annotations

import io

from rich.console import Console, Group, RenderableType

from tripoint.apps.render.plan_text.doubts import assumptions, refusals
from tripoint.apps.render.plan_text.future import breakevens, lapses, roadmap_lines, timeline
from tripoint.apps.render.plan_text.layout import BRIEF, FULL, Rows
from tripoint.apps.render.plan_text.placements import placements
from tripoint.apps.render.plan_text.verdict import baselines, certificate, conflict, top
from tripoint.domain.plan import Plan, PlanStatus

WIDTH = 100


def plan_text(plan: Plan, *, width: int = WIDTH, is_coloured: bool = False, is_full: bool = False) -> str:
    """The answer as text: what fits two screens, or every row; with terminal colours only where asked."""
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=is_coloured, no_color=not is_coloured, highlight=False,
        color_system="standard" if is_coloured else None, legacy_windows=False, emoji=False,
    )  # fmt: skip
    for part in _parts(plan, FULL if is_full else BRIEF):
        console.print(part)
        console.print()
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).strip("\n") + "\n"


def _parts(plan: Plan, rows: Rows) -> list[RenderableType]:
    if plan.status is PlanStatus.INFEASIBLE:
        found = [top(plan), conflict(plan), refusals(plan)]
    else:
        found = [
            top(plan),
            baselines(plan),
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
