"""Who is calling? Client keys are compared by their SHA-256, so that no comparison tells how much of a key was right.

Tenants with stores of their own come later; until then keys are declared in the estate, by reference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from tripoint.domain.table import KeyEntry

_REMEMBERED = 4096
_SCHEMES = (b"bearer ",)


class Principal:
    """A caller who was recognised."""

    __slots__ = ("key", "sites", "tenant", "workloads")

    def __init__(self, key: str, tenant: str, workloads: frozenset[str] | None, sites: frozenset[str] | None) -> None:
        self.key = key
        self.tenant = tenant
        self.workloads = workloads
        """Workloads it may call; all when `None`."""
        self.sites = sites
        """Sites it is confined to; all when `None`."""

    def may_call(self, workload: str) -> bool:
        """True when the key is allowed the workload."""
        return self.workloads is None or workload in self.workloads


class Keyring:
    """Every key of the table whose secret could be resolved."""

    def __init__(self, entries: tuple[KeyEntry, ...], secrets: Mapping[str, str]) -> None:
        self._by_digest: dict[bytes, Principal] = {}
        self._remembered: dict[bytes, Principal] = {}
        self._by_id: dict[str, Principal] = {}
        self._anybody = None if entries else Principal("", "", None, None)
        for entry in entries:
            secret = secrets.get(entry.secret, "")
            if secret:  # an empty secret would let everybody in
                principal = self._by_id[entry.id] = _principal(entry)
                self._by_digest[hashlib.sha256(secret.encode()).digest()] = principal

    def by_id(self, key: str) -> Principal | None:
        """The caller a key id stands for; `None` when the key is no more."""
        return self._anybody or self._by_id.get(key)

    def find(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        """The caller, from `authorization: Bearer`, `x-api-key` or `api-key`; `None` when not recognised."""
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
        if found is not None:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[shown] = found
        return found


def _principal(entry: KeyEntry) -> Principal:
    return Principal(
        entry.id,
        entry.tenant,
        frozenset(entry.workloads) if entry.workloads else None,
        None if entry.sites is None else frozenset(entry.sites),
    )
