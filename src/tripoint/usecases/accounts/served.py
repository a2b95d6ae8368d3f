"""Names that keys, quotas and budgets may use: what gateways of the store serve, as they told it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tripoint.domain.errors import OptionError
from tripoint.domain.findings import did_you_mean, quoted
from tripoint.domain.table import RoutingTable
from tripoint.ports import AccountStore

if TYPE_CHECKING:  # the ledger process does without all its words
    from tripoint.domain.estate import Estate

WORKLOAD, PLACE = "workload", "place"


def note_estate(store: AccountStore, estate: Estate, now: float) -> None:
    """Lets an estate's workloads, sites, layers and kinds be named."""
    places = {name for site in estate.sites for name in (str(site.id), str(site.kind), str(site.kind.layer))}
    _note(store, {str(each.id) for each in estate.workloads}, places, now)


def note_table(store: AccountStore, table: RoutingTable, now: float) -> None:
    """Lets what a gateway serves be named."""
    places = {name for target in table.targets for name in (target.site, target.kind, target.layer)}
    _note(store, {route.workload for route in table.routes}, places, now)


def _note(store: AccountStore, workloads: set[str], places: set[str], now: float) -> None:
    served = store.served()
    names = {WORKLOAD: sorted(workloads), PLACE: sorted(places)}
    if any(set(each) - set(served.get(kind, ())) for kind, each in names.items()):
        store.note_served(names, now)


def check_served(served: Mapping[str, Iterable[str]], kind: str, names: Iterable[str]) -> None:
    """Raises `OptionError` for a name that no gateway serves, with the nearest; nothing where none has told any yet."""
    known = tuple(served.get(kind, ()))
    unknown = next((name for name in names if known and name not in known), None)
    if unknown is not None:
        what = "workload" if kind == WORKLOAD else "site, layer or kind"
        near = did_you_mean(unknown, known)
        raise OptionError(
            f"no {what} `{unknown}` is known to this store: no gateway of it serves one, no estate named to it has one",
            hint=f"{near}?" if near else f"there are {quoted(known)}; name an estate that declares it",
        )
