"""What somebody must do, and by when: orders, signatures, lapses, expansions, copies; earliest first."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tripoint.apps.render.reading.amounts import month_at, plural
from tripoint.domain.decision import CopyDecision, ExpansionDecision, Purchase, PurchaseAction
from tripoint.domain.plan import Plan
from tripoint.domain.provenance import Figure, Origin
from tripoint.domain.purchase import PurchaseOption

_RATE = re.compile(r"(price|ratio)\.")
_VERBS = {
    PurchaseAction.BUY: "order",
    PurchaseAction.COMMIT: "sign",
    PurchaseAction.LAPSE: "let lapse",
    PurchaseAction.RETIRE: "retire",
}
_ORDER = ("order", "expand", "sign", "let lapse", "retire", "copy")
"""Within a month, what costs most to forget comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One thing to do."""

    month: str
    """By when, `YYYY-MM`."""
    verb: str
    """What to do: `order`, `sign`, `let lapse`, `retire`, `expand`, `copy`."""
    what: str
    """The thing, with its number."""
    site: str
    """Where."""
    serves: str
    """From when it serves (or stops), `YYYY-MM`."""
    is_rate_estimated: bool = False
    """True where a commitment's rate is no offer but an estimate, to be confirmed before signing."""

    @property
    def row(self) -> tuple[str, str, str, str, str]:
        """The decision as a line of a table: by, do, what, where, takes effect."""
        what = f"{self.what}, rate estimated" if self.is_rate_estimated else self.what
        return self.month, self.verb, what, self.site, self.serves

    @property
    def sentence(self) -> str:
        """`order 14 x dgx-h100 at colo-ams`."""
        return f"{self.verb} {self.what} {'to' if self.verb == 'copy' else 'at'} {self.site}"


def decisions(plan: Plan) -> tuple[Decision, ...]:
    """Everything to be done, earliest first."""
    found = [_purchase(plan, purchase) for purchase in plan.purchases if purchase.action in _VERBS]
    found += [_expansion(plan, step) for step in plan.expansions]
    found += [_copy(plan, copy) for copy in plan.copies if copy.is_new]
    return tuple(sorted(found, key=lambda each: (each.month, _ORDER.index(each.verb), each.serves, each.sentence)))


def _purchase(plan: Plan, purchase: Purchase) -> Decision:
    what = f"{purchase.nodes:g} x {purchase.node_type}"
    if purchase.action is PurchaseAction.COMMIT and purchase.term_months:
        what += f" for {plural(purchase.term_months, 'month')}"
    ends = purchase.action in (PurchaseAction.LAPSE, PurchaseAction.RETIRE)
    return Decision(
        month=month_at(plan, purchase.order_period),
        verb=_VERBS[purchase.action],
        what=what,
        site=purchase.site,
        serves=month_at(plan, purchase.until_period + 1 if ends else purchase.service_period),
        is_rate_estimated=purchase.action is PurchaseAction.COMMIT and _is_rate_estimated(plan, purchase),
    )


def _is_rate_estimated(plan: Plan, purchase: Purchase) -> bool:
    """True where the rate to be signed is no offer: it rests on a figure of our own, or on an estimate."""
    bought = {
        key
        for row in plan.charges
        if (row.site, row.resource, row.option) == (purchase.site, purchase.node_type, str(purchase.option))
        for key in row.basis
    }
    way = f".{PurchaseOption.COMMITTED}-{purchase.term_months}"
    figures = (row.figure for row in plan.assumptions)
    rates = (each for each in figures if each.key in bought and _RATE.match(each.key) and each.key.endswith(way))
    return any(_is_weak(rate) for rate in rates)


def _is_weak(figure: Figure) -> bool:
    grade = figure.provenance
    return figure.origin is Origin.DEFAULT or (grade is not None and grade.confidence.is_weak)


def _expansion(plan: Plan, step: ExpansionDecision) -> Decision:
    return Decision(
        month=month_at(plan, step.order_period),
        verb="expand",
        what=f"{step.step} (+{step.adds_kw:g} kW)",
        site=step.site,
        serves=month_at(plan, step.service_period),
    )


def _copy(plan: Plan, copy: CopyDecision) -> Decision:
    month = month_at(plan, copy.from_period)
    return Decision(month=month, verb="copy", what=f"dataset {copy.dataset}", site=copy.site, serves=month)
