"""Synthetic estates of the full program: many workloads over clouds, GPU clouds, cages, own rooms; twelve quarters.

Everything a plan knows takes part: growth, four blocks of the week, standby against the loss of each site, links,
power, racks, commitments, spot, token-free lanes, moves from where things run today. Same seed, same estate; prices,
speeds and nodes are those of the shipped catalogue.
"""

from __future__ import annotations

import numpy as np

from tripoint.domain.estate import Estate, Finance, Horizon, RiskTolerance
from tripoint.domain.link import Link
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.policy import Policies, ResidencyRule
from tripoint.domain.purchase import NodePool, PurchaseOption
from tripoint.domain.site import CoolingClass, PowerEnvelope, Site, SiteKind
from tripoint.domain.units import AcceleratorId, LinkId, ModelId, NodeTypeId, SiteId, WorkloadId
from tripoint.domain.workload import Caller, Demand, Recovery, Slo, Standby, TodayShare, Workload, WorkloadKind

REGIONS = ("us-east-1", "eu-central-1", "us-east-2", "eu-west-1", "us-west-2", "eu-north-1", "eu-west-2")
COUNTRIES = ("NL", "US", "DE", "FR", "US", "FI")
MODELS = ("llama3.1-8b", "llama3.1-70b", "qwen3-32b", "gpt-oss-120b", "bge-base")
SHAPES = (None, "office_hours", "consumer")
KINDS = (
    WorkloadKind.INFERENCE,
    WorkloadKind.INFERENCE,
    WorkloadKind.INFERENCE,
    WorkloadKind.BATCH_INFERENCE,
    WorkloadKind.EMBEDDING,
    WorkloadKind.FINE_TUNING,
)


def drawn(workloads: int, pools: int, seed: int = 0, periods: int = 12, blocks: int = 4) -> Estate:
    """An estate of so many workloads over so many node pools."""
    random = np.random.default_rng(seed)
    sites = _sites(random, pools, workloads)
    loads = tuple(_workload(random, number, sites) for number in range(workloads))
    halls = [site for site in sites if site.kind in (SiteKind.COLO, SiteKind.ON_PREM)]
    clouds = [site for site in sites if site.kind is SiteKind.CLOUD]
    links = tuple(
        Link(id=LinkId(f"l{n}"), source=hall.id, target=cloud.id, rtt_ms=10.0, bandwidth_gbps=100.0)
        for n, (hall, cloud) in enumerate((hall, clouds[n % len(clouds)]) for n, hall in enumerate(halls))
    )
    return Estate(
        apiVersion="tripoint/v1",
        name=f"drawn {workloads} x {pools}",
        horizon=Horizon(months=3 * periods, period_months=3, blocks=blocks),
        finance=Finance(risk_tolerance=RiskTolerance.MEDIUM),
        sites=sites,
        models=tuple(ModelSpec(id=ModelId(name)) for name in MODELS),
        workloads=loads,
        links=links,
        policies=Policies(
            residency=(
                ResidencyRule(allow=("EEA",), classifications=("eu",)),
                ResidencyRule(allow=("US",), classifications=("us",)),
            )
        ),
    )


def _sites(random: np.random.Generator, pools: int, workloads: int) -> tuple[Site, ...]:
    sites: list[Site] = []
    count = 0
    while count < pools:
        number = len(sites)
        site = (_cloud, _gpu_cloud, _cloud, _hall)[number % 4](random, number, workloads / pools)
        sites.append(site)
        count += len(site.pools or ())
    return tuple(sites)


def _cloud(random: np.random.Generator, number: int, load: float) -> Site:
    del random, load
    region = REGIONS[number // 2 % len(REGIONS)]
    nodes = ("p5.48xlarge", "g6e.12xlarge", "g6.12xlarge")
    pools = tuple(NodePool(node_type=NodeTypeId(node)) for node in nodes)
    return Site(id=SiteId(f"cloud{number}"), kind=SiteKind.CLOUD, provider="aws", region=region, pools=pools)


def _gpu_cloud(random: np.random.Generator, number: int, load: float) -> Site:
    del random
    is_us = number // 4 % 2 == 0
    nodes = ("hgx-h100", "rtxp6000-8x") if is_us else ("nebius-h100-sxm-8x", "nebius-b200-sxm-8x")
    pools = tuple(NodePool(node_type=NodeTypeId(node), max_nodes=round(30 * load)) for node in nodes)
    provider, country = ("coreweave", "US") if is_us else ("nebius", "FI")
    return Site(id=SiteId(f"gpu{number}"), kind=SiteKind.GPU_CLOUD, provider=provider, country=country, pools=pools)


def _hall(random: np.random.Generator, number: int, load: float) -> Site:
    held = int(random.integers(1, 5) * load)
    is_cage = number // 4 % 2 == 0
    power = PowerEnvelope(
        it_kw=float(random.uniform(60, 160) * load),
        rack_density_kw=21.0,
        racks=round(12 * load),
        cooling=CoolingClass.AIR_CONTAINED,
        energy_usd_per_kwh=float(random.uniform(0.07, 0.2)),
    )
    pools = (
        NodePool(
            node_type=NodeTypeId("dgx-h100"),
            held=held,
            held_until="2028-09",
            max_nodes=held + round(8 * load),
            options=(PurchaseOption.OWNED,),
            lead_time_months=4,
        ),
        NodePool(node_type=NodeTypeId("l40s-8"), max_nodes=round(8 * load), lead_time_months=3),
    )
    return Site(
        id=SiteId(f"hall{number}"),
        kind=SiteKind.COLO if is_cage else SiteKind.ON_PREM,
        country=COUNTRIES[number // 4 % len(COUNTRIES)],
        power=power,
        pools=pools,
    )


def _workload(random: np.random.Generator, number: int, sites: tuple[Site, ...]) -> Workload:
    kind = KINDS[int(random.integers(len(KINDS)))]
    size = float(random.lognormal(0.0, 1.0))
    is_served = kind is WorkloadKind.INFERENCE
    home = ("eu", "us", "")[int(random.choice(3, p=[0.25, 0.2, 0.55]))]
    model = {WorkloadKind.EMBEDDING: "bge-base", WorkloadKind.FINE_TUNING: None}.get(
        kind, MODELS[int(random.integers(4))]
    )
    clouds = [site for site in sites if site.kind is SiteKind.CLOUD and _fits(site, home)]
    today = () if random.random() < 0.5 else (TodayShare(site=clouds[int(random.integers(len(clouds)))].id),)
    protected = is_served and random.random() < 0.25
    return Workload(
        id=WorkloadId(f"w{number}"),
        kind=kind,
        model=None if model is None else ModelId(model),
        demand=_demand(random, kind, size),
        callers=(Caller(place=("DE", "US")[int(random.integers(2))]),) if is_served else (),
        slo=Slo(ttft_ms=3000.0, tpot_ms=150.0) if is_served else Slo(),
        deadline_hours=None if is_served else (24.0, 72.0)[int(random.integers(2))],
        classification=home or "internal",
        growth_per_year=float(random.uniform(0.0, 0.5)),
        recovery=Recovery(standby=Standby.WARM, rto_minutes=30, survive_share=0.7) if protected else Recovery(),
        today=today,
    )


def _fits(site: Site, home: str) -> bool:
    return not home or (site.region or "").startswith(home)


def _demand(random: np.random.Generator, kind: WorkloadKind, size: float) -> Demand:
    if kind is WorkloadKind.INFERENCE:
        return Demand(
            requests_per_s=round(4.0 * size, 2),
            input_tokens=float(random.integers(200, 2000)),
            output_tokens=float(random.integers(50, 500)),
            shape=SHAPES[int(random.integers(3))],
        )
    if kind is WorkloadKind.BATCH_INFERENCE:
        return Demand(mtok_per_month=round(4000 * size), input_tokens=1500.0, output_tokens=250.0)
    if kind is WorkloadKind.EMBEDDING:
        return Demand(mtok_per_month=round(20_000 * size), input_tokens=512.0)
    gang = int(random.choice([1, 4, 8]))
    return Demand(
        gpu_hours_per_month=round(800 * size), reference_accelerator=AcceleratorId("h100-sxm"), gang_gpus=gang
    )
