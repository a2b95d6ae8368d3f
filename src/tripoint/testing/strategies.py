"""Hypothesis strategies for property tests of anything that takes an estate. Needs `hypothesis` installed.

    @given(small_estates())
    def test_demand_is_served_or_named(estate): ...

Every estate drawn passes the checks and can be planned: its cloud site is unlimited, sells nodes that hold every
model used, and no rule forbids it. All ids are those of the shipped catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from tripoint.domain.estate import Estate, Horizon
from tripoint.domain.link import Link
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.purchase import Commitment, NodePool, PurchaseOption
from tripoint.domain.site import CoolingClass, PowerEnvelope, Site, SiteKind
from tripoint.domain.units import AcceleratorId, LinkId, ModelId, NodeTypeId, SiteId, WorkloadId
from tripoint.domain.workload import Caller, Demand, Slo, TodayShare, Workload, WorkloadKind

SERVED_MODEL = ModelId("llama3.1-8b")
EMBEDDING_MODEL = ModelId("bge-base")
REGIONS = ("us-east-1", "eu-central-1")
LARGE_NODE = NodeTypeId("p5.48xlarge")
CLOUD_NODES = (NodeTypeId("g6e.12xlarge"), NodeTypeId("g6.12xlarge"))
COLO_NODE = NodeTypeId("dgx-h100")
EDGE_NODE = NodeTypeId("l4-4-edge")
REFERENCE = AcceleratorId("h100-sxm")
PLACES = ("DE", "US")
KINDS = tuple(WorkloadKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstateSize:
    """How large drawn estates may be; defaults suit an exhaustive oracle."""

    workloads: int = 3
    """Most workloads."""
    periods: int = 2
    """Most planning periods."""
    blocks: int = 2
    """Most blocks of the load-duration curve."""
    kinds: tuple[WorkloadKind, ...] = KINDS
    """Kinds of workload to draw from."""


def _rounded(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers as people write them; tiny fractions only slow a solver down."""
    return st.integers(round(low * 100), round(high * 100)).map(lambda hundredths: hundredths / 100)


@st.composite
def cloud_sites(draw: st.DrawFn) -> Site:
    """A region that can always run everything: its large node is unlimited and rented by the hour."""
    small = draw(st.lists(st.sampled_from(CLOUD_NODES), unique=True, max_size=2))
    commitments = draw(st.sampled_from(((), (Commitment(nodes=1, ends="2027-03", usd_per_hour=40.0),))))
    large = NodePool(node_type=LARGE_NODE, commitments=commitments)
    pools = (large, *(NodePool(node_type=node) for node in small))
    region = draw(st.sampled_from(REGIONS))
    return Site(id=SiteId("cloud"), kind=SiteKind.CLOUD, provider="aws", region=region, pools=pools)


@st.composite
def colo_sites(draw: st.DrawFn) -> Site:
    """A cage with room for a few eight-accelerator servers, some held already."""
    most = draw(st.integers(1, 3))
    held = draw(st.integers(0, most))
    power = PowerEnvelope(
        it_kw=draw(_rounded(10.2 * max(held, 1), 40)),
        rack_density_kw=21.0,
        racks=3,
        cooling=CoolingClass.AIR_CONTAINED,
        energy_usd_per_kwh=draw(_rounded(0.06, 0.3)),
    )
    pool = NodePool(
        node_type=COLO_NODE,
        held=held,
        max_nodes=most,
        options=(PurchaseOption.OWNED,),
        lead_time_months=draw(st.sampled_from((0, 3))),
    )
    return Site(id=SiteId("colo"), kind=SiteKind.COLO, country="NL", power=power, pools=(pool,))


@st.composite
def edge_sites(draw: st.DrawFn) -> Site:
    """One or a few branches with a small server each."""
    power = PowerEnvelope(it_kw=3.0, rack_density_kw=3.0, racks=1, cooling=CoolingClass.AIR)
    pool = NodePool(node_type=EDGE_NODE, held=draw(st.integers(0, 1)), max_nodes=draw(st.integers(1, 2)))
    count = draw(st.integers(1, 3))
    return Site(id=SiteId("branch"), kind=SiteKind.EDGE, country="DE", power=power, pools=(pool,), count=count)


@st.composite
def workloads(draw: st.DrawFn, identifier: str, kind: WorkloadKind, sites: tuple[Site, ...]) -> Workload:
    """A workload of a kind, small enough for a handful of nodes, with demand in that kind's own terms."""
    waits = kind.is_interactive
    callers = draw(st.sampled_from(((), (Caller(place=draw(st.sampled_from(PLACES))),)))) if waits else ()
    today = draw(st.sampled_from(((), (TodayShare(site=sites[0].id, node_type=LARGE_NODE),))))
    return Workload(
        id=WorkloadId(identifier),
        kind=kind,
        model=_model_of(kind),
        demand=draw(_demands(kind)),
        callers=callers,
        slo=draw(st.sampled_from((Slo(), Slo(ttft_ms=3000.0, tpot_ms=150.0)))) if waits else Slo(),
        deadline_hours=None if waits else draw(st.sampled_from((24.0, 72.0))),
        growth_per_year=draw(st.sampled_from((0.0, 0.3))),
        today=today,
    )


def _model_of(kind: WorkloadKind) -> ModelId | None:
    if kind in (WorkloadKind.TRAINING, WorkloadKind.FINE_TUNING):
        return None
    return EMBEDDING_MODEL if kind is WorkloadKind.EMBEDDING else SERVED_MODEL


@st.composite
def _demands(draw: st.DrawFn, kind: WorkloadKind) -> Demand:
    if kind is WorkloadKind.INFERENCE:
        return Demand(
            requests_per_s=draw(_rounded(0.1, 20)),
            input_tokens=float(draw(st.integers(100, 2000))),
            output_tokens=float(draw(st.integers(20, 500))),
            shape=draw(st.sampled_from((None, "office_hours", "consumer"))),
        )
    if kind is WorkloadKind.BATCH_INFERENCE:
        return Demand(mtok_per_month=float(draw(st.integers(10, 5000))), input_tokens=1500.0, output_tokens=250.0)
    if kind is WorkloadKind.EMBEDDING:
        return Demand(mtok_per_month=float(draw(st.integers(100, 20_000))), input_tokens=512.0)
    return Demand(
        gpu_hours_per_month=float(draw(st.integers(10, 1500))),
        reference_accelerator=REFERENCE,
        gang_gpus=draw(st.sampled_from((1, 4, 8))),
    )


@st.composite
def small_estates(draw: st.DrawFn, size: EstateSize | None = None) -> Estate:
    """A tiny estate that has a plan: a cloud region, perhaps a colo and a branch, one to three workloads."""
    size = size or EstateSize()
    others = [draw(each) for each in (colo_sites(), edge_sites()) if draw(st.booleans())]
    sites = (draw(cloud_sites()), *others)
    kinds = draw(st.lists(st.sampled_from(size.kinds), min_size=1, max_size=size.workloads))
    loads = tuple(draw(workloads(f"{kind}-{number}", kind, sites)) for number, kind in enumerate(kinds, start=1))
    period_months = draw(st.sampled_from((1, 3)))
    return Estate(
        apiVersion="tripoint/v1",
        name="drawn",
        horizon=Horizon(
            months=period_months * draw(st.integers(1, size.periods)),
            period_months=period_months,
            blocks=draw(st.integers(1, size.blocks)),
        ),
        sites=sites,
        models=tuple(ModelSpec(id=model) for model in sorted({load.model for load in loads if load.model})),
        workloads=loads,
        links=draw(_links(sites)),
    )


@st.composite
def _links(draw: st.DrawFn, sites: tuple[Site, ...]) -> tuple[Link, ...]:
    """Perhaps a line from the cloud to each other site, wide enough for everything."""
    first, *rest = sites
    return tuple(
        Link(id=LinkId(f"cloud-{site.id}"), source=first.id, target=site.id, rtt_ms=10.0, bandwidth_gbps=10.0)
        for site in rest
        if draw(st.booleans())
    )
