"""The synthetic plan's statement: every node-hour, gigabyte and token of the story, priced."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from tests.factories.plan_story import BLOCKS, PERIOD_HOURS, PLACES, STOCKS, Job, Stock, committed, owned, route, volume

from tripoint.domain.charge import Charge, ChargeKind, CommitmentStatus
from tripoint.domain.decision import Placement, PoolState, TransferRow

_LAYER = {place.id: place.layer for place in PLACES}
_PROVIDER = {place.id: place.provider for place in PLACES}
_STOCK = {stock.id: stock for stock in STOCKS}
_KWH_USD, _KGCO2_PER_KWH, _PUE = 0.16, 0.31, 1.3


def statement(
    jobs: tuple[Job, ...],
    placements: tuple[Placement, ...],
    pools: tuple[PoolState, ...],
    transfers: tuple[TransferRow, ...],
) -> list[Charge]:
    """All charge rows of the story, by period."""
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
    elastic = sum((state.on_demand + state.spot) * BLOCKS[state.block].weight for state in states) * PERIOD_HOURS
    firm = (owned(stock, period) + committed(stock, period)) * PERIOD_HOURS
    used = sum(by_workload.values())
    if not stock.gpus or used == 0:
        return []
    found = []
    for workload, node_hours in by_workload.items():
        share = node_hours / used
        if elastic > 0:
            found.append(
                _row(
                    stock, period, ChargeKind.COMPUTE, "on_demand", workload, None, elastic * share, stock.on_demand_usd
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
        return [_row(stock, period, ChargeKind.COMPUTE, "committed", workload, status, node_hours, stock.committed_usd)]
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
    kwh = quantity * (stock.kw * _PUE if kind is ChargeKind.ENERGY else 9.0 if kind is ChargeKind.COMPUTE else 0.0)
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
        stock = _STOCK[route(job, period)[0][0]]
        if stock.gpus == 0:
            mtok = volume(job, period)
            row = _row(stock, period, ChargeKind.API_TOKENS, "per_token", job.id, None, mtok, 5.4)
            found.append(replace(row, unit="Mtok"))
    return found
