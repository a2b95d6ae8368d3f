"""A synthetic plan whose numbers hang together: shares sum to one, charges to the total, capacity covers use.

It is told from `plan_story` by a small deterministic walk, so the faces can be tested without a solver.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import replace

from tests.factories.plan_breakevens import breakevens
from tests.factories.plan_charges import statement
from tests.factories.plan_judgement import assumptions, baselines, findings, headroom, lapses, refusals
from tests.factories.plan_story import (
    BLOCKS,
    JOBS,
    PERIOD_HOURS,
    PERIODS,
    PLACES,
    STOCKS,
    Job,
    committed,
    owned,
    route,
    volume,
)

from tripoint.domain.charge import Charge
from tripoint.domain.decision import (
    CopyDecision,
    ExpansionDecision,
    Placement,
    PoolState,
    Purchase,
    PurchaseAction,
    StandbyDecision,
    TransferRow,
)
from tripoint.domain.plan import ConflictSet, Plan, PlanStatus, SiteSummary, SolveSummary, WorkloadSummary

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
    return _build(tuple(job for job in JOBS if job.id in ("customer-chat-eu", "code-assistant", "contract-review")))


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
    charges = tuple(statement(jobs, placements, pools, transfers))
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
            ExpansionDecision(site="colo-ams", step="second-row", order_period=1, service_period=4, adds_kw=120),
        ),
        copies=(
            CopyDecision(dataset="documents", site="dc-frankfurt", from_period=0, to_period=11, is_new=False),
            CopyDecision(dataset="images", site="colo-ams", from_period=2, to_period=11, is_new=True),
        ),
        standby=tuple(
            StandbyDecision(
                workload=next((job.id for job in jobs if job.id == "health-triage"), jobs[0].id),
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
    return float(job.nodes * (1 + job.growth) ** (period / 4) * shape)


def _placements(jobs: tuple[Job, ...]) -> list[Placement]:
    found = []
    for job in jobs:
        for period in range(12):
            for block in range(4):
                for pool, share in route(job, period):
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
                held, promised = owned(stock, period), committed(stock, period)
                found.append(
                    PoolState(
                        pool=stock.id,
                        site=stock.site,
                        node_type=stock.node_type,
                        period=period,
                        block=block,
                        owned=held,
                        committed=promised,
                        on_demand=max(0.0, firm[key] - held - promised),
                        spot=spot[key],
                        used=firm[key] + spot[key],
                        gpus_per_node=stock.gpus,
                    )
                )
    return found


def _transfers(jobs: tuple[Job, ...]) -> list[TransferRow]:
    found = []
    for job in jobs:
        for period in range(12):
            growth = (1 + job.growth) ** (period / 4)
            for pool, share in route(job, period):
                site = _STOCK[pool].site
                volume = max(job.mtok * 3 * 0.012, job.nodes * 40) * growth * share
                found.append(TransferRow(source=job.caller, target=site, purpose="callers", period=period, gb=volume))
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
        TransferRow(source="dc-frankfurt", target="colo-ams", purpose="sync", period=p, gb=2600) for p in range(12)
    ]
    found.append(TransferRow(source="aws-virginia", target="colo-ams", purpose="seed", period=2, gb=140_000))
    return found


def _mtok(job: Job) -> float:
    return sum(volume(job, period) for period in range(12))


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
    routes = [route(job, period) for period in range(12)]
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
