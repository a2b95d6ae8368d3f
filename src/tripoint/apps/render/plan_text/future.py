"""What comes: decisions by date, limits by date, break-even points, commitments to let go."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.text import Text

from tripoint.apps.render.plan_text.layout import NOTHING, Rows, lines, more, table, titled
from tripoint.apps.render.reading.amounts import compact, money_of, percent, plural
from tripoint.apps.render.reading.decisions import decisions
from tripoint.apps.render.reading.headline import leaves_a_rest, order_words, roadmap
from tripoint.domain.plan import BreakEven, Headroom, Plan

_PAYS = (("Firm way", "f"), ("Pays above", "r"), ("Range", "r"))
_KEY = "million tokens a month, or use of a node, above which it pays; ranges over prices and growth"
_COUNTED = {"gpus": " at work", "nodes": " in service"}
"""What is counted, since the two differ: GPUs in use, and the nodes that are there."""
_BOUNDLESS = 10.0
"""Utilisation at which the search for a threshold gives up: ten nodes' work on one."""


def timeline(plan: Plan, most: Rows) -> Group:
    """What to order, sign or let go, and when."""
    todo = decisions(plan)
    if not todo:
        return titled("Decisions", lines(["nothing to order, sign or let go within the horizon"]))
    rows = [each.row for each in todo[: most.decisions]]
    columns = (("By", "l"), ("Do", "l"), ("What", "f"), ("Where", "f"), ("Takes effect", "l"))
    return titled("Decisions", table(columns, rows), lines(more(len(rows), len(todo))))


def roadmap_lines(plan: Plan, most: Rows) -> Group:
    """Limits in the order they are reached."""
    if not plan.headroom:
        return NOTHING
    rows = roadmap(plan)
    if not rows:
        limits = plural(len(plan.headroom), "limit")
        return titled("Limits", lines([f"none of {limits} is reached within ten years"]))
    said = [_limit(row, plan) for row in rows[: most.limits]]
    return titled("Limits, first reached first", lines(said + more(len(said), len(rows))))


def breakevens(plan: Plan, most: Rows) -> Group:
    """When owning or committing pays, for workloads by volume and month, for pools by use."""
    if not plan.breakevens:
        return NOTHING
    workloads = [row for row in plan.breakevens if row.kind == "workload"][: most.thresholds]
    pools = [row for row in plan.breakevens if row.kind != "workload"][: most.thresholds // 2]
    parts: list[RenderableType] = []
    if workloads:
        columns = (("Workload", "l"), *_PAYS, ("From", "l"), ("Range", "l"))
        parts.append(table(columns, [_by_workload(row) for row in workloads]))
    if pools:
        parts += [Text()] if parts else []
        parts.append(table((("Pool", "l"), *_PAYS), [_by_pool(row) for row in pools]))
    rest = more(len(workloads) + len(pools), len(plan.breakevens))
    return titled("When owning or committing beats renting", *parts, lines([*rest, _KEY]))


def lapses(plan: Plan) -> Group:
    """Commitments already signed."""
    if not plan.lapses:
        return NOTHING
    money = money_of(plan)
    said = [f"{row.pool}: {row.advice} (unused {money.short(row.unused_usd)})" for row in plan.lapses]
    return titled("Commitments", lines(said))


def _limit(row: Headroom, plan: Plan) -> str:
    lead = f" (takes {plural(row.lead_time_months, 'month')})" if row.lead_time_months else ""
    order = f"; {words}{lead}" if (words := order_words(row, plan)) else ""
    if not (row.used and row.limit and plan.periods):
        return f"{row.exhausted}  {row.name}{order}"
    what = f"{row.unit}{_COUNTED.get(row.resource, '')}"
    last = f"{compact(row.used[-1])} of {compact(row.limit[-1])} {what} in {plan.periods[-1]}"
    rest = ", too little left for one more node" if leaves_a_rest(row, plan) else ""
    return f"{row.exhausted}  {row.name}: {last}{rest}{order}"


def _by_workload(row: BreakEven) -> tuple[str, ...]:
    is_spread = row.month_early and row.month_late and row.month_early != row.month_late
    months = f"{row.month_early} to {row.month_late}" if is_spread else ""
    return row.subject, row.firm, *_pays(row), row.month, months


def _by_pool(row: BreakEven) -> tuple[str, ...]:
    return row.subject, row.firm.removeprefix(f"{row.subject} "), *_pays(row)


def _pays(row: BreakEven) -> tuple[str, str]:
    """The volume or the use from which it pays, and its range."""
    if row.mtok_per_month == 0:
        return "any volume", _spread(row.mtok_low, row.mtok_high, compact) if row.mtok_high else ""
    if row.mtok_per_month is not None:
        return f"{compact(row.mtok_per_month)} Mtok", _spread(row.mtok_low, row.mtok_high, compact)
    if row.utilisation is None:
        return "not comparable", ""
    spread = _use_spread(row.utilisation_low, row.utilisation_high)
    if row.utilisation <= 1:
        return f"{percent(row.utilisation)} use", spread
    return "never", f"{spread} use" if spread else ""


def _use_spread(low: float | None, high: float | None) -> str:
    """`33 % to 86 %`; `from 392 %` where the far end is out of sight, nothing where both ends are."""
    if low is None or high is None or low >= _BOUNDLESS:
        return ""
    return f"from {percent(low)}" if high >= _BOUNDLESS else _spread(low, high, percent)


def _spread(low: float | None, high: float | None, write: Callable[[float], str]) -> str:
    return "" if low is None or high is None else f"{write(low)} to {write(high)}"
