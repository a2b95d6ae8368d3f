"""Who pays in a run: tenants with keys and budgets, in a real store that the run's gateway serves from."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tripoint.apps import stores, wiring
from tripoint.domain.ledger import Dimension, SpendQuery
from tripoint.domain.money import NANO_PER_USD
from tripoint.domain.tenancy import Scope, Window

if TYPE_CHECKING:
    from tripoint.domain.estate import Estate


class Payer(NamedTuple):
    """A tenant of a run with its one key and its one budget."""

    tenant: str
    """Tenant id; also the name of the file its key is kept in."""
    workload: str
    """The only workload its key opens; any when empty."""
    limit_nano: int
    """Its budget, nano-dollars."""
    window: Window
    """Over which time the budget counts."""
    is_enforced: bool = True
    """False when the budget only warns."""
    only_at: tuple[str, ...] = ()
    """Sites its requests are confined to; anywhere policy allows when empty."""


PAYERS: Final = (
    Payer("web", "", 3 * NANO_PER_USD // 1000, Window.DAY, is_enforced=False),
    Payer("claims-desk", "claims-eu", NANO_PER_USD // 100, Window.MONTH, is_enforced=False),
    Payer("indexer", "search", NANO_PER_USD // 100, Window.DAY),
    # Enough for a minute of its callers, at the dearer sites: a budget that is seen to fill, and to refuse.
    Payer("trial", "assistant", 8 * NANO_PER_USD // 10_000, Window.DAY, only_at=("cloud", "edge")),
)
"""Everybody who pays in a run."""


class Spent(NamedTuple):
    """What a tenant spent in a run, and of what."""

    tenant: str
    """Tenant id; empty for capacity nobody used."""
    nano: int
    """Effective cost entered in the ledger, nano-dollars."""
    limit_nano: int | None
    """Its budget; `None` when it has none."""


def open_accounts(url: str, estate: Estate, folder: Path) -> dict[str, str]:
    """Makes the store at `url` with every payer; the keys by tenant, each also in a file of `folder`.

    Raises `StoreError` and `FileError`.
    """
    from tripoint.engines.governance.access.keys import ID_BYTES, SECRET_BYTES
    from tripoint.engines.governance.access.limits import Money
    from tripoint.engines.governance.access.wanted import Wanted
    from tripoint.usecases.accounts.keys import Secrets, create_key
    from tripoint.usecases.accounts.limits import set_budget
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.accounts.served import note_estate
    from tripoint.usecases.accounts.tenants import create_tenant
    from tripoint.usecases.accounts.turn import Turn

    turn = Turn(local_actor("tripoint-up"), time.time())
    found = {}
    store = stores.open_accounts(url)
    try:
        pepper = stores.open_pepper(store, url)
        note_estate(store, estate, turn.now)
        for payer in PAYERS:
            create_tenant(store, turn, payer.tenant)
            money = Money(limit_nano=payer.limit_nano, window=payer.window, is_enforced=payer.is_enforced)
            set_budget(store, turn, Scope(tenant=payer.tenant), money)
            workloads = (payer.workload,) if payer.workload else ()
            wanted = Wanted(name="callers", tenant=payer.tenant, workloads=workloads, only_at=payer.only_at)
            secrets = Secrets(pepper, os.urandom(ID_BYTES + SECRET_BYTES))
            found[payer.tenant] = create_key(store, turn, wanted, secrets).text
    finally:
        store.close()
    for tenant, key in found.items():
        wiring.write_text(folder / tenant, key)
        (folder / tenant).chmod(0o600)
    return found


def spent_by(url: str) -> tuple[Spent, ...]:
    """What the ledger of a run has for each payer, and for capacity nobody used. Raises `StoreError`."""
    ledger = stores.open_ledger(url)
    try:
        found = {row.by[0]: row.nano for row in ledger.spend(SpendQuery(by=(Dimension.TENANT,)))}
    finally:
        ledger.close()
    limits = {payer.tenant: payer.limit_nano for payer in PAYERS}
    names = (*limits, *sorted(set(found) - set(limits)))
    return tuple(Spent(name, found.get(name, 0), limits.get(name)) for name in names)
