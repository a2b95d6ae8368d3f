"""What could one have to leave? Providers that are rented from, token APIs in use, and all that says how it is left."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

from tripoint.domain.dependency import Dependency, DependencyKind, Leaving, Surface
from tripoint.domain.plan import Plan
from tripoint.engines.facts.places import provider_of
from tripoint.engines.facts.shared import things_of
from tripoint.engines.placement.instance.instance import Instance, Lane, LaneKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One dependency that may have to be left."""

    kind: DependencyKind
    """What sort of thing."""
    name: str
    """Its name."""
    leaving: Leaving
    """What was declared about leaving it."""
    sites: frozenset[str]
    """Sites that go with it."""
    api: str
    """Token API that goes with it; empty for none."""
    workloads: tuple[str, ...]
    """Workloads that lean on it, in the estate's order."""

    def takes(self, instance: Instance, lane: Lane) -> bool:
        """True where a lane goes with it."""
        site = str(lane.fit.site)
        is_api = bool(self.api) and lane.kind is LaneKind.API and str(lane.fit.pool) == f"{site}/{self.api}"
        return site in self.sites or is_api


def subjects(instance: Instance, plan: Plan) -> Iterator[Subject]:
    """Everything that may have to be left, providers first."""
    estate = instance.estate
    declared = {(each.kind, each.id): each for each in estate.dependencies}
    rented = dict.fromkeys(provider_of(site) for site in estate.sites if site.kind.is_rented)
    for provider in rented:
        sites = frozenset(str(site.id) for site in estate.sites if provider_of(site) == provider)
        users = _placed(instance, plan, sites)
        if users:
            yield _subject(declared, DependencyKind.PROVIDER, provider, sites, "", users)
    for api in dict.fromkeys(row.node_type for row in plan.placements if row.lane == LaneKind.API):
        users = tuple(
            dict.fromkeys(row.workload for row in plan.placements if row.lane == LaneKind.API and row.node_type == api)
        )
        yield _subject(declared, DependencyKind.API, api, frozenset(), api, users)
    yield from _others(instance, plan, declared)


def _others(
    instance: Instance, plan: Plan, declared: dict[tuple[DependencyKind, str], Dependency]
) -> Iterator[Subject]:
    """Declared dependencies of other kinds that say how they are left."""
    things = things_of(instance.estate)
    nodes = {node: name for name, node in things.workloads.items()}
    for (kind, name), each in declared.items():
        if each.leaving is None or kind in (DependencyKind.PROVIDER, DependencyKind.API):
            continue
        needing = {node for user in each.needed_by for node in things.needing(user)}
        at_sites = {str(site.id) for site in instance.estate.sites if f"site:{site.id}" in needing}
        own = frozenset({name}) if kind is DependencyKind.SITE else frozenset()
        users = {nodes[node] for node in needing if node in nodes}
        users |= set(_placed(instance, plan, at_sites | own))
        ordered = tuple(str(work.id) for work in instance.estate.workloads if work.id in users)
        yield _subject(declared, kind, name, own, "", ordered)


def _subject(
    declared: dict[tuple[DependencyKind, str], Dependency],
    kind: DependencyKind,
    name: str,
    sites: frozenset[str],
    api: str,
    workloads: tuple[str, ...],
) -> Subject:
    each = declared.get((kind, name))
    leaving = each.leaving if each is not None and each.leaving is not None else Leaving()
    return Subject(kind=kind, name=name, leaving=leaving, sites=sites, api=api, workloads=workloads)


def _placed(instance: Instance, plan: Plan, sites: Set[str]) -> tuple[str, ...]:
    """Workloads the plan runs at these sites, in the estate's order."""
    found = {row.workload for row in plan.placements if row.site in sites}
    return tuple(str(each.id) for each in instance.estate.workloads if each.id in found)


def surface_of(subject: Subject) -> tuple[str, ...]:
    """What of it is not portable: as declared; of a token API its interface, as nobody else answers as it does."""
    own = (Surface.API,) if subject.api else ()
    return tuple(dict.fromkeys(each.value for each in (*own, *subject.leaving.proprietary)))
