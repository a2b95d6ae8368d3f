"""The buying plan: what is kept, ordered, signed, let go and rented, on one line of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tripoint.apps.render.html.markup import Markup, el, join
from tripoint.apps.render.html.palette import tenure_class
from tripoint.apps.render.html.sections import Section, figure
from tripoint.apps.render.html.svg import Scale, both_widths, canvas, label
from tripoint.apps.render.html.tables import table
from tripoint.apps.render.reading.amounts import money_of, month_at, plural
from tripoint.apps.render.reading.decisions import decisions
from tripoint.domain.plan import ExpansionDecision, Plan, Purchase, PurchaseAction

_MOST_ROWS = 36
_VERBS = {
    PurchaseAction.BUY: "buy",
    PurchaseAction.COMMIT: "commit",
    PurchaseAction.KEEP: "keep",
    PurchaseAction.RETIRE: "retire",
    PurchaseAction.BURST: "rent about",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One bar of the picture, in periods."""

    words: str
    """What it is."""
    order: float
    """When it is ordered."""
    start: float
    """From when it serves."""
    end: float
    """Until when."""
    class_: str
    """Fill."""
    ends_in: str
    """What happens at the end: `lapses`, `renewed` or nothing."""


def buying(plan: Plan) -> Section:
    """Decisions in time."""
    todo = decisions(plan)
    spans = _spans(plan)
    message = (
        f"{plural(len(todo), 'decision')} within the horizon; the first is due by {todo[0].month}: {todo[0].sentence}."
        if todo
        else "Nothing has to be ordered, signed or let go within the horizon."
    )
    columns = (("By", "l"), ("Do", "l"), ("What", "l"), ("Where", "l"), ("Takes effect", "l"))
    rows = [(each.month, each.verb, each.what, each.site, each.serves) for each in todo]
    body = join(
        _figure(plan, spans) if spans else None,
        table(columns, rows, "Decisions, earliest first") if rows else None,
        _lapses(plan),
    )
    return Section(id="buying", title="What to order, sign and let go", message=message, body=body)


def _spans(plan: Plan) -> list[Span]:
    layers = {site.id: site.layer for site in plan.sites}
    lapsing = {(row.pool, row.until_period) for row in plan.purchases if row.action is PurchaseAction.LAPSE}
    found = [
        (row.pool, _span(row, layers.get(row.site, ""), (row.pool, row.until_period) in lapsing))
        for row in plan.purchases
        if row.action is not PurchaseAction.LAPSE
    ]
    found += [
        (f"{step.site}/", _expansion(step, layers.get(step.site, ""), len(plan.periods))) for step in plan.expansions
    ]
    # Pools in order of their site; within a pool what comes first stands first.
    return [span for _, span in sorted(found, key=lambda item: (item[0], item[1].start, item[1].words))]


def _span(row: Purchase, layer: str, lapses: bool) -> Span:
    tenure = "owned" if row.option == "owned" else "committed" if row.option == "committed" else "elastic"
    term = f", {row.term_months} months" if row.term_months and row.action is PurchaseAction.COMMIT else ""
    return Span(
        words=f"{row.site}: {_VERBS.get(row.action, row.action)} {row.nodes:,.3g} × {row.node_type}{term}",
        order=row.order_period,
        start=row.service_period,
        end=row.until_period + 1,
        class_=tenure_class(layer, tenure),
        ends_in="lapses" if lapses and tenure == "committed" else "",
    )


def _expansion(step: ExpansionDecision, layer: str, periods: int) -> Span:
    return Span(
        words=f"{step.site}: expand {step.step} (+{step.adds_kw:g} kW)", order=step.order_period,
        start=step.service_period, end=periods, class_=f"pale-{layer}" if layer else "fill-none", ends_in="",
    )  # fmt: skip


def _figure(plan: Plan, spans: Sequence[Span]) -> Markup:
    shown = spans[:_MOST_ROWS]
    rest = f" {len(spans) - len(shown)} more bars are left out." if len(spans) > len(shown) else ""
    return figure(
        "Nodes and expansions by period",
        "a diamond is the order, the dotted line waits for delivery, the bar serves; filled: owned, striped: "
        "committed, dotted: rented while used",
        both_widths(partial(_draw, plan, shown)),
        note=f"Rows are sorted by pool; a vertical stroke at the end of a bar marks a commitment that lapses.{rest}",
    )


def _draw(plan: Plan, spans: Sequence[Span], width: float) -> Markup:
    is_wide = width > 600
    left, row_height = (330.0, 25.0) if is_wide else (4.0, 40.0)
    first = min(0, *(int(span.order) for span in spans))
    scale = Scale(low=first, high=len(plan.periods), start=left, end=width - 4)
    bottom = 26 + row_height * len(spans)
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
    rows = [_row(span, scale, 26 + row_height * index, is_wide) for index, span in enumerate(spans)]
    alt = f"Timeline of {len(spans)} purchases and expansions; the decisions are listed in the table below"
    return canvas(width, bottom + 4, alt, grid, rows)


def _row(span: Span, scale: Scale, top: float, is_wide: bool) -> Markup:
    words = label(0, top + (15 if is_wide else 11), span.words, "", room=scale.start - 8 if is_wide else scale.end)
    y = top + (4 if is_wide else 18)
    x, order, end = scale(span.start), scale(span.order), scale(span.end)
    has_wait = span.order < span.start
    middle = y + 7
    return join(
        words,
        el("line", x1=order, x2=x, y1=middle, y2=middle, class_="wait") if has_wait else None,
        el("rect", el("title", span.words), x=x, y=y, width=max(2, end - x - 1), height=14, rx=2,
           class_=span.class_),
        el("path", d=f"M{order:.1f},{middle - 5:.1f} l5,5 l-5,5 l-5,-5 z", class_="order") if has_wait else None,
        el("line", x1=end, x2=end, y1=y - 3, y2=y + 17, class_="outline") if span.ends_in else None,
    )  # fmt: skip


def _lapses(plan: Plan) -> Markup | None:
    if not plan.lapses:
        return None
    money = money_of(plan)
    columns = (("Commitment", "l"), ("Nodes", "r"), ("Ends", "l"), ("Mean use", "r"), ("Cost unused", "r"),
               ("Renew", "r"), ("Advice", "p"))  # fmt: skip
    rows = [
        (row.pool, row.nodes, row.ends, f"{row.mean_use:.0%}", money.short(row.unused_usd), row.renew_nodes, row.advice)
        for row in plan.lapses
    ]
    return table(columns, rows, "Commitments already signed")
