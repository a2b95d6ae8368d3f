"""How much is asked of every workload in each planning period and block of the common load-duration curve?

Blocks are shared by the whole estate, so that capacity freed by one workload in a block can serve another in
it. The load they are cut by adds workloads in comparable units: estimated accelerator work per hour, active
parameters times tokens, an input token counting less than an output one. Within a block, capacity follows the
busiest hour (with the headroom of the estate's risk tolerance) and volumes the mean. Demand grows
continuously and each period is taken at its middle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.demand import Block, DemandGrid, DemandProfile, WorkloadDemand
from tripoint.domain.estate import Estate, Horizon, RiskTolerance
from tripoint.domain.provenance import Figure, Origin
from tripoint.domain.units import (
    HOURS_PER_MONTH,
    KB_PER_GB,
    MONTHS_PER_YEAR,
    SECONDS_PER_HOUR,
    TOKENS_PER_MTOK,
    WorkloadId,
)
from tripoint.domain.workload import Workload, WorkloadKind
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.sizing.demand.blocks import cluster_hours
from tripoint.engines.sizing.demand.loads import Load, load_of
from tripoint.engines.sizing.demand.shapes import Weights

HEADROOM = {RiskTolerance.LOW: 1.2, RiskTolerance.MEDIUM: 1.1, RiskTolerance.HIGH: 1.0}
"""Factor on the busiest hour by risk tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Time and headroom every workload is laid out on."""

    horizon: Horizon
    """The time planned."""
    blocks: tuple[Block, ...]
    """Common blocks."""
    headroom: float
    """Factor on the busiest hour."""
    kb_per_token: float
    """Wire volume of one token, kB."""

    @property
    def period_hours(self) -> float:
        """Hours in a planning period, by billing months."""
        return self.horizon.period_months * HOURS_PER_MONTH


def demand_grid(
    estate: Estate, catalog: Catalog, profiles: Mapping[WorkloadId, DemandProfile]
) -> tuple[DemandGrid, tuple[Figure, ...]]:
    """The grid, and the figures it rests on that the estate did not declare."""
    pairs = [load_of(workload, estate, catalog, profiles.get(workload.id)) for workload in estate.workloads]
    loads = [load for load, _ in pairs]
    headroom = headroom_figure(estate.finance.risk_tolerance)
    wire = default_figure(catalog, estate.assumptions, "network.bytes_per_token")
    frame = Frame(
        horizon=estate.horizon,
        blocks=cluster_hours(work_by_hour(estate.workloads, loads), estate.horizon.blocks),
        headroom=headroom.value,
        kb_per_token=wire.value / 1000,
    )
    grid = DemandGrid(
        periods=period_labels(estate.horizon),
        period_hours=frame.period_hours,
        blocks=frame.blocks,
        workloads=tuple(_laid_out(w, load, frame) for w, load in zip(estate.workloads, loads, strict=True)),
    )
    used = [figure for _, figures in pairs for figure in figures]
    return grid, (headroom, wire, *{figure.key: figure for figure in used}.values())


def headroom_figure(tolerance: RiskTolerance) -> Figure:
    """Headroom on the busiest hour."""
    return Figure(
        key="demand.headroom",
        value=HEADROOM[tolerance],
        unit="x busiest hour",
        origin=Origin.DEFAULT,
        low=1.0,
        high=1.2,
        note=f"risk tolerance `{tolerance.value}`",
    )


def work_by_hour(workloads: Sequence[Workload], loads: Sequence[Load]) -> list[Weights]:
    """Accelerator work of each interactive workload in each hour of the week, in comparable units."""
    waiting = [load for w, load in zip(workloads, loads, strict=True) if w.kind.is_interactive]
    return [tuple(load.work_rate * weight for weight in load.hour_of_week) for load in waiting if load.work_rate > 0]


def growth_factors(growth_per_year: float, horizon: Horizon) -> tuple[float, ...]:
    """Demand relative to today at the middle of each period."""
    years = [(p + 0.5) * horizon.period_months / MONTHS_PER_YEAR for p in range(horizon.periods)]
    return tuple(max(0.0, 1 + growth_per_year) ** year for year in years)


def period_labels(horizon: Horizon) -> tuple[str, ...]:
    """`2027-Q1` for calendar quarters, else the first month of each period."""
    year, month = (int(part) for part in horizon.start.split("-"))
    starts = [year * 12 + month - 1 + p * horizon.period_months for p in range(horizon.periods)]
    are_quarters = horizon.period_months == 3 and (month - 1) % 3 == 0
    return tuple(_label(start // 12, start % 12, are_quarters) for start in starts)


def _label(year: int, month: int, is_quarter: bool) -> str:
    return f"{year}-Q{month // 3 + 1}" if is_quarter else f"{year}-{month + 1:02d}"


def _laid_out(workload: Workload, load: Load, frame: Frame) -> WorkloadDemand:
    growth = growth_factors(workload.growth_per_year, frame.horizon)
    peaks, means = block_rates(load, frame)
    is_waiting = workload.kind.is_interactive
    requests = [load.requests_per_s * frame.period_hours * SECONDS_PER_HOUR * factor for factor in growth]
    units = load.gpu_hours_per_month if _is_training(workload) else load.mtok_per_month
    work = 0.0 if is_waiting else units * frame.horizon.period_months
    kb = wire_kb(load, frame.kb_per_token)
    return WorkloadDemand(
        workload=workload.id,
        peak_rate=tuple(tuple(rate * factor * is_waiting for rate in peaks) for factor in growth),
        mean_rate=tuple(tuple(rate * factor * is_waiting for rate in means) for factor in growth),
        work=tuple(work * factor for factor in growth),
        input_tokens=load.input_tokens,
        output_tokens=load.output_tokens,
        cached_share=load.cached_share,
        burstiness_cv=load.burstiness_cv,
        mtok_in=tuple(count * load.input_tokens / TOKENS_PER_MTOK for count in requests),
        mtok_out=tuple(count * load.output_tokens / TOKENS_PER_MTOK for count in requests),
        gb_wire=tuple(count * kb / KB_PER_GB for count in requests),
        gang_gpus=load.gang_gpus,
    )


def wire_kb(load: Load, kb_per_token: float) -> float:
    """Bytes of one request on the wire, both ways, kB: as declared, else from its tokens."""
    return load.payload_kb if load.payload_kb is not None else load.tokens * kb_per_token


def block_rates(load: Load, frame: Frame) -> tuple[list[float], list[float]]:
    """Today's busiest hourly rate with headroom, and today's mean rate, of each block, requests per second."""
    levels = [[load.hour_of_week[hour] for hour in block.hours_of_week] for block in frame.blocks]
    peaks = [load.requests_per_s * max(hours) * frame.headroom for hours in levels]
    return peaks, [load.requests_per_s * math.fsum(hours) / len(hours) for hours in levels]


def _is_training(workload: Workload) -> bool:
    return workload.kind in (WorkloadKind.TRAINING, WorkloadKind.FINE_TUNING)
