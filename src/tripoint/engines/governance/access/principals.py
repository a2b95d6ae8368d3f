"""What may a principal be? Its id, its roles, its subject, and who may speak for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tripoint.domain.errors import AccessError, ConflictError, OptionError
from tripoint.domain.tenancy import Actor, Principal, Role
from tripoint.engines.governance.access.names import good_id, name_fault
from tripoint.engines.governance.access.roles import may_grant

_MAX_SUBJECT: Final = 500
"""Most characters of a subject."""


def principal_id(chosen: str, tenant: str | None) -> str:
    """The id of a principal: that of a tenant begins with it; raises `OptionError` for one that cannot be used."""
    if tenant is None:
        return good_id(chosen, "principal")
    return f"{tenant}.{good_id(chosen.removeprefix(f'{tenant}.'), 'principal')}"


def good_roles(actor: Actor, roles: Iterable[Role]) -> tuple[Role, ...]:
    """The roles, each once and in their order.

    Raises `OptionError` for none, and `AccessError` for one that allows more than the actor's own.
    """
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


def good_subject(subject: str | None) -> str | None:
    """A subject of an identity provider, `issuer#name`; raises `OptionError` for what is none."""
    if subject is None:
        return None
    issuer, mark, name = subject.partition("#")
    is_issuer = issuer.startswith(("https://", "http://"))
    if not is_issuer or not mark or not name or len(subject) > _MAX_SUBJECT:
        raise OptionError(
            f"`{subject[:80]}` is not a subject of an identity provider",
            hint="write `issuer#subject`, for example `https://id.acme.example#248289761001`",
        )
    if fault := name_fault(subject, _MAX_SUBJECT):
        raise OptionError(f"that is not a subject of an identity provider: {fault}", hint="write `issuer#subject`")
    return subject


def require_its_roles(actor: Actor, principal: Principal) -> None:
    """Raises `AccessError` where the principal's roles allow more than the actor's."""
    if not may_grant(actor, frozenset(principal.roles)):
        raise AccessError(
            f"`{principal.id}` has roles that `{actor.id}` does not have", hint="somebody with those roles may do this"
        )


def keep_an_admin(before: Principal, after: Principal, others: Iterable[Principal]) -> None:
    """Raises `ConflictError` where a change would shut everybody out: one admin for all tenants always stays."""
    if not _administers(before) or _administers(after):
        return
    if not any(_administers(row) for row in others if row.id != after.id):
        raise ConflictError(
            f"`{after.id}` is the last admin for all tenants; nobody could administer any more",
            hint="make somebody else an admin first",
        )


def _administers(row: Principal) -> bool:
    return Role.ADMIN in row.roles and row.tenant is None and not row.is_suspended
