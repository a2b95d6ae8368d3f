"""The chain: each entry holds the hash of the one before it, so that none can be changed, added or moved unseen."""

from __future__ import annotations

import hashlib
from operator import attrgetter

from tripoint.domain.audit import Act, AuditEntry, Checkpoint
from tripoint.engines.governance.audit.canonical import canonical

BEGINNING = "0" * 64
"""What the first entry names as the hash before it."""
_SAID = tuple(sorted(name for name in AuditEntry._fields if name != "hash"))
_said = attrgetter(*_SAID)


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256 over everything an entry says except its own hash, hexadecimal."""
    said = ",".join([f'"{name}":{canonical(value)}' for name, value in zip(_SAID, _said(entry), strict=True)])
    return hashlib.sha256(f"{{{said}}}".encode()).hexdigest()


def next_entry(last: AuditEntry | None, act: Act) -> AuditEntry:
    """The entry of an act, bound to the last one; `None` when it is the first."""
    entry = AuditEntry(
        number=last.number + 1 if last else 1,
        at=act.at,
        actor=act.actor,
        action=act.action,
        subject=act.subject,
        tenant=act.tenant,
        detail=canonical(act.detail),
        previous=last.hash if last else BEGINNING,
        hash="",
    )
    return entry._replace(hash=entry_hash(entry))


def checkpoint_bytes(checkpoint: Checkpoint) -> bytes:
    """What is signed: everything a checkpoint says except the signature, a line each."""
    return "".join(
        f"{line}\n"
        for line in (
            "tripoint audit checkpoint v1",
            checkpoint.origin,
            str(checkpoint.number),
            checkpoint.hash,
            canonical(checkpoint.at),
            checkpoint.key_id,
        )
    ).encode()
