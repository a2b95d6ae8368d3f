"""Principals: who may act in the admin interface, with which roles, bound to which tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from tripoint.domain.errors import AccessError, ConflictError, OptionError
from tripoint.domain.tenancy import Actor, Principal, Role
from tripoint.engines.governance.access.names import good_id, name_fault
from tripoint.engines.governance.access.roles import Action, may_grant
from tripoint.engines.governance.audit.rows import difference, said
from tripoint.ports import AccountBook, AccountStore
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

_MAX_SUBJECT = 500


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
        roles=_good_roles(turn.actor, roles),
        tenant=belongs_to,
        created_at=turn.now,
        subject=_good_subject(subject),
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
    wanted = _good_roles(turn.actor, roles)
    return _changed(store, turn, principal, lambda row: replace(row, roles=wanted))


def set_subject(store: AccountStore, turn: Turn, principal: str, *, subject: str | None) -> Principal:
    """Lets an identity provider's `issuer#subject` mean this principal; none any more when `None`."""
    require_somewhere(turn.actor, Action.PRINCIPAL_CHANGE)
    wanted = _good_subject(subject)
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


def principal_id(chosen: str, tenant: str | None) -> str:
    """The id of a principal; raises `OptionError` for one that cannot be used."""
    if tenant is None:
        return good_id(chosen, "principal")
    return f"{tenant}.{good_id(chosen.removeprefix(f'{tenant}.'), 'principal')}"


def _changed(store: AccountStore, turn: Turn, principal: str, change: Callable[[Principal], Principal]) -> Principal:
    with acting(store, turn) as book:
        before = found(book, turn.actor, Action.PRINCIPAL_CHANGE, Principal, principal)
        if not may_grant(turn.actor, frozenset(before.roles)):
            raise AccessError(
                f"`{before.id}` has roles that `{turn.actor.id}` has not",
                hint="somebody with those roles may change it",
            )
        after = change(before)
        if after != before:
            _keep_an_admin(book, before, after)
            enter(book, turn, Action.PRINCIPAL_CHANGE, after, difference(before, after))
    return after


def _keep_an_admin(book: AccountBook, before: Principal, after: Principal) -> None:
    """Nobody may shut everybody out: one admin for all tenants always stays."""
    if not _administers(before) or _administers(after):
        return
    if not any(_administers(row) for row in book.rows(Principal) if row.id != after.id):
        raise ConflictError(
            f"`{after.id}` is the last admin for all tenants; nobody could administer any more",
            hint="make somebody else an admin first",
        )


def _administers(row: Principal) -> bool:
    return Role.ADMIN in row.roles and row.tenant is None and not row.is_suspended


def _good_roles(actor: Actor, roles: Iterable[Role]) -> tuple[Role, ...]:
    wanted = frozenset(roles)
    if not wanted:
        known = ", ".join(f"`{role}`" for role in Role)
        raise OptionError("a principal needs at least one role", hint=f"there are {known}")
    if not may_grant(actor, wanted):
        beyond = ", ".join(f"`{role}`" for role in Role if role in wanted and not may_grant(actor, frozenset({role})))
        raise AccessError(
            f"`{actor.id}` may not give {beyond}: that allows more than its own roles", hint="ask somebody who has"
        )
    return tuple(role for role in Role if role in wanted)


def _good_subject(subject: str | None) -> str | None:
    if subject is None:
        return None
    issuer, mark, name = subject.partition("#")
    if (
        not (issuer.startswith("https://") or issuer.startswith("http://"))
        or not mark
        or not name
        or len(subject) > _MAX_SUBJECT
    ):
        raise OptionError(
            f"`{subject[:80]}` is not a subject of an identity provider",
            hint="write `issuer#subject`, for example `https://id.acme.example#248289761001`",
        )
    if fault := name_fault(subject, _MAX_SUBJECT):
        raise OptionError(f"that is not a subject of an identity provider: {fault}", hint="write `issuer#subject`")
    return subject
