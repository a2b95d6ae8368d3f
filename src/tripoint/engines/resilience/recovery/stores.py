"""How much written work does a loss take with it, and how long until state is back?

Recovery point of a workload = the worst of its stores: of copies that are left the replication lag (99th percentile),
where copies follow at all and the link between them carries what changes; of snapshots their interval and the time to
ship one. Corruption follows every replica, so only snapshots count there, and what was written until it was noticed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from tripoint.domain.dataset import Dataset
from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Part, Replication, Store, StoreAge, Term
from tripoint.domain.units import HOURS_PER_MONTH, MONTHS_PER_YEAR, SECONDS_PER_HOUR, SiteId
from tripoint.domain.workload import Workload
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.resilience.capacity.losses import Loss
from tripoint.engines.resilience.times.sharing import Copy, arrivals
from tripoint.engines.resilience.times.terms import Rate, Way, dated, default_rate, graded, timed
from tripoint.engines.sizing.paths import path_between

_WORTH_TELLING = 0.01
"""Least part of a link worth a word."""


class Kept(NamedTuple):
    """A store with everything known of it resolved."""

    store: Store
    """As declared, its sites filled in: the source first."""
    gb: float
    """Size in the period, GB."""
    change_gb_per_s: float
    """Change on average, GB/s."""
    workloads: frozenset[str]
    """Who needs it back."""


def kept_stores(instance: Instance, plan: Plan, period: int) -> tuple[Kept, ...]:
    """Declared stores, and the datasets workloads write that none of them keeps."""
    estate = instance.estate
    datasets = {str(each.id): each for each in estate.datasets}
    declared = estate.recovery.stores
    covered = {str(each.dataset) for each in declared if each.dataset is not None}
    written = dict.fromkeys(str(use.dataset) for workload in estate.workloads for use in workload.writes)
    implied = tuple(
        Store(id=name, dataset=datasets[name].id) for name in written if name not in covered and name in datasets
    )
    return tuple(
        _resolved(instance, plan, period, each, datasets.get(str(each.dataset))) for each in (*declared, *implied)
    )


def _resolved(instance: Instance, plan: Plan, period: int, store: Store, dataset: Dataset | None) -> Kept:
    sites = store.sites or copies_of(plan, dataset, period)
    years = (period + 0.5) * instance.estate.horizon.period_months / MONTHS_PER_YEAR
    gb, per_hour = store.size_gb, store.change_gb_per_hour
    if dataset is not None:
        gb = dataset.size_gb * (1.0 + dataset.growth_per_year) ** years if gb is None else gb
        per_hour = dataset.change_gb_per_month / HOURS_PER_MONTH if per_hour is None else per_hour
    writers = {str(w.id) for w in instance.estate.workloads if any(use.dataset == store.dataset for use in w.writes)}
    owners = frozenset(str(each) for each in store.workloads) or frozenset(writers if dataset is not None else ())
    return Kept(replace(store, sites=sites), gb or 0.0, (per_hour or 0.0) / SECONDS_PER_HOUR, owners)


def copies_of(plan: Plan, dataset: Dataset | None, period: int) -> tuple[SiteId, ...]:
    """Sites the plan keeps a copy at in the period, the source of truth first."""
    if dataset is None:
        return ()
    rows = [row for row in plan.copies if row.dataset == dataset.id and row.from_period <= period <= row.to_period]
    return tuple(dict.fromkeys((*dataset.copies[:1], *(SiteId(row.site) for row in rows))))


def ages(instance: Instance, stores: tuple[Kept, ...], loss: Loss, workload: Workload) -> tuple[StoreAge, ...]:
    """How old the newest surviving copy of each of the workload's stores is."""
    return tuple(_age(instance, stores, kept, loss, workload) for kept in stores if str(workload.id) in kept.workloads)


def _age(instance: Instance, stores: tuple[Kept, ...], kept: Kept, loss: Loss, workload: Workload) -> StoreAge:
    store, name = kept.store, kept.store.id
    if loss.disruption is DisruptionClass.DATA:
        return _snapshot(instance, kept, loss, workload)
    left = [site for site in store.sites if not is_lost(instance, loss, str(site))]
    if not store.sites:
        return StoreAge(
            store=name, seconds=math.inf, source=TermSource.ASSUMED, as_of="", basis="nobody says where it is kept"
        )
    if store.sites[0] in left:
        return StoreAge(
            store=name, seconds=0.0, source=TermSource.DRILLED, as_of="", basis=f"its source `{store.sites[0]}` is left"
        )
    if left and store.replication is Replication.SYNC:
        return StoreAge(
            store=name, seconds=0.0, source=store.source, as_of=store.as_of, basis=f"written at `{left[0]}` as well"
        )
    if left and store.replication is Replication.ASYNC:
        return min((_lagging(instance, stores, kept, str(site)) for site in left), key=lambda each: each.seconds)
    return _snapshot(instance, kept, loss, workload)


def is_lost(instance: Instance, loss: Loss, site: str) -> bool:
    """True where the loss takes a store at the site: one of several identical sites may be the one that holds it."""
    index = next((n for n, model in enumerate(instance.sites) if model.site.id == site), None)
    return any(number == index and part > 0.0 for number, part in loss.sites)


def _lagging(instance: Instance, stores: tuple[Kept, ...], kept: Kept, site: str) -> StoreAge:
    """The lag of an asynchronous copy; without end where its links cannot carry what changes."""
    store = kept.store
    load, tightest = link_load(instance, stores, str(store.sites[0]), site)
    lag = default_figure(instance.catalog, instance.estate.assumptions, "recovery.replication_lag")
    seconds = lag.value if store.lag_p99_s is None else store.lag_p99_s
    basis = f"copy at `{site}`, lag p99 {seconds:g} s"
    if load >= _WORTH_TELLING:
        basis += f"; changes take {load:.0%} of `{tightest}` at peak"
    return StoreAge(
        store=store.id,
        seconds=math.inf if load >= 1.0 else seconds,
        source=graded(lag) if store.lag_p99_s is None else store.source,
        as_of=dated(lag) if store.lag_p99_s is None else store.as_of,
        basis=basis,
        link_load=load,
    )


def link_load(instance: Instance, stores: tuple[Kept, ...], source: str, target: str) -> tuple[float, str]:
    """Part of the tightest link between source and copy that all stores' changes take at peak, and its name.

    Links without a bandwidth, and the internet, are no limit.
    """
    estate, catalog = instance.estate, instance.catalog
    peak = default_figure(catalog, estate.assumptions, "recovery.change_peak").value
    share = default_figure(catalog, estate.assumptions, "recovery.link_share").value
    worst, name = 0.0, ""
    for link in (str(each) for each in path_between(estate, catalog, source, target).links):
        bandwidth = next(each.bandwidth_gbps for each in estate.links if str(each.id) == link)
        if bandwidth is None:
            continue
        flowing = 0.0
        for each in stores:
            for copy in each.store.sites[1:] if each.store.replication is not Replication.NONE else ():
                path = path_between(estate, catalog, str(each.store.sites[0]), str(copy))
                flowing += each.change_gb_per_s if link in {str(hop) for hop in path.links} else 0.0
        load = flowing * peak / (bandwidth / 8.0 * share)
        if load > worst:
            worst, name = load, link
    return worst, name


def _snapshot(instance: Instance, kept: Kept, loss: Loss, workload: Workload) -> StoreAge:
    """Age of the newest clean snapshot: its interval, and for corruption the time until it was noticed."""
    store = kept.store
    where = _snapshot_site(store)
    if store.snapshot_every_minutes is None or where is None:
        return StoreAge(
            store=store.id, seconds=math.inf, source=TermSource.ASSUMED, as_of="", basis="no copy and no snapshot left"
        )
    if loss.disruption is not DisruptionClass.DATA and is_lost(instance, loss, where):
        basis = f"snapshots at `{where}` are lost as well"
        return StoreAge(store=store.id, seconds=math.inf, source=store.source, as_of=store.as_of, basis=basis)
    seconds = store.snapshot_every_minutes * 60.0
    basis = f"snapshots every {store.snapshot_every_minutes:g} min at `{where}`"
    if loss.disruption is DisruptionClass.DATA:
        noticed = _noticed(instance, workload)
        seconds += noticed
        basis += f", and {noticed:g} s until corruption is noticed"
    return StoreAge(store=store.id, seconds=seconds, source=store.source, as_of=store.as_of, basis=basis)


def _noticed(instance: Instance, workload: Workload) -> float:
    way = Way(disruption=DisruptionClass.DATA, workload=str(workload.id), site="")
    told = timed(instance.estate, Part.DETECT, way)
    if told is not None:
        return told.seconds
    return default_figure(instance.catalog, instance.estate.assumptions, "recovery.detect.data").value


def _snapshot_site(store: Store) -> str | None:
    if store.snapshot_site is not None:
        return str(store.snapshot_site)
    return str(store.sites[-1]) if store.sites else None


def restores(instance: Instance, stores: tuple[Kept, ...], loss: Loss) -> dict[str, Term]:
    """Store -> restoring it from a snapshot, for those that must be; what one place gives out is shared by all.

    Nothing is restored where a copy is left.
    """
    usual_rate = default_rate(instance.estate, instance.catalog, "restore_gb_per_s")
    needed = [kept for kept in stores if _must_restore(instance, kept, loss)]
    rates: dict[str, Rate] = {}
    for kept in needed:
        site, own = _snapshot_site(kept.store) or "", _restore_rate(kept.store, usual_rate)
        rates[f"store:{kept.store.id}"] = own
        rates[site] = max(rates.get(site, own), own, key=lambda each: each.gb_per_s)
    copies = [Copy(kept.gb, (_snapshot_site(kept.store) or "", f"store:{kept.store.id}"), 0.0) for kept in needed]
    usual = arrivals(copies, {name: each.gb_per_s for name, each in rates.items()})
    low = arrivals(copies, {name: each.high for name, each in rates.items()})
    high = arrivals(copies, {name: each.low for name, each in rates.items()})
    terms: dict[str, Term] = {}
    for number, kept in enumerate(needed):
        site = _snapshot_site(kept.store) or ""
        each = rates[f"store:{kept.store.id}"]
        beside = sum(1 for other in needed if _snapshot_site(other.store) == site)
        shared = f", shared by {beside} stores" if beside > 1 else ""
        terms[kept.store.id] = Term(
            part=Part.STAGE,
            seconds=usual[number],
            low_s=low[number],
            high_s=high[number],
            source=each.source,
            as_of=each.as_of,
            basis=f"`{kept.store.id}`, {kept.gb:,.0f} GB from `{site}` over {each.basis}{shared}",
        )
    return terms


def _must_restore(instance: Instance, kept: Kept, loss: Loss) -> bool:
    store = kept.store
    if store.snapshot_every_minutes is None or _snapshot_site(store) is None:
        return False
    if loss.disruption is DisruptionClass.DATA:
        return True
    if not store.sites or not is_lost(instance, loss, str(store.sites[0])):
        return False
    follows = store.replication is not Replication.NONE
    has_copy = follows and any(not is_lost(instance, loss, str(site)) for site in store.sites[1:])
    return not has_copy and not is_lost(instance, loss, _snapshot_site(store) or "")


def _restore_rate(store: Store, usual: Rate) -> Rate:
    if store.restore_gb_per_s is None:
        return usual
    rate = store.restore_gb_per_s
    basis = f"{rate:g} GB/s"
    return Rate(gb_per_s=rate, low=rate, high=rate, source=store.source, as_of=store.as_of, basis=basis)
