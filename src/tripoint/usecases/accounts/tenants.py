"""Tenants: create, rename, suspend and let back. None is ever removed: the ledger speaks of them for ever."""

from __future__ import annotations

from dataclasses import replace

from tripoint.domain.tenancy import Actor, Tenant
from tripoint.engines.governance.access.names import good_id, good_name
from tripoint.engines.governance.access.roles import Action
from tripoint.engines.governance.audit.rows import difference, said
from tripoint.ports import AccountStore
from tripoint.usecases.accounts.turn import (
    Turn,
    acting,
    enter,
    found,
    fresh,
    require_somewhere,
)

RESUME = "tenant.resume"
"""Letting a tenant back, in the audit log; it takes the right to suspend one."""


def create_tenant(store: AccountStore, turn: Turn, tenant: str, *, name: str = "") -> Tenant:
    """A new tenant; called by its id where it has no `name`.

    Raises `AccessError`, `ConflictError` when the id is taken, `OptionError` for an id or name that cannot be used.
    """
    require_somewhere(turn.actor, Action.TENANT_CREATE)
    row = Tenant(
        id=good_id(tenant, "tenant"), name=good_name(name or tenant, "tenant"), created_at=turn.now, is_suspended=False
    )
    with acting(store, turn) as book:
        fresh(book, row)
        enter(book, turn, Action.TENANT_CREATE, row, said(row))
    return row


def rename_tenant(store: AccountStore, turn: Turn, tenant: str, *, name: str) -> Tenant:
    """Renames a tenant; its id stays. Raises as `create_tenant`, and `MissingError`."""
    with acting(store, turn) as book:
        before = found(book, turn.actor, Action.TENANT_CHANGE, Tenant, tenant)
        after = replace(before, name=good_name(name, "tenant"))
        if after != before:
            enter(book, turn, Action.TENANT_CHANGE, after, difference(before, after))
    return after


def suspend_tenant(store: AccountStore, turn: Turn, tenant: str, *, is_suspended: bool = True) -> Tenant:
    """Suspends or resumes a tenant; each is an act of its own name. Nothing changes when it is so already."""
    with acting(store, turn) as book:
        before = found(book, turn.actor, Action.TENANT_SUSPEND, Tenant, tenant)
        after = replace(before, is_suspended=is_suspended)
        if after != before:
            enter(book, turn, Action.TENANT_SUSPEND if is_suspended else RESUME, after, difference(before, after))
    return after


def show_tenant(store: AccountStore, actor: Actor, tenant: str) -> Tenant:
    """One tenant. Raises `AccessError`, `MissingError`."""
    with store.read() as book:
        return found(book, actor, Action.TENANT_READ, Tenant, tenant)


def list_tenants(store: AccountStore, actor: Actor, *, after: str = "", limit: int | None = None) -> tuple[Tenant, ...]:
    """The tenants the actor sees, by id. Raises `AccessError`."""
    bound = require_somewhere(actor, Action.TENANT_READ)
    with store.read() as book:
        return book.rows(Tenant, tenant=bound, after=after, limit=limit)
