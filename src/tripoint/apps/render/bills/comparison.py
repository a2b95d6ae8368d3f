"""A comparison with a bill as text and as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tripoint.apps.render.reading.amounts import plural
from tripoint.domain.money import usd
from tripoint.engines.governance.reconcile.words import Cause

if TYPE_CHECKING:
    from tripoint.usecases.reconcile import Reconciled

_SHOWN = Decimal("5e-10")
"""Less is nothing in nine digits."""


def reconcile_text(done: Reconciled, entered: int, *, applies: bool) -> str:
    """Each difference with its causes, then the causes summed up, then what is proposed."""
    lines = []
    for one in done.found.differences:
        if not one.causes:
            continue
        lines.append(
            f"{one.day}  {one.model or 'no model we know'}: bill {_money(one.theirs)}, ledger {_money(one.ours)} USD"
        )
        told = [each for each in one.causes if abs(each.usd) >= _SHOWN] or one.causes
        lines += [f"    {_signed(each.usd)}  {each.cause}: {each.text}" for each in told]
    same = sum(not one.causes for one in done.found.differences)
    if same:
        lines.append(f"{same:,} of {len(done.found.differences):,} days and models agree exactly")
    for cause in Cause:
        size = done.found.total(cause)
        if size >= _SHOWN:
            lines.append(f"{cause}: {_money(size)} USD in all, signs left aside")
    lines.append(f"open: {_money(done.open_usd)} USD, {'within' if done.is_within else 'above'} the tolerance")
    if done.proposed:
        amount = usd(sum(each.nano for each in done.proposed))
        rows = plural(len(done.proposed), "correction row")
        what = f"entered {entered:,} of {rows}" if applies else f"`--apply` enters {rows}"
        lines.append(f"{what}, {_signed(amount)} USD in all")
    return "\n".join(lines)


def reconcile_payload(done: Reconciled) -> dict[str, Any]:
    """The members of the JSON document; money as exact texts."""
    return {
        "shift_h": done.found.shift_h,
        "open_usd": str(done.open_usd),
        "differences": [
            {
                "day": one.day,
                "model": one.model,
                "bill_usd": str(one.theirs),
                "ledger_usd": str(one.ours),
                "causes": [{"cause": str(each.cause), "usd": str(each.usd), "text": each.text} for each in one.causes],
            }
            for one in done.found.differences
        ],
        "corrections": [
            {"id": each.id, "model": each.model, "usd": str(usd(each.nano)), "reason": each.reason}
            for each in done.proposed
        ],
    }


def _money(amount: Decimal) -> str:
    return f"{amount:,.9f}"


def _signed(amount: Decimal) -> str:
    return f"{amount:+,.9f}"
