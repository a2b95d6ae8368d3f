"""What of an estate can be struck, and how much of what is served rests on each of it.

Compiled once from estate, plan and world; strikes are resolved against it, trial after trial.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tripoint.domain.catalog import Catalog
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Store
from tripoint.domain.site import Site
from tripoint.domain.workload import Workload
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.resilience.capacity.carrying import FOREVER, Carrying, carrying_of, structure_of
from tripoint.engines.stress.copies.following import Following, carried_gb_per_s, followings_of
from tripoint.engines.stress.scenarios.leaning import Leaning, leaning_of
from tripoint.engines.stress.summary.asked import After, after_losses
from tripoint.engines.stress.world import World

_LEAST_URGENT = 6
"""One more than the lowest priority: a workload of priority 1 weighs five times one of priority 5."""

_DAILY_MINUTES = 24 * 60.0
"""Age of the copy kept apart where nobody says how often one is made: a nightly backup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StruckPool:
    """Nodes of one pool as the plan has them in the period tried."""

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
class Kept:
    """Data that can be lost, and what brings it back."""

    id: str
    """Dataset or store id."""
    workloads: tuple[str, ...]
    """Who needs it back."""
    restore_s: float
    """How long a restore from the copy kept apart takes, s."""
    age_minutes: float
    """How old that copy may be, minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Everything strikes can be resolved against."""

    estate: Estate
    """As declared."""
    sites: tuple[Site, ...]
    """Sites that serve something in the plan, or that something served needs, in the estate's order."""
    pools: tuple[StruckPool, ...]
    """Pools that serve something, in the plan's order."""
    kept: tuple[Kept, ...]
    """Datasets, and stores that are none, in the estate's order."""
    leaning: Mapping[str, tuple[Leaning, ...]]
    """Shared service (`keys`, `dns`, ...) or declared dependency -> who leans on it."""
    carrying: Carrying
    """What is lost with a thing because it needs it."""
    carried: Mapping[str, float]
    """Name of a thing -> what is served elsewhere and lost with it all the same, weighted as in `weight_by_site`."""
    weight_by_site: Mapping[str, float]
    """Site id -> what is served there: shares of workloads, each weighted by its priority."""
    weight_by_pool: Mapping[str, float]
    """The same by pool."""
    weight_by_link: Mapping[str, float]
    """The same by link: what callers ask over it."""
    homes: Mapping[tuple[str, str], float]
    """(Workload id, site id) -> share of the workload that is there in the period tried."""
    following: tuple[Following, ...]
    """Copies of data that follow behind what is written."""
    carried_gb_per_s: Mapping[str, float]
    """Link id -> what it carries, GB per second; links without a limit are left out."""
    spend_usd_per_period: float
    """Effective cost of the plan in its dearest period, USD."""
    obtainable: tuple[str, ...] = ()
    """Pools without a node, of which some may be rented after a loss."""
    after: Mapping[DisruptionClass, After] = field(default_factory=dict)
    """What is asked after losses of a class, where it is not what is usually asked."""


def ground_of(estate: Estate, catalog: Catalog, plan: Plan, world: World, *, period: int = 0) -> Ground:
    """The ground of an estate and one period of its plan, the one the world is of."""
    weights = {str(workload.id): _urgency(workload) for workload in estate.workloads}
    by_site: dict[str, float] = defaultdict(float)
    by_pool: dict[str, float] = defaultdict(float)
    homes: dict[tuple[str, str], float] = defaultdict(float)
    for row in plan.placements:
        if row.period == period and row.share > 0:
            part = row.share * plan.blocks[row.block].weight * weights.get(row.workload, 0.0)
            by_site[row.site] += part
            by_pool[row.pool] += part
            homes[row.workload, row.site] += row.share * plan.blocks[row.block].weight
    carrying = carrying_of(estate, _copies(estate, plan, period))
    carried = _carried(estate, carrying, weights, homes)
    return Ground(
        estate=estate,
        sites=tuple(site for site in estate.sites if by_site.get(site.id, 0.0) > 0 or site.id in carried),
        pools=_pools(plan, by_pool, period),
        kept=_kept(estate, default_figure(catalog, estate.assumptions, "recovery.restore_gb_per_s").value),
        leaning=leaning_of(estate, carrying),
        carrying=carrying,
        carried=carried,
        weight_by_site=dict(by_site),
        weight_by_pool=dict(by_pool),
        weight_by_link=_weight_by_link(world, plan, weights, period),
        homes=dict(homes),
        following=followings_of(estate, catalog, plan, period=period),
        carried_gb_per_s=carried_gb_per_s(estate),
        spend_usd_per_period=_dearest(plan),
        obtainable=tuple(
            dict.fromkeys(each.pool for each in (world.wide or world).places if each.is_cold and each.kept_nodes > 0.0)
        ),
        after=after_losses(estate, catalog, world.demanded, homes),
    )


def _copies(estate: Estate, plan: Plan, period: int) -> dict[str, tuple[str, ...]]:
    """Dataset -> sites with a copy in the period; as declared where the plan says nothing."""
    found = {str(each.id): tuple(map(str, each.copies)) for each in estate.datasets}
    planned: dict[str, tuple[str, ...]] = {}
    for copy in plan.copies:
        if copy.from_period <= period <= copy.to_period:
            planned[copy.dataset] = (*planned.get(copy.dataset, ()), copy.site)
    return {name: sites for name, sites in (found | planned).items() if sites}


def _carried(
    estate: Estate, carrying: Carrying, weights: Mapping[str, float], homes: Mapping[tuple[str, str], float]
) -> dict[str, float]:
    """What each thing takes along beside what is served in it, of things that take anything along."""
    found: dict[str, float] = {}
    structure = structure_of(estate)
    for name in carrying.needing:
        within = structure.away({name: (FOREVER,)})
        along = carrying.away({name: (FOREVER,)}).keys() - within.keys()
        more = math.fsum(
            weights.get(workload, 0.0) * share
            for (workload, site), share in (homes.items() if along else ())
            if site not in within and (workload in along or site in along)
        )
        if more > 0.0:
            found[name] = more
    return found


def _dearest(plan: Plan) -> float:
    spent: dict[int, list[float]] = defaultdict(list)
    for row in plan.charges:
        spent[row.period].append(row.effective_usd)
    return max((math.fsum(rows) for rows in spent.values()), default=0.0)


def _kept(estate: Estate, usual_gb_per_s: float) -> tuple[Kept, ...]:
    """Every dataset with what its store says of it, and the stores that keep something else."""
    stores = {store.dataset: store for store in estate.recovery.stores if store.dataset is not None}
    found: list[Kept] = []
    for dataset in estate.datasets:
        store = stores.get(dataset.id)
        users = [each.id for each in estate.workloads if dataset.id in _uses(each)]
        found.append(_one(dataset.id, store, users, dataset.size_gb, usual_gb_per_s))
    for store in estate.recovery.stores:
        if store.dataset is None:
            found.append(_one(store.id, store, store.workloads, store.size_gb or 0.0, usual_gb_per_s))
    return tuple(found)


def _one(name: str, store: Store | None, users: Sequence[str], gb: float, usual_gb_per_s: float) -> Kept:
    rate, age, needing = usual_gb_per_s, _DAILY_MINUTES, users
    if store is not None:
        rate = store.restore_gb_per_s or rate
        age = store.snapshot_every_minutes if store.snapshot_every_minutes is not None else age
        gb = store.size_gb if store.size_gb is not None else gb
        needing = tuple(store.workloads) or users
    return Kept(id=name, workloads=tuple(needing), restore_s=gb / rate, age_minutes=age)


def _uses(workload: Workload) -> tuple[str, ...]:
    return tuple(use.dataset for use in (*workload.reads, *workload.writes))


def _urgency(workload: Workload) -> float:
    return float(_LEAST_URGENT - workload.priority)


def _pools(plan: Plan, used: Mapping[str, float], period: int) -> tuple[StruckPool, ...]:
    found: dict[str, StruckPool] = {}
    for row in plan.placements:
        if row.period == period and row.share > 0 and row.lane == "api":
            found.setdefault(row.pool, _pool(row.pool, row.site, 0, (0.0, 0.0, 0.0)))
    for state in plan.pools:
        rented = state.on_demand + state.spot
        if state.period != period or state.pool not in used:
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


def _weight_by_link(world: World, plan: Plan, weights: Mapping[str, float], period: int) -> dict[str, float]:
    """What crosses each link: callers' shares to the sites that serve them."""
    at: dict[tuple[str, str], float] = defaultdict(float)
    for row in plan.placements:
        if row.period == period:
            at[row.workload, row.site] += row.share * plan.blocks[row.block].weight
    found: dict[str, float] = defaultdict(float)
    for asked in world.demanded:
        for caller in asked.callers:
            for site, links in caller.links.items():
                for link in links:
                    found[link] += weights.get(asked.workload, 0.0) * caller.share * at[asked.workload, site]
    return dict(found)
