"""What somebody must do, and by when: orders, signatures, lapses, expansions, copies; earliest first."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.apps.render.reading.amounts import month_at, plural
from tripoint.domain.plan import CopyDecision, ExpansionDecision, Plan, Purchase, PurchaseAction

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
    )


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
