"""A catalogue small enough to check by hand: one cloud, one neocloud, one server, round numbers."""

from __future__ import annotations

from tripoint.domain.catalog import (
    ApiPrice,
    Catalog,
    ComputePrice,
    CountrySet,
    DefaultRow,
    EgressTier,
    ElectricityRow,
    PriceRatio,
    RegionRow,
    StoragePrice,
)
from tripoint.domain.estate import Estate
from tripoint.domain.hardware import Accelerator, NodeType
from tripoint.domain.provenance import Confidence, Provenance
from tripoint.domain.purchase import NodePool, OwnPrice, PurchaseOption
from tripoint.domain.site import PowerEnvelope, Site, SiteKind
from tripoint.domain.units import AcceleratorId, NodeTypeId, SiteId

SOURCE = Provenance(source="price-list", as_of="2026-10-10", confidence=Confidence.PUBLISHED)
JUDGED = Provenance(source="tripoint-judgement", as_of="2026-11", confidence=Confidence.ESTIMATE)

_DEFAULTS = {
    "pue.colo": (1.25, 1.35, 1.5),
    "pue.on_prem": (1.3, 1.5, 2.0),
    "pue.edge": (1.2, 1.5, 2.0),
    "pue.cloud": (1.1, 1.2, 1.4),
    "pue.cloud.aws": (1.0, 1.15, 1.25),
    "colo.usd_per_kw_month": (170.0, 200.0, 260.0),
    "colo.multiplier.EU": (1.0, 1.1, 1.3),
    "colo.multiplier.nordics": (0.7, 0.9, 1.1),
    "colo.density_multiplier.rear_door": (1.0, 1.2, 1.4),
    "colo.own_space_usd_per_kw_month": (40.0, 95.0, 135.0),
    "finance.discount_rate": (0.06, 0.08, 0.12),
    "finance.amortisation_years": (3.0, 5.0, 6.0),
    "finance.facility_amortisation_years": (10.0, 15.0, 20.0),
    "finance.residual_share": (0.0, 0.1, 0.2),
    "finance.maintenance_share_per_year": (0.03, 0.06, 0.1),
    "finance.staff_usd_per_fte_year": (180_000.0, 240_000.0, 320_000.0),
    "finance.gpus_per_fte": (128.0, 256.0, 512.0),
    "finance.fabric_share": (0.05, 0.1, 0.2),
    "finance.spares_share": (0.0, 0.02, 0.04),
    "power.idle_fraction": (0.2, 0.3, 0.4),
    "power.inference_load": (0.4, 0.6, 0.8),
    "power.node_per_tdp": (1.4, 1.6, 1.8),
    "lead_time.server_months": (1.0, 3.0, 7.0),
}


def tiny_catalog() -> Catalog:
    """The catalogue."""
    return Catalog(
        digest="sha256:tiny",
        as_of="2026-10-10",
        accelerators=(_chip(),),
        node_types=_nodes(),
        compute_prices=_prices(),
        price_ratios=_ratios(),
        api_prices=(_api(),),
        egress=_egress(),
        ports=(),
        storage=_storage(),
        regions=_regions(),
        latency=(),
        electricity=_electricity(),
        defaults=tuple(
            DefaultRow(key=key, low=low, typical=typical, high=high, unit="unit", provenance=JUDGED, note="")
            for key, (low, typical, high) in _DEFAULTS.items()
        ),
        models=(),
        throughput=(),
        training=(),
        regimes=(),
        country_sets=(CountrySet(name="EEA", members=("DE", "NL", "NO"), provenance=SOURCE),),
        sources={"price-list": "a price list"},
    )


def estate_of(*sites: Site, prices: tuple[OwnPrice, ...] = (), **assumptions: float) -> Estate:
    """An estate of `sites`; double underscores in assumption names stand for dots."""
    own = {key.replace("__", "."): value for key, value in assumptions.items()}
    return Estate(apiVersion="tripoint/v1", sites=sites, workloads=(), prices=prices, assumptions=own)


def cloud(region: str | None = "us-east-1", pool: NodePool | None = None) -> Site:
    """A site at the cloud `aws`, with its one declared pool or all the catalogue sells."""
    pools = None if pool is None else (pool,)
    return Site(id=SiteId("cloud"), kind=SiteKind.CLOUD, provider="AWS", region=region, pools=pools)


def colo(country: str = "NL", power: PowerEnvelope | None = None, pool: NodePool | None = None) -> Site:
    """A colocation site with a pool of servers to own."""
    server = pool or NodePool(node_type=NodeTypeId("server"))
    return Site(id=SiteId("colo"), kind=SiteKind.COLO, country=country, power=power, pools=(server,))


def pool_of(usd_per_hour: float | None = None) -> NodePool:
    """A pool of the cloud's big SKU, at an own on-demand rate if given."""
    return NodePool(node_type=NodeTypeId("big"), usd_per_hour=usd_per_hour)


def _chip() -> Accelerator:
    return Accelerator(
        id=AcceleratorId("chip"),
        name="Chip",
        vendor="Maker",
        memory_gb=80.0,
        mem_bw_gb_s=3000.0,
        bf16_dense_tflops=1000.0,
        fp8_dense_tflops=None,
        tdp_w=500.0,
        provenance=SOURCE,
    )


def _nodes() -> tuple[NodeType, ...]:
    chip = AcceleratorId("chip")
    return (
        NodeType(
            id=NodeTypeId("server"),
            accelerator=chip,
            gpus=8,
            max_kw=10.0,
            typical_kw=8.0,
            purchase_usd_low=200_000.0,
            purchase_usd_high=300_000.0,
            provenance=SOURCE,
        ),
        NodeType(id=NodeTypeId("big"), accelerator=chip, gpus=8, provider="aws", max_kw=10.0, provenance=SOURCE),
        NodeType(id=NodeTypeId("small"), accelerator=chip, gpus=1, provider="aws", provenance=SOURCE),
    )


def _prices() -> tuple[ComputePrice, ...]:
    def row(sku: str, region: str, option: PurchaseOption, usd: float, term: int | None = None) -> ComputePrice:
        return ComputePrice(
            provider="aws",
            sku=sku,
            region=region,
            option=option,
            term_months=term,
            usd_per_hour=usd,
            provenance=SOURCE,
        )

    on_demand = PurchaseOption.ON_DEMAND
    return (
        row("big", "us-east-1", on_demand, 50.0),
        row("big", "us-east-1", PurchaseOption.COMMITTED, 30.0, 12),
        row("big", "eu-west-1", on_demand, 60.0),
        row("big", "ap-south-1", on_demand, 80.0),
        row("small", "global", on_demand, 5.0),
    )


def _ratios() -> tuple[PriceRatio, ...]:
    def row(provider: str, option: PurchaseOption, term: int | None, typical: float) -> PriceRatio:
        return PriceRatio(
            provider=provider,
            option=option,
            term_months=term,
            low=typical - 0.1,
            typical=typical,
            high=typical + 0.1,
            provenance=JUDGED,
        )

    return (
        row("*", PurchaseOption.SPOT, None, 0.5),
        row("aws", PurchaseOption.SPOT, None, 0.4),
        row("*", PurchaseOption.COMMITTED, 12, 0.7),
        row("*", PurchaseOption.COMMITTED, 36, 0.6),
    )


def _api() -> ApiPrice:
    return ApiPrice(
        id="maker/chat-1",
        provider="maker",
        model="chat-1",
        mode="chat",
        usd_in_per_mtok=4.0,
        usd_out_per_mtok=20.0,
        usd_cached_per_mtok=0.4,
        usd_batch_in_per_mtok=None,
        usd_batch_out_per_mtok=None,
        max_input_tokens=None,
        retires=None,
        provenance=SOURCE,
    )


def _egress() -> tuple[EgressTier, ...]:
    def row(provider: str, scope: str, start: float, end: float | None, usd: float) -> EgressTier:
        return EgressTier(
            provider=provider,
            path="internet",
            scope=scope,
            from_gb=start,
            to_gb=end,
            usd_per_gb=usd,
            provenance=SOURCE,
        )

    return (
        row("aws", "NA_EU", 0.0, 100.0, 0.0),
        row("aws", "NA_EU", 100.0, 10_240.0, 0.09),
        row("aws", "NA_EU", 10_240.0, 51_200.0, 0.085),
        row("aws", "NA_EU", 51_200.0, 153_600.0, 0.07),
        row("aws", "NA_EU", 153_600.0, None, 0.05),
        row("private", "any", 0.0, None, 0.0015),
    )


def _storage() -> tuple[StoragePrice, ...]:
    def row(provider: str, tier: str, usd: float, retrieval: float) -> StoragePrice:
        return StoragePrice(
            provider=provider,
            product=f"{provider} {tier}",
            tier=tier,
            usd_per_gb_month=usd,
            retrieval_usd_per_gb=retrieval,
            min_days=30 if retrieval else 0,
            provenance=SOURCE,
        )

    return (
        row("aws", "hot", 0.023, 0.0),
        row("aws", "cool", 0.0125, 0.01),
        row("aws", "archive", 0.001, 0.02),
        row("private", "hot", 0.03, 0.0),
    )


def _regions() -> tuple[RegionRow, ...]:
    def row(region: str, country: str, geo: str, gco2: float | None) -> RegionRow:
        return RegionRow(
            provider="aws", region=region, country=country, city="", geo=geo, gco2_per_kwh=gco2, provenance=SOURCE
        )

    return (
        row("us-east-1", "US", "NA", 300.0),
        row("us-west-2", "US", "NA", None),
        row("eu-west-1", "IE", "EU", 280.0),
        row("eu-west-3", "FR", "EU", 50.0),
        row("ap-south-1", "IN", "APAC", 700.0),
        row("sa-east-1", "BR", "LATAM", 100.0),
    )


def _electricity() -> tuple[ElectricityRow, ...]:
    def row(region: str, usd: float, gco2: float | None) -> ElectricityRow:
        return ElectricityRow(
            region=region, low=usd * 0.8, typical=usd, high=usd * 1.2, gco2_per_kwh=gco2, provenance=SOURCE
        )

    return (row("US", 0.08, 369.0), row("US-TX", 0.07, None), row("NL", 0.2, 268.0), row("EU", 0.21, None))
