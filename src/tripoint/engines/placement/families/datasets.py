"""Constraint families about data: copies, co-location or remote reads, and copies for the recovery point."""

from __future__ import annotations

from tripoint.domain.dataset import Dataset, StorageTier
from tripoint.domain.provenance import Figure
from tripoint.domain.units import MONTHS_PER_YEAR, gb_per_month_to_gbps
from tripoint.domain.workload import DatasetUse
from tripoint.engines.costing.rates import retrieval_gb, storage_gb_month
from tripoint.engines.costing.transfer import storage_rate
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.columns.coefficients import volume_share
from tripoint.engines.placement.columns.flows import Network
from tripoint.engines.placement.columns.formulation import Formulation, Terms, activity_at
from tripoint.engines.sizing.policy import Subject, is_allowed, place_of, rulebook

_RPO_NEEDS_COPY_MINUTES = 60.0


def dataset_subject(dataset: Dataset) -> Subject:
    """The rules' view of a dataset on its own."""
    return Subject(
        workload="",
        classifications=frozenset({dataset.classification}),
        regimes=frozenset(regime.lower() for regime in dataset.regimes),
    )


def rpo_minutes(form: Formulation, dataset: Dataset) -> float | None:
    """The strictest recovery point: the dataset's own, or that of a workload that writes it."""
    wanted = [
        workload.recovery.rpo_minutes
        for workload in form.instance.estate.workloads
        if any(use.dataset == dataset.id for use in workload.writes)
    ]
    return min((minutes for minutes in (dataset.rpo_minutes, *wanted) if minutes is not None), default=None)


def candidate_sites(form: Formulation, dataset: Dataset) -> list[int]:
    """Sites that may hold a copy: today's, and those of workloads that read it, where policy lets it be.

    Where policy leaves none of these, every site it allows.
    """
    instance = form.instance
    readers = {
        lane.site for lane in instance.lanes if any(use.dataset == dataset.id for use in instance.workload(lane).reads)
    }
    book = rulebook(instance.estate, instance.catalog)
    subject = dataset_subject(dataset)
    today = set(dataset.copies)
    rpo_limit = rpo_minutes(form, dataset)
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
    for number, dataset in enumerate(form.instance.estate.datasets):
        for site in candidate_sites(form, dataset):
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
    instance = form.instance
    for number, dataset in enumerate(instance.estate.datasets):
        sites = [site for (d, site, p) in form.copy if d == number and p == 0]
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
    instance = form.instance
    for number, dataset in enumerate(instance.estate.datasets):
        wanted = rpo_minutes(form, dataset)
        if wanted is None or wanted > _RPO_NEEDS_COPY_MINUTES:
            continue
        sites = [site for (d, site, p) in form.copy if d == number and p == 0]
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

    need[d,t,p] = sum over workloads at t of GB x share; sum over sources of read[d,s,t,p] >= need - M copy[d,t,p];
    read[d,s,t,p] <= M copy[d,s,p]. Writes go to the source of truth.
    """
    instance = form.instance
    for number, dataset in enumerate(instance.estate.datasets):
        for period in instance.periods:
            needs = _needs(form, number, period)
            for target, terms in needs.items():
                _remote_reads(form, network, (number, target, period), terms)
            _writes(form, network, dataset, period)


def _needs(form: Formulation, number: int, period: int) -> dict[int, Terms]:
    instance = form.instance
    dataset = instance.estate.datasets[number]
    needs: dict[int, Terms] = {}
    for index, lane in enumerate(instance.lanes):
        gb = _use_gb(instance.workload(lane).reads, dataset)
        if gb <= 0.0:
            continue
        for block in instance.blocks:
            column = form.serve.get((index, period, block))
            if column is not None:
                share = volume_share(instance, lane.workload, period, block)
                needs.setdefault(lane.site, []).append((column, gb * share))
    return needs


def _use_gb(uses: tuple[DatasetUse, ...], dataset: Dataset) -> float:
    return sum(use.gb_per_month for use in uses if use.dataset == dataset.id)


def _remote_reads(form: Formulation, network: Network, key: tuple[int, int, int], need: Terms) -> None:
    number, target, period = key
    instance = form.instance
    dataset = instance.estate.datasets[number]
    here = instance.sites[target].site.id
    most = sum(_use_gb(workload.reads, dataset) for workload in instance.estate.workloads)
    supply: Terms = []
    for site in (s for (d, s, p) in form.copy if d == number and p == period and s != target):
        there = instance.sites[site].site.id
        column = form.builder.column(f"read[{dataset.id},{there},{here},p{period}]", upper=most)
        form.read[number, site, target, period] = column
        supply.append((column, 1.0))
        network.send(column, there, here, period, 1.0)
        for block in instance.blocks:
            network.load(column, there, here, (period, block), gb_per_month_to_gbps(1.0))
        rate, _ = storage_rate(instance.sites[site].site, dataset.tier, instance.estate, instance.catalog)
        fetch = activity_at(form, period=period, site=site, resource=dataset.id, option="", rates=retrieval_gb(rate))
        form.charge(column, fetch, float(instance.estate.horizon.period_months))
        gate = [(column, 1.0), (form.copy[number, site, period], -most)]
        form.builder.row("colocation", f"reading `{dataset.id}` from `{there}`", gate, upper=0.0)
    local = form.copy.get((number, target, period))
    own: Terms = [] if local is None else [(local, most)]
    label = f"`{dataset.id}` within reach of `{here}`"
    form.builder.row("colocation", label, [*supply, *own, *((c, -gb) for c, gb in need)], lower=0.0)


def _writes(form: Formulation, network: Network, dataset: Dataset, period: int) -> None:
    if not dataset.copies:
        return
    instance = form.instance
    for index, lane in enumerate(instance.lanes):
        gb = _use_gb(instance.workload(lane).writes, dataset)
        here = instance.sites[lane.site].site.id
        if gb <= 0.0:
            continue
        for block in instance.blocks:
            column = form.serve.get((index, period, block))
            if column is not None:
                volume = gb * volume_share(instance, lane.workload, period, block)
                network.send(column, here, dataset.copies[0], period, volume)
