"""The whole graph: the ground, what is declared, and on top one node per workload.

A workload is up while the places that are up can take the least share of its demand, while callers with that share
can reach one of them, while each dataset it reads has a copy, and while all it was declared to need works.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.dependency import Dependency, DependencyKind
from tripoint.domain.estate import Estate
from tripoint.engines.facts.shared import Things, node_id, things_of, workload_id
from tripoint.engines.resilience.cuts.derive.draft import Derived, Draft
from tripoint.engines.resilience.cuts.derive.ground import REST, add_api, add_copies, add_servers, lay_ground
from tripoint.engines.resilience.cuts.derive.rates import Rates
from tripoint.engines.resilience.cuts.derive.routes import Roads, roads_of
from tripoint.engines.resilience.cuts.derive.served import Seat, Served
from tripoint.engines.resilience.cuts.graph import Gate, at_least

PARTS = 10_000
"""Shares are counted in ten-thousandths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A workload as the graph asks about it."""

    served: Served
    """Where it is served."""
    least_share: float
    """Share of its demand below which it counts as down."""


def derive(
    estate: Estate, catalog: Catalog, wanted: Sequence[Wanted], copies: Mapping[str, tuple[str, ...]]
) -> Derived:
    """The dependency graph; its tops are the workloads in the order of `wanted`, `copies` are sites per dataset."""
    draft, rates, things = Draft(), Rates(estate, catalog), things_of(estate)
    lay_ground(draft, rates)
    roads = roads_of(estate)
    for dataset, sites in copies.items():
        add_copies(draft, rates, dataset, sites)
    for name, node in things.shared.items():
        kind, _, _ = node.partition(":")
        if kind == DependencyKind.API and any(name in _named(each) for each in estate.dependencies):
            add_api(draft, rates, name)
    for each in estate.dependencies:
        if not each.kind.is_derived:
            own = rates.member(each.kind, each.id, f"{each.kind.value} {each.id}")
            draft.single(own.id, own)
    for want in wanted:
        draft.tops.append(draft.single(workload_id(want.served.workload.id)))
        _workload(draft, rates, roads, want)
    _declared(draft, rates, things)
    return draft.finished()


def _workload(draft: Draft, rates: Rates, roads: Roads, want: Wanted) -> None:
    top = draft.tops[-1]
    workload = want.served.workload
    seats = [(seat, list(_seat(draft, rates, seat, workload.id))) for seat in want.served.seats]
    weights = [(part, weight) for _, parts in seats for part, weight in parts if weight > 0]
    least = max(1, round(want.least_share * PARTS) - len(weights))
    # What the plan itself does not serve cannot be lost.
    most = sum(weight for _, weight in weights)
    gate = Gate(tuple(part for part, _ in weights), tuple(weight for _, weight in weights), min(least, most))
    draft.need_share(top, gate)
    _reach(draft, roads, want, [(seat, [part for part, _ in parts]) for seat, parts in seats])
    for use in workload.reads:
        draft.need_all(top, draft.instances.get(node_id(DependencyKind.DATASET, use.dataset), []))


def _seat(draft: Draft, rates: Rates, seat: Seat, workload: str) -> Iterator[tuple[int, int]]:
    """Nodes of the graph that carry a seat, each with its weight: copies of its site, or servers of its pool."""
    places = draft.instances[node_id(DependencyKind.SITE, seat.site)]
    count = draft.counts[seat.site]
    if seat.nodes and count == 1:
        servers = add_servers(draft, rates, seat.pool, seat.nodes, places[0])
        yield from zip(servers, _split(seat.share, seat.nodes, len(servers)), strict=True)
        return
    for number, (place, weight) in enumerate(zip(places, _split(seat.share, count, len(places)), strict=True)):
        if not seat.api:
            yield place, weight
            continue
        part = draft.node(f"seat:{workload}@{seat.site}/{seat.api}/{number}")
        draft.need_all(part, [place, add_api(draft, rates, seat.api)])
        yield part, weight


def _split(share: float, count: int, parts: int) -> list[int]:
    """Weights of the first, the second and the rest of `count` alike."""
    return [round(share * PARTS * (1 if part < REST else count - REST) / count) for part in range(parts)]


def _reach(draft: Draft, roads: Roads, want: Wanted, seats: list[tuple[Seat, list[int]]]) -> None:
    """Callers behind declared links need one of the places over one of the ways there."""
    top = draft.tops[-1]
    workload = want.served.workload
    ways: list[int] = []
    weights: list[int] = []
    beyond = 0
    for caller in workload.callers:
        weight = round(caller.share * PARTS)
        reached: list[int] = []
        is_open = False
        for seat, places in seats:
            found = roads.ways(caller.place, seat.site)
            is_open = is_open or found is None or caller.place == seat.site
            for route in found or ():
                way = draft.node(f"way:{caller.place}>{seat.site}/{'+'.join(route)}")
                links = [draft.instances[node_id(DependencyKind.LINK, link)][0] for link in route]
                draft.need_all(way, links)
                draft.need(way, at_least(1, places))
                reached.append(way)
        if is_open or not reached:
            beyond += weight
            continue
        ways.append(draft.node(f"from:{caller.place}>{workload.id}"))
        draft.need(ways[-1], at_least(1, reached))
        weights.append(weight)
    if not ways:
        return
    ways.append(draft.node(f"from:internet>{workload.id}"))
    weights.append(beyond)
    least = round(want.least_share * PARTS) - len(weights)
    draft.need_share(top, Gate(tuple(ways), tuple(weights), min(least, sum(weights))))


def _declared(draft: Draft, rates: Rates, things: Things) -> None:
    """Needs of declared dependencies, and who needs them."""
    for each in rates.estate.dependencies:
        own = draft.instances.get(node_id(each.kind, each.id), [])
        for node in own:
            draft.need_all(node, [part for name in each.needs for part in _nodes(draft, things, name)])
            alternatives = [_whole(draft, things, name) for name in each.needs_any]
            draft.need(node, at_least(each.at_least, alternatives))
        for name in each.needed_by:
            for base in things.needing(name):
                for node in draft.instances.get(base, ()):
                    draft.need_all(node, own)


def _named(each: Dependency) -> tuple[str, ...]:
    return (each.id, *each.needs, *each.needs_any, *each.needed_by)


def _nodes(draft: Draft, things: Things, name: str) -> list[int]:
    return draft.instances.get(things.shared[name], [])


def _whole(draft: Draft, things: Things, name: str) -> int:
    """One node for a name, also where copies stand for it."""
    nodes = _nodes(draft, things, name)
    if len(nodes) == 1:
        return nodes[0]
    whole = draft.node(f"whole:{name}")
    draft.need_all(whole, nodes)
    return whole
