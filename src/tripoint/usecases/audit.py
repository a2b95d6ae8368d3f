"""Prove who did what: show the audit log, sign checkpoints, verify all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from tripoint.domain.audit import AuditEntry, Checkpoint
from tripoint.domain.errors import ConflictError
from tripoint.domain.tenancy import Actor
from tripoint.engines.governance.access.roles import Action
from tripoint.engines.governance.audit.chain import checkpoint_bytes
from tripoint.engines.governance.audit.verify import Evidence, IsGood, Verification, verify
from tripoint.ports import AccountBook, AccountStore
from tripoint.usecases.accounts.turn import require_somewhere, tenant_for

ORIGIN = "origin"
"""The mark that names a store's log."""
TOLD_EVERY = 5_000
"""After how many entries a long verification says how far it is."""


class Signer(Protocol):
    """Signs with a key of its own."""

    @property
    def key_id(self) -> str:
        """Fingerprint of the public key, hexadecimal."""
        ...

    def sign(self, message: bytes) -> str:
        """The signature, base64."""
        ...


def show_entries(
    store: AccountStore, actor: Actor, *, after: int = 0, limit: int | None = None, tenant: str | None = None
) -> tuple[AuditEntry, ...]:
    """Entries the actor may see, by number, beyond `after`. Raises `AccessError`, `MissingError`."""
    bound = require_somewhere(actor, Action.AUDIT_READ)
    with store.read() as book:
        if tenant is not None:
            tenant_for(book, actor, Action.AUDIT_READ, tenant)
        return tuple(book.entries(after=after, limit=limit, tenant=tenant or bound))


def name_log(store: AccountStore, fresh: str) -> str:
    """The name of the store's log; `fresh`, a random one, where it has none yet."""
    with store.read() as book:
        known = book.mark(ORIGIN)
    if known is not None:
        return known
    with store.write() as book:
        return book.mark(ORIGIN) or _named(book, fresh)


def sign_checkpoint(store: AccountStore, actor: Actor, signer: Signer, *, now: float) -> Checkpoint:
    """Signs how far the log has come, and keeps it; leaving it with witnesses is the caller's.

    Raises `AccessError`, `ConflictError` when there is no entry yet.
    """
    require_somewhere(actor, Action.AUDIT_CHECKPOINT)
    with store.write() as book:
        number = book.revision()
        last = next(book.entries(after=number - 1, limit=1), None)
        origin = book.mark(ORIGIN)
        if last is None or origin is None:
            raise ConflictError("the audit log has no entry yet", hint="there is nothing to sign before the first act")
        unsigned = Checkpoint(origin, last.number, last.hash, now, signer.key_id, "")
        signed = unsigned._replace(signature=signer.sign(checkpoint_bytes(unsigned)))
        book.keep_checkpoint(signed)
    return signed


def list_checkpoints(store: AccountStore, actor: Actor) -> tuple[Checkpoint, ...]:
    """The checkpoints that the store has, oldest first. Raises `AccessError`."""
    require_somewhere(actor, Action.AUDIT_VERIFY)
    with store.read() as book:
        return book.checkpoints()


def checkpoint_is_due(store: AccountStore, *, now: float, every_s: float) -> bool:
    """True when the log has grown since the last checkpoint and that is at least `every_s` seconds old."""
    with store.read() as book:
        number = book.revision()
        kept = book.checkpoints()
    if number == 0 or (kept and kept[-1].number >= number):
        return False
    return not kept or now - kept[-1].at >= every_s


def verify_log(
    store: AccountStore,
    actor: Actor,
    witnessed: Sequence[Checkpoint],
    keys: Mapping[str, IsGood],
    seen: Callable[[int, int], None] | None = None,
) -> Verification:
    """Everything wrong with the log, held against the checkpoints in the store and those of witnesses.

    Now and then `seen` hears how many entries of how many were read. Raises `AccessError`.
    """
    require_somewhere(actor, Action.AUDIT_VERIFY)
    with store.read() as book:
        checkpoints = dict.fromkeys((*book.checkpoints(), *witnessed))  # each once, in order
        evidence = Evidence(
            origin=book.mark(ORIGIN) or "", checkpoints=tuple(checkpoints), keys=keys, rows=book.row_digests()
        )
        entries = book.entries()
        return verify(entries if seen is None else _counted(entries, book.revision(), seen), evidence)


def _counted(entries: Iterable[AuditEntry], of_all: int, seen: Callable[[int, int], None]) -> Iterator[AuditEntry]:
    for count, entry in enumerate(entries, 1):
        yield entry
        if count % TOLD_EVERY == 0:
            seen(count, of_all)


def _named(book: AccountBook, fresh: str) -> str:
    book.set_mark(ORIGIN, fresh)
    return fresh
