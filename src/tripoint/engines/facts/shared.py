"""What do sites and links share, and by which name is each thing known?

A node of the dependency graph is called `kind:name`. Names are those an estate uses anyway; the feeds of a site are
`site/1`, `site/2` and so on, so that something below both can be said.
"""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.dependency import ALL, DependencyKind
from tripoint.domain.estate import Estate
from tripoint.domain.site import Layer, Redundancy, Site, SiteKind
from tripoint.engines.facts.places import provider_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """Everything an estate can lean on or that can lean on something, by its name."""

    shared: dict[str, str]
    """Name -> node id, of what can be leaned on; declared dependencies are among them."""
    workloads: dict[str, str]
    """Workload id -> node id."""
    groups: dict[str, tuple[str, ...]]
    """Layer, kind of site or `all` -> node ids of its sites or of every workload."""

    def needing(self, name: str) -> tuple[str, ...]:
        """Nodes `name` stands for where things that need are listed; empty when it stands for none."""
        if name in self.groups:
            return self.groups[name]
        found = self.shared.get(name) or self.workloads.get(name)
        return (found,) if found else ()

    @property
    def leaned_on(self) -> tuple[str, ...]:
        """Names `needs` may use."""
        return tuple(self.shared)

    @property
    def leaning(self) -> tuple[str, ...]:
        """Names `needed_by` may use."""
        return tuple(dict.fromkeys((*self.shared, *self.workloads, *self.groups)))


def node_id(kind: DependencyKind, name: str) -> str:
    """Id of a thing in the graph of dependencies, `kind:name`."""
    return f"{kind.value}:{name}"


def workload_id(name: str) -> str:
    """Id of a workload in that graph."""
    return f"workload:{name}"


def derived_things(estate: Estate) -> dict[str, str]:
    """Name -> node id of what the estate shows without `dependencies`; the first of a name counts."""
    found: dict[str, str] = {}

    def add(kind: DependencyKind, *names: str) -> None:
        for name in names:
            found.setdefault(name, node_id(kind, name))

    add(DependencyKind.SITE, *(site.id for site in estate.sites))
    add(DependencyKind.LINK, *(link.id for link in estate.links))
    add(DependencyKind.DATASET, *(dataset.id for dataset in estate.datasets))
    for site in estate.sites:
        add(DependencyKind.DOMAIN, *site.failure_domains)
        add(DependencyKind.FEED, *feeds_of(site)[0])
        add(DependencyKind.API, *site.apis)
        add(DependencyKind.NODE, *(f"{site.id}/{pool.node_type}" for pool in site.pools or ()))
        if site.kind.is_rented:
            add(DependencyKind.PROVIDER, provider_of(site))
            add(DependencyKind.REGION, *region_names(site))
    for link in estate.links:
        add(DependencyKind.CONDUIT, *link.conduits)
    return found


def derived_needs(estate: Estate) -> dict[str, tuple[str, ...]]:
    """Node id -> nodes it leans on, as the estate shows without `dependencies`; feeds back each other up."""
    found: dict[str, tuple[str, ...]] = {}
    for site in estate.sites:
        below = [node_id(DependencyKind.DOMAIN, name) for name in site.failure_domains]
        below += [node_id(DependencyKind.FEED, name) for name in feeds_of(site)[0]]
        if site.kind.is_rented:
            provider = node_id(DependencyKind.PROVIDER, provider_of(site))
            regions = tuple(node_id(DependencyKind.REGION, name) for name in region_names(site))
            found.update(dict.fromkeys(regions, (provider,)))
            below += regions or (provider,)
        found[node_id(DependencyKind.SITE, site.id)] = tuple(below)
    for link in estate.links:
        found[node_id(DependencyKind.LINK, link.id)] = tuple(
            node_id(DependencyKind.CONDUIT, name) for name in link.conduits
        )
    return found


def things_of(estate: Estate) -> Things:
    """Everything that can be named in `dependencies`."""
    shared = derived_things(estate)
    for each in estate.dependencies:
        shared[each.id] = node_id(each.kind, each.id)
    groups: dict[str, tuple[str, ...]] = {ALL: tuple(workload_id(each.id) for each in estate.workloads)}
    for group in (*SiteKind, *Layer):
        members = [site for site in estate.sites if group in (site.kind, site.kind.layer)]
        groups[group.value] = tuple(node_id(DependencyKind.SITE, site.id) for site in members)
    return Things(
        shared=shared,
        workloads={str(each.id): workload_id(each.id) for each in estate.workloads},
        groups=groups,
    )


def feeds_of(site: Site) -> tuple[tuple[str, ...], int]:
    """Names of a site's feeds, and how many of them must carry load; none at rented sites."""
    if site.power is None or site.kind.is_rented:
        return (), 0
    count, least = 1, 1
    if site.power.feeds is Redundancy.TWO_N:
        count = max(site.power.feed_count, 2)
        least = (count + 1) // 2
    elif site.power.feeds is Redundancy.N_PLUS_1:
        count = max(site.power.feed_count, 2)
        least = count - 1
    return tuple(f"{site.id}/{number + 1}" for number in range(count)), least


def region_names(site: Site) -> tuple[str, ...]:
    """`provider:region` of a rented site, when it says which."""
    return (f"{provider_of(site)}:{site.region.strip().lower()}",) if site.region else ()
