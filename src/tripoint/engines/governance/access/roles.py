"""Which role may do what: one table, and the judgement over it.

A principal bound to a tenant sees and changes only that tenant. What belongs to another does not exist for it: the
judgement is then `HIDDEN`, and callers answer as if there were nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from tripoint.domain.tenancy import Actor, Role


class Action(StrEnum):
    """Everything that can be asked of the admin interface, noun and verb."""

    TENANT_READ = "tenant.read"
    TENANT_CREATE = "tenant.create"
    TENANT_CHANGE = "tenant.change"
    TENANT_SUSPEND = "tenant.suspend"
    PRINCIPAL_READ = "principal.read"
    PRINCIPAL_CREATE = "principal.create"
    PRINCIPAL_CHANGE = "principal.change"
    KEY_READ = "key.read"
    KEY_CREATE = "key.create"
    KEY_ROTATE = "key.rotate"
    KEY_REVOKE = "key.revoke"
    QUOTA_READ = "quota.read"
    QUOTA_SET = "quota.set"
    BUDGET_READ = "budget.read"
    BUDGET_SET = "budget.set"
    SPEND_READ = "spend.read"
    ENTRY_READ = "entry.read"
    LEDGER_CORRECT = "ledger.correct"
    AUDIT_READ = "audit.read"
    AUDIT_VERIFY = "audit.verify"
    AUDIT_CHECKPOINT = "audit.checkpoint"


class Verdict(StrEnum):
    """What a judgement says."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    HIDDEN = "hidden"


class Right(NamedTuple):
    """A row of the table."""

    roles: frozenset[Role]
    """Who may."""
    means: str
    """What it lets one do."""
    is_global: bool = False
    """True when it concerns all tenants: a principal bound to one may not, whatever its roles."""


_A, _O, _F, _U, _D = Role.ADMIN, Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.DEVELOPER
_ALL = frozenset(Role)


RIGHTS: Mapping[Action, Right] = MappingProxyType(
    {
        Action.TENANT_READ: Right(_ALL, "see tenants"),
        Action.TENANT_CREATE: Right(frozenset({_A}), "create a tenant", is_global=True),
        Action.TENANT_CHANGE: Right(frozenset({_A}), "rename a tenant"),
        Action.TENANT_SUSPEND: Right(frozenset({_A, _O}), "suspend a tenant, and let it back", is_global=True),
        Action.PRINCIPAL_READ: Right(frozenset({_A, _O, _U}), "see principals and their roles"),
        Action.PRINCIPAL_CREATE: Right(frozenset({_A}), "add a principal with no role that allows more than one's own"),
        Action.PRINCIPAL_CHANGE: Right(frozenset({_A}), "change a principal's roles, suspend it, make keys for it"),
        Action.KEY_READ: Right(_ALL, "see keys, never their secrets"),
        Action.KEY_CREATE: Right(frozenset({_A, _O, _D}), "create a key"),
        Action.KEY_ROTATE: Right(frozenset({_A, _O, _D}), "replace a key by a new one"),
        Action.KEY_REVOKE: Right(frozenset({_A, _O, _D}), "revoke a key"),
        Action.QUOTA_READ: Right(_ALL, "see quotas"),
        Action.QUOTA_SET: Right(frozenset({_A, _O}), "set and remove quotas"),
        Action.BUDGET_READ: Right(_ALL, "see budgets and what is spent of them"),
        Action.BUDGET_SET: Right(frozenset({_A, _F}), "set and remove budgets"),
        Action.SPEND_READ: Right(_ALL, "see spend by day, model, site and so on"),
        Action.ENTRY_READ: Right(frozenset({_A, _F, _U}), "see and export single entries of the ledger"),
        Action.LEDGER_CORRECT: Right(frozenset({_A, _F}), "enter a correction", is_global=True),
        Action.AUDIT_READ: Right(frozenset({_A, _U}), "see the audit log"),
        Action.AUDIT_VERIFY: Right(frozenset({_A, _U}), "verify the audit log", is_global=True),
        Action.AUDIT_CHECKPOINT: Right(frozenset({_A, _U}), "sign a checkpoint of the audit log", is_global=True),
    }
)
"""The table, total over actions; a test holds it so."""


def judge(actor: Actor, action: Action, tenant: str | None) -> Verdict:
    """Whether `actor` may do `action` to something of `tenant` (`None`: of no tenant, or of all).

    The roles are looked at first, so that `FORBIDDEN` never tells whether the thing exists.
    """
    right = RIGHTS[action]
    if not actor.roles & right.roles:
        return Verdict.FORBIDDEN
    if actor.tenant is None:
        return Verdict.ALLOWED
    if right.is_global:
        return Verdict.FORBIDDEN
    return Verdict.ALLOWED if tenant == actor.tenant else Verdict.HIDDEN


def allows(actor: Actor, action: Action) -> bool:
    """Whether `actor` may do `action` to anything at all."""
    return judge(actor, action, actor.tenant) is Verdict.ALLOWED


def may_grant(actor: Actor, roles: frozenset[Role]) -> bool:
    """Whether `actor` may give these roles to somebody: never what its own do not allow it to do itself."""
    return all(actor.roles & right.roles for right in RIGHTS.values() if roles & right.roles)


def roles_allowed(action: Action) -> str:
    """The roles that may, for messages."""
    names = [f"`{role}`" for role in Role if role in RIGHTS[action].roles]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
