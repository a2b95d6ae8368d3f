"""What could be changed in an estate so that a missed objective is met, the cheapest kind first.

Each change is an edit of the estate itself, so what it costs is the difference of two plans and what it buys is told
by assessing the second. Nothing here decides whether a change is enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tripoint.domain.dataset import StorageTier
from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.estate import Estate
from tripoint.domain.recovery import Miss, Part, Reached, Replication, Store, Timing
from tripoint.domain.site import Site
from tripoint.domain.units import WorkloadId
from tripoint.domain.workload import Standby, Workload
from tripoint.engines.costing.transfer import storage_rate
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.resilience.capacity.losses import losses
from tripoint.engines.sizing.fit.fits import SPARE_FROM_AVAILABILITY

_SECOND_COPY_MINUTES = 60.0
"""The planner keeps a second copy of data whose recovery point is this or less."""
_MODES = (Standby.NONE, Standby.COLD, Standby.WARM, Standby.HOT)
_IN_COLD = ("provision.rented", "warm_up", "shift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An edit of the estate."""

    estate: Estate
    """The estate with it."""
    does: str
    """What it is, as a person says it; what the plan adds for it is told beside."""
    lines: str
    """The lines of the estate that ask for it."""
    needs_plan: bool = True
    """False where no decision of the plan depends on it."""
    usd_per_month: float = 0.0
    """What it costs beside the plan, USD per month: a snapshot's storage."""


def changes(instance: Instance, reached: Reached) -> Iterator[Change]:
    """Edits to try in turn; none where nothing tripoint plans could help."""
    estate = instance.estate
    workload = next(each for each in estate.workloads if each.id == reached.workload)
    start = Change(estate=estate, does="", lines="", needs_plan=False)
    is_about_capacity = any(each is not Miss.POINT for each in reached.misses)
    firsts = _for_time(instance, workload, reached, start) if is_about_capacity else iter((start,))
    for first in firsts:
        if Miss.POINT in reached.misses:
            yield from _for_point(reached, first, instance)
        else:
            yield first


def _for_time(instance: Instance, workload: Workload, reached: Reached, start: Change) -> Iterator[Change]:
    disruption = reached.disruption
    if reached.stopped_by:
        return  # no capacity helps where something it needs is gone
    approved = _approved(start, disruption)
    if approved is not None:
        yield approved
    copied = _copied(start, list(reached.waits_for), _SECOND_COPY_MINUTES)
    if copied is not None:
        yield copied
    if not workload.kind.is_interactive:
        return
    if disruption is DisruptionClass.PROCESS and (workload.slo.availability or 0.0) < SPARE_FROM_AVAILABILITY:
        yield _spared(start, workload)
    if disruption in (DisruptionClass.SHARED_SERVICE, DisruptionClass.DATA):
        return
    if disruption in (DisruptionClass.NODE, DisruptionClass.RACK, DisruptionClass.PROCESS):
        yield _beside(instance, start, workload, reached)
    for begin in (start if copied is None else copied, approved):
        if begin is not None:
            yield from _standing_by(instance, workload, reached, begin)


def _approved(start: Change, disruption: DisruptionClass) -> Change | None:
    """The move approved beforehand; `None` where nobody is asked."""
    rules = start.estate.recovery
    if disruption not in rules.approval_on:
        return None
    left = tuple(each for each in rules.approval_on if each is not disruption)
    return Change(
        estate=replace(start.estate, recovery=replace(rules, approval_on=left)),
        does=f"the move after the loss of a {disruption.value} is approved beforehand",
        lines=f"recovery: {{approval_on: [{', '.join(each.value for each in left)}]}}",
        needs_plan=False,
    )


def _spared(start: Change, workload: Workload) -> Change:
    slo = replace(workload.slo, availability=SPARE_FROM_AVAILABILITY)
    return Change(
        estate=_with(start.estate, replace(workload, slo=slo)),
        does="a spare replica",
        lines=f"workloads[{workload.id}].slo: {{availability: {SPARE_FROM_AVAILABILITY:g}}}",
    )


def _beside(instance: Instance, start: Change, workload: Workload, reached: Reached) -> Change:
    """Idle nodes in every pool it runs on: as many as are lost."""
    lost = next((each.nodes for each in losses(instance) if each.name == reached.loss), 1.0)
    nodes = max(math.ceil(lost), workload.recovery.spare_nodes + 1)
    return Change(
        estate=_with(start.estate, replace(workload, recovery=replace(workload.recovery, spare_nodes=nodes))),
        does=f"{nodes} spare node{'s' if nodes > 1 else ''} wherever it runs",
        lines=f"workloads[{workload.id}].recovery: {{spare_nodes: {nodes}}}",
    )


def _standing_by(instance: Instance, workload: Workload, reached: Reached, begin: Change) -> Iterator[Change]:
    """Standby, from the cheapest kind that could be in time."""
    own = workload.recovery
    now = _MODES.index(own.standby)
    share = max(reached.least_share, own.survive_share if own.standby is not Standby.NONE else 0.0)
    objective = reached.objective
    limit = None if objective is None else objective.rto_minutes
    estate, domains = _with_domains(begin.estate, instance, reached.disruption)
    for mode in _MODES[1:]:
        same = mode is own.standby and share == own.survive_share and not domains
        if _MODES.index(mode) < now or same or (mode is not Standby.HOT and _is_slow(instance, reached, limit)):
            continue
        recovery = replace(own, standby=mode, survive_share=share)
        more = f"; {domains}" if domains else ""
        yield Change(
            estate=_with(estate, replace(workload, recovery=recovery)),
            does=", and ".join(filter(None, (f"{mode.value} standby for {share:.0%}", begin.does))),
            lines=f"workloads[{workload.id}].recovery: {{standby: {mode.value}, survive_share: {share:g}}}"
            + more
            + (f"; {begin.lines}" if begin.lines else ""),
        )


def _is_slow(instance: Instance, reached: Reached, limit_minutes: float | None) -> bool:
    """True where renting alone takes longer than is asked, so that only what runs already can be in time."""
    if limit_minutes is None:
        return False
    keys = (f"detect.{reached.disruption.timed_as.value}", *_IN_COLD)
    figures = (default_figure(instance.catalog, instance.estate.assumptions, f"recovery.{key}") for key in keys)
    return sum(figure.value for figure in figures) > limit_minutes * 60.0 and not instance.estate.recovery.timings


def _with_domains(estate: Estate, instance: Instance, disruption: DisruptionClass) -> tuple[Estate, str]:
    """Sites of one region (or provider) fail together for the planner; and the lines that say so."""
    if disruption not in (DisruptionClass.REGION, DisruptionClass.PROVIDER):
        return estate, ""
    groups: dict[str, list[str]] = {}
    for model in instance.sites:
        name = _group(model.site, disruption)
        if name:
            groups.setdefault(name, []).append(str(model.site.id))
    shared = {site: name for name, members in groups.items() if len(members) > 1 for site in members}
    sites = tuple(
        replace(site, failure_domains=tuple(dict.fromkeys((*site.failure_domains, shared[str(site.id)]))))
        if str(site.id) in shared
        else site
        for site in estate.sites
    )
    if sites == estate.sites:
        return estate, ""
    lines = "; ".join(f"sites[{site}].failure_domains: [{name}]" for site, name in shared.items())
    return replace(estate, sites=sites), lines


def _group(site: Site, disruption: DisruptionClass) -> str:
    provider = site.provider.lower()
    if provider == "own":
        return ""
    if disruption is DisruptionClass.PROVIDER:
        return provider
    return f"{provider}-{site.region.lower()}" if site.region else ""


def _for_point(reached: Reached, begin: Change, instance: Instance) -> Iterator[Change]:
    """Copies that follow closely enough; for corruption, snapshots and somebody who looks."""
    objective = reached.objective
    if objective is None or objective.rpo_minutes is None:
        return
    asked = objective.rpo_minutes
    late = [each.store for each in reached.stores if each.seconds > asked * 60.0]
    if reached.disruption is DisruptionClass.DATA:
        yield _looked_after(instance, begin, late, asked)
        return
    copied = _copied(begin, late, asked)
    if copied is not None:
        yield copied
    yield _in_step(begin if copied is None else copied, late)


def _copied(begin: Change, late: list[str], asked: float) -> Change | None:
    """A second copy where the planner can make one; `None` where no late store is a dataset."""
    estate = begin.estate
    names = {str(each.dataset) for each in estate.recovery.stores if each.id in late and each.dataset} | set(late)
    limit = min(asked, _SECOND_COPY_MINUTES)
    datasets = tuple(
        replace(each, rpo_minutes=limit if each.rpo_minutes is None else min(limit, each.rpo_minutes))
        if str(each.id) in names
        else each
        for each in estate.datasets
    )
    if datasets == estate.datasets:
        return None
    changed = [str(each.id) for each in estate.datasets if str(each.id) in names]
    lines = "; ".join(f"datasets[{name}]: {{rpo_minutes: {limit:g}}}" for name in changed)
    text = f"a second copy of {', '.join(f'`{name}`' for name in changed)} in another failure domain"
    return Change(
        estate=replace(estate, datasets=datasets),
        does=", and ".join(filter(None, (begin.does, text))),
        lines="; ".join(filter(None, (begin.lines, lines))),
    )


def _in_step(begin: Change, late: list[str]) -> Change:
    """Writes that count only once every copy has them."""
    text = f"writes to {', '.join(f'`{name}`' for name in late)} count once the copy has them"
    return Change(
        estate=_with_stores(begin.estate, late, lambda store: replace(store, replication=Replication.SYNC)),
        does=", and ".join(filter(None, (begin.does, text))),
        lines="; ".join(filter(None, (begin.lines, *(f"recovery.stores[{n}]: {{replication: sync}}" for n in late)))),
        needs_plan=begin.needs_plan,
    )


def _looked_after(instance: Instance, begin: Change, late: list[str], asked: float) -> Change:
    """Half the time for the snapshot, half for noticing."""
    half = asked / 2.0
    estate = _with_stores(begin.estate, late, lambda store: replace(store, snapshot_every_minutes=half))
    look = Timing(part=Part.DETECT, seconds=half * 60.0, source=TermSource.ASSUMED, after=(DisruptionClass.DATA,))
    rules = estate.recovery
    text = f"snapshots of {', '.join(f'`{n}`' for n in late)} and a comparison of digests every {half:g} min"
    lines = (
        *(f"recovery.stores[{name}]: {{snapshot_every_minutes: {half:g}}}" for name in late),
        f"recovery.timings: [{{part: detect, after: [data], seconds: {half * 60.0:g}}}]",
    )
    return Change(
        estate=replace(estate, recovery=replace(rules, timings=(*rules.timings, look))),
        does=", and ".join(filter(None, (begin.does, text))),
        lines="; ".join(filter(None, (begin.lines, *lines))),
        needs_plan=begin.needs_plan,
        usd_per_month=sum(_snapshot_usd(instance, each) for each in estate.recovery.stores if each.id in late),
    )


def _snapshot_usd(instance: Instance, store: Store) -> float:
    """One whole snapshot where the last copy is, USD per month; those between are small beside it."""
    dataset = next((each for each in instance.estate.datasets if each.id == store.dataset), None)
    places = store.sites or (() if dataset is None else dataset.copies)
    where = store.snapshot_site or next(iter(reversed(places)), None)
    site = next((model.site for model in instance.sites if model.site.id == where), None)
    gb = store.size_gb if store.size_gb is not None or dataset is None else dataset.size_gb
    if site is None or not gb:
        return 0.0
    rate, _ = storage_rate(site, StorageTier.COOL, instance.estate, instance.catalog)
    return gb * rate.usd_per_gb_month


def _with_stores(estate: Estate, names: list[str], edit: Callable[[Store], Store]) -> Estate:
    """The estate with these stores edited; a dataset that had none declared gets one."""
    known = {each.id for each in estate.recovery.stores}
    datasets = {str(each.id): each.id for each in estate.datasets}
    added = tuple(Store(id=name, dataset=datasets[name]) for name in names if name not in known and name in datasets)
    stores = tuple(edit(each) if each.id in names else each for each in (*estate.recovery.stores, *added))
    return replace(estate, recovery=replace(estate.recovery, stores=stores))


def _with(estate: Estate, workload: Workload) -> Estate:
    workloads = tuple(workload if each.id == WorkloadId(workload.id) else each for each in estate.workloads)
    return replace(estate, workloads=workloads)
