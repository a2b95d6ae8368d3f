"""Where is each workload served, with how much capacity? From the plan, else from today, else wherever policy permits.

Capacity counts when it is up: placements, standby that runs, and nodes of one's own that stand idle. What would have to
be rented first comes back later; how much later is the matter of recovery times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.cut import Basis
from tripoint.domain.estate import Estate
from tripoint.domain.site import Site
from tripoint.domain.workload import Workload
from tripoint.engines.placement.instance.instance import Instance, LaneKind
from tripoint.engines.resilience.capacity.moment import Moment, share_nodes
from tripoint.engines.sizing.policy import judge, place_of, rulebook, subject_of

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
    basis: Basis
    """How that is known."""
    seats: tuple[Seat, ...]
    """Where."""


def served_by_plan(instance: Instance, moment: Moment) -> tuple[Served, ...]:
    """[workload] seats at one moment of a plan."""
    return tuple(
        Served(workload=workload, basis=Basis.PLAN, seats=_planned(instance, moment, number))
        for number, workload in enumerate(instance.estate.workloads)
    )


def served_today(estate: Estate, catalog: Catalog) -> tuple[Served, ...]:
    """[workload] seats as `today` says; of one that says nothing, every site policy permits."""
    book = rulebook(estate, catalog)
    places = [place_of(site, catalog) for site in estate.sites]
    found = []
    for workload in estate.workloads:
        if workload.today:
            shares: dict[str, float] = {}
            for each in workload.today:
                shares[each.site] = shares.get(each.site, 0.0) + each.share
            seats = tuple(Seat(site=site, share=share) for site, share in shares.items())
            found.append(Served(workload=workload, basis=Basis.TODAY, seats=seats))
            continue
        subject = subject_of(workload, estate, catalog)
        able = [
            site
            for site, place in zip(estate.sites, places, strict=True)
            if _runs_something(site) and judge(place, subject, book) is None
        ]
        seats = tuple(Seat(site=site.id, share=1.0) for site in able)
        found.append(Served(workload=workload, basis=Basis.POLICY, seats=seats))
    return tuple(found)


def _runs_something(site: Site) -> bool:
    return bool(site.pools) or bool(site.apis) or (site.pools is None and site.kind.is_rented)


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
