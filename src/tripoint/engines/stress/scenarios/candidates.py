"""Which things of an estate a strike may hit, each with what rests on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from tripoint.domain.scenario import Strike
from tripoint.domain.site import Site, SiteKind
from tripoint.engines.stress.scenarios.ground import Ground, StruckPool
from tripoint.engines.stress.scenarios.leaning import OUTRIGHT, SHARED

PRICES = ("spot", "on_demand", "token", "egress", "energy")
"""Prices a strike may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing, or several that are hit together."""

    ids: tuple[str, ...]
    """What a fault names."""
    weight: float
    """What is served there, for choosing the worst."""
    part: float = 1.0
    """Share of the capacity of `ids` a strike concerns: the spot nodes of a pool that has others too."""
    nodes: float = 0.0
    """Nodes, where single ones are struck."""
    gpus_per_node: int = 1
    """Accelerators per node, where single ones are struck."""
    grace_minutes: float = 0.0
    """How long it goes on before a strike is felt."""
    age_minutes: float = 0.0
    """Data: how old the copy that survives may be."""
    named: tuple[str, ...] = ()
    """What is away with all of `ids`, as `needs` may call it: the failure domain, the provider, the service."""
    carried: float = 0.0
    """What is served elsewhere and lost with it, because it needs it."""


_Find = Callable[[Ground, str], tuple[Target, ...]]


def targets_of(ground: Ground, on: str) -> tuple[Target, ...]:
    """What `Strike.hits` may hit here, in the estate's order; nothing where the estate has no such thing."""
    sort, _, which = on.partition(":")
    find = _FINDERS.get(sort)
    found = find(ground, which) if find is not None else ()
    return found or _by_id(ground, on)


def targets_for(ground: Ground, strike: Strike) -> tuple[Target, ...]:
    """The same as a strike weighs them: what takes others along counts with them, where it is lost outright."""
    found = targets_of(ground, strike.hits)
    if strike.kind in OUTRIGHT:
        return tuple(replace(each, weight=each.weight + each.carried) if each.carried else each for each in found)
    return tuple(each for each in found if each.weight > 0.0 or not each.carried)


def is_known(on: str) -> bool:
    """Whether it names a sort of thing, in any estate."""
    sort, _, which = on.partition(":")
    if sort not in _FINDERS:
        return False
    return not which or sort in _OPEN or which in _NARROWED.get(sort, ())


def sorts() -> tuple[str, ...]:
    """Everything `on` may name beside the ids of an estate, as it is written."""
    return tuple(
        name for sort in _FINDERS for name in (sort, *(f"{sort}:{which}" for which in _NARROWED.get(sort, ())))
    )


def shadowed(ground: Ground, on: str) -> str:
    """The site that is called as what a strike names instead: a kind, a layer or a sort of thing; empty without one."""
    sort, _, which = on.partition(":")
    name = which or sort
    if not is_known(on) or (which and sort != "site") or all(site.id != name for site in ground.estate.sites):
        return ""
    meant = {name for target in targets_of(ground, on) for name in target.ids}
    return name if meant != {name} else ""


def declared_ids(ground: Ground) -> tuple[str, ...]:
    """Names a strike may use, whether the plan uses what they name or not: sites, pools, links, workloads, data, what
    is declared under `dependencies`, and what sites and links share.
    """
    estate = ground.estate
    found: list[str] = [str(site.id) for site in estate.sites]
    for site in estate.sites:
        found += [f"{site.id}/{name}" for name in (*(pool.node_type for pool in site.pools or ()), *site.apis)]
    found += [str(link.id) for link in estate.links] + [str(each.id) for each in estate.workloads]
    found += [*(pool.id for pool in ground.pools), *(each.id for each in ground.kept)]
    found += [each.id for each in estate.dependencies]
    found += [name for link in estate.links for name in link.conduits]
    found += [name for site in estate.sites for name in (*site.failure_domains, site.provider)]
    return tuple(dict.fromkeys(found))


def names_of(ground: Ground, sort: str) -> tuple[str, ...]:
    """Names of the estate's own that narrow a sort of thing; none where they are not the estate's."""
    estate = ground.estate
    names: Mapping[str, Iterable[str]] = {
        "provider": (site.provider for site in ground.sites if site.kind.is_rented),
        "region": (site.region or "" for site in ground.sites),
        "domain": (name for site in ground.sites for name in site.failure_domains),
        "link": (str(link.id) for link in estate.links),
        "conduit": (name for link in estate.links for name in link.conduits),
        "dataset": (each.id for each in ground.kept),
        "id": declared_ids(ground),
        "labelled": (name for each in estate.workloads for name in (*each.regimes, each.classification)),
    }
    return tuple(dict.fromkeys(name for name in names.get(sort, ()) if name))


def _sites(ground: Ground, which: str) -> tuple[Target, ...]:
    return tuple(_site(ground, site) for site in ground.sites if not which or which in _traits(site))


def _traits(site: Site) -> tuple[str, ...]:
    return (str(site.kind), str(site.kind.layer), "rented" if site.kind.is_rented else "own")


def _site(ground: Ground, site: Site) -> Target:
    """A site; of several alike one is lost, a part of their capacity."""
    weight = ground.weight_by_site.get(site.id, 0.0) / site.count
    carried = ground.carried.get(site.id, 0.0) if site.count == 1 else 0.0
    return Target(ids=(site.id,), weight=weight, part=1.0 / site.count, carried=carried)


def _together(ground: Ground, names: Mapping[str, list[Site]]) -> tuple[Target, ...]:
    return tuple(
        Target(
            ids=tuple(site.id for site in sites),
            weight=sum(ground.weight_by_site.get(site.id, 0.0) for site in sites),
            named=tuple(dict.fromkeys((name, name.lower()))),
            carried=_carried(ground, name),
        )
        for name, sites in names.items()
    )


def _carried(ground: Ground, name: str) -> float:
    """What a thing takes along; providers and regions are named in small letters there."""
    return ground.carried.get(name, ground.carried.get(name.lower(), 0.0))


def _grouped(sites: Iterable[Site], names_of: Callable[[Site], Iterable[str]]) -> dict[str, list[Site]]:
    groups: dict[str, list[Site]] = {}
    for site in sites:
        for name in names_of(site):
            groups.setdefault(name, []).append(site)
    return groups


def _providers(ground: Ground, which: str) -> tuple[Target, ...]:
    rented = [site for site in ground.sites if site.kind.is_rented and which in ("", site.provider)]
    return _together(ground, _grouped(rented, lambda site: (site.provider,)))


def _regions(ground: Ground, which: str) -> tuple[Target, ...]:
    rented = [site for site in ground.sites if site.region and which in ("", site.region)]
    return _together(ground, _grouped(rented, lambda site: (f"{site.provider}:{site.region}",)))


def _domains(ground: Ground, which: str) -> tuple[Target, ...]:
    """Failure domains; a site of one's own that declares none is a domain of its own."""
    groups = _grouped(ground.sites, lambda site: site.failure_domains)
    shared = _together(ground, {name: sites for name, sites in groups.items() if which in ("", name)})
    alone = [site for site in ground.sites if not site.failure_domains and not site.kind.is_rented and not which]
    return (*shared, *(_site(ground, site) for site in alone))


def _links(ground: Ground, which: str) -> tuple[Target, ...]:
    return tuple(
        Target(ids=(link.id,), weight=ground.weight_by_link.get(link.id, 0.0), carried=_carried(ground, link.id))
        for link in ground.estate.links
        if which in ("", link.id)
    )


def _conduits(ground: Ground, which: str) -> tuple[Target, ...]:
    groups: dict[str, list[str]] = {}
    for link in ground.estate.links:
        for name in link.conduits:
            groups.setdefault(name, []).append(link.id)
    return tuple(
        Target(
            ids=tuple(links),
            weight=sum(ground.weight_by_link.get(link, 0.0) for link in links),
            named=(name,),
            carried=_carried(ground, name),
        )
        for name, links in groups.items()
        if which in ("", name)
    )


def _pools(ground: Ground, which: str) -> tuple[Target, ...]:
    if which == "api":
        return tuple(_pool(ground, pool, 1.0) for pool in ground.pools if pool.nodes <= 0)
    if which == "spot":
        return tuple(_spot(ground, pool) for pool in ground.pools if pool.spot > 0.0)
    used = tuple(
        _pool(ground, pool, _concerned(pool, which) / pool.nodes if pool.nodes > 0 else 1.0)
        for pool in ground.pools
        if _concerned(pool, which) > 0 or not which
    )
    if which != "elastic":
        return used
    names = [pool.id for pool in ground.pools]
    return (*used, *(Target(ids=(name,), weight=0.0) for name in ground.obtainable if name not in names))


def _spot(ground: Ground, pool: StruckPool) -> Target:
    """The spot nodes of a pool alone: those beside them are left."""
    weight = ground.weight_by_pool.get(pool.id, 0.0) * min(1.0, pool.spot / max(pool.nodes, pool.spot))
    return Target(ids=(f"{pool.id}:spot",), weight=weight)


def _concerned(pool: StruckPool, which: str) -> float:
    """Nodes of a pool that are meant: those rented on demand of `elastic`, else all."""
    return pool.elastic if which == "elastic" else pool.nodes


def _pool(ground: Ground, pool: StruckPool, part: float) -> Target:
    return Target(ids=(pool.id,), weight=ground.weight_by_pool.get(pool.id, 0.0) * part, part=part)


def _nodes(ground: Ground, which: str) -> tuple[Target, ...]:
    """Pools whose single nodes are struck; the worst is where one node carries most."""
    return tuple(
        Target(
            ids=(pool.id,),
            weight=ground.weight_by_pool.get(pool.id, 0.0) / max(1.0, pool.nodes),
            nodes=pool.nodes,
            gpus_per_node=max(1, pool.gpus_per_node) if which else 1,
        )
        for pool in ground.pools
        if pool.nodes > 0
    )


def _accelerators(ground: Ground, which: str) -> tuple[Target, ...]:
    del which
    return _nodes(ground, "accelerator")


def _workloads(ground: Ground, which: str) -> tuple[Target, ...]:
    chosen = [workload for workload in ground.estate.workloads if which in ("", str(workload.kind))]
    return tuple(Target(ids=(workload.id,), weight=6.0 - workload.priority) for workload in chosen)


def _datasets(ground: Ground, which: str) -> tuple[Target, ...]:
    """Data that can be lost, with those who need it, by how urgent they are."""
    priority = {str(workload.id): workload.priority for workload in ground.estate.workloads}
    return tuple(
        Target(
            ids=(each.id, *each.workloads),
            weight=sum(6.0 - priority.get(workload, 5) for workload in each.workloads),
            age_minutes=each.age_minutes,
        )
        for each in ground.kept
        if which in ("", each.id)
    )


_UNREGULATED = ("internal", "public")


def _labelled(ground: Ground, which: str) -> tuple[Target, ...]:
    """Work that carries one label, and the sites of one country it is at: what a change of law takes apart."""
    found: list[Target] = []
    labels = dict.fromkeys(label for each in ground.estate.workloads for label in (*each.regimes, each.classification))
    for label in labels:
        if label != which and (which or label in _UNREGULATED):
            continue
        work = [str(each.id) for each in ground.estate.workloads if label in (each.classification, *each.regimes)]
        share = {site.id: sum(ground.homes.get((name, site.id), 0.0) for name in work) for site in ground.sites}
        countries = _grouped((site for site in ground.sites if share[site.id] > 0.0), lambda site: (_country(site),))
        for sites in countries.values():
            ids = (*work, *(str(site.id) for site in sites))
            found.append(Target(ids=ids, weight=sum(share[site.id] for site in sites)))
    return tuple(found)


def _country(site: Site) -> str:
    return site.country or f"{site.provider}:{site.region}"


def _dependants(ground: Ground, which: str) -> tuple[Target, ...]:
    return tuple(
        Target(
            ids=each.at_once or (each.id,),
            named=(each.id,),
            weight=sum(ground.weight_by_site.get(site, 0.0) for site in each.sites) + len(each.workloads),
            grace_minutes=each.grace_minutes,
        )
        for each in ground.leaning.get(which, ())
        if each.sites or each.workloads
    )


def _named(ground: Ground, which: str) -> tuple[Target, ...]:
    """Services and prices are named, not looked up."""
    del ground
    return (Target(ids=(which,), weight=1.0),)


def _people(ground: Ground, which: str) -> tuple[Target, ...]:
    del ground, which
    return (Target(ids=("people",), weight=1.0),)


def _by_id(ground: Ground, name: str) -> tuple[Target, ...]:
    """One thing of the estate by its name; the first sort that has it counts."""
    for find in (_sites, _pools, _links, _workloads, _datasets):
        found = tuple(target for target in find(ground, "") if target.ids[0] == name)
        if found:
            return found
    if not name:
        return ()
    named = (find(ground, name) for find in (_dependants, _domains, _conduits, _providers))
    return next((found for found in named if found), ())


_FINDERS: Mapping[str, _Find] = MappingProxyType(
    {
        "site": _sites,
        "provider": _providers,
        "region": _regions,
        "domain": _domains,
        "link": _links,
        "conduit": _conduits,
        "pool": _pools,
        "node": _nodes,
        "accelerator": _accelerators,
        "workload": _workloads,
        "dataset": _datasets,
        "labelled": _labelled,
        "dependants": _dependants,
        "service": _named,
        "price": _named,
        "people": _people,
        "id": _by_id,
    }
)
_OPEN = ("provider", "region", "domain", "link", "conduit", "dataset", "labelled", "id")
"""Sorts narrowed by a name of the estate's own."""
_NARROWED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "site": (*(str(kind) for kind in SiteKind), "public", "dense", "rented", "own"),
        "pool": ("spot", "elastic", "api"),
        "workload": ("inference", "batch_inference", "embedding", "training", "fine_tuning"),
        "dependants": SHARED,
        "service": SHARED,
        "price": PRICES,
    }
)
