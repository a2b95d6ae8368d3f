"""Rows of a SkyPilot catalogue as lines of a price sheet.

The catalogue prices zones, the planner regions: of several zones the cheapest is taken, since one may choose it, and
the dearest is told. Where a row counts other accelerators than the node has, its price may be that of the host alone,
as some providers sell it; such rows are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from tripoint.domain.catalog import Catalog
from tripoint.domain.hardware import NodeType
from tripoint.domain.purchase import OwnPrice, PurchaseOption
from tripoint.domain.quote import CatalogueRow, ImportedSheet, Taken
from tripoint.engines.facts.quotes.numbers import read_price, rounded, why_no_price
from tripoint.engines.facts.quotes.tally import Tally

_Key = tuple[str, str, PurchaseOption]


class _Found(NamedTuple):
    place: int
    usd: Decimal


def take_catalogue(rows: Iterable[CatalogueRow], provider: str, catalog: Catalog) -> ImportedSheet:
    """On-demand and spot rates per SKU and region of one provider; each price of a row counts."""
    tally = Tally()
    nodes = {node.id.lower(): node for node in catalog.node_types if (node.provider or "").lower() == provider}
    found: dict[_Key, list[_Found]] = {}
    for row in rows:
        prices = tuple(_prices(row))
        tally.read += max(len(prices), 1)
        node = nodes.get(row.instance.lower())
        reason = _why_not(row, node)
        if not prices:
            tally.drop(reason or "the row states no price", row.place, _told(row))
        for option, text in prices:
            price = read_price(text)
            why = reason or why_no_price(text, price)
            if why or node is None or price is None:
                tally.drop(why, row.place, _told(row) if reason else f"{_told(row)}: {text}")
            else:
                found.setdefault((node.id, row.region, option), []).append(_Found(row.place, price))
    return tally.sheet([_taken(provider, key, prices) for key, prices in found.items()], [])


def _prices(row: CatalogueRow) -> Iterator[tuple[PurchaseOption, str]]:
    if row.price:
        yield PurchaseOption.ON_DEMAND, row.price
    if row.spot_price:
        yield PurchaseOption.SPOT, row.spot_price


def _why_not(row: CatalogueRow, node: NodeType | None) -> str:
    """Why no price of the row can be taken; empty when it can."""
    if not row.instance:
        return "an accelerator is priced apart from the node it is in"
    if node is None:
        return "the catalogue of tripoint knows no such node type of the provider"
    if not row.region:
        return "no region is given"
    count = read_price(row.accelerators) if row.accelerators else None
    if row.accelerators and count != node.gpus:
        return "the row counts other accelerators than the node has; its price may be that of the host alone"
    return "" if row.accelerators else "the row counts no accelerators; its price may be that of the host alone"


def _told(row: CatalogueRow) -> str:
    return row.instance or row.accelerator or "unnamed"


def _taken(provider: str, key: _Key, found: list[_Found]) -> Taken:
    sku, region, option = key
    low, high = min(each.usd for each in found), max(each.usd for each in found)
    zones = f"{len(found)} zones from {low.normalize():f} to {high.normalize():f}, the cheapest taken"
    line = OwnPrice(provider=provider, sku=sku, region=region, option=option, usd_per_hour=rounded(low))
    return Taken(line, len(found), min(each.place for each in found), zones if low < high else "")
