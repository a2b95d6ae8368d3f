"""Drafts an estate from what a bill says; what it does not say stays open.

A bill counts node-hours, not requests: every group of it becomes a workload of accelerator-hours, which is what it is
known to be. Volumes and hours are brought to a month of 730 hours by the length of the bill.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tripoint.domain.catalog import Catalog
from tripoint.domain.draft import DraftPool, DraftShare, DraftSite, DraftWorkload, EstateDraft
from tripoint.domain.hardware import NodeType
from tripoint.domain.quote import BilledPlace, BillReading, NodeUse
from tripoint.domain.site import SiteKind
from tripoint.domain.units import HOURS_PER_MONTH, AcceleratorId, NodeTypeId, SiteId
from tripoint.engines.facts.quotes.bills.skus import SkuNames

UNTAGGED: Final = "untagged"
"""Name of what the bill puts into no group."""
_CLOUDS: Final = ("aws", "azure", "gcp", "oracle")
"""Providers that are clouds; the others the catalogue knows rent accelerators."""
_MONTH: Final = Decimal(str(HOURS_PER_MONTH))
_SHARE: Final = Decimal("0.0001")
_NOT_ID: Final = re.compile(r"[^a-z0-9]+")

_NodeTypes = Mapping[tuple[str, NodeTypeId], NodeType]


def draft_estate(reading: BillReading, catalog: Catalog) -> EstateDraft:
    """Sites, pools and workloads of a bill."""
    nodes: _NodeTypes = {((node.provider or "").lower(), node.id): node for node in catalog.node_types}
    scale = _MONTH / reading.hours if reading.hours > 0 else Decimal(1)
    with_nodes = {(use.provider, use.region) for use in reading.uses}
    chosen = [place for place in reading.places if (place.provider, place.region) in with_nodes or place.unknown]
    if with_nodes:
        chosen = [place for place in chosen if (place.provider, place.region) in with_nodes]
    names = SkuNames(catalog)
    sites = tuple(_site(place, reading, names, scale) for place in chosen)
    tied = {use.id for site in sites for pool in site.pools for use in pool.commitments}
    return EstateDraft(
        sites=sites,
        workloads=_workloads(reading.uses, nodes, scale),
        commitments=tuple(use for use in reading.commitments if use.id not in tied),
        elsewhere=tuple(
            (each.provider, each.region, each.rows, each.usd) for each in reading.places if each not in chosen
        ),
        start=_month_after(reading.end),
        foreign=reading.foreign,
    )


def _site(place: BilledPlace, reading: BillReading, names: SkuNames, scale: Decimal) -> DraftSite:
    here = [use for use in reading.uses if (use.provider, use.region) == (place.provider, place.region)]
    is_known = names.is_region(place.provider, place.region)
    return DraftSite(
        id=_site_id(place.provider, place.region),
        kind=SiteKind.CLOUD if place.provider in _CLOUDS else SiteKind.GPU_CLOUD,
        provider=place.provider,
        region=place.region,
        is_known=is_known,
        is_country=not is_known and names.is_country(place.region),
        pools=_pools(here, reading),
        unknown=place.unknown,
        leaving=tuple(
            each._replace(gb=each.gb * scale, usd=each.usd * scale)
            for each in reading.leaving
            if (each.provider, each.region) == (place.provider, place.region)
        ),
    )


def _pools(uses: Iterable[NodeUse], reading: BillReading) -> tuple[DraftPool, ...]:
    sums: dict[NodeTypeId, tuple[Decimal, Decimal]] = {}
    places: dict[NodeTypeId, tuple[str, str]] = {}
    for use in uses:
        hours, usd = sums.get(use.node_type, (Decimal(0), Decimal(0)))
        sums[use.node_type] = (hours + use.hours, usd + use.usd)
        places[use.node_type] = (use.provider, use.region)
    pools = (
        DraftPool(
            node_type=name,
            hours=hours,
            nodes=hours / reading.hours if reading.hours > 0 else Decimal(0),
            usd=usd,
            commitments=tuple(
                each
                for each in reading.commitments
                if name in each.node_types and each.provider == places[name][0] and places[name][1] in each.regions
            ),
        )
        for name, (hours, usd) in sums.items()
    )
    return tuple(sorted(pools, key=lambda pool: (-pool.usd, pool.node_type)))


def _workloads(uses: Iterable[NodeUse], nodes: _NodeTypes, scale: Decimal) -> tuple[DraftWorkload, ...]:
    grouped: dict[tuple[str, AcceleratorId], dict[NodeUse, Decimal]] = {}
    for use in uses:
        node = nodes[use.provider, use.node_type]
        where = use._replace(group="", hours=Decimal(0), usd=Decimal(0))
        hours = grouped.setdefault((use.group, node.accelerator), {})
        hours[where] = hours.get(where, Decimal(0)) + use.hours * node.gpus
    taken: set[str] = set()
    found = []
    for (group, accelerator), hours in sorted(grouped.items()):
        is_alone = sum(name == group for name, _ in grouped) == 1
        name = _id(group) or UNTAGGED
        found.append(
            DraftWorkload(
                id=_unused(name if is_alone else f"{name}-{_id(accelerator)}", taken),
                group=group,
                accelerator=accelerator,
                gpu_hours_per_month=sum(hours.values(), Decimal(0)) * scale,
                today=_today(hours),
            )
        )
    return tuple(found)


def _today(hours: Mapping[NodeUse, Decimal]) -> tuple[DraftShare, ...]:
    """Shares to four digits, largest first; the largest bears what rounding leaves, so that they sum to 1."""
    whole = sum(hours.values(), Decimal(0))
    if whole <= 0:
        return ()
    ranked = sorted(hours, key=lambda use: (-hours[use], use))
    shares = {use: (hours[use] / whole).quantize(_SHARE) for use in ranked}
    shares[ranked[0]] += 1 - sum(shares.values(), Decimal(0))
    return tuple(
        DraftShare(_site_id(use.provider, use.region), use.node_type, use.option, shares[use])
        for use in ranked
        if shares[use] > 0
    )


def _unused(name: str, taken: set[str]) -> str:
    """The name, numbered where another group has the same letters."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found


def _site_id(provider: str, region: str) -> SiteId:
    return SiteId(_id(f"{provider}-{region}"))


def _id(text: str) -> str:
    return _NOT_ID.sub("-", text.lower()).strip("-")


def _month_after(end: float) -> str:
    """The first whole month after a moment."""
    day = datetime.fromtimestamp(end, UTC)
    is_first = (day.day, day.hour, day.minute, day.second) == (1, 0, 0, 0)
    months = day.year * 12 + day.month - 1 + (0 if is_first else 1)
    return f"{months // 12:04d}-{months % 12 + 1:02d}"
