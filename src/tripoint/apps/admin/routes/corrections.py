"""Operations that correct the ledger: by rows of their own, never by an edit."""

from __future__ import annotations

import msgspec

from tripoint.apps.admin.contract import Call, Operation, Reply
from tripoint.apps.admin.routes.acts import turn_of
from tripoint.apps.admin.routes.entries import Instant, Word
from tripoint.apps.admin.routes.money import SignedUsd, signed_nano_in, usd_text
from tripoint.usecases.correct import Correction, correct


class CorrectionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be corrected, and by how much."""

    usd: SignedUsd
    """Difference of the effective cost, exact dollars; negative takes back."""
    reason: Word
    """Why, for people."""
    tenant: Word | None = None
    """Who pays; left out for capacity that nobody used."""
    at: Instant | None = None
    """Which time it is about, seconds since 1970; now when left out."""
    list_usd: SignedUsd = "0"
    """Difference of the cost at list prices."""
    key: Word | None = None
    """Key, by its id."""
    workload: Word | None = None
    """Workload."""
    model: Word | None = None
    """Model."""
    site: Word | None = None
    """Site."""
    upstream: Word | None = None
    """Upstream."""
    corrects: Word | None = None
    """Id of the entry it corrects, as `GET /v1/entries` tells it."""
    force: bool = False
    """Whether a credit is entered also where it is more than was ever spent."""


class CorrectionView(msgspec.Struct, frozen=True, kw_only=True):
    """A correction as it was entered."""

    id: str
    """Its id among the entries, and in the audit log."""
    tenant: str | None
    """Who pays; `null` for nobody."""
    at: float
    """Which time it is about, seconds since 1970."""
    usd: str
    """Difference of the effective cost, exact dollars."""
    list_usd: str
    """Difference of the cost at list prices, exact dollars."""
    reason: str
    """Why."""
    corrects: str | None
    """Id of the entry it corrects; `null` for none."""


def _correct(call: Call) -> Reply:
    body: CorrectionBody = call.body
    named = {name: getattr(body, name) or "" for name in ("tenant", "key", "workload", "model", "site", "upstream")}
    wanted = Correction(
        nano=signed_nano_in(body.usd),
        list_nano=signed_nano_in(body.list_usd),
        at=body.at,
        reason=body.reason,
        corrects=body.corrects or "",
        **named,
    )
    row, is_repeat = correct(call.stores.accounts, call.stores.ledger, turn_of(call), wanted, is_forced=body.force)
    view = CorrectionView(
        id=row.id, tenant=row.tenant or None, at=row.at, usd=usd_text(row.nano), list_usd=usd_text(row.list_nano),
        reason=row.reason, corrects=row.corrects or None,
    )  # fmt: skip
    return Reply(view, location="/v1/entries?kinds=correction", is_repeat=is_repeat)


OPERATIONS = (
    Operation(id="correctLedger", method="POST", path="/v1/corrections",
              summary="Enters a correction as a row of its own, and notes it in the audit log.", group="ledger",
              right="ledger.correct", run=_correct, answer=CorrectionView, body=CorrectionBody, status=201,
              refusals=(404, 409, 422), can_repeat=True, is_slow=True),
)  # fmt: skip
"""Rows of the route table."""
