"""What does the catalogue list for sale? One shape for node-hours, hardware, tokens, transfer and storage.

Assumes every compute row's SKU is a node type of the catalogue. Nothing is priced here that the tables do not
say; the price per accelerator-hour is the node's divided by its accelerators.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.catalog import ApiPrice, Catalog, ComputePrice, RegionRow
from tripoint.domain.hardware import NodeType
from tripoint.domain.provenance import Provenance
from tripoint.domain.purchase import PurchaseOption
from tripoint.engines.facts.pools import GLOBAL_REGION

_Regions = Mapping[tuple[str, str], RegionRow]


class ListingKind(StrEnum):
    """What is bought."""

    COMPUTE = "compute"
    SYSTEM = "system"
    API = "api"
    EGRESS = "egress"
    STORAGE = "storage"
    PORT = "port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One price the catalogue states."""

    kind: ListingKind
    """What is bought."""
    provider: str
    """Who sells it, lower case; `own` for hardware to own."""
    name: str
    """SKU, system, API model, product or tariff."""
    usd: float
    """Price in `unit`; the low end of a range, the input price of an API."""
    unit: str
    """Unit of the price, e.g. `USD/h`."""
    provenance: Provenance
    """Source, date and grade."""
    usd_other: float | None = None
    """High end of a purchase range, output price of an API, retrieval price of storage."""
    accelerator: str | None = None
    """Accelerator id."""
    gpus: int | None = None
    """Accelerators per node."""
    region: str = GLOBAL_REGION
    """Region or scope of a tariff; `global` or `any` where the price holds everywhere."""
    country: str | None = None
    """Country of the region."""
    geo: str = ""
    """Geography of the region; empty where the price holds everywhere."""
    option: PurchaseOption | None = None
    """How it is bought."""
    term_months: int | None = None
    """Length of a commitment."""
    note: str = ""
    """How the price was made, or what bounds it."""

    @property
    def usd_per_gpu_hour(self) -> float | None:
        """USD per accelerator and hour; `None` for what is not rented by the hour."""
        return self.usd / self.gpus if self.kind is ListingKind.COMPUTE and self.gpus else None


def listings(catalog: Catalog) -> Iterator[Listing]:
    """Every price of the catalogue, table by table."""
    regions = {(row.provider.lower(), row.region.lower()): row for row in catalog.regions}
    nodes: dict[str, NodeType] = {node.id: node for node in catalog.node_types}
    for row in catalog.compute_prices:
        yield _compute(row, nodes.get(row.sku), regions)
    for node in catalog.node_types:
        if node.provenance is not None and node.purchase_usd_low is not None:
            yield _system(node, node.purchase_usd_low, node.provenance)
    yield from map(_api, catalog.api_prices)
    yield from _tariffs(catalog, regions)
    yield from _stores(catalog)


def _compute(row: ComputePrice, node: NodeType | None, regions: _Regions) -> Listing:
    place = regions.get((row.provider.lower(), row.region.lower()))
    return Listing(
        kind=ListingKind.COMPUTE,
        provider=row.provider,
        name=row.sku,
        usd=row.usd_per_hour,
        unit="USD/h",
        provenance=row.provenance,
        accelerator=node.accelerator if node else None,
        gpus=node.gpus if node else None,
        region=row.region,
        country=place.country if place else None,
        geo=place.geo if place else "",
        option=row.option,
        term_months=row.term_months,
        note=row.note,
    )


def _system(node: NodeType, usd: float, provenance: Provenance) -> Listing:
    draw = f"{node.max_kw:g} kW at most" if node.max_kw is not None else ""
    return Listing(
        kind=ListingKind.SYSTEM,
        provider="own",
        name=node.id,
        usd=usd,
        unit="USD/node",
        provenance=provenance,
        usd_other=node.purchase_usd_high,
        accelerator=node.accelerator,
        gpus=node.gpus,
        option=PurchaseOption.OWNED,
        note=draw,
    )


def _api(row: ApiPrice) -> Listing:
    cached = f"cached input {row.usd_cached_per_mtok:g}" if row.usd_cached_per_mtok is not None else ""
    retires = f"withdrawn {row.retires}" if row.retires else ""
    return Listing(
        kind=ListingKind.API,
        provider=row.provider,
        name=row.id,
        usd=row.usd_in_per_mtok,
        unit="USD/Mtok",
        provenance=row.provenance,
        usd_other=row.usd_out_per_mtok,
        option=PurchaseOption.PER_TOKEN,
        note="; ".join(part for part in (cached, retires) if part),
    )


def _tariffs(catalog: Catalog, regions: _Regions) -> Iterator[Listing]:
    for row in catalog.egress:
        place = regions.get((row.provider.lower(), row.scope.lower()))
        upto = "and more" if row.to_gb is None else f"to {row.to_gb:,.0f}"
        yield Listing(
            kind=ListingKind.EGRESS,
            provider=row.provider,
            name=f"{row.path} egress, {row.from_gb:,.0f} {upto} GB a month",
            usd=row.usd_per_gb,
            unit="USD/GB",
            provenance=row.provenance,
            region=row.scope,
            country=place.country if place else None,
            geo=place.geo if place else "",
        )
    for port in catalog.ports:
        yield Listing(
            kind=ListingKind.PORT,
            provider=port.provider,
            name=f"{port.product} {port.capacity_gbps:g} Gbit/s",
            usd=port.usd_per_month,
            unit="USD/month",
            provenance=port.provenance,
            note=f"{port.usd_per_gb_out:g} USD/GB out",
        )


def _stores(catalog: Catalog) -> Iterator[Listing]:
    for row in catalog.storage:
        yield Listing(
            kind=ListingKind.STORAGE,
            provider=row.provider,
            name=f"{row.product} ({row.tier})",
            usd=row.usd_per_gb_month,
            unit="USD/GB-month",
            provenance=row.provenance,
            usd_other=row.retrieval_usd_per_gb,
            note=f"{row.min_days} days billed at least" if row.min_days else "",
        )
