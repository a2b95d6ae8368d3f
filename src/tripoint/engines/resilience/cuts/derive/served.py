"""Where does the plan serve each workload, and with how much capacity?

Capacity counts when it is up: placements, standby that runs, and nodes of one's own that stand idle. What would have to
be rented first comes back later; how much later is the matter of recovery times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tripoint.domain.workload import Workload
from tripoint.engines.placement.instance.instance import Instance, LaneKind
from tripoint.engines.resilience.capacity.moment import Moment, share_nodes

_TINY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Capacity for one workload at one site."""

    site: str
    """Site id."""
    share: float
    """Share of what is asked that it can take."""
    api: str = ""
    """Token API it is bought from; empty for nodes."""
    pool: str = ""
    """Pool its nodes are of; empty where nodes are not known."""
    nodes: int = 0
    """Nodes the pool has, those of other workloads included; each of them takes its part when it fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where one workload is served."""

    workload: Workload
    """Which."""
    seats: tuple[Seat, ...]
    """Where."""


def served_by_plan(instance: Instance, moment: Moment) -> tuple[Served, ...]:
    """[workload] seats at one moment of a plan."""
    return tuple(
        Served(workload=workload, seats=_planned(instance, moment, number))
        for number, workload in enumerate(instance.estate.workloads)
    )


def _planned(instance: Instance, moment: Moment, number: int) -> tuple[Seat, ...]:
    shares: dict[tuple[str, str, str], float] = {}

    def add(lane_number: int, share: float) -> None:
        lane = instance.lanes[lane_number]
        is_api = lane.kind is LaneKind.API
        api = str(lane.fit.pool).removeprefix(f"{lane.fit.site}/") if is_api else ""
        key = (str(lane.fit.site), api, "" if is_api else str(lane.fit.pool))
        shares[key] = shares.get(key, 0.0) + share

    idle = dict(moment.idle)
    for held in moment.held[number]:
        add(held.lane, held.share)
    for kept in moment.waiting[number]:
        add(kept.lane, kept.running)
    for lane_number, lane in enumerate(instance.lanes):
        spare = idle.get(lane.fit.pool, 0.0)
        if lane.workload == number and lane.kind is LaneKind.FIRM and spare > _TINY:
            nodes = share_nodes(instance, lane, moment.period, moment.block)
            add(lane_number, spare / nodes if nodes > _TINY else 1.0)
            idle[lane.fit.pool] = 0.0
    return tuple(
        Seat(
            site=site,
            share=1.0 if api else share,
            api=api,
            pool=pool,
            nodes=math.ceil(moment.in_pool.get(pool, 0.0) + moment.idle.get(pool, 0.0) - _TINY),
        )
        for (site, api, pool), share in shares.items()
        if share > _TINY
    )
