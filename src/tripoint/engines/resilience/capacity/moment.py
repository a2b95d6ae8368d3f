"""Who runs where at one moment of a plan, what stands by, and which nodes are idle or can still be had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tripoint.domain.errors import OptionError
from tripoint.domain.plan import Plan
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.columns.coefficients import is_energy, nodes_per_share
from tripoint.engines.placement.instance.instance import Instance, Lane, LaneKind

_TINY = 1e-9


class Held(NamedTuple):
    """Part of a workload on a pool."""

    lane: int
    """Index into `instance.lanes`."""
    share: float
    """Part of what is asked."""
    nodes: float
    """Nodes it takes; 0 by the token."""


class Waiting(NamedTuple):
    """Capacity kept for a loss."""

    lane: int
    """Index into `instance.lanes`."""
    running: float
    """Part of what is asked that is up."""
    to_rent: float
    """Part of it that would have to be rented first."""
    mode: str
    """`hot`, `warm` or `cold`."""


class Moment(NamedTuple):
    """One period and block of a plan."""

    period: int
    """Period index."""
    block: int
    """Block index."""
    held: tuple[tuple[Held, ...], ...]
    """[workload] where it runs."""
    waiting: tuple[tuple[Waiting, ...], ...]
    """[workload] what stands by for it."""
    idle: Mapping[str, float]
    """Pool -> nodes that are paid and that nobody uses."""
    obtainable: Mapping[str, float]
    """Pool -> nodes that may still be rented on demand."""
    in_pool: Mapping[str, float]
    """Pool -> nodes in use."""


def moments(instance: Instance, plan: Plan, blocks: tuple[int, ...] = (0,)) -> Iterator[Moment]:
    """Every period of the plan at these blocks, the busiest first; raises `OptionError` for a plan of other places."""
    lanes = _lanes(instance)
    warm = default_figure(instance.catalog, instance.estate.assumptions, "standby.warm_fraction").value
    for period in instance.periods:
        for block in blocks:
            held = _held(instance, plan, lanes, (period, block))
            states = [row for row in plan.pools if (row.period, row.block) == (period, block)]
            had = {row.pool: row.owned + row.committed + row.on_demand + row.spot for row in states}
            yield Moment(
                period=period,
                block=block,
                held=held,
                waiting=_waiting(instance, plan, lanes, (period, block), warm),
                idle={
                    row.pool: max(0.0, row.owned + row.committed + row.on_demand - (row.used - row.spot))
                    for row in states
                },
                obtainable={
                    pool.spec.id: max(0.0, pool.max_nodes * pool.count - had.get(pool.spec.id, 0.0))
                    for pool in instance.pools
                    if pool.on_demand_hour
                },
                in_pool={row.pool: row.used for row in states},
            )


def share_nodes(instance: Instance, lane: Lane, period: int, block: int) -> float:
    """Nodes for the whole of what is asked; of energy kinds, their mean over the period."""
    if is_energy(instance.workload(lane)):
        return lane.fit.nodes_per_unit * instance.demand(lane).work[period] / instance.grid.period_hours
    return nodes_per_share(instance, lane, period, block)


def _lanes(instance: Instance) -> dict[tuple[str, str, str], int]:
    return {
        (str(instance.workload(lane).id), lane.fit.pool, lane.kind.value): number
        for number, lane in enumerate(instance.lanes)
    }


def _held(
    instance: Instance, plan: Plan, lanes: Mapping[tuple[str, str, str], int], when: tuple[int, int]
) -> tuple[tuple[Held, ...], ...]:
    """Shares of interactive workloads in the block; of the others over the whole period, as they may wait."""
    blocks = instance.grid.blocks
    numbers = {workload.id: n for n, workload in enumerate(instance.estate.workloads)}
    found: list[dict[int, Held]] = [{} for _ in instance.estate.workloads]
    for row in plan.placements:
        number = numbers.get(row.workload)  # type: ignore[call-overload]  # plans hold plain text
        lane = lanes.get((row.workload, row.pool, row.lane))
        if number is None or lane is None:
            raise OptionError(
                f"the plan runs `{row.workload}` on `{row.pool}`, which this estate does not allow",
                hint="plan the estate again, or name the estate the plan was made for",
            )
        energy = is_energy(instance.estate.workloads[number])
        if row.period != when[0] or (not energy and row.block != when[1]):
            continue
        weight = blocks[row.block].weight if energy else 1.0
        before = found[number].get(lane, Held(lane, 0.0, 0.0))
        found[number][lane] = Held(lane, before.share + row.share, before.nodes + row.nodes * weight)
    return tuple(tuple(rows.values()) for rows in found)


def _waiting(
    instance: Instance,
    plan: Plan,
    lanes: Mapping[tuple[str, str, str], int],
    when: tuple[int, int],
    warm: float,
) -> tuple[tuple[Waiting, ...], ...]:
    """Standby is a share of the period's peak: of a quieter block it is more."""
    numbers = {str(workload.id): n for n, workload in enumerate(instance.estate.workloads)}
    found: list[list[Waiting]] = [[] for _ in instance.estate.workloads]
    for row in plan.standby:
        if row.period != when[0] or row.workload not in numbers:
            continue
        number = numbers[row.workload]
        kinds = (LaneKind.FIRM.value, LaneKind.API.value)
        lane = next((lanes[row.workload, row.pool, k] for k in kinds if (row.workload, row.pool, k) in lanes), None)
        if lane is None:
            continue
        rates = instance.grid.workloads[number].peak_rate[row.period]
        share = row.share * (max(rates) / rates[when[1]] if rates[when[1]] > 0 else 1.0)
        pool = instance.lanes[lane].pool
        can_rent = pool is not None and bool(instance.pools[pool].on_demand_hour)
        part = 1.0 if row.mode == "hot" or not can_rent else warm if row.mode == "warm" else 0.0
        if row.nodes <= _TINY and pool is not None:
            part = 0.0
        found[number].append(Waiting(lane, share * part, share * (1.0 - part), row.mode))
    return tuple(tuple(rows) for rows in found)
