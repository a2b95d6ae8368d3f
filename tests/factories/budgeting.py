"""Budgets without a database: rows in dictionaries, and the words filled in sensibly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from tripoint.domain.budget import Lease, Tally
from tripoint.domain.tenancy import Accounts, Budget, Scope, Window


def budget(id: str = "acme-day", limit: int = 1000, *, tenant: str = "acme", **fields: Any) -> Budget:
    """An enforced daily budget of a tenant, in nano-dollars."""
    scope = Scope(tenant=tenant, key=fields.pop("key", None), workload=fields.pop("workload", None))
    return Budget(id=id, scope=scope, window=fields.pop("window", Window.DAY), limit_nano=limit, **fields)


def accounts(*budgets: Budget, revision: int = 1, **fields: Any) -> Accounts:
    """Accounts with budgets and, unless told, nothing else."""
    return Accounts(revision=revision, budgets=budgets, **fields)


class Rows:
    """A shelf in memory; `before` is what the ledger has spent of a budget nobody has looked at yet."""

    def __init__(self, before: int = 0) -> None:
        self.tallies: dict[tuple[str, str], Tally] = {}
        self.rows: dict[tuple[str, str, str], Lease] = {}
        self.before = before

    def tally(self, budget: str, window: str) -> Tally | None:
        """See `Shelf`."""
        return self.tallies.get((budget, window))

    def tallies_of(self, tenants: Collection[str], windows: Collection[str]) -> Sequence[Tally]:
        """See `Shelf`."""
        found = self.tallies.values()
        return [tally for tally in found if tally.scope.tenant in tenants and tally.window in windows]

    def leases(self, budget: str, window: str) -> Sequence[Lease]:
        """See `Shelf`."""
        return [lease for key, lease in self.rows.items() if key[:2] == (budget, window)]

    def lease(self, budget: str, window: str, holder: str) -> Lease | None:
        """See `Shelf`."""
        return self.rows.get((budget, window, holder))

    def leases_of(self, holder: str) -> Sequence[Lease]:
        """See `Shelf`."""
        return [lease for key, lease in self.rows.items() if key[2] == holder]

    def put_tally(self, tally: Tally) -> None:
        """See `Shelf`."""
        self.tallies[tally.budget, tally.window] = tally

    def put_lease(self, lease: Lease) -> None:
        """See `Shelf`."""
        self.rows[lease.budget, lease.window, lease.holder] = lease

    def spent(self, budget: Budget, window: str) -> int:
        """See `Shelf`."""
        del budget, window
        return self.before
