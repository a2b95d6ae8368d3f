"""Plans nearly as cheap, beside the plan."""

from __future__ import annotations

from rich.console import Group

from tripoint.apps.render.plan_text.layout import NOTHING, Rows, lines, table, titled
from tripoint.apps.render.reading.near import NEAR_COLUMNS, near_notes, near_rows
from tripoint.domain.plan import Plan


def near(plan: Plan, rows: Rows) -> Group:
    """What each is best in, its price, and what moves."""
    if not plan.near:
        return NOTHING
    told = lines(near_notes(plan, most=2 if rows.reasons < 100 else 100))
    return titled("Nearly as cheap", table(NEAR_COLUMNS, near_rows(plan)), told)
