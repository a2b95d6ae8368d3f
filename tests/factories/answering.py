"""Tiny estates on the shipped catalogue whose answers can be worked out on paper: a cloud, a cage, one or two jobs."""

from __future__ import annotations

from tripoint.domain.charge import Charge
from tripoint.domain.decision import Placement, PoolState, Purchase, PurchaseAction
from tripoint.domain.estate import Estate, Horizon
from tripoint.domain.fit import Fit
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.purchase import Commitment, NodePool, PurchaseOption
from tripoint.domain.site import CoolingClass, PowerEnvelope, Site, SiteKind
from tripoint.domain.units import ModelId, NodeTypeId, PoolId, SiteId, WorkloadId
from tripoint.domain.workload import Demand, Workload, WorkloadKind
from tripoint.engines.answers.summary.summaries import users_of
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.instance.instance import Instance

MODEL = ModelId("llama3.1-8b")
ON_DEMAND = (PurchaseOption.ON_DEMAND,)


def cloud(
    name: str = "cloud",
    usd_per_hour: float = 40.0,
    *,
    region: str = "us-east-1",
    options: tuple[PurchaseOption, ...] = ON_DEMAND,
    commitments: tuple[Commitment, ...] = (),
    max_nodes: int | None = None,
) -> Site:
    """A region that rents nodes of eight H100 at an own rate."""
    pool = NodePool(
        node_type=NodeTypeId("p5.48xlarge"),
        usd_per_hour=usd_per_hour,
        options=options,
        commitments=commitments,
        max_nodes=max_nodes,
    )
    return Site(id=SiteId(name), kind=SiteKind.CLOUD, provider="aws", region=region, pools=(pool,))


def cage(
    purchase_usd: float | None = 200_000.0,
    *,
    held: int = 0,
    it_kw: float = 45.0,
    max_nodes: int | None = 4,
    lead_time_months: int = 0,
) -> Site:
    """A cage in Amsterdam that may own nodes of eight H100, 10.2 kW each."""
    pool = NodePool(
        node_type=NodeTypeId("dgx-h100"),
        held=held,
        max_nodes=max_nodes,
        purchase_usd=purchase_usd,
        lead_time_months=lead_time_months,
    )
    power = PowerEnvelope(
        it_kw=it_kw,
        rack_density_kw=21.0,
        racks=3,
        cooling=CoolingClass.AIR_CONTAINED,
        energy_usd_per_kwh=0.14,
        colo_usd_per_kw_month=200.0,
    )
    return Site(id=SiteId("cage"), kind=SiteKind.COLO, country="NL", power=power, pools=(pool,))


def job(name: str = "job", mtok_per_month: float = 1e6, **fields: object) -> Workload:
    """Batch work of a thousand tokens in and a hundred out, any hour of the month."""
    demand = Demand(mtok_per_month=mtok_per_month, input_tokens=1000.0, output_tokens=100.0)
    given: dict[str, object] = {"model": MODEL, "demand": demand, "allows_spot": False} | fields
    kind = WorkloadKind.BATCH_INFERENCE
    return Workload(id=WorkloadId(name), kind=kind, **given)  # type: ignore[arg-type]  # fields by name


def chat(name: str = "chat", requests_per_s: float = 50.0, **fields: object) -> Workload:
    """Interactive requests of a thousand tokens in and two hundred out, in office hours."""
    demand = Demand(
        requests_per_s=requests_per_s,
        input_tokens=1000.0,
        output_tokens=200.0,
        burstiness_cv=1.0,
        shape="office_hours",
    )
    given: dict[str, object] = {"model": MODEL, "demand": demand} | fields
    kind = WorkloadKind.INFERENCE
    return Workload(id=WorkloadId(name), kind=kind, **given)  # type: ignore[arg-type]  # fields by name


def estate(*sites: Site, workloads: tuple[Workload, ...], months: int = 12, **fields: object) -> Estate:
    """An estate of quarters from 2027-01, with two blocks of the week."""
    given: dict[str, object] = {
        "models": (ModelSpec(id=MODEL),),
        "horizon": Horizon(start="2027-01", months=months, period_months=3, blocks=2),
    } | fields
    return Estate(apiVersion="tripoint/v1", sites=sites, workloads=workloads, **given)  # type: ignore[arg-type]  # fields of the case


def fit(*, nodes_per_unit: float, fixed_nodes: float = 0.0, is_api: bool = False, name: str = "site/node") -> Fit:
    """A fit whose nodes are always busy."""
    return Fit(
        workload=WorkloadId("w"),
        site=SiteId(name.split("/")[0]),
        pool=PoolId(name),
        node_type=NodeTypeId(name.split("/", 1)[1]),
        is_api=is_api,
        fixed_nodes=fixed_nodes,
        nodes_per_unit=nodes_per_unit,
        busy_nodes_per_unit=0.0,
    )


def decided(*states: PoolState, purchases: tuple[Purchase, ...] = (), **fields: object) -> Decisions:
    """Decisions about nodes alone, unless more is given."""
    empty: dict[str, object] = dict.fromkeys(("placements", "expansions", "copies", "standby", "transfers"), ())
    return Decisions(pools=states, purchases=purchases, **{**empty, **fields})  # type: ignore[arg-type]  # fields of several kinds


def states(
    instance: Instance, pool: str, used: tuple[float, ...], *, owned: float = 0.0, committed: tuple[float, ...] = ()
) -> tuple[PoolState, ...]:
    """[period] nodes used in every block alike, out of owned and committed ones; the rest is rented."""
    site, node_type = pool.split("/")
    found = []
    for period in instance.periods:
        promised = committed[period] if committed else 0.0
        for block in instance.blocks:
            found.append(
                PoolState(
                    pool=pool,
                    site=site,
                    node_type=node_type,
                    period=period,
                    block=block,
                    owned=owned,
                    committed=promised,
                    on_demand=max(0.0, used[period] - owned - promised),
                    spot=0.0,
                    used=used[period],
                    gpus_per_node=8,
                )
            )
    return tuple(found)


def placed(workload: str, pool: str, period: int, share: float) -> Placement:
    """Part of a workload on a pool in the busiest block."""
    site, node_type = pool.split("/")
    return Placement(
        workload=workload,
        site=site,
        pool=pool,
        node_type=node_type,
        lane="firm",
        period=period,
        block=0,
        share=share,
        nodes=1.0,
    )


def commitment(pool: str, nodes: float, order_period: int, term_months: int = 12) -> Purchase:
    """A new commitment."""
    site, node_type = pool.split("/")
    return Purchase(
        pool=pool,
        site=site,
        node_type=node_type,
        action=PurchaseAction.COMMIT,
        option="committed",
        nodes=nodes,
        order_period=order_period,
        service_period=order_period,
        until_period=order_period + term_months // 3 - 1,
        term_months=term_months,
    )


def unallocated(charges: tuple[Charge, ...]) -> float:
    """Effective cost of rows no workload's use explains: ports, storage, egress, pools without users, USD."""
    users = users_of(charges)
    return sum(row.effective_usd for row in charges if row.workload is None and (row.site, row.resource) not in users)
