"""Demand and prices as an outlook has them: the same grid from its first period on with other amounts."""

from __future__ import annotations

from dataclasses import replace

from tripoint.domain.charge import ChargeKind, Rate
from tripoint.domain.demand import DemandGrid, WorkloadDemand
from tripoint.domain.estate import Horizon
from tripoint.domain.outlook import Outlook

_BOUGHT = (ChargeKind.COMPUTE, ChargeKind.API_TOKENS)


def differs_from(outlook: Outlook, grid: DemandGrid, horizon: Horizon) -> int:
    """First period an outlook differs in: as it says, else the second review, else the first period."""
    if outlook.since:
        return grid.periods.index(outlook.since)
    return next((period for period in range(len(grid.periods)) if horizon.review_of(period)), 0)


def demand_in(outlook: Outlook, grid: DemandGrid, horizon: Horizon) -> DemandGrid:
    """The grid with the outlook's demand."""
    start = differs_from(outlook, grid, horizon)
    workloads = tuple(
        _scaled(each, outlook.demand_of.get(str(each.workload), outlook.demand), start) for each in grid.workloads
    )
    return replace(grid, workloads=workloads)


def _scaled(demand: WorkloadDemand, factor: float, start: int) -> WorkloadDemand:
    def of(amounts: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(amount * factor if period >= start else amount for period, amount in enumerate(amounts))

    def of_blocks(amounts: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        return tuple(
            tuple(amount * factor for amount in blocks) if period >= start else blocks
            for period, blocks in enumerate(amounts)
        )

    return replace(
        demand,
        peak_rate=of_blocks(demand.peak_rate),
        mean_rate=of_blocks(demand.mean_rate),
        work=of(demand.work),
        mtok_in=of(demand.mtok_in),
        mtok_out=of(demand.mtok_out),
        gb_wire=of(demand.gb_wire),
    )


def dearer(rates: tuple[Rate, ...], factor: float) -> tuple[Rate, ...]:
    """The rates with what is paid for hours and tokens multiplied; energy and emissions as they were."""
    return tuple(
        replace(
            rate,
            list_usd=rate.list_usd * factor,
            contracted_usd=rate.contracted_usd * factor,
            billed_usd=rate.billed_usd * factor,
            effective_usd=rate.effective_usd * factor,
        )
        if rate.kind in _BOUGHT
        else rate
        for rate in rates
    )
