"""The buying plan: what is kept, ordered, signed, let go and rented, on one line of time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.palette import tenure_class
from tripoint.apps.render.html.drawing.sections import Section, figure, rest_told
from tripoint.apps.render.html.drawing.svg import LETTER, Scale, all_widths, canvas, is_roomy, label
from tripoint.apps.render.html.drawing.tables import fallback, table
from tripoint.apps.render.reading.amounts import money_of, month_at, percent, plural
from tripoint.apps.render.reading.decisions import decisions
from tripoint.domain.decision import ExpansionDecision, Purchase, PurchaseAction
from tripoint.domain.plan import Plan

_MOST_ROWS = 48
_NOTE = (
    "Rows are sorted by pool; rented nodes are means over the hours of a period; a vertical stroke at the end of a bar "
    "marks a commitment that lapses."
)
_VERBS = {
    PurchaseAction.BUY: "buy",
    PurchaseAction.COMMIT: "commit",
    PurchaseAction.KEEP: "keep",
    PurchaseAction.RETIRE: "retire",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the picture; times in periods."""

    pool: str
    """What it is sorted by."""
    words: str
    """What it is."""
    spans: tuple[tuple[float, float], ...]
    """From when until when it serves, once or several times."""
    order: float | None
    """When it is ordered; `None` where nothing is to be ordered."""
    class_: str
    """Fill."""
    lapses: bool
    """True when a commitment ends with the bar and is let go."""


def buying(plan: Plan) -> Section:
    """Decisions in time."""
    todo = decisions(plan)
    rows = _rows(plan)
    message = (
        f"{plural(len(todo), 'decision')} within the horizon; the first is due by {todo[0].month}: {todo[0].sentence}."
        if todo
        else "Nothing has to be ordered, signed or let go within the horizon."
    )
    columns = (("By", "l"), ("Do", "l"), ("What", "l"), ("Where", "l"), ("Takes effect", "l"))
    listed = [each.row for each in todo]
    body = join(
        _figure(plan, rows) if rows else None,
        table(columns, listed, "Decisions, earliest first") if listed else None,
        _lapses(plan),
    )
    return Section(id="buying", title="What to order, sign and let go", message=message, body=body)


def _rows(plan: Plan) -> list[Row]:
    layers = {site.id: site.layer for site in plan.sites}
    lapsing = {(row.pool, row.until_period) for row in plan.purchases if row.action is PurchaseAction.LAPSE}
    bursts: dict[str, list[Purchase]] = defaultdict(list)
    found = []
    for row in plan.purchases:
        if row.action is PurchaseAction.BURST:
            bursts[f"{row.pool} {row.option}"].append(row)
        elif row.action is not PurchaseAction.LAPSE:
            found.append(_firm(row, layers.get(row.site, ""), (row.pool, row.until_period) in lapsing))
    found += [_burst(rows, layers.get(rows[0].site, "")) for rows in bursts.values()]
    found += [_expansion(step, layers.get(step.site, ""), len(plan.periods)) for step in plan.expansions]
    return sorted(found, key=lambda row: (row.pool, row.spans[0], row.words))


def _firm(row: Purchase, layer: str, lapses: bool) -> Row:
    tenure = "owned" if row.option == "owned" else "committed"
    term = f", {row.term_months} months" if row.term_months and row.action is PurchaseAction.COMMIT else ""
    return Row(
        pool=row.pool,
        words=f"{row.site}: {_VERBS.get(row.action, row.action)} {_count(row.nodes)} × {row.node_type}{term}",
        spans=((row.service_period, row.until_period + 1),),
        order=row.order_period if row.action in (PurchaseAction.BUY, PurchaseAction.COMMIT) else None,
        class_=tenure_class(layer, tenure),
        lapses=lapses and tenure == "committed",
    )


def _burst(rows: Sequence[Purchase], layer: str) -> Row:
    """Everything rented by the hour in a pool: one line with a bar for each stretch of periods."""
    first, most = rows[0], max(row.nodes for row in rows)
    spot = " spot" if first.option == "spot" else ""
    return Row(
        pool=first.pool,
        words=f"{first.site}: rent up to {_count(most)} × {first.node_type}{spot}",
        spans=tuple(sorted((row.service_period, row.until_period + 1) for row in rows)),
        order=None,
        class_=tenure_class(layer, "elastic"),
        lapses=False,
    )


def _count(nodes: float) -> str:
    """Nodes; means over hours, which are no whole numbers, with two digits."""
    return f"{nodes:,.0f}" if nodes >= 10 or nodes == round(nodes) else f"{nodes:.2g}"


def _expansion(step: ExpansionDecision, layer: str, periods: int) -> Row:
    return Row(
        pool=f"{step.site}/",
        words=f"{step.site}: expand {step.step} (+{step.adds_kw:g} kW)",
        spans=((step.service_period, periods),),
        order=step.order_period,
        class_=f"pale-{layer}" if layer else "fill-none",
        lapses=False,
    )


def _figure(plan: Plan, rows: Sequence[Row]) -> Markup:
    shown = rows[:_MOST_ROWS]
    columns = (("What", "l"), ("Order by", "l"), ("Serves", "l"))
    return figure(
        "Nodes and expansions by period",
        "a diamond is the order, the dotted line waits for delivery, the bar serves; filled: owned, striped: "
        "committed, dotted: rented while used",
        all_widths(partial(_draw, plan, shown)),
        fallback(columns, [_told(plan, row) for row in rows], "All rows as a table"),
        note=f"{_NOTE} {rest_told(len(rows), len(shown))}".strip(),
    )


def _told(plan: Plan, row: Row) -> tuple[str, str, str]:
    """A row in words: what it is, when it is ordered, from and until when it serves."""
    spans = "; ".join(
        f"{_month(plan, begin)} until {_month(plan, end)}" if end > begin else f"gone from {_month(plan, end)}"
        for begin, end in row.spans
    )
    ordered = "–" if row.order is None else _month(plan, row.order)
    return row.words, ordered, f"{spans}, then lapses" if row.lapses else spans


def _month(plan: Plan, period: float) -> str:
    return month_at(plan, int(period))


def _draw(plan: Plan, rows: Sequence[Row], width: float) -> Markup:
    is_wide = is_roomy(width)
    left, row_height = (_room(rows, width), 25.0) if is_wide else (6.0, 40.0)
    first = min(0, *(math.floor(row.order or 0) for row in rows))
    scale = Scale(low=first, high=len(plan.periods), start=left, end=width - 4)
    bottom = 26 + row_height * len(rows)
    band = scale(1) - scale(0)
    every = next((step for step in (1, 2, 4, 12) if band * step > 58), 12)
    marks = [period for period in range(first, len(plan.periods) + 1) if period % every == 0]
    grid = [
        join(
            el("line", x1=scale(mark), x2=scale(mark), y1=20, y2=bottom, class_="axis" if mark == 0 else "rule"),
            label(scale(mark) + 3, 13, month_at(plan, mark), "tick") if scale(mark) < width - 50 else None,
        )
        for mark in marks
    ]
    drawn = [_row(row, scale, 26 + row_height * index, is_wide) for index, row in enumerate(rows)]
    alt = f"Timeline of {len(rows)} purchases and expansions; the decisions are listed in the table below"
    return canvas(width, bottom + 4, alt, grid, drawn)


def _room(rows: Sequence[Row], width: float) -> float:
    """What the words beside the bars need, px; half of the picture at most."""
    return min(width / 2, max(len(row.words) for row in rows) * LETTER + 12)


def _row(row: Row, scale: Scale, top: float, is_wide: bool) -> Markup:
    y = top + (4 if is_wide else 18)
    middle, end = y + 7, scale(row.spans[-1][1])
    return join(
        label(0, top + (15 if is_wide else 11), row.words, "", room=scale.start - 8 if is_wide else scale.end),
        _wait(scale(row.order), scale(row.spans[0][0]), middle) if row.order is not None else None,
        [_bar(row, scale(start), scale(stop), y) for start, stop in row.spans if stop > start],
        el("line", x1=end, x2=end, y1=y - 3, y2=y + 17, class_="outline") if row.lapses else None,
    )


def _wait(order: float, service: float, y: float) -> Markup:
    if order >= service:
        return join()  # signed as it starts
    line = el("line", x1=order, x2=service, y1=y, y2=y, class_="wait")
    return join(line, el("path", d=f"M{order:.1f},{y - 5:.1f} l5,5 l-5,5 l-5,-5 z", class_="order"))


def _bar(row: Row, x: float, end: float, y: float) -> Markup:
    return el("rect", el("title", row.words), x=x, y=y, width=max(2, end - x - 1), height=14, rx=2, class_=row.class_)


def _lapses(plan: Plan) -> Markup | None:
    if not plan.lapses:
        return None
    money = money_of(plan)
    columns = (("Commitment", "l"), ("Nodes", "r"), ("Ends", "l"), ("Mean use", "r"), ("Cost unused", "r"),
               ("Renew", "r"), ("Advice", "p"))  # fmt: skip
    rows = [
        (row.pool, row.nodes, row.ends, percent(row.mean_use), money.short(row.unused_usd), row.renew_nodes, row.advice)
        for row in plan.lapses
    ]
    return table(columns, rows, "Commitments already signed")
