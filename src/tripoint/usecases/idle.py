"""Idle capacity: what nodes cost in an hour and no request was billed for is entered in the ledger, hour by hour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tripoint.domain.ledger import Adjustment, Dimension, EntryKind, EntryQuery, PriceRow, SpendQuery
from tripoint.domain.pricelist import PriceList
from tripoint.engines.governance.cost.idle import HOUR_S, PREFIX, Entered, Served, idle_row, paid_in
from tripoint.engines.governance.ledger.days import day_of, hour_text
from tripoint.ports import Ledger

LATE_S = 120.0
"""How long after an hour its idle row is entered, s: by then nearly all its records are in."""
_BY = (Dimension.HOUR, Dimension.UPSTREAM, Dimension.PRICES, Dimension.TARIFF)


def keep_price_lists(ledger: Ledger, lists: Iterable[PriceList], now: float) -> None:
    """Keeps the rows of every version; those that are known stay as they were. Raises `StoreError`."""
    for each in lists:
        if each.version:
            ledger.keep_prices(each.version, each.rows, now)


def finished_hours(now: float, back: int) -> range:
    """The last `back` hours that are over for long enough, in hours since 1970."""
    end = int((now - LATE_S) // HOUR_S)
    return range(end - back, end)


def enter_idle(ledger: Ledger, lists: Sequence[PriceList], hours: range) -> int:
    """Enters what is missing of those hours, and the differences where more became known; how many rows.

    Asked again it enters nothing. Raises `StoreError`, and has entered nothing then.
    """
    paid = [each for hour in hours for each in paid_in(lists, hour)]
    if not paid:
        return 0
    served = _served(ledger, hours)
    entered = _entered(ledger, hours)
    prices = _prices(ledger, lists, served)
    rows: list[Adjustment] = []
    for each in paid:
        key = (hour_text(each.hour), each.upstream)
        row = idle_row(each, served.get(key, ()), prices, entered.get(key))
        if row is not None:
            rows.append(row)
    return ledger.load((), rows).added if rows else 0


def _served(ledger: Ledger, hours: range) -> dict[tuple[str, str], list[Served]]:
    since, until = day_of(float(hours[0] * HOUR_S)), day_of(float(hours[-1] * HOUR_S))
    found: dict[tuple[str, str], list[Served]] = {}
    for row in ledger.spend(SpendQuery(by=_BY, since=since, until=until, kinds=(EntryKind.USAGE,))):
        hour, upstream, version, tariff = row.by
        served = Served(version, tariff, row.tokens_in, row.cached, row.tokens_out, row.nano)
        found.setdefault((hour, upstream), []).append(served)
    return found


def _entered(ledger: Ledger, hours: range) -> dict[tuple[str, str], Entered]:
    """What was entered for these hours before, oldest first."""
    kinds = (EntryKind.IDLE, EntryKind.CORRECTION)
    query = EntryQuery(since=float(hours[0] * HOUR_S), until=float((hours[-1] + 1) * HOUR_S), kinds=kinds)
    found: dict[tuple[str, str], Entered] = {}
    for entry in ledger.entries(query):
        if not entry.id.startswith(PREFIX):
            continue
        key = (hour_text(int(entry.at // HOUR_S)), entry.upstream)
        known = found.get(key, Entered(entry.id, 0, 0))
        found[key] = Entered(known.first, known.nano + entry.nano, known.rows + 1)
    return found


def _prices(
    ledger: Ledger, lists: Sequence[PriceList], served: dict[tuple[str, str], list[Served]]
) -> dict[tuple[str, str], PriceRow]:
    """Rows of every version that was served by: of these lists, else as the ledger keeps them."""
    rows = {(each.version, row.tariff.id): row for each in lists for row in each.rows}
    known = {version for version, _ in rows}
    for version in {each.prices for several in served.values() for each in several} - known:
        rows |= {(version, row.tariff.id): row for row in ledger.prices(version)}
    return rows
