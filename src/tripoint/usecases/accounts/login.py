"""Who is asking, in the admin interface: by a principal's key, or by what an identity provider says."""

from __future__ import annotations

from collections.abc import Iterable

from tripoint.domain.errors import IdentityError
from tripoint.domain.tenancy import Actor, ApiKey, Principal, Role, Tenant
from tripoint.engines.governance.access.keys import KeyKind, is_same_digest, key_digest, read_key
from tripoint.ports import AccountBook, AccountStore


def actor_of_key(store: AccountStore, text: str, pepper: bytes, now: float) -> Actor:
    """The principal a key speaks for.

    Raises `IdentityError` in the same words whatever is wrong, so that nobody learns which keys there are.
    """
    key = read_key(text)
    if key is None or key.kind is not KeyKind.ADMIN:
        raise _stranger()
    digest = key_digest(pepper, text)
    with store.read() as book:
        row = book.find(ApiKey, key.id)
        if row is None or row.principal is None or not is_same_digest(row.digest, digest) or has_ended(row, now):
            raise _stranger()
        return _actor(book, book.find(Principal, row.principal))


def actor_of_subject(store: AccountStore, subject: str, granted: Iterable[Role] = ()) -> Actor:
    """The principal that `issuer#subject` of a verified token means, with the roles of its groups beside its own.

    Raises `IdentityError` when it means none, or one that is suspended.
    """
    with store.read() as book:
        actor = _actor(book, book.principal_by_subject(subject))
    return actor._replace(roles=actor.roles | frozenset(granted))


def local_actor(user: str) -> Actor:
    """Who acts on the machine itself: whoever can write the store could change it without asking, so may do all."""
    return Actor(f"local:{user}", frozenset(Role))


def has_ended(key: ApiKey, now: float) -> bool:
    """True when a key is revoked or expired."""
    return any(at is not None and at <= now for at in (key.revoked_at, key.expires_at))


def _actor(book: AccountBook, row: Principal | None) -> Actor:
    if row is None or row.is_suspended:
        raise _stranger()
    if row.tenant is not None and ((tenant := book.find(Tenant, row.tenant)) is None or tenant.is_suspended):
        raise _stranger()
    return Actor(row.id, frozenset(row.roles), row.tenant)


def _stranger() -> IdentityError:
    return IdentityError("this credential is not valid here", hint="ask an admin for a key, or sign in again")
