"""What the answer rests on, and what was ruled out before cost was looked at."""

from __future__ import annotations

from tripoint.apps.render.html.drawing.markup import Content, Markup, breakable, el, join, prose
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.reading.amounts import money_of, plural, significant
from tripoint.apps.render.reading.doubt import by_money, doubtful, flags, reason_words, reasons, refusals_by_workload
from tripoint.domain.fit import Refusal
from tripoint.domain.plan import Plan
from tripoint.domain.provenance import Assumption, Origin

_FIRST = 12


def assumptions(plan: Plan) -> Section:
    """Figures by the money that rests on them."""
    rows = by_money(plan)
    most = rows[0].money_usd if rows else 0.0
    cells = [_cells(plan, row, most) for row in rows]
    columns = (
        ("Figure", "p"),
        ("Money resting on it", "r"),
        ("Value", "q"),
        ("Range", "q"),
        ("Said by", "p"),
        ("Confidence", "w"),
    )
    rest = (
        el(
            "details",
            el("summary", f"{len(rows) - _FIRST} more figures"),
            table(columns, cells[_FIRST:]),
            class_="numbers",
        )
        if len(rows) > _FIRST
        else None
    )
    body = join(table(columns, cells[:_FIRST], "Assumptions, most money first"), rest) if rows else join()
    return Section(id="assumptions", title="What the answer rests on", message=_message(plan), body=body)


def refusals(plan: Plan) -> Section:
    """Pairs ruled out, by workload."""
    counts = ", ".join(f"{reason_words(reason)} {count:,}" for reason, count in reasons(plan))
    policy = sum(refusal.reason.is_policy for refusal in plan.refusals)
    message = (
        f"{plural(len(plan.refusals), 'pair')} of workload and offer were ruled out before cost was looked at, "
        f"{policy:,} of them by policy. By reason: {counts}."
        if plan.refusals
        else "No pair of workload and offer was ruled out."
    )
    groups = [_group(name, rows) for name, rows in refusals_by_workload(plan).items()]
    return Section(id="refusals", title="What was ruled out, and why", message=message, body=join(groups))


def _message(plan: Plan) -> str:
    rows, weak = by_money(plan), doubtful(plan)
    if not rows:
        return "The plan names no assumption."
    if not weak:
        return f"{plural(len(rows), 'figure')} decide the cost; none of them is weak or stale."
    return (
        f"{len(weak)} of {plural(len(rows), 'figure')} are weak or stale; most money among them rests on "
        f"{weak[0].figure.key} ({money_of(plan).short(weak[0].money_usd)}): confirm that one first."
    )


def _cells(plan: Plan, row: Assumption, most: float) -> tuple[Content, ...]:
    figure, provenance, money = row.figure, row.figure.provenance, money_of(plan)
    share = row.money_usd / most if most > 0 else 0.0
    bar = el("span", class_="bar", style=f"width:{max(1.0, share * 100):.0f}%", aria_hidden="true")
    between = (
        f"{significant(figure.low)} to {significant(figure.high)}"
        if figure.low is not None and figure.high is not None
        else "–"
    )
    marks = [el("span", flag, class_="flag") for flag in flags(row)]
    return (
        join(
            el("code", breakable(figure.key)),
            el("span", el("br"), prose(figure.note), class_="unit") if figure.note else None,
        ),
        join(money.short(row.money_usd), bar),
        f"{significant(figure.value)} {figure.unit}",
        between,
        _said_by(row),
        join(str(provenance.confidence) if provenance else "–", " ", marks),
    )


def _said_by(row: Assumption) -> str:
    figure, provenance = row.figure, row.figure.provenance
    if figure.origin is Origin.DECLARED:
        return "the estate"
    source = f": {provenance.source.replace(';', ', ')}, {provenance.as_of}" if provenance else ""
    return f"{figure.origin}{source}"


def _group(name: str, rows: tuple[Refusal, ...]) -> Markup:
    kinds = ", ".join(dict.fromkeys(reason_words(row.reason) for row in rows))
    columns = (("Site", "l"), ("On", "l"), ("Reason", "l"), ("Found", "r"), ("Allowed", "r"), ("In words", "p"))
    cells = [
        (row.site, "whole site" if row.node_type == "*" else row.node_type, reason_words(row.reason),
         _measure(row.actual, row.unit), _measure(row.limit, row.unit), row.text)
        for row in rows
    ]  # fmt: skip
    summary = el("summary", el("strong", name), f" · {plural(len(rows), 'offer')} · {kinds}")
    return el("details", summary, table(columns, cells), class_="refused")


def _measure(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{significant(value)} {unit}".strip()
