"""Rows of the accounts as SQL has them, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tripoint.adapters.sql.database import Row
from tripoint.domain.tenancy import (
    Account,
    ApiKey,
    Budget,
    OneTimeToken,
    Principal,
    Quota,
    Role,
    Scope,
    Tenant,
    Window,
)


class Table(NamedTuple):
    """How one kind of row is kept."""

    name: str
    """The table."""
    columns: tuple[str, ...]
    """Its columns, the id first."""
    tenant: str | None
    """The column that says whose it is."""
    values: Callable[[Any], Row]
    """A row's values, in the order of the columns."""
    row: Callable[..., Any]
    """The row of such values."""

    @property
    def upsert(self) -> str:
        """The statement that writes a row, over an old one of the same id."""
        names = ", ".join(self.columns)
        marks = ", ".join("?" for _ in self.columns)
        fresh = ", ".join(f"{name} = excluded.{name}" for name in self.columns[1:])
        return f"INSERT INTO {self.name} ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {fresh}"


def _tenant_row(row_id: str, name: str, created_at: float, is_suspended: int) -> Tenant:
    return Tenant(id=row_id, name=name, created_at=created_at, is_suspended=bool(is_suspended))


def _principal_values(row: Principal) -> Row:
    return (row.id, row.tenant, _list(row.roles), row.created_at, row.subject, int(row.is_suspended))


def _principal_row(
    row_id: str, tenant: str | None, roles: str, created_at: float, subject: str | None, is_suspended: int
) -> Principal:
    return Principal(
        id=row_id,
        tenant=tenant,
        roles=tuple(Role(each) for each in json.loads(roles)),
        created_at=created_at,
        subject=subject,
        is_suspended=bool(is_suspended),
    )


def _key_values(row: ApiKey) -> Row:
    return (
        row.id,
        row.tenant or None,
        row.digest,
        row.name,
        row.created_at,
        row.principal,
        _list(row.workloads),
        _list(row.only_at),
        row.expires_at,
        row.revoked_at,
        row.replaces,
    )


def _key_row(*values: Any) -> ApiKey:
    row_id, tenant, digest, name, created_at, principal, workloads, only_at, expires_at, revoked_at, replaces = values
    return ApiKey(
        id=row_id,
        tenant=tenant or "",
        digest=digest,
        name=name,
        created_at=created_at,
        principal=principal,
        workloads=tuple(json.loads(workloads)),
        only_at=tuple(json.loads(only_at)),
        expires_at=expires_at,
        revoked_at=revoked_at,
        replaces=replaces,
    )


def _quota_values(row: Quota) -> Row:
    scope = row.scope
    limits = (row.requests_per_min, row.tokens_per_min, row.concurrency)
    return (row.id, scope.tenant, scope.key, scope.workload, *limits)


def _quota_row(*values: Any) -> Quota:
    row_id, tenant, key, workload, requests, tokens, concurrency = values
    return Quota(
        id=row_id,
        scope=Scope(tenant=tenant, key=key, workload=workload),
        requests_per_min=requests,
        tokens_per_min=tokens,
        concurrency=concurrency,
    )


def _budget_values(row: Budget) -> Row:
    scope = row.scope
    return (row.id, scope.tenant, scope.key, scope.workload, str(row.window), row.limit_nano, int(row.is_enforced))


def _budget_row(*values: Any) -> Budget:
    row_id, tenant, key, workload, window, limit_nano, is_enforced = values
    return Budget(
        id=row_id,
        scope=Scope(tenant=tenant, key=key, workload=workload),
        window=Window(window),
        limit_nano=limit_nano,
        is_enforced=bool(is_enforced),
    )


def _token_row(row_id: str, digest: str, created_at: float, expires_at: float, used_at: float | None) -> OneTimeToken:
    return OneTimeToken(id=row_id, digest=digest, created_at=created_at, expires_at=expires_at, used_at=used_at)


def _list(values: tuple[str, ...]) -> str:
    return json.dumps([str(value) for value in values], ensure_ascii=False)


TABLES: Mapping[type[Account], Table] = MappingProxyType(
    {
        Tenant: Table(
            "tenant",
            ("id", "name", "created_at", "is_suspended"),
            "id",
            lambda row: (row.id, row.name, row.created_at, int(row.is_suspended)),
            _tenant_row,
        ),
        Principal: Table(
            "principal",
            ("id", "tenant", "roles", "created_at", "subject", "is_suspended"),
            "tenant",
            _principal_values,
            _principal_row,
        ),
        ApiKey: Table(
            "api_key",
            ("id", "tenant", "digest", "name", "created_at", "principal", "workloads", "only_at", "expires_at",
             "revoked_at", "replaces"),
            "tenant",
            _key_values,
            _key_row,
        ),
        Quota: Table(
            "quota",
            ("id", "tenant", "key_id", "workload", "requests_per_min", "tokens_per_min", "concurrency"),
            "tenant",
            _quota_values,
            _quota_row,
        ),
        Budget: Table(
            "budget",
            ("id", "tenant", "key_id", "workload", "period", "limit_nano", "is_enforced"),
            "tenant",
            _budget_values,
            _budget_row,
        ),
        OneTimeToken: Table(
            "one_time_token",
            ("id", "digest", "created_at", "expires_at", "used_at"),
            None,
            lambda row: (row.id, row.digest, row.created_at, row.expires_at, row.used_at),
            _token_row,
        ),
    }
)  # fmt: skip
"""How each kind of row is kept."""
