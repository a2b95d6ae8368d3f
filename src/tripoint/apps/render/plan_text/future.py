"""What comes: decisions by date, limits by date, break-even points, commitments to let go."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group

from tripoint.apps.render.plan_text.layout import NOTHING, lines, more, table, titled
from tripoint.apps.render.reading.amounts import compact, money_of, percent, plural
from tripoint.apps.render.reading.decisions import decisions
from tripoint.apps.render.reading.headline import roadmap
from tripoint.domain.plan import BreakEven, Headroom, Plan

_SHOWN = 12
_REPORT = "the report"


def timeline(plan: Plan) -> Group:
    """What to order, sign or let go, and when."""
    todo = decisions(plan)
    if not todo:
        return titled("Decisions", lines(["nothing to order, sign or let go within the horizon"]))
    rows = [(each.month, each.verb, each.what, each.site, each.serves) for each in todo[:_SHOWN]]
    columns = (("By", "l"), ("Do", "l"), ("What", "f"), ("Where", "f"), ("Takes effect", "l"))
    return titled("Decisions", table(columns, rows), lines(more(len(rows), len(todo), _REPORT)))


def roadmap_lines(plan: Plan) -> Group:
    """Limits in the order they are reached."""
    if not plan.headroom:
        return NOTHING
    rows = roadmap(plan)
    if not rows:
        limits = plural(len(plan.headroom), "limit")
        return titled("Limits", lines([f"none of {limits} is reached within ten years"]))
    said = [_limit(row, plan) for row in rows[:_SHOWN]]
    return titled("Limits, first reached first", lines(said + more(len(said), len(rows), _REPORT)))


def breakevens(plan: Plan) -> Group:
    """When owning or committing pays."""
    if not plan.breakevens:
        return NOTHING
    rows = [_breakeven(row) for row in plan.breakevens[:_SHOWN]]
    columns = (
        ("", "l"),
        ("Firm way", "f"),
        ("Pays above", "r"),
        ("Range", "r"),
        ("From", "l"),
        ("Range", "l"),
    )
    return titled("Break-even", table(columns, rows), lines(more(len(rows), len(plan.breakevens), _REPORT)))


def lapses(plan: Plan) -> Group:
    """Commitments already signed."""
    if not plan.lapses:
        return NOTHING
    money = money_of(plan)
    said = [f"{row.pool}: {row.advice} (unused {money.short(row.unused_usd)})" for row in plan.lapses]
    return titled("Commitments", lines(said))


def _limit(row: Headroom, plan: Plan) -> str:
    lead = f" (takes {plural(row.lead_time_months, 'month')})" if row.lead_time_months else ""
    order = f"; order by {row.order_by}{lead}" if row.order_by else ""
    if not (row.used and row.limit and plan.periods):
        return f"{row.exhausted}  {row.name}{order}"
    last = f"{compact(row.used[-1])} of {compact(row.limit[-1])} {row.unit} in {plan.periods[-1]}"
    return f"{row.exhausted}  {row.name}: {last}{order}"


def _breakeven(row: BreakEven) -> tuple[str, ...]:
    is_spread = row.month_early and row.month_late and row.month_early != row.month_late
    months = f"{row.month_early} to {row.month_late}" if is_spread else ""
    if row.mtok_per_month == 0:
        pays, spread = "any volume", _spread(row.mtok_low, row.mtok_high, compact) if row.mtok_high else ""
    elif row.mtok_per_month is not None:
        pays, spread = f"{compact(row.mtok_per_month)} Mtok/mo", _spread(row.mtok_low, row.mtok_high, compact)
    elif row.utilisation is None:
        pays, spread = "not comparable", ""
    else:
        pays = f"{percent(row.utilisation)} use" if row.utilisation <= 1 else "never"
        spread = _spread(row.utilisation_low, row.utilisation_high, percent)
    return row.subject, row.firm, pays, spread, row.month, months


def _spread(low: float | None, high: float | None, write: Callable[[float], str]) -> str:
    return "" if low is None or high is None else f"{write(low)} to {write(high)}"
