"""Constraint families about data: copies, co-location or remote reads, and copies for the recovery point."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tripoint.domain.charge import Rate
from tripoint.domain.dataset import Dataset, StorageTier
from tripoint.domain.provenance import Figure
from tripoint.domain.units import MONTHS_PER_YEAR, gb_per_month_to_gbps
from tripoint.domain.workload import DatasetUse
from tripoint.engines.costing.rates import retrieval_gb, storage_gb_month
from tripoint.engines.costing.transfer import storage_rate
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.columns.flows import Network
from tripoint.engines.placement.columns.formulation import Formulation, Terms, activity_at
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.sizing.policy import Rulebook, Subject, is_allowed, place_of, rulebook

_RPO_NEEDS_COPY_MINUTES = 60.0


class _Uses(NamedTuple):
    """Who moves how much of which dataset, gathered once: an estate may have hundreds, each for a few of thousands."""

    reads: dict[str, list[tuple[int, float]]]
    """By dataset: lanes that read it, with GB a month at full demand."""
    writes: dict[str, list[tuple[int, float]]]
    """Likewise, lanes that write it."""
    read_gb: dict[str, float]
    """By dataset: GB a month that all workloads read at full demand."""
    recovery_points: dict[str, list[float]]
    """By dataset: minutes that workloads that write it may lose, where they say."""


def _uses(instance: Instance) -> _Uses:
    found = _Uses({}, {}, {}, {})
    reads, writes = [], []
    for workload in instance.estate.workloads:
        reads.append(_by_dataset(workload.reads))
        writes.append(_by_dataset(workload.writes))
        for dataset, gb in reads[-1].items():
            found.read_gb[dataset] = found.read_gb.get(dataset, 0.0) + gb
        if workload.recovery.rpo_minutes is not None:
            for dataset in writes[-1]:
                found.recovery_points.setdefault(dataset, []).append(workload.recovery.rpo_minutes)
    for index, lane in enumerate(instance.lanes):
        for kept, mine in ((found.reads, reads[lane.workload]), (found.writes, writes[lane.workload])):
            for dataset, gb in mine.items():
                kept.setdefault(dataset, []).append((index, gb))
    return found


def _by_dataset(uses: Iterable[DatasetUse]) -> dict[str, float]:
    """GB a month by dataset."""
    volumes: dict[str, float] = {}
    for use in uses:
        volumes[use.dataset] = volumes.get(use.dataset, 0.0) + use.gb_per_month
    return volumes


def _sites_of(form: Formulation) -> dict[int, list[int]]:
    """By number of the dataset: sites that may hold a copy."""
    sites: dict[int, list[int]] = {}
    for dataset, site, period in form.copy:
        if not period:
            sites.setdefault(dataset, []).append(site)
    return sites


def dataset_subject(dataset: Dataset) -> Subject:
    """The rules' view of a dataset on its own."""
    return Subject(
        workload="",
        classifications=frozenset({dataset.classification}),
        regimes=frozenset(regime.lower() for regime in dataset.regimes),
    )


def _rpo_minutes(uses: _Uses, dataset: Dataset) -> float | None:
    """The strictest recovery point: the dataset's own, or that of a workload that writes it."""
    own = [] if dataset.rpo_minutes is None else [dataset.rpo_minutes]
    return min((*own, *uses.recovery_points.get(dataset.id, ())), default=None)


def _candidate_sites(instance: Instance, uses: _Uses, book: Rulebook, dataset: Dataset) -> list[int]:
    """Sites that may hold a copy: today's, and those of workloads that read it, where policy lets it be.

    Where policy leaves none of these, every site it allows.
    """
    readers = {instance.lanes[index].site for index, _ in uses.reads.get(dataset.id, ())}
    subject = dataset_subject(dataset)
    today = set(dataset.copies)
    rpo_limit = _rpo_minutes(uses, dataset)
    wide = rpo_limit is not None and rpo_limit <= _RPO_NEEDS_COPY_MINUTES
    allowed = [
        number
        for number, model in enumerate(instance.sites)
        if is_allowed(place_of(model.site, instance.catalog), subject, book) and model.site.count == 1
    ]
    near = [n for n in allowed if wide or n in readers or instance.sites[n].site.id in today]
    return near or allowed


def size_gb(form: Formulation, dataset: Dataset, period: int) -> float:
    """Size at the middle of the period, growth compounding."""
    years = (period + 0.5) * form.instance.estate.horizon.period_months / MONTHS_PER_YEAR
    return float(dataset.size_gb * (1.0 + dataset.growth_per_year) ** years)


def add_copy_columns(form: Formulation, network: Network) -> tuple[Figure, ...]:
    """Copies with their storage, their seeding and their synchronisation."""
    figures: dict[str, Figure] = {}
    instance = form.instance
    uses, book = _uses(instance), rulebook(instance.estate, instance.catalog)
    for number, dataset in enumerate(instance.estate.datasets):
        for site in _candidate_sites(instance, uses, book, dataset):
            figures.update((figure.key, figure) for figure in _add_copies(form, network, number, site))
    return tuple(figures.values())


def _add_copies(form: Formulation, network: Network, number: int, site: int) -> tuple[Figure, ...]:
    instance = form.instance
    dataset = instance.estate.datasets[number]
    model = instance.sites[site]
    months = instance.estate.horizon.period_months
    rate, figures = storage_rate(model.site, dataset.tier, instance.estate, instance.catalog)
    archive, more = storage_rate(model.site, StorageTier.ARCHIVE, instance.estate, instance.catalog)
    source = dataset.copies[0] if dataset.copies else None
    is_source = source == model.site.id
    held_today = model.site.id in dataset.copies
    share = default_figure(instance.catalog, instance.estate.assumptions, "storage.archive_share").value
    for period in instance.periods:
        review = instance.estate.horizon.review_of(period)
        name = f"{dataset.id},{model.site.id},p{period}"
        if review == period:
            kept = form.builder.column(f"copy[{name}]", lower=float(is_source), upper=1.0, integer=not is_source)
            form.copy[number, site, period] = kept
        column = form.copy[number, site, review]
        form.copy[number, site, period] = column
        size = size_gb(form, dataset, period)
        hot = activity_at(
            form,
            period=period,
            site=site,
            resource=dataset.id,
            option="",
            rates=storage_gb_month(rate),
        )
        form.charge(column, hot, size * months)
        if is_source and dataset.retention_months:
            cold = activity_at(
                form,
                period=period,
                site=site,
                resource=f"{dataset.id} archive",
                option="",
                rates=storage_gb_month(archive),
            )
            form.charge(column, cold, size * share * months)
        if source is not None and not is_source:
            network.send(column, source, model.site.id, period, dataset.change_gb_per_month)
            for block in instance.blocks:
                gbps = gb_per_month_to_gbps(dataset.change_gb_per_month)
                network.load(column, source, model.site.id, (period, block), gbps)
        if review != period:
            continue
        seed = form.builder.column(f"seed[{name}]", upper=1.0)
        form.seed[number, site, period] = seed
        if source is not None and not held_today:
            network.send(seed, source, model.site.id, period, size / months)
    return (*figures, *(more if dataset.retention_months else ()))


def copies(form: Formulation) -> None:
    """Every dataset is somewhere: sum of copy[d,s,p] >= 1, and a new copy is seeded once.

    seed[d,s,p] >= copy[d,s,p] - copy[d,s,p-1]; today's copies need no seeding.
    """
    instance, held_at = form.instance, _sites_of(form)
    for number, dataset in enumerate(instance.estate.datasets):
        sites = held_at.get(number, [])
        for period in instance.periods:
            kept: Terms = [(form.copy[number, site, period], 1.0) for site in sites]
            form.builder.row("copies", f"a copy of `{dataset.id}`", kept, lower=1.0)
            for site in (s for s in sites if (number, s, period) in form.seed):
                terms: Terms = [
                    (form.seed[number, site, period], 1.0),
                    (form.copy[number, site, period], -1.0),
                ]
                held = float(instance.sites[site].site.id in dataset.copies) if period == 0 else 0.0
                if period:
                    terms.append((form.copy[number, site, period - 1], 1.0))
                form.builder.row("copies", f"seeding `{dataset.id}`", terms, lower=-held)


def rpo(form: Formulation) -> None:
    """A recovery point of an hour or less needs a second copy that does not share a failure domain.

    sum over sites outside the source's failure domains of copy[d,s,p] >= 1; without a declared source, two copies.
    """
    instance, held_at, uses = form.instance, _sites_of(form), _uses(form.instance)
    for number, dataset in enumerate(instance.estate.datasets):
        wanted = _rpo_minutes(uses, dataset)
        if wanted is None or wanted > _RPO_NEEDS_COPY_MINUTES:
            continue
        sites = held_at.get(number, [])
        source = next((s for s in sites if instance.sites[s].site.id in dataset.copies[:1]), None)
        label = f"second copy of `{dataset.id}` for RPO {wanted:g} min"
        for period in instance.periods:
            terms: Terms = [
                (form.copy[number, site, period], 1.0)
                for site in sites
                if source is None or (site != source and not _share_fate(form, site, source))
            ]
            form.builder.row("rpo", label, terms, lower=2.0 if source is None else 1.0)


def _share_fate(form: Formulation, one: int, other: int) -> bool:
    domains = form.instance.sites[one].site.failure_domains
    return bool(set(domains) & set(form.instance.sites[other].site.failure_domains))


def colocation(form: Formulation, network: Network) -> None:
    """A workload reads its dataset where it runs, or over the network at the source's egress price.

    need[d,t,p] = sum over workloads at t of GB x share / M, where all workloads together read M GB of it a month;
    sum over sources of read[d,s,t,p] >= need - copy[d,t,p]; read[d,s,t,p] <= copy[d,s,p]. Writes go to the source of
    truth. Reads are parts of M, so that no figure here is larger than 1: millions of GB beside a yes or no leave a
    solver's cuts no digit to be right in.
    """
    instance, held_at, uses = form.instance, _sites_of(form), _uses(form.instance)
    for number, dataset in enumerate(instance.estate.datasets):
        most = form.read_gb[number] = uses.read_gb.get(dataset.id, 0.0)
        fetching = {site: _fetching(form, dataset, site) for site in held_at.get(number, []) if most > 0.0}
        for period in instance.periods:
            needs = _needs(form, uses.reads.get(dataset.id, []), period)
            for target, terms in needs.items():
                _remote_reads(form, network, (number, target, period), fetching, (most, terms))
            _writes(form, network, (dataset, uses.writes.get(dataset.id, [])), period)


def _fetching(form: Formulation, dataset: Dataset, site: int) -> tuple[Rate, ...]:
    """What reading back a GB of a dataset costs where it lies."""
    instance = form.instance
    rate, _ = storage_rate(instance.sites[site].site, dataset.tier, instance.estate, instance.catalog)
    return retrieval_gb(rate)


def _needs(form: Formulation, readers: list[tuple[int, float]], period: int) -> dict[int, Terms]:
    """By site: GB a month that lanes there read of a dataset, over what they serve."""
    instance = form.instance
    needs: dict[int, Terms] = {}
    for index, gb in readers:
        if gb <= 0.0:
            continue
        lane = instance.lanes[index]
        for block in instance.blocks:
            column = form.serve.get((index, period, block))
            if column is not None:
                share = form.volumes(lane.workload)[period][block]
                needs.setdefault(lane.site, []).append((column, gb * share))
    return needs


def _remote_reads(
    form: Formulation,
    network: Network,
    key: tuple[int, int, int],
    fetching: dict[int, tuple[Rate, ...]],
    need: tuple[float, Terms],
) -> None:
    """Reads of a dataset from afar and what gates them; `key` is dataset, site and period, `fetching` what a GB costs
    where copies may be, `need` the most there can be and what is read."""
    (number, target, period), (most, wanted) = key, need
    instance = form.instance
    dataset = instance.estate.datasets[number]
    here = instance.sites[target].site.id
    supply: Terms = []
    for site, rates in fetching.items():
        if site == target:
            continue
        there = instance.sites[site].site.id
        column = form.builder.column(f"read[{dataset.id},{there},{here},p{period}]", upper=1.0)
        form.read[number, site, target, period] = column
        supply.append((column, 1.0))
        network.send(column, there, here, period, most)
        for block in instance.blocks:
            network.load(column, there, here, (period, block), gb_per_month_to_gbps(most))
        fetch = activity_at(form, period=period, site=site, resource=dataset.id, option="", rates=rates)
        form.charge(column, fetch, most * instance.estate.horizon.period_months)
        gate = [(column, 1.0), (form.copy[number, site, period], -1.0)]
        form.builder.row("colocation", f"reading `{dataset.id}` from `{there}`", gate, upper=0.0)
    local = form.copy.get((number, target, period))
    own: Terms = [] if local is None else [(local, 1.0)]
    label = f"`{dataset.id}` within reach of `{here}`"
    form.builder.row("colocation", label, [*supply, *own, *((c, -gb / most) for c, gb in wanted)], lower=0.0)


def _writes(form: Formulation, network: Network, written: tuple[Dataset, list[tuple[int, float]]], period: int) -> None:
    """What lanes write of a dataset goes to its source of truth."""
    dataset, writers = written
    if not dataset.copies:
        return
    instance = form.instance
    for index, gb in writers:
        if gb <= 0.0:
            continue
        lane = instance.lanes[index]
        here = instance.sites[lane.site].site.id
        for block in instance.blocks:
            column = form.serve.get((index, period, block))
            if column is not None:
                volume = gb * form.volumes(lane.workload)[period][block]
                network.send(column, here, dataset.copies[0], period, volume)
