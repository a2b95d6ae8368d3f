"""Which copies follow which store, over which links, and how much they have to follow?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.dataset import Dataset
from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Replication, Store
from tripoint.domain.units import GBIT_PER_GB, HOURS_PER_MONTH, SECONDS_PER_HOUR
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.sizing.paths import path_between

LAG_KEY = "recovery.replication_lag"
"""Default for a lag nobody measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """One copy of one store."""

    store: str
    """Store or dataset id."""
    workloads: tuple[str, ...]
    """Who needs it back."""
    source: str
    """Site that is written to."""
    target: str
    """Site of the copy."""
    links: tuple[str, ...]
    """Links of the estate on the way; empty where none is declared, and then nothing on the way is struck."""
    gb_per_s: float
    """What changes, GB per second on average."""
    lag_s: float
    """How far it is behind when all is well, 99th percentile, s."""


def followings_of(estate: Estate, catalog: Catalog, plan: Plan | None, *, period: int = 0) -> tuple[Following, ...]:
    """Copies that follow without being waited for: of declared stores, and of datasets workloads write."""
    usual_s = default_figure(catalog, estate.assumptions, LAG_KEY).value
    found: list[Following] = []
    for store, dataset in _stores(estate):
        if store.replication is not Replication.ASYNC:
            continue
        sites = tuple(store.sites) or _sites(plan, dataset, period)
        per_hour = store.change_gb_per_hour
        if per_hour is None:
            per_hour = 0.0 if dataset is None else dataset.change_gb_per_month / HOURS_PER_MONTH
        for target in sites[1:]:
            found.append(
                Following(
                    store=store.id,
                    workloads=tuple(store.workloads) or _writers(estate, dataset),
                    source=sites[0],
                    target=target,
                    links=path_between(estate, catalog, sites[0], target).links,
                    gb_per_s=per_hour / SECONDS_PER_HOUR,
                    lag_s=usual_s if store.lag_p99_s is None else store.lag_p99_s,
                )
            )
    return tuple(found)


def carried_gb_per_s(estate: Estate) -> dict[str, float]:
    """Link id -> GB per second it carries; links without a limit are left out."""
    return {link.id: link.bandwidth_gbps / GBIT_PER_GB for link in estate.links if link.bandwidth_gbps is not None}


def _stores(estate: Estate) -> Iterator[tuple[Store, Dataset | None]]:
    """Declared stores, and the datasets workloads write that none of them keeps."""
    datasets = {dataset.id: dataset for dataset in estate.datasets}
    for store in estate.recovery.stores:
        yield store, datasets.get(store.dataset) if store.dataset is not None else None
    declared = {store.dataset for store in estate.recovery.stores}
    written = dict.fromkeys(use.dataset for workload in estate.workloads for use in workload.writes)
    for name in written:
        if name not in declared and name in datasets:
            yield Store(id=name, dataset=name), datasets[name]


def _sites(plan: Plan | None, dataset: Dataset | None, period: int) -> tuple[str, ...]:
    """Where the dataset is in a period, the source first."""
    if dataset is None:
        return ()
    rows = () if plan is None else plan.copies
    kept = [row.site for row in rows if row.dataset == dataset.id and row.from_period <= period <= row.to_period]
    return tuple(dict.fromkeys((*dataset.copies[:1], *(kept or dataset.copies))))


def _writers(estate: Estate, dataset: Dataset | None) -> tuple[str, ...]:
    if dataset is None:
        return ()
    return tuple(each.id for each in estate.workloads if any(use.dataset == dataset.id for use in each.writes))
