"""Keys: create, rotate with an overlap, revoke. A key is shown once, when it is made; what is kept opens nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from tripoint.domain.tenancy import Actor, ApiKey, Budget, Principal, Quota
from tripoint.engines.governance.access.keys import key_digest, kind_for, make_key
from tripoint.engines.governance.access.limits import passed_on
from tripoint.engines.governance.access.principals import require_its_roles
from tripoint.engines.governance.access.roles import Action
from tripoint.engines.governance.access.rotation import check_overlap, leaving_at, refuse_ended, successor
from tripoint.engines.governance.access.wanted import Wanted, check_expiry, check_wanted, key_of
from tripoint.engines.governance.audit.rows import difference, said
from tripoint.ports import AccountBook, AccountStore
from tripoint.usecases.accounts.served import PLACE, WORKLOAD, check_served
from tripoint.usecases.accounts.turn import (
    Turn,
    act_of,
    acting,
    enter,
    found,
    fresh,
    listed,
    require_somewhere,
    tenant_for,
)


class Secrets(NamedTuple):
    """What a new key is made with; nothing of it is random to this module."""

    pepper: bytes
    """Key of the keyed hash."""
    entropy: bytes
    """Fresh random bytes, as many as a key takes."""


class Shown(NamedTuple):
    """A new key, and its text for the one time it is shown."""

    key: ApiKey
    """What is kept."""
    text: str
    """The secret: to be shown once and then forgotten."""
    limits: tuple[str, ...] = ()
    """Ids of its quotas and budgets, where it took over those of another."""


def create_key(store: AccountStore, turn: Turn, wanted: Wanted, secrets: Secrets) -> Shown:
    """A new key of a tenant, or of a principal.

    Raises `AccessError`, `MissingError` for a tenant or principal the actor does not see, `OptionError` for values
    that cannot be used.
    """
    check_wanted(wanted, turn.now)
    require_somewhere(turn.actor, Action.KEY_CREATE)
    served = store.served()
    check_served(served, WORKLOAD, wanted.workloads)
    check_served(served, PLACE, wanted.only_at)
    made = make_key(kind_for(wanted.principal), secrets.entropy)
    with acting(store, turn) as book:
        digest = key_digest(secrets.pepper, made.text)
        row = key_of(wanted, made.id, digest, _payer(book, turn.actor, wanted), turn.now)
        fresh(book, row)
        enter(book, turn, Action.KEY_CREATE, row, said(row))
    return Shown(row, made.text)


def rotate_key(
    store: AccountStore,
    turn: Turn,
    key: str,
    secrets: Secrets,
    *,
    overlap_s: float,
    expires_at: float | None = None,
) -> Shown:
    """A new key that may all the old one may, under the same limits; the old one is refused after `overlap_s` seconds.

    Quotas and budgets of the old key are set for the new one as well. Each key has the whole of them for itself: what
    the old one has spent, or spends until it ends, does not count for the new one.

    Raises `AccessError`, `MissingError`, `OptionError`, and `ConflictError` for a key that is refused already.
    """
    check_overlap(overlap_s)
    with acting(store, turn) as book:
        old = found(book, turn.actor, Action.KEY_ROTATE, ApiKey, key)
        _require_own_or_lesser(book, turn.actor, old)
        refuse_ended(old, turn.now)
        made = make_key(kind_for(old.principal), secrets.entropy)
        check_expiry(expires_at, turn.now)
        leaving = leaving_at(old, turn.now + overlap_s)
        new = successor(old, made.id, key_digest(secrets.pepper, made.text), turn.now, expires_at)
        fresh(book, new)
        limits = _limits_for(book, old, new)
        detail = {**said(new), "replaced": difference(old, leaving), "limits": [each.id for each in limits]}
        act = act_of(turn, Action.KEY_ROTATE, new, detail)
        book.change(act, put=(leaving, new, *limits), request=turn.request)
    return Shown(new, made.text, tuple(each.id for each in limits))


def revoke_key(store: AccountStore, turn: Turn, key: str) -> ApiKey:
    """Revokes a key for good. Nothing changes when it is refused already."""
    with acting(store, turn) as book:
        before = found(book, turn.actor, Action.KEY_REVOKE, ApiKey, key)
        _require_own_or_lesser(book, turn.actor, before)
        if before.revoked_at is not None and before.revoked_at <= turn.now:
            return before
        after = replace(before, revoked_at=turn.now)
        enter(book, turn, Action.KEY_REVOKE, after, difference(before, after))
    return after


def show_key(store: AccountStore, actor: Actor, key: str) -> ApiKey:
    """One key, without its secret. Raises `AccessError`, `MissingError`."""
    with store.read() as book:
        return found(book, actor, Action.KEY_READ, ApiKey, key)


def list_keys(
    store: AccountStore, actor: Actor, *, tenant: str | None = None, after: str = "", limit: int | None = None
) -> tuple[ApiKey, ...]:
    """The keys the actor sees, of one tenant when given, by id. Raises `AccessError`, `MissingError`."""
    return listed(store, actor, Action.KEY_READ, ApiKey, tenant=tenant, after=after, limit=limit)


def which_key(store: AccountStore, actor: Actor, text: str, pepper: bytes) -> ApiKey | None:
    """The key whose text somebody found; `None` when the actor sees none like it. Raises `AccessError`."""
    bound = require_somewhere(actor, Action.KEY_READ)
    with store.read() as book:
        row = book.key_by_digest(key_digest(pepper, text))
    return row if row is not None and (bound is None or row.tenant == bound) else None


def _payer(book: AccountBook, actor: Actor, wanted: Wanted) -> str:
    """The tenant a new key belongs to; for a principal's key, the one it is bound to."""
    if wanted.principal is None:
        return tenant_for(book, actor, Action.KEY_CREATE, wanted.tenant).id
    row = found(book, actor, Action.KEY_CREATE, Principal, wanted.principal)
    _speak_for(actor, row)
    return row.tenant or ""


def _require_own_or_lesser(book: AccountBook, actor: Actor, key: ApiKey) -> None:
    """A principal's key is its own affair, or that of who may change principals and has all its roles."""
    if key.principal is not None and (row := book.find(Principal, key.principal)) is not None:
        _speak_for(actor, row)


def _speak_for(actor: Actor, row: Principal) -> None:
    if actor.id != row.id:
        require_somewhere(actor, Action.PRINCIPAL_CHANGE)
        require_its_roles(actor, row)


def _limits_for(book: AccountBook, old: ApiKey, new: ApiKey) -> tuple[Quota | Budget, ...]:
    """What is set for the old key, for the new one."""
    rows: list[Quota | Budget] = [*book.rows(Quota, tenant=old.tenant), *book.rows(Budget, tenant=old.tenant)]
    return tuple(passed_on(row, new.id) for row in rows if row.scope.key == old.id)
