"""One good request for every operation of the route table, about something of the tenant `acme`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.factories.administering import AdminWorld

from tripoint.domain.tenancy import Role, Scope, Window
from tripoint.engines.governance.access.limits import Money, Rates
from tripoint.engines.governance.access.wanted import Wanted
from tripoint.usecases.accounts import keys, limits, principals, tenants

Sample = Callable[[AdminWorld], "Good"]
NANO = 10**9


class Good(NamedTuple):
    """A request that an admin for all tenants gets a yes to."""

    path: str
    """Address with its parts filled in."""
    body: Any = None
    """Content."""
    read: str = ""
    """Address whose `ETag` the request must name; empty when it needs none."""


def _tenant(world: AdminWorld) -> str:
    # a tenant of its own, since `acme` must stay as it is for the callers bound to it
    return tenants.create_tenant(world.stores.accounts, world.turn(), world.fresh("t")).id


def _principal(world: AdminWorld) -> str:
    name = world.fresh("p")
    return principals.add_principal(
        world.stores.accounts, world.turn(), name, roles=(Role.DEVELOPER,), tenant="acme"
    ).id


def _key(world: AdminWorld) -> str:
    wanted = Wanted(name=world.fresh("k"), tenant="acme")
    return keys.create_key(world.stores.accounts, world.turn(), wanted, world.secrets()).key.id


def _quota(world: AdminWorld) -> str:
    scope = Scope(tenant="acme", key=_key(world))
    return limits.set_quota(world.stores.accounts, world.turn(), scope, Rates(concurrency=3)).id


def _budget(world: AdminWorld) -> str:
    scope = Scope(tenant="acme", key=_key(world))
    money = Money(limit_nano=5 * NANO, window=Window.DAY)
    return limits.set_budget(world.stores.accounts, world.turn(), scope, money).id


def _about(path: str, make: Callable[[AdminWorld], str], body: Any = None, *, is_tagged: bool = False) -> Sample:
    def good(world: AdminWorld) -> Good:
        whole = path.replace("*", make(world))
        parts = whole.split("/")
        return Good(whole, body, "/".join(parts[:4]) if is_tagged else "")

    return good


def _plain(path: str, body: Any = None) -> Sample:
    return lambda world: Good(path, body)


def _first_admin(world: AdminWorld) -> Good:
    """A token is only issued while there is no admin, so this one is refused: 401, for whoever asks."""
    return Good("/v1/first-admin", {"token": "tpi_" + "a" * 72, "principal": "first"})


SAMPLES: Mapping[str, Sample] = MappingProxyType(
    {
        "listTenants": _plain("/v1/tenants"),
        "createTenant": lambda world: Good("/v1/tenants", {"id": world.fresh("n")}),
        "showTenant": _plain("/v1/tenants/acme"),
        "renameTenant": lambda world: Good("/v1/tenants/acme/name", {"name": "Acme & Co"}, "/v1/tenants/acme"),
        "suspendTenant": _about("/v1/tenants/*/suspension", _tenant, {"is_suspended": True}, is_tagged=True),
        "whoAmI": _plain("/v1/me"),
        "listPrincipals": _plain("/v1/principals?tenant=acme"),
        "createPrincipal": lambda world: Good(
            "/v1/principals", {"id": world.fresh("p"), "roles": ["admin"], "tenant": "acme"}
        ),
        "showPrincipal": _about("/v1/principals/*", _principal),
        "setRoles": _about("/v1/principals/*/roles", _principal, {"roles": ["admin"]}, is_tagged=True),
        "setSubject": lambda world: Good(
            f"/v1/principals/{(name := _principal(world))}/subject",
            {"subject": f"https://id.example#{name}"},
            f"/v1/principals/{name}",
        ),
        "suspendPrincipal": _about("/v1/principals/*/suspension", _principal, {"is_suspended": True}, is_tagged=True),
        "listKeys": _plain("/v1/keys?tenant=acme"),
        "createKey": _plain("/v1/keys", {"name": "shop", "tenant": "acme"}),
        "showKey": _about("/v1/keys/*", _key),
        "rotateKey": _about("/v1/keys/*/rotation", _key, {"overlap_s": 60}, is_tagged=True),
        "revokeKey": _about("/v1/keys/*/revocation", _key),
        "makeFirstAdmin": _first_admin,
        "listQuotas": _plain("/v1/quotas?tenant=acme"),
        "createQuota": lambda world: Good("/v1/quotas", {"tenant": "acme", "key": _key(world), "requests_per_min": 60}),
        "showQuota": _about("/v1/quotas/*", _quota),
        "setQuota": _about("/v1/quotas/*", _quota, {"tokens_per_min": 1000}, is_tagged=True),
        "removeQuota": _about("/v1/quotas/*", _quota, is_tagged=True),
        "listBudgets": _plain("/v1/budgets?tenant=acme"),
        "createBudget": lambda world: Good(
            "/v1/budgets", {"tenant": "acme", "key": _key(world), "window": "month", "limit_usd": "12.50"}
        ),
        "showBudget": _about("/v1/budgets/*", _budget),
        "setBudget": _about("/v1/budgets/*", _budget, {"limit_usd": "7"}, is_tagged=True),
        "removeBudget": _about("/v1/budgets/*", _budget, is_tagged=True),
        "listAuditEntries": _plain("/v1/audit?tenant=acme"),
        "verifyAuditLog": _plain("/v1/audit/verification"),
        "listCheckpoints": _plain("/v1/checkpoints"),
        "signCheckpoint": _plain("/v1/checkpoints"),
        "showSpend": _plain("/v1/spend?by=day,tenant&tenant=acme"),
        "showIdle": _plain("/v1/idle"),
        "listEntries": _plain("/v1/entries?tenant=acme"),
        "listUsed": _plain("/v1/used?tenant=acme"),
        "showUsed": _about("/v1/budgets/*/used", _budget),
        "correctLedger": _plain(
            "/v1/corrections", {"tenant": "acme", "usd": "-1.25", "reason": "credit", "force": True}
        ),
        "isReady": _plain("/readyz"),
    }
)
"""By operation id."""
