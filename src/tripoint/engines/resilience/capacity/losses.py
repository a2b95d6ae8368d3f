"""What can be lost, class by class, and which part of each placement goes with it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.estate import Estate
from tripoint.domain.site import Redundancy
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.facts.shared import region_names
from tripoint.engines.placement.instance.instance import Instance, Lane
from tripoint.engines.resilience.capacity.book import Book
from tripoint.engines.resilience.capacity.carrying import FOREVER, Carrying, carrying_of
from tripoint.engines.resilience.capacity.moment import Held

_CLOUD_OWN = "own"


class Stop(NamedTuple):
    """A workload that needs what is lost, wherever it runs."""

    workload: str
    """Workload id."""
    needs: tuple[str, ...]
    """Dependencies it cannot do without that are away."""
    grace_s: float
    """How long it goes on all the same, s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One thing that may be lost."""

    disruption: DisruptionClass
    """Its class."""
    name: str
    """In the estate's words."""
    sites: tuple[tuple[int, float], ...] = ()
    """Sites by index, with the part of each that is lost (one of several identical ones)."""
    pool: str = ""
    """Pool of which nodes are lost."""
    nodes: float = 0.0
    """Nodes lost of it; infinite for all, 0 for one server process."""
    links: frozenset[str] = frozenset()
    """Links that are cut."""
    things: tuple[str, ...] = ()
    """What is away with it by name, as `needs` may call it: the site, the failure domain, the provider, the link."""
    stops: tuple[Stop, ...] = ()
    """Workloads that stop because they need it."""

    @property
    def gone(self) -> frozenset[int]:
        """Sites lost whole: nothing there can help."""
        return frozenset(site for site, part in self.sites if part >= 1.0)


def losses(instance: Instance) -> Iterator[Loss]:
    """Every loss of every class, in the order of the classes, each with what needs it."""
    copies = {str(each.id): tuple(map(str, each.copies)) for each in instance.estate.datasets if each.copies}
    carrying = carrying_of(instance.estate, copies)
    for loss in _losses(instance):
        yield _with_needing(instance, carrying, loss) if loss.things else loss


def _losses(instance: Instance) -> Iterator[Loss]:
    """Every loss by itself."""
    yield from _units(instance)
    yield from _power(instance)
    whole = tuple(_sites(instance))
    yield from whole
    yield from _groups(instance)
    yield from _links(instance.estate)
    yield Loss(disruption=DisruptionClass.SHARED_SERVICE, name="keys, registry, names or identity")
    yield Loss(disruption=DisruptionClass.DATA, name="corruption of every online copy")
    for each in whole:
        name = f"{each.name}, and nobody to approve"
        yield replace(each, disruption=DisruptionClass.PEOPLE, name=name)


def _with_needing(instance: Instance, carrying: Carrying, loss: Loss) -> Loss:
    """The loss with the sites, links and workloads that need it; a site only where that is felt before it is over."""
    away = carrying.away(dict.fromkeys(loss.things, (FOREVER,)))
    if len(away) <= len(loss.things):
        return loss
    kind = loss.disruption.timed_as.value
    lasts_s = default_figure(instance.catalog, instance.estate.assumptions, f"recovery.repair.{kind}").value
    known = {number for number, part in loss.sites if part >= 1.0}
    sites = [(number, 1.0) for number, model in enumerate(instance.sites) if number not in known
             and model.site.id in away and away[model.site.id][0][0] < lasts_s]  # fmt: skip
    return replace(
        loss,
        sites=(*(each for each in loss.sites if each[0] not in {number for number, _ in sites}), *sites),
        links=loss.links | {str(link.id) for link in instance.estate.links if link.id in away},
        stops=tuple(
            Stop(str(each.id), carrying.missed_by(each.id, away), away[each.id][0][0])
            for each in instance.estate.workloads
            if each.id in away
        ),
    )


def _units(instance: Instance) -> Iterator[Loss]:
    for pool in instance.pools:
        name = pool.spec.id
        yield Loss(disruption=DisruptionClass.PROCESS, name=f"a server process on `{name}`", pool=name)
        yield Loss(disruption=DisruptionClass.NODE, name=f"a node of `{name}`", pool=name, nodes=1.0)
        power = pool.spec.site.power
        if power is not None and power.rack_density_kw is not None:
            in_rack = max(1.0, math.floor(power.rack_density_kw / pool.node_kw)) if pool.node_kw > 0 else 1.0
            text = f"a rack of {in_rack:g} node{'s' if in_rack > 1 else ''} of `{name}`"
            yield Loss(disruption=DisruptionClass.RACK, name=text, pool=name, nodes=in_rack)


def _power(instance: Instance) -> Iterator[Loss]:
    """A feed: with one to spare, what the plan loads survives it, since it stays within the usable envelope."""
    for number, model in enumerate(instance.sites):
        power = model.site.power
        if power is None:
            continue
        name = f"a feed of `{model.site.id}` ({power.feeds})"
        parts = ((number, 1.0 / model.site.count),) if power.feeds is Redundancy.N else ((number, 0.0),)
        things = (str(model.site.id),) if parts[0][1] >= 1.0 else ()
        yield Loss(disruption=DisruptionClass.POWER, name=name, sites=parts, things=things)


def _sites(instance: Instance) -> Iterator[Loss]:
    for number, model in enumerate(instance.sites):
        count = model.site.count
        name = f"site `{model.site.id}`" if count == 1 else f"one of {count} sites `{model.site.id}`"
        things = (str(model.site.id),) if count == 1 else ()
        yield Loss(disruption=DisruptionClass.SITE, name=name, sites=((number, 1.0 / count),), things=things)
    domains = sorted({name for model in instance.sites for name in model.site.failure_domains})
    for domain in domains:
        members = [n for n, model in enumerate(instance.sites) if domain in model.site.failure_domains]
        if len(members) > 1 or instance.sites[members[0]].site.count > 1:
            yield Loss(
                disruption=DisruptionClass.SITE,
                name=f"failure domain `{domain}`",
                sites=tuple((number, 1.0) for number in members),
                things=(domain, *(str(instance.sites[number].site.id) for number in members)),
            )


def _groups(instance: Instance) -> Iterator[Loss]:
    by_region: dict[tuple[str, str], list[int]] = {}
    by_provider: dict[str, list[int]] = {}
    for number, model in enumerate(instance.sites):
        provider = model.site.provider.lower()
        if provider == _CLOUD_OWN:
            continue
        by_provider.setdefault(provider, []).append(number)
        if model.site.region:
            by_region.setdefault((provider, model.site.region.lower()), []).append(number)
    for (provider, region), members in by_region.items():
        yield _all_of(instance, DisruptionClass.REGION, f"{provider}:{region}", members)
    for provider, members in by_provider.items():
        yield _all_of(instance, DisruptionClass.PROVIDER, provider, members)


def _all_of(instance: Instance, disruption: DisruptionClass, name: str, members: list[int]) -> Loss:
    sites = [instance.sites[number].site for number in members]
    regions = (region for site in sites for region in region_names(site))
    return Loss(
        disruption=disruption,
        name=f"{disruption} `{name}`",
        sites=tuple((number, 1.0) for number in members),
        things=tuple(dict.fromkeys((name, *regions, *(str(site.id) for site in sites)))),
    )


def _links(estate: Estate) -> Iterator[Loss]:
    for link in estate.links:
        cut = frozenset({str(link.id)})
        yield Loss(disruption=DisruptionClass.LINK, name=f"link `{link.id}`", links=cut, things=(str(link.id),))
    for conduit in sorted({name for link in estate.links for name in link.conduits}):
        cut = frozenset(str(link.id) for link in estate.links if conduit in link.conduits)
        if len(cut) > 1:
            things = (conduit, *sorted(cut))
            yield Loss(disruption=DisruptionClass.LINK, name=f"conduit `{conduit}`", links=cut, things=things)


def lost_part(book: Book, loss: Loss, held: Held) -> float:
    """Part of a placement that goes with the loss, 0 to 1; by the token nothing goes with nodes."""
    instance = book.instance
    lane = instance.lanes[held.lane]
    for site, part in loss.sites:
        if site == lane.site:
            return part
    if loss.links:
        return _cut_off(book, lane, loss.links)
    if not loss.pool or loss.pool != lane.fit.pool or lane.pool is None:
        return 0.0
    if loss.nodes == 0.0:
        return min(1.0, _replica_nodes(instance, lane) / held.nodes) if held.nodes > 0 else 0.0
    # The nodes lost are those it uses, as far as it uses that many.
    return min(1.0, loss.nodes / math.ceil(held.nodes - 1e-6)) if held.nodes > 0 else 0.0


def _replica_nodes(instance: Instance, lane: Lane) -> float:
    assert lane.pool is not None
    return max(lane.fit.gpus_per_replica, 1) / instance.pools[lane.pool].gpus


def _cut_off(book: Book, lane: Lane, links: frozenset[str]) -> float:
    """Part of the callers that reach the place over the links."""
    callers = book.instance.workload(lane).callers
    here = str(lane.fit.site)
    crossing = 0.0
    for caller in callers:
        path = book.path(caller.place, here)
        crossing += caller.share if links & {str(each) for each in path.links} else 0.0
    return min(1.0, crossing)
