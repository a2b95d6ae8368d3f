"""The whole page: the sum and what it means, then what it is made of."""

from __future__ import annotations

from datetime import UTC, datetime

from tripoint.apps.render.html.document import sectioned_page
from tripoint.apps.render.html.drawing.markup import el
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.spend.board import board
from tripoint.apps.render.html.spend.books import books
from tripoint.apps.render.html.spend.daily import daily
from tripoint.apps.render.html.spend.rankings import places, tenants
from tripoint.apps.render.html.spend.targets import budgets, planned
from tripoint.apps.render.html.spend.tokens import tokens
from tripoint.usecases.spend_report import SpendReport


def spend_html(report: SpendReport, *, version: str) -> str:
    """The report of what was spent; `version` of tripoint that made it."""
    parts = _parts(report)
    made = datetime.fromtimestamp(report.now, UTC)
    footer = (
        f"Made by tripoint {version}, {made:%Y-%m-%d %H:%M} UTC. Days are in UTC. Costs are effective costs in USD: "
        "own capacity is never free. Sums are exact to the nano-dollar; what is shown is rounded."
    )
    return sectioned_page(_title(report), board(report), parts, el("footer", footer))


def _parts(report: SpendReport) -> list[Section]:
    if not report.days:
        return [budgets(report)] if report.standings else []
    parts = [daily(report), tenants(report), places(report), tokens(report)]
    if report.expected is not None:
        parts.append(planned(report, report.expected))
    return [*parts, budgets(report), books(report)]


def _title(report: SpendReport) -> str:
    of = f" of {report.tenant}" if report.tenant else ""
    if not report.days:
        return f"Spend{of}: nothing entered"
    first, last = report.days[0][0], report.days[-1][0]
    return f"Spend{of}: {first}" if first == last else f"Spend{of}: {first} to {last}"
