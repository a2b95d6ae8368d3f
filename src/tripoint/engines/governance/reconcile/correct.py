"""Correction rows that bring our records to a bill, for what is known and final; nothing is edited."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from tripoint.domain.ledger import Adjustment, EntryKind
from tripoint.domain.money import NANO_PER_USD
from tripoint.engines.governance.ledger.days import DAY_S, day_number
from tripoint.engines.governance.reconcile.words import SETTLED, Cause, Difference, Reconciliation

_HOUR_S: Final = 3_600
_NOON_H: Final = 12


def corrections(found: Reconciliation, bill: str, *, site: str = "", upstream: str = "") -> tuple[Adjustment, ...]:
    """A row for each model's day whose settled causes come to something; none once they were entered.

    `bill` names the bill, `site` and `upstream` what it is of. Money without a tenant: it is the operator's.
    """
    rows = (_row(each, found.begin_h, bill, (site, upstream)) for each in found.differences)
    return tuple(row for row in rows if row is not None)


def _row(one: Difference, begin_h: int, bill: str, place: tuple[str, str]) -> Adjustment | None:
    settled = [each for each in one.causes if each.cause in SETTLED]
    nano = _nano(sum((each.usd for each in settled), Decimal(0)))
    if not nano:
        return None
    before = -_nano(sum((each.usd for each in settled if each.cause is Cause.CORRECTED), Decimal(0)))
    causes = sorted({str(each.cause) for each in settled if each.cause is not Cause.CORRECTED})
    return Adjustment(
        # What was corrected before is part of the id: a bill that is restated is corrected once more, and only once.
        id=f"reconcile/{bill}/{one.day}/{one.model}/{before}",
        kind=EntryKind.CORRECTION,
        at=float(day_number(one.day) * DAY_S + (begin_h + _NOON_H) * _HOUR_S),
        tenant="",
        key="",
        workload="",
        model=one.model,
        site=place[0],
        upstream=place[1],
        nano=nano,
        list_nano=0,
        tokens_in=0,
        tokens_out=0,
        prices="",
        corrects="",
        reason=f"{bill}: {', '.join(causes)}",
    )


def _nano(amount: Decimal) -> int:
    return int((amount * NANO_PER_USD).to_integral_value(ROUND_HALF_UP))
