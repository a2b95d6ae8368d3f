"""Principals: who may act in the admin interface, with which roles, bound to which tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from tripoint.domain.tenancy import Actor, Principal, Role
from tripoint.engines.governance.access.principals import (
    good_roles,
    good_subject,
    keep_an_admin,
    principal_id,
    require_its_roles,
)
from tripoint.engines.governance.access.roles import Action
from tripoint.engines.governance.audit.rows import difference, said
from tripoint.ports import AccountStore
from tripoint.usecases.accounts.turn import (
    Turn,
    acting,
    enter,
    found,
    fresh,
    listed,
    require_somewhere,
    tenant_for,
)


def add_principal(
    store: AccountStore,
    turn: Turn,
    principal: str,
    *,
    roles: Iterable[Role],
    tenant: str | None = None,
    subject: str | None = None,
) -> Principal:
    """A new principal, bound to `tenant` when given; who is bound itself may only add such of its own tenant.

    The id of one that is bound begins with its tenant and a dot, so that no tenant's choice touches another's.
    Raises `AccessError` also for roles the actor does not have, `ConflictError` when the id or the subject is taken,
    `MissingError` for a tenant the actor does not see, `OptionError` for values that cannot be used.
    """
    bound = require_somewhere(turn.actor, Action.PRINCIPAL_CREATE)
    belongs_to = tenant if tenant is not None else bound
    row = Principal(
        id=principal_id(principal, belongs_to),
        roles=good_roles(turn.actor, roles),
        tenant=belongs_to,
        created_at=turn.now,
        subject=good_subject(subject),
    )
    with acting(store, turn) as book:
        if row.tenant is not None:
            tenant_for(book, turn.actor, Action.PRINCIPAL_CREATE, row.tenant)
        fresh(book, row)
        enter(book, turn, Action.PRINCIPAL_CREATE, row, said(row))
    return row


def set_roles(store: AccountStore, turn: Turn, principal: str, *, roles: Iterable[Role]) -> Principal:
    """Gives a principal these roles instead of those it had; no more than the actor has, neither before nor after.

    Raises `AccessError`, `MissingError`, `OptionError`, and `ConflictError` where nobody would be left to administer.
    """
    require_somewhere(turn.actor, Action.PRINCIPAL_CHANGE)
    wanted = good_roles(turn.actor, roles)
    return _changed(store, turn, principal, lambda row: replace(row, roles=wanted))


def set_subject(store: AccountStore, turn: Turn, principal: str, *, subject: str | None) -> Principal:
    """Lets an identity provider's `issuer#subject` mean this principal; none any more when `None`."""
    require_somewhere(turn.actor, Action.PRINCIPAL_CHANGE)
    wanted = good_subject(subject)
    return _changed(store, turn, principal, lambda row: replace(row, subject=wanted))


def suspend_principal(store: AccountStore, turn: Turn, principal: str, *, is_suspended: bool = True) -> Principal:
    """Refuses a principal from now on, or lets it back; raises as `set_roles`."""
    return _changed(store, turn, principal, lambda row: replace(row, is_suspended=is_suspended))


def show_principal(store: AccountStore, actor: Actor, principal: str) -> Principal:
    """One principal. Raises `AccessError`, `MissingError`."""
    with store.read() as book:
        return found(book, actor, Action.PRINCIPAL_READ, Principal, principal)


def list_principals(
    store: AccountStore, actor: Actor, *, tenant: str | None = None, after: str = "", limit: int | None = None
) -> tuple[Principal, ...]:
    """The principals the actor sees, of one tenant when given, by id. Raises `AccessError`, `MissingError`."""
    return listed(store, actor, Action.PRINCIPAL_READ, Principal, tenant=tenant, after=after, limit=limit)


def _changed(store: AccountStore, turn: Turn, principal: str, change: Callable[[Principal], Principal]) -> Principal:
    with acting(store, turn) as book:
        before = found(book, turn.actor, Action.PRINCIPAL_CHANGE, Principal, principal)
        require_its_roles(turn.actor, before)
        after = change(before)
        if after != before:
            keep_an_admin(before, after, book.rows(Principal))
            enter(book, turn, Action.PRINCIPAL_CHANGE, after, difference(before, after))
    return after
