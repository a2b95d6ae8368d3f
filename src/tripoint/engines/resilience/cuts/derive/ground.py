"""What places and links stand on: feeds, failure domains, regions, providers, conduits, token APIs and data."""

from __future__ import annotations

from collections.abc import Iterable

from tripoint.domain.dependency import DependencyKind
from tripoint.domain.site import Site
from tripoint.engines.facts.places import provider_of
from tripoint.engines.facts.shared import feeds_of, node_id, region_names
from tripoint.engines.resilience.cuts.derive.draft import FIRST, SECOND, Copied, Draft
from tripoint.engines.resilience.cuts.derive.rates import Rates
from tripoint.engines.resilience.cuts.graph import at_least

REST = 2
"""Copies that fail by themselves; those beyond only add their weight."""
_SITE = DependencyKind.SITE


def lay_ground(draft: Draft, rates: Rates) -> None:
    """Nodes of everything the estate shows by itself, workloads left out."""
    for site in rates.estate.sites:
        shared = _shared(draft, rates, site)
        for node in _copies(draft, rates, site):
            draft.need_all(node, shared)
    for link in rates.estate.links:
        member = rates.member(DependencyKind.LINK, link.id, f"link {link.id}")
        node = draft.single(member.id, member)
        draft.need_all(node, [_plain(draft, rates, DependencyKind.CONDUIT, name) for name in link.conduits])


def add_copies(draft: Draft, rates: Rates, dataset: str, sites: Iterable[str]) -> int:
    """The node of a dataset that is there while any site with a copy is."""
    member = rates.member(DependencyKind.DATASET, dataset, f"dataset {dataset}")
    node = draft.single(member.id, member)
    places = [part for site in sites for part in draft.instances.get(node_id(_SITE, site), ())]
    if not draft.gates[node]:
        draft.need(node, at_least(1, places))
    return node


def add_api(draft: Draft, rates: Rates, api: str) -> int:
    """The node of a token-priced API model."""
    member = rates.member(DependencyKind.API, api, f"API {api}")
    return draft.single(member.id, member)


def add_servers(draft: Draft, rates: Rates, pool: str, count: int, place: int) -> list[int]:
    """The servers of a pool at one place: the first, the second, and the rest of many."""
    name = node_id(DependencyKind.NODE, pool)
    if name not in draft.instances:
        text = f"one of {count} {pool}" if count > 1 else f"node {pool}"
        member = rates.member(DependencyKind.NODE, pool, text, count=count)
        nodes = [draft.node(f"{name}#{copy}", member) for copy in (FIRST, SECOND)[: min(count, REST)]]
        if count > 1:
            draft.copied |= {
                node: Copied(entry=name, copy=copy, count=count)
                for node, copy in zip(nodes, (FIRST, SECOND), strict=False)
            }
        if count > REST:
            nodes.append(draft.node(f"{name}#rest"))
        for node in nodes:
            draft.need_all(node, [place])
        draft.instances[name] = nodes
    return draft.instances[name]


def _copies(draft: Draft, rates: Rates, site: Site) -> list[int]:
    """One node per copy that can fail, and one for the rest of many."""
    name = node_id(_SITE, site.id)
    nodes: list[int] = []
    for copy in (FIRST, SECOND)[: min(site.count, REST)]:
        mark = f"#{copy}" if site.count > 1 else ""
        text = f"site {site.id}" if site.count == 1 else f"one of {site.count} sites {site.id}"
        member = rates.member(_SITE, site.id, text, site.kind.value, site.count)
        node = draft.node(name + mark, member)
        feeds = [_feed(draft, rates, feed, site, copy) for feed in feeds_of(site)[0]]
        draft.need(node, at_least(feeds_of(site)[1], feeds))
        if site.count > 1:
            draft.copied[node] = Copied(entry=site.id, copy=copy, count=site.count)
        nodes.append(node)
    if site.count > REST:
        nodes.append(draft.node(f"{name}#rest"))
    draft.instances[name] = nodes
    draft.counts[site.id] = site.count
    return nodes


def _feed(draft: Draft, rates: Rates, feed: str, site: Site, copy: int) -> int:
    name = node_id(DependencyKind.FEED, feed)
    number = feed.rpartition("/")[2]
    text = f"feed {number} of {site.id}" if site.count == 1 else f"feed {number} of one of {site.count} {site.id}"
    mark = f"#{copy}" if site.count > 1 else ""
    node = draft.node(name + mark, rates.member(DependencyKind.FEED, feed, text, count=site.count))
    draft.instances.setdefault(name, []).append(node)
    if site.count > 1:
        draft.copied[node] = Copied(entry=site.id, copy=copy, count=site.count)
    return node


def _shared(draft: Draft, rates: Rates, site: Site) -> list[int]:
    """What all copies of a site stand on."""
    found = [_plain(draft, rates, DependencyKind.DOMAIN, name) for name in site.failure_domains]
    if not site.kind.is_rented:
        return found
    provider = _plain(draft, rates, DependencyKind.PROVIDER, provider_of(site))
    regions = [_plain(draft, rates, DependencyKind.REGION, name) for name in region_names(site)]
    for region in regions:
        if not draft.gates[region]:
            draft.need_all(region, [provider])
    return [*found, *(regions or [provider])]


def _plain(draft: Draft, rates: Rates, kind: DependencyKind, name: str) -> int:
    member = rates.member(kind, name, f"{kind.value.replace('_', ' ')} {name}")
    return draft.single(member.id, member)
