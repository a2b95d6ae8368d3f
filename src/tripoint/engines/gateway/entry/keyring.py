"""Who is calling? Client keys are compared by their hash, so that no comparison tells how much of a key was right.

Keys of the estate are declared by reference and known by their SHA-256; keys of the store are known by their keyed
hash only. As soon as either has any (or the store any tenant), nobody is let in without one; nor where others than
this machine can call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from math import inf
from typing import Final, NamedTuple

from tripoint.domain.table import KeyEntry, RoutingTable
from tripoint.domain.tenancy import Accounts, ApiKey
from tripoint.engines.gateway.entry.confinement import Place, confined_sites
from tripoint.engines.gateway.wire.excision import MIN_BODY
from tripoint.engines.gateway.wire.shapes.alike import Likes
from tripoint.engines.governance.access.keys import key_digest, key_fault

_REMEMBERED: Final = 4096
_SCHEMES: Final[tuple[bytes, ...]] = (b"bearer ",)
_STORED: Final = b"tp_"


class Fault(NamedTuple):
    """Why a caller who was recognised is refused all the same."""

    status: int
    """HTTP status."""
    code: str
    """Stable code."""
    message: str
    """What is wrong."""


class Principal:
    """A caller who was recognised."""

    __slots__ = ("is_bound", "is_suspended", "key", "likes", "sites", "tenant", "until", "workloads")

    def __init__(self, key: str, tenant: str, workloads: frozenset[str] | None, sites: frozenset[str] | None) -> None:
        self.key = key
        self.tenant = tenant
        self.workloads = workloads
        """Workloads it may call; all when `None`."""
        self.sites = sites
        """Sites it is confined to; all when `None`."""
        self.likes = Likes(MIN_BODY)
        """Kinds of bodies it has sent lately."""
        self.until = inf
        """When the key ends, seconds since 1970."""
        self.is_suspended = False
        """True while its tenant is."""
        self.is_bound = False
        """True when quotas or budgets are about its tenant."""

    def may_call(self, workload: str) -> bool:
        """True when the key is allowed the workload."""
        return self.workloads is None or workload in self.workloads

    def fault(self, at: float) -> Fault | None:
        """Why it is refused at `at`, seconds since 1970; who showed the key may know."""
        if at >= self.until:
            ended = datetime.fromtimestamp(self.until, UTC)
            return Fault(401, "invalid_api_key", f"the key `{self.key}` ended at {ended:%Y-%m-%d %H:%M:%S} UTC")
        if self.is_suspended:
            return Fault(403, "tenant_suspended", f"the tenant `{self.tenant}` is suspended")
        return None


class Register(NamedTuple):
    """Accounts, and what is needed to recognise their keys."""

    accounts: Accounts
    """As the store has them."""
    pepper: bytes
    """Key of the keyed hash."""


class Keyring:
    """Every key of the table whose secret could be resolved, and every key of the store."""

    def __init__(
        self,
        entries: tuple[KeyEntry, ...],
        secrets: Mapping[str, str],
        register: Register | None = None,
        places: Collection[Place] = (),
        *,
        is_public: bool = False,
    ) -> None:
        self._by_digest: dict[bytes, Principal] = {}
        self._stored: dict[str, Principal] = {}
        self._pepper = b"" if register is None else register.pepper
        self._remembered: dict[bytes, Principal] = {}
        self._by_id: dict[str, Principal] = {}
        accounts = None if register is None else register.accounts
        is_open = not is_public and not entries and (accounts is None or not (accounts.keys or accounts.tenants))
        self._anybody = Principal("", "", None, None) if is_open else None
        for entry in entries:
            secret = secrets.get(entry.secret, "")
            if secret:  # an empty secret would let everybody in
                principal = self._by_id[entry.id] = _principal(entry)
                self._by_digest[hashlib.sha256(secret.encode()).digest()] = principal
        if accounts is not None:
            suspended = {tenant.id for tenant in accounts.tenants if tenant.is_suspended}
            for key in accounts.keys:
                principal = _stored(key, places)
                self._by_id[key.id] = self._stored[key.digest] = principal
            for principal in self._by_id.values():
                principal.is_suspended = principal.tenant in suspended

    @property
    def is_open(self) -> bool:
        """True when anybody is let in: there is no key at all."""
        return self._anybody is not None

    def principals(self) -> Collection[Principal]:
        """Everybody who could be recognised."""
        return self._by_id.values()

    def by_id(self, key: str) -> Principal | None:
        """The caller a key id stands for; `None` when the key is no more."""
        return self._anybody or self._by_id.get(key)

    def find(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        """The caller, from `authorization: Bearer`, `x-api-key` or `api-key`; `None` when not recognised.

        One whose key has ended or whose tenant is suspended is recognised: its `fault` tells.
        """
        if self._anybody is not None:
            return self._anybody
        shown = headers.get(b"authorization") or headers.get(b"x-api-key") or headers.get(b"api-key")
        if shown is None:
            return None
        known = self._remembered.get(shown)
        if known is not None:
            return known
        key = shown[7:].strip() if shown[:7].lower() in _SCHEMES else shown
        found = self._by_digest.get(hashlib.sha256(key).digest())
        if found is None and key.startswith(_STORED) and self._stored and key.isascii():
            found = self._stored.get(key_digest(self._pepper, key.decode()))
        if found is not None:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[shown] = found
        return found

    def mistyped(self, headers: Mapping[bytes, bytes]) -> str:
        """What is wrong with the text of a key that was not recognised; empty where that cannot be told.

        Its checksum is no secret and protects nothing: it tells a typing error from a key that is unknown.
        """
        shown = headers.get(b"authorization") or headers.get(b"x-api-key") or headers.get(b"api-key") or b""
        key = shown[7:].strip() if shown[:7].lower() in _SCHEMES else shown
        return key_fault(key.decode()) if key.startswith(_STORED) and self._stored and key.isascii() else ""


def places_of(table: RoutingTable) -> tuple[Place, ...]:
    """Where a table's targets are."""
    return tuple((target.site, target.kind, target.layer) for target in table.targets)


def _principal(entry: KeyEntry) -> Principal:
    return Principal(
        entry.id,
        entry.tenant,
        frozenset(entry.workloads) if entry.workloads else None,
        None if entry.sites is None else frozenset(entry.sites),
    )


def _stored(key: ApiKey, places: Collection[Place]) -> Principal:
    sites = confined_sites(key.only_at, places)
    workloads = frozenset(key.workloads) if key.workloads else None
    principal = Principal(key.id, key.tenant, workloads, None if sites is None else frozenset(sites))
    principal.until = min(inf if end is None else end for end in (key.expires_at, key.revoked_at))
    return principal
