"""What the admin interface answers and takes: each field named here is all that leaves, or may come in."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tripoint.domain.tenancy import ApiKey, Principal, Role, Tenant

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=63, pattern="^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
"""An id as people choose it."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
"""What people call something."""
Roles = Annotated[tuple[Role, ...], msgspec.Meta(min_length=1, max_length=5)]
"""One role at least."""
Names = Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=200)], ...], msgspec.Meta(max_length=200)]
"""Ids out of the estate."""
Subject = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
"""`issuer#subject` of an identity provider."""


class TenantView(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant: who pays."""

    id: str
    """Unique name."""
    name: str
    """What people call it."""
    created_at: float
    """Seconds since 1970."""
    is_suspended: bool
    """True when its keys are refused."""


class TenantPage(msgspec.Struct, frozen=True, kw_only=True):
    """Tenants by id."""

    items: tuple[TenantView, ...]
    """The page."""
    next: str | None
    """What the next page begins after; `null` when there is none."""


class NewTenant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tenant to be."""

    id: Id
    """Unique name; it stays for ever."""
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """What people call it; its id when empty."""


class NewName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another name."""

    name: Name
    """What people call it from now on."""


class Suspension(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether it is refused."""

    is_suspended: bool
    """True to refuse it from now on, false to let it back."""


class PrincipalView(msgspec.Struct, frozen=True, kw_only=True):
    """A principal: who acts."""

    id: str
    """Unique name."""
    roles: tuple[Role, ...]
    """What it may do."""
    tenant: str | None
    """The only tenant it sees and changes; all when `null`."""
    created_at: float
    """Seconds since 1970."""
    subject: str | None
    """`issuer#subject` of the identity provider's tokens that mean it."""
    is_suspended: bool
    """True when it is refused."""


class PrincipalPage(msgspec.Struct, frozen=True, kw_only=True):
    """Principals by id."""

    items: tuple[PrincipalView, ...]
    """The page."""
    next: str | None
    """What the next page begins after; `null` when there is none."""


class NewPrincipal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A principal to be."""

    id: Id
    """Unique name; that of one who is bound to a tenant is put behind the tenant and a dot."""
    roles: Roles
    """What it may do; none that the caller has not."""
    tenant: Id | None = None
    """The only tenant it may see and change; all when `null`, or the caller's own when that is bound to one."""
    subject: Subject | None = None
    """`issuer#subject` of the identity provider's tokens that mean it."""


class NewRoles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other roles."""

    roles: Roles
    """What it may do from now on; none that the caller has not."""


class NewSubject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another subject."""

    subject: Subject | None
    """`issuer#subject` of the identity provider's tokens that mean it; none when `null`."""


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key; neither the key itself nor anything it could be made from is ever shown again."""

    id: str
    """Public id, part of the key."""
    name: str
    """What people call it."""
    tenant: str | None
    """Who pays; `null` for a key of a principal who is bound to none."""
    principal: str | None
    """Principal it speaks for in the admin interface; `null` for a key of the gateway."""
    workloads: tuple[str, ...]
    """Workloads it may call; all when empty."""
    only_at: tuple[str, ...]
    """Sites, layers or kinds its requests are confined to; anywhere policy allows when empty."""
    created_at: float
    """Seconds since 1970."""
    expires_at: float | None
    """Seconds since 1970; never when `null`."""
    revoked_at: float | None
    """Seconds since 1970 from which it is refused; `null` when it was not revoked."""
    replaces: str | None
    """Id of the key it was rotated from."""


class KeyPage(msgspec.Struct, frozen=True, kw_only=True):
    """Keys by id."""

    items: tuple[KeyView, ...]
    """The page."""
    next: str | None
    """What the next page begins after; `null` when there is none."""


class ShownKey(KeyView, frozen=True, kw_only=True):
    """A new key: the only time that it is shown."""

    secret: str | None
    """The key itself; `null` when an `Idempotency-Key` was sent again: it was shown the first time."""


def tenant_view(row: Tenant) -> TenantView:
    """A tenant as it is answered."""
    return TenantView(id=row.id, name=row.name, created_at=row.created_at, is_suspended=row.is_suspended)


def principal_view(row: Principal) -> PrincipalView:
    """A principal as it is answered."""
    return PrincipalView(id=row.id, roles=row.roles, tenant=row.tenant, created_at=row.created_at,
                         subject=row.subject, is_suspended=row.is_suspended)  # fmt: skip


def key_view(row: ApiKey) -> KeyView:
    """A key as it is answered: without its digest."""
    return KeyView(id=row.id, name=row.name, tenant=row.tenant or None, principal=row.principal,
                   workloads=row.workloads, only_at=row.only_at, created_at=row.created_at,
                   expires_at=row.expires_at, revoked_at=row.revoked_at, replaces=row.replaces)  # fmt: skip
