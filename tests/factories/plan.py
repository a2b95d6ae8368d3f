"""A synthetic plan whose numbers hang together: shares sum to one, charges to the total, capacity covers use.

It is told from `plan_story` by a small deterministic walk, so the faces can be tested without a solver.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import replace

from tests.factories.plan_judgement import (
    assumptions,
    baselines,
    breakevens,
    findings,
    headroom,
    lapses,
    refusals,
)
from tests.factories.plan_story import JOBS, PLACES, STOCKS, Job, Stock

from tripoint.domain.charge import Charge, ChargeKind, CommitmentStatus
from tripoint.domain.demand import Block
from tripoint.domain.plan import (
    ConflictSet,
    CopyDecision,
    ExpansionDecision,
    Placement,
    Plan,
    PlanStatus,
    PoolState,
    Purchase,
    PurchaseAction,
    SiteSummary,
    SolveSummary,
    StandbyDecision,
    TransferRow,
    WorkloadSummary,
)

PERIODS = tuple(f"{year}-Q{quarter}" for year in (2027, 2028, 2029) for quarter in (1, 2, 3, 4))
PERIOD_HOURS = 2190.0
_HOURS = tuple(range(168))
BLOCKS = (
    Block(name="b1", hours_of_week=_HOURS[:14], weight=14 / 168, longest_gap_hours=20),
    Block(name="b2", hours_of_week=_HOURS[14:56], weight=42 / 168, longest_gap_hours=14),
    Block(name="b3", hours_of_week=_HOURS[56:112], weight=56 / 168, longest_gap_hours=12),
    Block(name="b4", hours_of_week=_HOURS[112:], weight=56 / 168, longest_gap_hours=10),
)
_SHAPE = {"inference": (1.75, 1.35, 0.95, 0.6), "other": (0.35, 0.6, 1.05, 1.41)}
_LAYER = {place.id: place.layer for place in PLACES}
_PROVIDER = {place.id: place.provider for place in PLACES}
_STOCK = {stock.id: stock for stock in STOCKS}
_KWH_USD, _KGCO2_PER_KWH, _PUE = 0.16, 0.31, 1.3


def synthetic_plan() -> Plan:
    """The whole story: 20 workloads, 8 sites, 12 quarters."""
    return _build(JOBS)


def small_plan() -> Plan:
    """Three workloads of the story, for goldens a person can read."""
    return _build(
        tuple(job for job in JOBS if job.id in ("customer-chat-eu", "code-assistant", "contract-review"))
    )


def infeasible_plan() -> Plan:
    """An answer of no: the conflict set and nothing else."""
    conflict = ConflictSet(
        families=("residency", "power"),
        details=(
            "`health-triage` may run in DE only; its sites there offer 210 kW, it needs 264 kW in 2027-Q1",
            "`dc-frankfurt` draws 264 kW, limit 210 kW",
        ),
        hint="declare an expansion step of 54 kW or more at `dc-frankfurt`, or allow `NL` there",
    )
    return replace(
        empty_plan(),
        status=PlanStatus.INFEASIBLE,
        solve=None,
        conflict=conflict,
        refusals=refusals(),
        findings=findings(),
    )


def empty_plan() -> Plan:
    """A plan of nothing: every table empty."""
    return Plan(
        name="empty",
        tripoint_version="0.1.0",
        estate_digest="sha256:" + "0" * 64,
        catalog_digest="sha256:" + "1" * 64,
        options={},
        status=PlanStatus.OPTIMAL,
        solve=_solve(0.0),
        conflict=None,
        currency="USD",
        usd_per_unit=1.0,
        start="2027-01",
        period_months=3,
        period_hours=PERIOD_HOURS,
        discount_rate=0.08,
        periods=PERIODS,
        blocks=BLOCKS,
        sites=(),
        workloads=(),
        placements=(),
        pools=(),
        purchases=(),
        expansions=(),
        copies=(),
        standby=(),
        transfers=(),
        charges=(),
        baselines=(),
        breakevens=(),
        lapses=(),
        headroom=(),
        assumptions=(),
        refusals=(),
        findings=(),
    )


def _build(jobs: tuple[Job, ...]) -> Plan:
    placements = tuple(_placements(jobs))
    pools = tuple(_pool_states(placements))
    transfers = tuple(_transfers(jobs))
    charges = tuple(_charges(jobs, placements, pools, transfers))
    total = math.fsum(charge.effective_usd for charge in charges)
    mtok = sum(_mtok(job) for job in jobs)
    return replace(
        empty_plan(),
        name="three-layer",
        options={"gap": "0.001", "seed": "0"},
        solve=_solve(total),
        sites=tuple(_site(place.id, charges, pools) for place in PLACES),
        workloads=tuple(_workload(job, charges) for job in jobs),
        placements=placements,
        pools=pools,
        purchases=tuple(_purchases(pools)),
        expansions=(
            ExpansionDecision(
                site="colo-ams", step="second-row", order_period=1, service_period=4, adds_kw=120
            ),
        ),
        copies=(
            CopyDecision(dataset="documents", site="dc-frankfurt", from_period=0, to_period=11, is_new=False),
            CopyDecision(dataset="images", site="colo-ams", from_period=2, to_period=11, is_new=True),
        ),
        standby=tuple(
            StandbyDecision(
                workload="health-triage",
                site="colo-ams",
                pool="colo-ams/dgx-h100",
                mode="warm",
                period=period,
                share=0.5,
                nodes=0.4,
            )
            for period in range(12)
        ),
        transfers=transfers,
        charges=charges,
        baselines=baselines(charges, mtok),
        breakevens=breakevens(jobs),
        lapses=lapses(),
        headroom=headroom(),
        assumptions=assumptions(total),
        refusals=refusals(),
        findings=findings(),
    )


def _solve(total: float) -> SolveSummary:
    return SolveSummary(
        strategy="monolithic",
        incumbent_usd=total * 0.9,
        bound_usd=total * 0.9 * (1 - 0.00082),
        gap=0.00082,
        seconds=6.4,
        nodes=311,
        columns=48_210,
        rows=39_874,
        integers=1_932,
        undiscounted_usd=total,
    )


def _demand(job: Job, period: int, block: int) -> float:
    shape = _SHAPE["inference" if job.kind == "inference" else "other"][block]
    return job.nodes * (1 + job.growth) ** (period / 4) * shape


def _route(job: Job, period: int) -> list[tuple[str, float]]:
    latest = max(start for start, _, _ in job.route if start <= period)
    return [(pool, share) for start, pool, share in job.route if start == latest]


def _placements(jobs: tuple[Job, ...]) -> list[Placement]:
    found = []
    for job in jobs:
        for period in range(12):
            for block in range(4):
                for pool, share in _route(job, period):
                    stock = _STOCK[pool]
                    is_spot = job.kind in ("training", "fine_tuning") and pool.startswith("aws")
                    lane = "api" if stock.gpus == 0 else "spot" if is_spot else "firm"
                    weight = 1.0 if job.kind == "inference" else BLOCKS[block].weight * _SHAPE["other"][block]
                    found.append(
                        Placement(
                            workload=job.id,
                            site=stock.site,
                            pool=pool,
                            node_type=stock.node_type,
                            lane=lane,
                            period=period,
                            block=block,
                            share=share * weight,
                            nodes=_demand(job, period, block) * share if stock.gpus else 0.0,
                        )
                    )
    return found


def _owned(stock: Stock, period: int) -> float:
    return max((nodes for start, nodes in stock.owned if start <= period), default=0)


def _committed(stock: Stock, period: int) -> float:
    return sum(nodes for start, end, nodes in stock.committed if start <= period <= end)


def _pool_states(placements: tuple[Placement, ...]) -> list[PoolState]:
    firm: dict[tuple[str, int, int], float] = defaultdict(float)
    spot: dict[tuple[str, int, int], float] = defaultdict(float)
    for placement in placements:
        if placement.lane != "api":
            key = (placement.pool, placement.period, placement.block)
            (spot if placement.lane == "spot" else firm)[key] += placement.nodes
    found = []
    for stock in (stock for stock in STOCKS if stock.gpus):
        for period in range(12):
            for block in range(4):
                key = (stock.id, period, block)
                owned, committed = _owned(stock, period), _committed(stock, period)
                found.append(
                    PoolState(
                        pool=stock.id,
                        site=stock.site,
                        node_type=stock.node_type,
                        period=period,
                        block=block,
                        owned=owned,
                        committed=committed,
                        on_demand=max(0.0, firm[key] - owned - committed),
                        spot=spot[key],
                        used=firm[key] + spot[key],
                        gpus_per_node=stock.gpus,
                    )
                )
    return found


def _charges(
    jobs: tuple[Job, ...],
    placements: tuple[Placement, ...],
    pools: tuple[PoolState, ...],
    transfers: tuple[TransferRow, ...],
) -> list[Charge]:
    hours: dict[tuple[str, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for placement in placements:
        node_hours = placement.nodes * BLOCKS[placement.block].weight * PERIOD_HOURS
        hours[placement.pool, placement.period][placement.workload] += node_hours
    found: list[Charge] = []
    for (pool, period), by_workload in hours.items():
        found += _pool_charges(_STOCK[pool], period, by_workload, pools)
    for stock in STOCKS:
        found += _purchase_charges(stock)
    for row in transfers:
        found += _egress(row)
    for job in jobs:
        found += _api_charges(job)
    return sorted(found, key=lambda charge: charge.period)


def _pool_charges(
    stock: Stock, period: int, by_workload: dict[str, float], pools: tuple[PoolState, ...]
) -> list[Charge]:
    states = [state for state in pools if state.pool == stock.id and state.period == period]
    elastic = (
        sum((state.on_demand + state.spot) * BLOCKS[state.block].weight for state in states) * PERIOD_HOURS
    )
    firm = (_owned(stock, period) + _committed(stock, period)) * PERIOD_HOURS
    used = sum(by_workload.values())
    if not stock.gpus or used == 0:
        return []
    found = []
    for workload, node_hours in by_workload.items():
        share = node_hours / used
        if elastic > 0:
            found.append(
                _row(
                    stock,
                    period,
                    ChargeKind.COMPUTE,
                    "on_demand",
                    workload,
                    None,
                    elastic * share,
                    stock.on_demand_usd,
                )
            )
        found += _firm_rows(stock, period, workload, CommitmentStatus.USED, min(firm, used - elastic) * share)
    idle = firm - min(firm, used - elastic)
    return found + _firm_rows(stock, period, None, CommitmentStatus.UNUSED, idle)


def _firm_rows(
    stock: Stock, period: int, workload: str | None, status: CommitmentStatus, node_hours: float
) -> list[Charge]:
    if node_hours <= 0:
        return []
    if not stock.purchase_usd:
        return [
            _row(
                stock,
                period,
                ChargeKind.COMPUTE,
                "committed",
                workload,
                status,
                node_hours,
                stock.committed_usd,
            )
        ]
    hourly = stock.purchase_usd / (4 * 8760)
    energy = stock.kw * _PUE * _KWH_USD * (1.0 if workload else 0.3)
    rows = [
        (ChargeKind.AMORTISATION, hourly),
        (ChargeKind.CAPITAL, hourly * 0.17),
        (ChargeKind.MAINTENANCE, hourly * 0.2),
        (ChargeKind.STAFF, hourly * 0.12),
        (ChargeKind.ENERGY, energy),
        (ChargeKind.FACILITY, stock.kw * 0.19),
    ]
    return [_row(stock, period, kind, "owned", workload, status, node_hours, usd) for kind, usd in rows]


def _row(
    stock: Stock,
    period: int,
    kind: ChargeKind,
    option: str,
    workload: str | None,
    status: CommitmentStatus | None,
    quantity: float,
    usd: float,
) -> Charge:
    kwh = quantity * (
        stock.kw * _PUE if kind is ChargeKind.ENERGY else 9.0 if kind is ChargeKind.COMPUTE else 0.0
    )
    is_sunk = kind in (ChargeKind.AMORTISATION, ChargeKind.CAPITAL)
    return Charge(
        period=period,
        kind=kind,
        provider=_PROVIDER[stock.site],
        site=stock.site,
        layer=_LAYER[stock.site],
        resource=stock.node_type,
        option=option,
        workload=workload,
        status=status,
        quantity=quantity,
        unit="node-hour",
        list_usd=quantity * usd * 1.1,
        contracted_usd=quantity * usd,
        billed_usd=0.0 if is_sunk else quantity * usd,
        effective_usd=quantity * usd,
        carbon_kg=kwh * _KGCO2_PER_KWH,
        basis=(f"price.{stock.node_type}",),
    )


def _purchase_charges(stock: Stock) -> list[Charge]:
    found, before = [], None
    for period, nodes in stock.owned:
        added = nodes - before if before is not None else 0
        before = nodes
        if added:
            price = added * stock.purchase_usd
            row = _row(stock, period, ChargeKind.PURCHASE, "owned", None, None, added, 0.0)
            found.append(replace(row, unit="node", list_usd=price, contracted_usd=price, billed_usd=price))
    return found


def _transfers(jobs: tuple[Job, ...]) -> list[TransferRow]:
    found = []
    for job in jobs:
        for period in range(12):
            growth = (1 + job.growth) ** (period / 4)
            for pool, share in _route(job, period):
                site = _STOCK[pool].site
                volume = max(job.mtok * 3 * 0.012, job.nodes * 40) * growth * share
                found.append(
                    TransferRow(source=job.caller, target=site, purpose="callers", period=period, gb=volume)
                )
                if job.dataset and job.dataset_site != site:
                    found.append(
                        TransferRow(
                            source=job.dataset_site,
                            target=site,
                            purpose="reads",
                            period=period,
                            gb=job.tb_read * 3000 * growth * share,
                        )
                    )
    found += [
        TransferRow(source="dc-frankfurt", target="colo-ams", purpose="sync", period=p, gb=2600)
        for p in range(12)
    ]
    found.append(TransferRow(source="aws-virginia", target="colo-ams", purpose="seed", period=2, gb=140_000))
    return found


def _egress(row: TransferRow) -> list[Charge]:
    rate = {"aws": 0.08, "azure": 0.08}.get(_PROVIDER.get(row.source, ""), 0.0)
    if not rate or row.purpose == "callers":
        return []
    usd = row.gb * rate
    return [
        Charge(
            period=row.period,
            kind=ChargeKind.EGRESS,
            provider=_PROVIDER[row.source],
            site=row.source,
            layer=_LAYER[row.source],
            resource=f"{row.source}->{row.target}",
            option="",
            workload=None,
            status=None,
            quantity=row.gb,
            unit="GB",
            list_usd=usd,
            contracted_usd=usd,
            billed_usd=usd,
            effective_usd=usd,
            carbon_kg=0.0,
            basis=("egress.aws",),
        )
    ]


def _api_charges(job: Job) -> list[Charge]:
    found = []
    for period in range(12):
        stock = _STOCK[_route(job, period)[0][0]]
        if stock.gpus == 0:
            mtok = job.mtok * 3 * (1 + job.growth) ** (period / 4)
            row = _row(stock, period, ChargeKind.API_TOKENS, "per_token", job.id, None, mtok, 5.4)
            found.append(replace(row, unit="Mtok"))
    return found


def _mtok(job: Job) -> float:
    return sum(job.mtok * 3 * (1 + job.growth) ** (period / 4) for period in range(12))


def _site(site: str, charges: tuple[Charge, ...], pools: tuple[PoolState, ...]) -> SiteSummary:
    place = next(place for place in PLACES if place.id == site)
    last = [state for state in pools if state.site == site and state.period == 11 and state.block == 0]
    return SiteSummary(
        id=place.id,
        kind=place.kind,
        layer=place.layer,
        provider=place.provider,
        country=place.country,
        count=place.count,
        region=place.region,
        cost_usd=math.fsum(charge.effective_usd for charge in charges if charge.site == site),
        gpus_last=sum(state.used * state.gpus_per_node for state in last),
    )


def _workload(job: Job, charges: tuple[Charge, ...]) -> WorkloadSummary:
    own = [charge for charge in charges if charge.workload == job.id]
    cost, mtok = math.fsum(charge.effective_usd for charge in own), _mtok(job)
    idle = cost * 0.14 if any(charge.status for charge in own) else 0.0
    routes = [_route(job, period) for period in range(12)]
    sites = [tuple(dict.fromkeys(_STOCK[pool].site for pool, _ in route)) for route in routes]
    entered = [set(after) - set(before) for before, after in itertools.pairwise(sites)]
    return WorkloadSummary(
        id=job.id,
        kind=job.kind,
        cost_usd=cost + idle,
        idle_usd=idle,
        mtok=mtok,
        usd_per_mtok_usage=cost / mtok if mtok else None,
        usd_per_mtok_reserved=(cost + idle) / mtok if mtok else None,
        carbon_kg=math.fsum(charge.carbon_kg for charge in own),
        sites_first=sites[0],
        sites_last=sites[-1],
        why=job.why,
        moves=sum(len(new) for new in entered),
    )


def _purchases(pools: tuple[PoolState, ...]) -> list[Purchase]:
    found = []
    for stock in STOCKS:
        before = 0
        for start, nodes in stock.owned:
            action = PurchaseAction.KEEP if start == 0 else PurchaseAction.BUY
            found.append(
                Purchase(
                    pool=stock.id,
                    site=stock.site,
                    node_type=stock.node_type,
                    action=action,
                    option="owned",
                    nodes=nodes - before,
                    order_period=start if start == 0 else start - 2,
                    service_period=start,
                    until_period=11,
                )
            )
            before = nodes
        for start, end, nodes in stock.committed:
            action = PurchaseAction.KEEP if start == 0 else PurchaseAction.COMMIT
            found.append(
                Purchase(
                    pool=stock.id,
                    site=stock.site,
                    node_type=stock.node_type,
                    action=action,
                    option="committed",
                    nodes=nodes,
                    order_period=start,
                    service_period=start,
                    until_period=end,
                    term_months=36,
                )
            )
            if end < 11:
                found.append(
                    Purchase(
                        pool=stock.id,
                        site=stock.site,
                        node_type=stock.node_type,
                        action=PurchaseAction.LAPSE,
                        option="committed",
                        nodes=nodes,
                        order_period=end,
                        service_period=end,
                        until_period=end,
                    )
                )
        bursts = [
            (state.period, state.on_demand * BLOCKS[state.block].weight)
            for state in pools
            if state.pool == stock.id and state.on_demand > 0
        ]
        if bursts:
            periods = sorted({period for period, _ in bursts})
            found.append(
                Purchase(
                    pool=stock.id,
                    site=stock.site,
                    node_type=stock.node_type,
                    action=PurchaseAction.BURST,
                    option="on_demand",
                    nodes=sum(nodes for _, nodes in bursts) / len(periods),
                    order_period=periods[0],
                    service_period=periods[0],
                    until_period=periods[-1],
                )
            )
    return found
