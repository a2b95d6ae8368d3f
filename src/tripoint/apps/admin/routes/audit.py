"""Operations on the audit log: see it, verify it, sign how far it has come."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tripoint.apps.admin.contract import Call, Operation, PageQuery, Reply
from tripoint.apps.admin.routes.acts import last_of
from tripoint.domain.audit import AuditEntry, Checkpoint
from tripoint.usecases import audit


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of the log."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    """Most entries of the page."""
    after: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    """Number of the last entry of the page before."""
    tenant: Annotated[str, msgspec.Meta(min_length=1, max_length=63)] | None = None
    """Only this tenant's; all you see when left out."""


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """One administrative act, bound to the one before it."""

    number: int
    """1 for the first; none is left out of the whole log."""
    at: float
    """Seconds since 1970."""
    actor: str
    """Who acted."""
    action: str
    """Noun and verb, e.g. `key.create`."""
    subject: str
    """Id of what it was done to."""
    tenant: str | None
    """Tenant concerned; `null` when none."""
    detail: str
    """What changed, canonical JSON in text, as the hash covers it."""
    previous: str
    """Hash of the entry before, hexadecimal."""
    hash: str
    """SHA-256 over everything above, hexadecimal."""


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries by number."""

    items: tuple[AuditView, ...]
    """The page."""
    next: str | None
    """What the next page begins after; `null` when there is none."""


class CheckpointView(msgspec.Struct, frozen=True, kw_only=True):
    """A signed statement of how long the log is; to be kept where the log is not."""

    origin: str
    """Which log."""
    number: int
    """Number of the last entry it covers."""
    hash: str
    """Hash of that entry, hexadecimal."""
    at: float
    """Seconds since 1970."""
    key_id: str
    """Fingerprint of the public key, hexadecimal."""
    signature: str
    """Ed25519 signature, base64."""


class CheckpointPage(msgspec.Struct, frozen=True, kw_only=True):
    """Checkpoints, the latest first."""

    items: tuple[CheckpointView, ...]
    """The page."""
    next: str | None
    """What the next page begins after; `null` when there is none."""


class FaultView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with the log."""

    flaw: str
    """What kind."""
    number: int
    """Entry concerned; 0 when none."""
    told: str
    """What was found."""


class VerificationView(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying the log found."""

    is_good: bool
    """True when nothing is wrong."""
    entries: int
    """Entries looked at."""
    last: str
    """Hash of the last one, hexadecimal."""
    checkpoints: int
    """Checkpoints that were good and fit."""
    covered: int
    """Number of the last entry that a good checkpoint covers."""
    faults: tuple[FaultView, ...]
    """What is wrong, the first bad entry first; the first hundred."""


_MAX_FAULTS = 100


def _view(row: AuditEntry) -> AuditView:
    return AuditView(**{**row._asdict(), "tenant": row.tenant or None})


def _list(call: Call) -> Reply:
    query: AuditQuery = call.query
    rows = audit.show_entries(
        call.stores.accounts, call.actor, after=query.after, limit=query.limit + 1, tenant=query.tenant
    )
    page, more = last_of(rows, query.limit, lambda row: str(row.number))
    return Reply(AuditPage(items=tuple(_view(row) for row in page), next=more))


def _checkpoints(call: Call) -> Reply:
    query: PageQuery = call.query
    rows = audit.list_checkpoints(call.stores.accounts, call.actor)[::-1]
    begin = int(query.after) if query.after.isdecimal() else 0
    page = rows[begin : begin + query.limit]
    more = str(begin + query.limit) if begin + query.limit < len(rows) else None
    return Reply(CheckpointPage(items=tuple(_checkpoint_view(row) for row in page), next=more))


def _sign(call: Call) -> Reply:
    notary = call.stores.notary
    signed = audit.sign_checkpoint(call.stores.accounts, call.actor, notary.signer, now=call.now)
    notary.leave(signed)
    return Reply(_checkpoint_view(signed), location="/v1/checkpoints")


def _verify(call: Call) -> Reply:
    notary = call.stores.notary
    found = audit.verify_log(call.stores.accounts, call.actor, notary.witnessed(), notary.keys)
    faults = tuple(
        FaultView(flaw=str(each.flaw), number=each.number, told=each.told) for each in found.faults[:_MAX_FAULTS]
    )
    view = VerificationView(
        is_good=not found.faults,
        entries=found.entries,
        last=found.last,
        checkpoints=found.checkpoints,
        covered=found.covered,
        faults=faults,
    )
    return Reply(view)


def _checkpoint_view(row: Checkpoint) -> CheckpointView:
    return CheckpointView(**row._asdict())


OPERATIONS = (
    Operation(id="listAuditEntries", method="GET", path="/v1/audit", summary="Who did what, by number.",
              group="audit", right="audit.read", run=_list, answer=AuditPage, query=AuditQuery, refusals=(404,)),
    Operation(id="verifyAuditLog", method="GET", path="/v1/audit/verification",
              summary="Verifies the whole log against its chain, its checkpoints and those of the witness.",
              group="audit", right="audit.verify", run=_verify, answer=VerificationView, is_slow=True),
    Operation(id="listCheckpoints", method="GET", path="/v1/checkpoints",
              summary="Signed checkpoints, the latest first.", group="audit", right="audit.verify",
              run=_checkpoints, answer=CheckpointPage, query=PageQuery),
    Operation(id="signCheckpoint", method="POST", path="/v1/checkpoints",
              summary="Signs the current end of the log, and leaves the checkpoint with the witness.", group="audit",
              right="audit.checkpoint", run=_sign, answer=CheckpointView, status=201, refusals=(409,)),
)  # fmt: skip
"""Rows of the route table."""
