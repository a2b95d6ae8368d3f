"""What of an estate can be struck, and how much of what is served rests on each of it.

Compiled once from estate, plan and world; strikes are resolved against it, trial after trial.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.site import Site
from tripoint.domain.workload import Workload
from tripoint.engines.stress.scenarios.leaning import Leaning, leaning_of
from tripoint.engines.stress.world import World

_LEAST_URGENT = 6
"""One more than the lowest priority: a workload of priority 1 weighs five times one of priority 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StruckPool:
    """Nodes of one pool as the plan has them in its first period."""

    id: str
    """`site/node_type`, or `site/api-model`."""
    site: str
    """Site id."""
    nodes: float
    """Most nodes in service; 0 for a token API."""
    spot: float
    """Most spot nodes among them."""
    elastic: float
    """Most nodes rented without commitment, spot included."""
    gpus_per_node: int
    """Accelerators per node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Everything strikes can be resolved against."""

    estate: Estate
    """As declared."""
    sites: tuple[Site, ...]
    """Sites that serve something in the plan, in the estate's order."""
    pools: tuple[StruckPool, ...]
    """Pools that serve something, in the plan's order."""
    leaning: Mapping[str, tuple[Leaning, ...]]
    """Shared service (`keys`, `dns`, ...) -> who leans on it, as declared."""
    weight_by_site: Mapping[str, float]
    """Site id -> what is served there: shares of workloads, each weighted by its priority."""
    weight_by_pool: Mapping[str, float]
    """The same by pool."""
    weight_by_link: Mapping[str, float]
    """The same by link: what callers ask over it."""
    homes: Mapping[str, tuple[str, ...]]
    """Workload id -> sites it is at in the first period."""
    spend_usd_per_period: float
    """Mean effective cost of the plan per period, USD."""


def ground_of(estate: Estate, plan: Plan, world: World) -> Ground:
    """The ground of an estate and its plan."""
    weights = {str(workload.id): _urgency(workload) for workload in estate.workloads}
    by_site: dict[str, float] = defaultdict(float)
    by_pool: dict[str, float] = defaultdict(float)
    homes: dict[str, dict[str, None]] = defaultdict(dict)
    for row in plan.placements:
        if row.period == 0 and row.share > 0:
            part = row.share * plan.blocks[row.block].weight * weights.get(row.workload, 0.0)
            by_site[row.site] += part
            by_pool[row.pool] += part
            homes[row.workload][row.site] = None
    return Ground(
        estate=estate,
        sites=tuple(site for site in estate.sites if by_site.get(site.id, 0.0) > 0),
        pools=_pools(plan, by_pool),
        leaning=leaning_of(estate),
        weight_by_site=dict(by_site),
        weight_by_pool=dict(by_pool),
        weight_by_link=_weight_by_link(world, plan, weights),
        homes={workload: tuple(sites) for workload, sites in homes.items()},
        spend_usd_per_period=sum(row.effective_usd for row in plan.charges) / max(1, len(plan.periods)),
    )


def _urgency(workload: Workload) -> float:
    return float(_LEAST_URGENT - workload.priority)


def _pools(plan: Plan, used: Mapping[str, float]) -> tuple[StruckPool, ...]:
    found: dict[str, StruckPool] = {}
    for row in plan.placements:
        if row.period == 0 and row.share > 0 and row.lane == "api":
            found.setdefault(row.pool, _pool(row.pool, row.site, 0, (0.0, 0.0, 0.0)))
    for state in plan.pools:
        rented = state.on_demand + state.spot
        if state.period != 0 or state.pool not in used:
            continue
        before = found.get(state.pool) or _pool(state.pool, state.site, state.gpus_per_node, (0.0, 0.0, 0.0))
        most = (
            max(before.nodes, state.owned + state.committed + rented),
            max(before.spot, state.spot),
            max(before.elastic, rented),
        )
        found[state.pool] = _pool(state.pool, state.site, state.gpus_per_node, most)
    return tuple(found.values())


def _pool(name: str, site: str, gpus: int, nodes: tuple[float, float, float]) -> StruckPool:
    whole, spot, elastic = nodes
    return StruckPool(id=name, site=site, nodes=whole, spot=spot, elastic=elastic, gpus_per_node=gpus)


def _weight_by_link(world: World, plan: Plan, weights: Mapping[str, float]) -> dict[str, float]:
    """What crosses each link: callers' shares to the sites that serve them."""
    at: dict[tuple[str, str], float] = defaultdict(float)
    for row in plan.placements:
        if row.period == 0:
            at[row.workload, row.site] += row.share * plan.blocks[row.block].weight
    found: dict[str, float] = defaultdict(float)
    for asked in world.demanded:
        for caller in asked.callers:
            for site, links in caller.links.items():
                for link in links:
                    found[link] += weights.get(asked.workload, 0.0) * caller.share * at[asked.workload, site]
    return dict(found)
