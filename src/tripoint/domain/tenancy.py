"""Who pays and who acts: tenants, principals with roles, keys, quotas and budgets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What a principal may do in the admin interface; one principal may have several."""

    ADMIN = "admin"
    OPERATOR = "operator"
    FINANCE = "finance"
    AUDITOR = "auditor"
    DEVELOPER = "developer"


class Window(StrEnum):
    """Over which time a budget counts, in UTC."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Who pays."""

    id: str
    """Unique name: lower-case letters, digits and hyphens."""
    name: str
    """What people call it."""
    created_at: float
    """Seconds since 1970."""
    is_suspended: bool = False
    """True when its keys are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who acts in the admin interface: a person, or a program with a token."""

    id: str
    """Unique name."""
    roles: tuple[Role, ...]
    """What it may do."""
    tenant: str | None
    """The only tenant it may see and change; all when `None`."""
    created_at: float
    """Seconds since 1970."""
    subject: str | None = None
    """`issuer#subject` of the identity provider's tokens that mean this principal."""
    is_suspended: bool = False
    """True when it is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of a tenant for the gateway, or of a principal for the admin interface; the key itself is never kept."""

    id: str
    """Public id, part of the key; the only part that is ever logged."""
    digest: str
    """Keyed hash (HMAC-SHA-256) of the whole key, hexadecimal."""
    name: str
    """What people call it."""
    tenant: str
    """Who pays; empty for a key of a principal who is bound to none."""
    created_at: float
    """Seconds since 1970."""
    principal: str | None = None
    """Principal it speaks for in the admin interface; `None` for a key of the gateway."""
    workloads: tuple[str, ...] = ()
    """Workloads it may call; all when empty."""
    only_at: tuple[str, ...] = ()
    """Sites, layers or kinds its requests are confined to; anywhere policy allows when empty."""
    expires_at: float | None = None
    """Seconds since 1970; never when `None`."""
    revoked_at: float | None = None
    """Seconds since 1970 from which it is refused; a rotated key gets a future time."""
    replaces: str | None = None
    """Id of the key it was rotated from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeToken:
    """What makes the first admin: shown once, good for a short time, and for one use."""

    id: str
    """Public id, part of the token."""
    digest: str
    """Keyed hash of the whole token, hexadecimal."""
    created_at: float
    """Seconds since 1970."""
    expires_at: float
    """Seconds since 1970."""
    used_at: float | None = None
    """When it was used; `None` as long as it can be."""


class Actor(NamedTuple):
    """Who acts, once recognised."""

    id: str
    """Principal id, or `local:USER` for who acts on the machine itself."""
    roles: frozenset[Role]
    """What it may do."""
    tenant: str | None = None
    """The only tenant it may see and change; all when `None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose requests a quota or budget is about: all of a tenant's, or only those of one key or one workload."""

    tenant: str
    """Tenant id."""
    key: str | None = None
    """Key id; every key when `None`."""
    workload: str | None = None
    """Workload id; every workload when `None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Rates a scope may not exceed; `None` where there is no limit."""

    id: str
    """Unique name."""
    scope: Scope
    """Whose requests."""
    requests_per_min: int | None = None
    """Requests started per minute."""
    tokens_per_min: int | None = None
    """Tokens in a minute, reserved when a request begins and corrected when it ends."""
    concurrency: int | None = None
    """Concurrent requests."""
    part_of: Quota | None = None
    """The whole quota, where this is what one of several gateways on a store applies of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Money a scope may spend in a window; reserved before a request is sent, settled when it ends."""

    id: str
    """Unique name."""
    scope: Scope
    """Whose requests."""
    window: Window
    """Over which time."""
    limit_nano: int
    """Most that may be spent in a window, nano-dollars of effective cost."""
    is_enforced: bool = True
    """False when it only warns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Everything a gateway needs to know of tenants: what it was when the store stood at `revision`."""

    revision: int
    """Counts changes; a higher one is newer."""
    tenants: tuple[Tenant, ...] = ()
    """All of them."""
    keys: tuple[ApiKey, ...] = ()
    """Keys of the gateway that are not gone for good."""
    quotas: tuple[Quota, ...] = ()
    """All of them."""
    budgets: tuple[Budget, ...] = ()
    """All of them."""


Account = Tenant | Principal | ApiKey | Quota | Budget | OneTimeToken
"""Whatever the store of accounts keeps under an id."""


def tenant_of(row: Account) -> str | None:
    """The tenant a row belongs to; `None` when to none."""
    match row:
        case Tenant():
            return row.id
        case Principal():
            return row.tenant
        case ApiKey():
            return row.tenant or None
        case Quota() | Budget():
            return row.scope.tenant
        case OneTimeToken():
            return None


WARN_AT = (50, 80, 100)
"""Shares of a budget, in percent, at which its owner is told."""
