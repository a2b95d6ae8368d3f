"""Whose money, and where it went: the dearest tenants, workloads, models and sites."""

from __future__ import annotations

from tripoint.apps.render.html.drawing.markup import Content, Markup, join
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.html.spend.figures import IDLE, amount, barred, saved, share
from tripoint.apps.render.reading.amounts import compact, three_digits
from tripoint.domain.ledger import Dimension, Spend
from tripoint.usecases.spend import Dearest
from tripoint.usecases.spend_report import SpendReport

_MEASURES = (
    ("Cost", "r"), ("Share", "r"), ("At list prices", "r"), ("Saved", "r"), ("Requests", "r"), ("Incomplete", "r"),
    ("Input tokens", "r"), ("of it cached", "r"), ("Output tokens", "r"),
)  # fmt: skip


def tenants(report: SpendReport) -> Section:
    """By tenant and by workload."""
    found = report.tops[Dimension.TENANT]
    first = _first(found)
    whole = found.uncorrected(found.total).nano
    before = ", corrections left out" if found.corrections else ""
    message = (
        f"{first[0]} spent most: {amount(first[1])}, {share(first[1], whole)} of the whole{before}."
        if first is not None
        else "Nobody spent anything; capacity was paid for all the same."
    )
    body = join(_ranking("Tenant", found), _ranking("Workload", report.tops[Dimension.WORKLOAD]))
    return Section(id="tenants", title="Whose money it was", message=message, body=body)


def places(report: SpendReport) -> Section:
    """By site and by model."""
    sites = report.tops[Dimension.SITE]
    first = _first(sites)
    whole = sites.uncorrected(sites.total).nano
    message = (
        f"{share(first[1], whole)} of the cost arose at {first[0]}, idle capacity included."
        if first is not None
        else "No request reached a site."
    )
    body = join(_ranking("Site", sites), _ranking("Model", report.tops[Dimension.MODEL]))
    return Section(id="places", title="Where it was spent, and on which models", message=message, body=body)


def _ranking(title: str, found: Dearest) -> Markup:
    most = max((row.nano for row in found.rows), default=0)
    rows = [_row(row.by[0] or _nameless(row, found.corrections.get(row.by)), row, most, found) for row in found.rows]
    if found.rest is not None:
        rows.append(_row(f"{found.others:,} more", found.rest, most, found))
    if len(found.rows) > 1:
        rows.append(_row("all", found.total, 0, found))
    return table(((title, "w"), *_MEASURES), rows, f"By {title.lower()}, most expensive first")


def _first(found: Dearest) -> tuple[str, int] | None:
    """Who spent most before corrections, and how many nano-dollars; `None` where nobody with a name spent anything."""
    spent = [(row.by[0], found.uncorrected(row).nano) for row in found.rows if row.by[0]]
    return max((each for each in spent if each[1] > 0), key=lambda each: each[1], default=None)


def _nameless(row: Spend, corrections: Spend | None) -> str:
    """Idle capacity has neither tenant nor model; what reached nothing has no site, and a credit may have none."""
    corrected = 0 if corrections is None else corrections.nano
    if row.requests:
        name = "not known"
    elif row.nano != corrected or not corrected:
        name = IDLE
    else:
        return "corrections"
    return f"{name}, corrections" if corrected else name


def _count(tokens: int) -> str:
    """Tokens, from a million on with three digits: `42.0B`; exports have each one."""
    return compact(tokens, three_digits) if tokens >= 1_000_000 else f"{tokens:,}"


def _row(name: str, row: Spend, most: int, found: Dearest) -> tuple[Content, ...]:
    cost = barred(amount(row.nano), row.nano / most) if most > 0 else amount(row.nano)
    return (
        name, cost, share(row.nano, found.total.nano),
        amount(row.list_nano), saved(*found.uncorrected(row)),
        f"{row.requests:,}", f"{row.failed:,}", *map(_count, (row.tokens_in, row.cached, row.tokens_out)),
    )  # fmt: skip
