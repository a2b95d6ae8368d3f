"""Obvious alternatives: the same instance with lanes and purchase options taken away, priced by the same program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tripoint.domain.estate import Estate
from tripoint.domain.site import Layer
from tripoint.domain.workload import Recovery
from tripoint.engines.placement.instance.instance import Instance, Lane, LaneKind, PoolModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A baseline."""

    name: str
    """`today`, `on_demand`, `committed` or `private`."""
    label: str
    """Human name."""
    instance: Instance
    """What is left."""
    exempt: tuple[str, ...]
    """Workloads the restriction would leave nowhere; they keep all their lanes."""
    pins_today: bool = False
    """True when shares, and what is rented by the hour, are fixed to today's placement."""


def alternatives(instance: Instance) -> tuple[Alternative, ...]:
    """Today's placement (when declared), all public on-demand, all public committed, all private."""
    found = [
        _restricted(instance, "on_demand", "all public, on demand", _is_public, _on_demand_only),
        _restricted(instance, "committed", "all public, best commitments", _is_public, _no_spot),
        _restricted(instance, "private", "all private", _is_private, in_time),
    ]
    if any(workload.today for workload in instance.estate.workloads):
        found.insert(0, _today(instance))
    return tuple(found)


def _is_public(instance: Instance, lane: Lane) -> bool:
    """Rented by the hour or billed by the token: an API of a public site is neither private nor committed."""
    return instance.sites[lane.site].layer == Layer.PUBLIC.value and lane.kind is not LaneKind.SPOT


def _is_private(instance: Instance, lane: Lane) -> bool:
    return not instance.sites[lane.site].site.kind.is_rented and lane.kind is LaneKind.FIRM


def _on_demand_only(pool: PoolModel) -> PoolModel:
    return replace(pool, terms=(), spot_hour=(), owned_month=())


def _no_spot(pool: PoolModel) -> PoolModel:
    return replace(pool, spot_hour=(), owned_month=())


def in_time(pool: PoolModel) -> PoolModel:
    """An alternative is compared as if it had been chosen in time: its nodes were ordered before the horizon."""
    return replace(pool, lead_periods=0)


def _restricted(
    instance: Instance,
    name: str,
    label: str,
    keeps: Callable[[Instance, Lane], bool],
    change: Callable[[PoolModel], PoolModel],
) -> Alternative:
    housed = {lane.workload for lane in instance.lanes if keeps(instance, lane) and _still_firm(instance, lane, change)}
    lanes = tuple(lane for lane in instance.lanes if lane.workload not in housed or keeps(instance, lane))
    exempt_pools = {lane.pool for lane in lanes if lane.workload not in housed}
    pools = tuple(pool if number in exempt_pools else change(pool) for number, pool in enumerate(instance.pools))
    exempt = tuple(workload.id for number, workload in enumerate(instance.estate.workloads) if number not in housed)
    return Alternative(
        name=name,
        label=label,
        instance=replace(instance, lanes=lanes, pools=pools, estate=_without_caps(instance)),
        exempt=exempt,
    )


def _still_firm(instance: Instance, lane: Lane, change: Callable[[PoolModel], PoolModel]) -> bool:
    if lane.pool is None:
        return True
    pool = change(instance.pools[lane.pool])
    return bool(pool.on_demand_hour or pool.owned_month or pool.terms or pool.held or pool.signed)


def without_recovery(alternative: Alternative) -> Alternative | None:
    """The alternative with no recovery objectives; `None` when it had none."""
    estate = alternative.instance.estate
    exposed = tuple(replace(workload, recovery=Recovery()) for workload in estate.workloads)
    if exposed == estate.workloads:
        return None
    return replace(alternative, instance=replace(alternative.instance, estate=replace(estate, workloads=exposed)))


def _without_caps(instance: Instance) -> Estate:
    """Baselines answer what a way of running would cost; budget, vendor and move caps are rules for the plan."""
    policies = replace(instance.estate.policies, budget=None, concentration=(), max_moves_per_period=None)
    return replace(instance.estate, policies=policies)


def _today(instance: Instance) -> Alternative:
    """Today's sites and node types, growing with demand; `pin_today` adds its shares and what is rented by the hour."""
    kept: list[Lane] = []
    exempt: list[str] = []
    for number, workload in enumerate(instance.estate.workloads):
        lanes = [lane for lane in instance.lanes if lane.workload == number]
        here = [lane for lane in lanes if _runs_today(instance, lane)]
        kept.extend(here or lanes)
        if not here:
            exempt.append(workload.id)
    return Alternative(
        name="today",
        label="today's placement, growing",
        instance=replace(
            instance,
            lanes=tuple(kept),
            pools=tuple(in_time(pool) for pool in instance.pools),
            estate=_as_declared(_without_caps(instance)),
        ),
        exempt=tuple(exempt),
        pins_today=True,
    )


def _as_declared(estate: Estate) -> Estate:
    """Today's shares are facts: no fewest replicas may forbid a small one, nor two sites what is held indivisible."""
    workloads = [replace(workload, min_replicas=0) for workload in estate.workloads]
    return replace(
        estate,
        workloads=tuple(
            replace(workload, is_indivisible=False) if len({part.site for part in workload.today}) > 1 else workload
            for workload in workloads
        ),
    )


def _runs_today(instance: Instance, lane: Lane) -> bool:
    site = instance.sites[lane.site].site.id
    for share in instance.workload(lane).today:
        if share.site != site or (share.node_type is not None and share.node_type != lane.fit.node_type):
            continue
        kind = LaneKind.FIRM
        if share.option is not None:
            kind = {"spot": LaneKind.SPOT, "per_token": LaneKind.API}.get(share.option.value, LaneKind.FIRM)
        if lane.kind is kind or (share.option is None and lane.kind is LaneKind.API):
            return True
    return False
