"""When does a node of a pool pay? Each pool's cheapest firm way against the same work rented by the hour.

The rival is the same node type on demand, in the pool itself or anywhere in the estate. Where nobody rents it out, it
is the pool that does the pool's work most cheaply on demand: nodes are converted by what the workloads both may serve
occupy on each. Pools whose work nobody rents out have no break-even.
"""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.decision import PoolState
from tripoint.domain.plan import BreakEven
from tripoint.domain.units import HOURS_PER_MONTH
from tripoint.engines.answers.breakeven.ways import FirmWay, Market, node_of
from tripoint.engines.costing.breakeven.curves import Way, by_utilisation
from tripoint.engines.costing.breakeven.threshold import Range, Threshold, break_even
from tripoint.engines.placement.columns.coefficients import is_energy
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.instance.instance import Instance, Lane, LaneKind, PoolModel

_Rented = list[tuple[int, Range]]

NEVER = 10.0
"""Largest utilisation stated: no node is used ten times over, so it and anything above 1 reads as never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """The same work on demand."""

    label: str
    """`cloud-fra/p5.48xlarge on_demand`."""
    words: str
    """For a sentence."""
    hour_usd: Range
    """Cost of what one node of the pool does in an hour, USD."""


def stated(utilisation: float) -> float:
    """A threshold that JSON can carry: never is `NEVER`."""
    return min(utilisation, NEVER)


def use_words(utilisation: float) -> str:
    """`38 %`; `more than ten times` above what is stated."""
    return f"{utilisation:.0%}".replace("%", " %")


def pool_break_evens(instance: Instance, decisions: Decisions, market: Market) -> tuple[BreakEven, ...]:
    """Pools the plan uses, holds, promised to pay or could own, with a firm way and a rival; most used first."""
    used = node_hours_used(instance, decisions.pools)
    order = sorted(
        (n for n, pool in enumerate(instance.pools) if used.get(pool.spec.id, 0.0) > 0 or _is_own(pool)),
        key=lambda n: (-used.get(instance.pools[n].spec.id, 0.0), n),
    )
    rows = (_pool_row(instance, number, decisions, market) for number in order)
    return tuple(row for row in rows if row is not None)


def node_hours_used(instance: Instance, states: tuple[PoolState, ...]) -> dict[str, float]:
    """[pool] node-hours in use over the horizon."""
    hours: dict[str, float] = {}
    for state in states:
        hours[state.pool] = hours.get(state.pool, 0.0) + state.used * instance.block_hours(state.block)
    return hours


def firm_use(instance: Instance, states: tuple[PoolState, ...], pool: str) -> float | None:
    """Mean use of a pool's owned and committed nodes over the horizon; `None` without any."""
    had = used = 0.0
    for state in states:
        if state.pool == pool:
            hours = instance.block_hours(state.block)
            firm = state.owned + state.committed
            had += firm * hours
            used += min(firm, state.used - state.spot) * hours
    return used / had if had > 0 else None


def _pool_row(instance: Instance, number: int, decisions: Decisions, market: Market) -> BreakEven | None:
    pool = instance.pools[number]
    ways = market.firm[number]
    rival = rival_of(instance, number, market)
    if not ways or rival is None:
        return None
    best = min(ways, key=_full_month_usd)
    use = break_even(best.month_usd, rival.hour_usd, HOURS_PER_MONTH, best.busy_hour_usd)
    return BreakEven(
        subject=pool.spec.id,
        kind="pool",
        firm=f"{pool.spec.id} {best.option}",
        elastic=rival.label,
        firm_usd_per_node_month=best.month_usd.value,
        elastic_usd_per_node_hour=rival.hour_usd.value,
        utilisation=stated(use.utilisation),
        utilisation_low=stated(use.low),
        utilisation_high=stated(use.high),
        mtok_per_month=None,
        mtok_low=None,
        mtok_high=None,
        month="",
        month_early="",
        month_late="",
        demand_mtok_per_month=None,
        curves=by_utilisation(
            (
                *(Way(label=w.option, month_usd=w.month_usd.value, hour_usd=w.busy_hour_usd.value) for w in ways),
                Way(label="on_demand", hour_usd=rival.hour_usd.value),
            )
        ),
        note=_note(best, rival, use, firm_use(instance, decisions.pools, pool.spec.id)),
    )


def _is_own(pool: PoolModel) -> bool:
    return bool(pool.owned_month or pool.held or pool.signed)


def _full_month_usd(way: FirmWay) -> float:
    return way.month_usd.value + HOURS_PER_MONTH * way.busy_hour_usd.value


def rival_of(instance: Instance, number: int, market: Market) -> Rival | None:
    """The same node type on demand, else the pool that does the same work most cheaply on demand."""
    rented = _rented(market)
    twin = _cheapest_twin(instance, number, rented)
    return _cheapest_substitute(instance, number, rented) if twin is None else twin


def _cheapest_twin(instance: Instance, number: int, rented: _Rented) -> Rival | None:
    node = instance.pools[number].spec.node.id
    twins = [(hour, other) for other, hour in rented if instance.pools[other].spec.node.id == node]
    if not twins:
        return None
    hour, other = min(twins, key=lambda twin: (twin[1] != number, twin[0].value))
    return _rival(instance, other, hour)


def _cheapest_substitute(instance: Instance, number: int, rented: _Rented) -> Rival | None:
    """Among the pools that could take over most of the work, the cheapest."""
    mine = _firm_lanes(instance, number)
    whole = sum(_nodes(instance, lane) for lane in mine.values())
    found: list[tuple[float, Range, int]] = []
    for other, hour in rented:
        theirs = _firm_lanes(instance, other)
        shared = [workload for workload in mine if workload in theirs]
        here = sum(_nodes(instance, mine[workload]) for workload in shared)
        if here > 0 and whole > 0:
            there = sum(_nodes(instance, theirs[workload]) for workload in shared)
            found.append((round(here / whole, 6), hour.scaled(there / here), other))
    if not found:
        return None
    _, hour, other = min(found, key=lambda each: (-each[0], each[1].value))
    return _rival(instance, other, hour)


def _rival(instance: Instance, other: int, hour: Range) -> Rival:
    spec = instance.pools[other].spec
    return Rival(
        label=f"{spec.id} on_demand",
        words=f"`{spec.node.id}` on demand at `{spec.site.id}`",
        hour_usd=hour,
    )


def _rented(market: Market) -> _Rented:
    """Pools sold on demand, with their price."""
    return [
        (number, way.hour_usd)
        for number, ways in enumerate(market.elastic)
        for way in ways
        if way.option == "on_demand"
    ]


def _firm_lanes(instance: Instance, pool: int) -> dict[int, Lane]:
    """[workload] its lane on the pool's nodes."""
    return {lane.workload: lane for lane in instance.lanes if lane.pool == pool and lane.kind is LaneKind.FIRM}


def _nodes(instance: Instance, lane: Lane) -> float:
    """Nodes a workload alone would occupy in the first period, averaged over the busiest hours of its blocks."""
    if is_energy(instance.workload(lane)):
        return lane.fit.nodes_per_unit * instance.demand(lane).work[0] / instance.grid.period_hours
    return sum(block.weight * nodes for block, nodes in zip(instance.grid.blocks, lane.fit.nodes[0], strict=True))


def _note(best: FirmWay, rival: Rival, use: Threshold, planned: float | None) -> str:
    node = f"{node_of(best.option)} ({best.month_usd.value:,.0f} USD a month)"
    price = f"{rival.words} ({rival.hour_usd.value:,.2f} USD an hour for the same work)"
    told = "" if planned is None else f"; the plan uses its firm nodes {use_words(planned)} of the time"
    if use.utilisation > 1:
        return f"{node} never beats {price}{told}"
    spread = f" ({use_words(use.low)} to {use_words(use.high)})" if use.high <= 1 else f" (from {use_words(use.low)})"
    return f"{node} beats {price} above {use_words(use.utilisation)} use{spread}{told}"
