"""Beside the plan: plans nearly as cheap, and what is best decided before one knows how things turn out."""

from __future__ import annotations

from rich.console import Group

from tripoint.apps.render.plan_text.layout import BRIEF, NOTHING, Rows, lines, table, titled
from tripoint.apps.render.reading.prospects import (
    NEAR_COLUMNS,
    near_notes,
    near_rows,
    weighed_columns,
    weighed_notes,
    weighed_rows,
)
from tripoint.domain.plan import Plan


def near(plan: Plan, rows: Rows) -> Group:
    """What each is best in, its price, and what moves."""
    if not plan.near:
        return NOTHING
    told = lines(near_notes(plan, most=2 if rows is BRIEF else 100))
    return titled("Nearly as cheap", table(NEAR_COLUMNS, near_rows(plan)), told)


def weighed(plan: Plan) -> Group:
    """What becomes of each choice in each outlook."""
    if plan.weighed is None:
        return NOTHING
    found = plan.weighed
    rows = weighed_rows(plan, found)
    return titled("Before the outlook is known", table(weighed_columns(found), rows), lines(weighed_notes(plan, found)))
