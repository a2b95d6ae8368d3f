"""A store of accounts in memory of one test, who acts on it, and secrets that are the same every time."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from tripoint.adapters.accounts_sql.store import SqlAccounts
from tripoint.adapters.sql.connect import connect
from tripoint.domain.tenancy import Actor, ApiKey, Role, Scope, Tenant
from tripoint.engines.governance.access.keys import ID_BYTES, SECRET_BYTES
from tripoint.engines.governance.access.wanted import Wanted
from tripoint.usecases.accounts.keys import Secrets, Shown, create_key
from tripoint.usecases.accounts.tenants import create_tenant
from tripoint.usecases.accounts.turn import Turn

NOON = 1_795_003_200.5
"""Noon of 2026-11-18, UTC, and half a second."""
PEPPER = bytes(range(32))
"""A pepper nobody else has."""
ROOT = Actor("local:root", frozenset(Role))
"""Who sits at the machine."""


def file_store(folder: Path) -> SqlAccounts:
    """A fresh store in a file."""
    return SqlAccounts(connect(f"sqlite:///{folder / 'accounts.db'}"), lambda: NOON)


def actor(*roles: Role, tenant: str | None = None, name: str = "ann") -> Actor:
    """Somebody with these roles."""
    return Actor(name, frozenset(roles), tenant)


def turn(who: Actor = ROOT, now: float = NOON, **fields: object) -> Turn:
    """A turn of theirs."""
    return Turn(who, now)._replace(**fields)  # type: ignore[arg-type]  # the caller names fields of a turn


def entropy() -> Callable[[], bytes]:
    """Bytes for keys, others every time and the same in every run."""
    numbers: Iterator[int] = itertools.count()

    def fresh() -> bytes:
        seed = hashlib.shake_256(str(next(numbers)).encode())
        return seed.digest(ID_BYTES + SECRET_BYTES)

    return fresh


def tenant_of_name(store: SqlAccounts, name: str = "acme") -> Tenant:
    """A tenant."""
    return create_tenant(store, turn(), name)


def key_of(store: SqlAccounts, tenant: str, fresh: bytes, **fields: object) -> Shown:
    """A key of a tenant."""
    wanted = Wanted(name="a key", tenant=tenant, **fields)  # type: ignore[arg-type]  # fields of `Wanted`
    return create_key(store, turn(), wanted, Secrets(PEPPER, fresh))


def scope_of(key: ApiKey) -> Scope:
    """The scope of one key."""
    return Scope(tenant=key.tenant, key=key.id)
