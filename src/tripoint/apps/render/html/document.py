"""The whole report: one file that opens without a network, reads on a phone, prints on paper, in light and dark.

Nothing is fetched and nothing runs: the page forbids both to itself by its content security policy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files

from tripoint.apps.render.html.board import board
from tripoint.apps.render.html.capacity.buying import buying
from tripoint.apps.render.html.capacity.homes import homes
from tripoint.apps.render.html.capacity.limits import limits
from tripoint.apps.render.html.capacity.load import load
from tripoint.apps.render.html.certificate import certificate
from tripoint.apps.render.html.doubts import assumptions, refusals
from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.palette import definitions
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.estate_map.picture import estate_map
from tripoint.apps.render.html.money.break_even import break_even
from tripoint.apps.render.html.money.cost_curves import cost_curves
from tripoint.apps.render.html.money.token_cost import token_cost
from tripoint.apps.render.html.money.transfers import transfers
from tripoint.apps.render.reading.amounts import horizon_told
from tripoint.domain.plan import Plan, PlanStatus

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_PARTS: tuple[Callable[[Plan], Section], ...] = (
    estate_map,
    cost_curves,
    homes,
    buying,
    break_even,
    limits,
    load,
    transfers,
    token_cost,
    assumptions,
    refusals,
    certificate,
)
_WITHOUT_PLAN: tuple[Callable[[Plan], Section], ...] = (refusals, certificate)


def plan_html(plan: Plan, more: Sequence[Section] = ()) -> str:
    """The report of a plan, or of why there is none; `more` are parts about it found elsewhere, shown at the end."""
    parts = [part(plan) for part in (_WITHOUT_PLAN if plan.status is PlanStatus.INFEASIBLE else _PARTS)]
    parts += more
    title = f"{plan.name}: plan {horizon_told(plan)}" if plan.periods else plan.name
    return sectioned_page(title, board(plan), parts, _footer(plan))


def sectioned_page(title: str, first_screen: Markup, parts: Sequence[Section], footer: Markup) -> str:
    """A document of a first screen, links to its parts, the parts in their order, and where it comes from."""
    page = el(
        "div",
        el("div", first_screen, _contents(parts), id="headline"),
        el("main", [part.html(position) for position, part in enumerate(parts, 1)]),
        footer,
        class_="page",
    )
    return whole_page(title, page)


def whole_page(title: str, page: Markup) -> str:
    """The document around a page: its style, its ban on everything from elsewhere, its patterns."""
    return f"<!doctype html>\n{el('html', _head(title), el('body', definitions(), page), lang='en')}\n"


def _contents(parts: Sequence[Section]) -> Markup:
    """Links to the parts of a page."""
    items = [el("li", el("a", part.title, href=f"#{part.id}")) for part in parts]
    return el("nav", el("ol", items), aria_label="Contents")


def _head(title: str) -> Markup:
    sheet = files("tripoint.apps.render.html").joinpath("report.css").read_text(encoding="utf-8")
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("style", Markup(sheet)),
    )


def _footer(plan: Plan) -> Markup:
    return el(
        "footer",
        join(
            f"Made by tripoint {plan.tripoint_version}. Amounts in {plan.currency}, effective cost unless it says "
            "invoiced. Catalogue prices are list prices of their date, not offers."
        ),
    )
