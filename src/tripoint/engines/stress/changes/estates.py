"""The estate as it is after faults that last: demand, lead times, budget, and where work may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.policy import Budget
from tripoint.domain.purchase import NodePool
from tripoint.domain.site import Site
from tripoint.domain.workload import Workload
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.stress.changes.prices import factors_of, repriced_catalog, repriced_estate

_DAYS_PER_MONTH = 365 / 12
_WEEKS_PER_MONTH = 365 / 12 / 7


def changed(
    estate: Estate, catalog: Catalog, faults: Sequence[Fault], spend_usd_per_period: float
) -> tuple[Estate, Catalog]:
    """Estate and catalogue with the faults of one planned trial; `spend_usd_per_period` is what there is to cut."""
    prices = factors_of(faults)
    estate, catalog = repriced_estate(estate, prices), repriced_catalog(catalog, prices)
    steps: Mapping[FaultKind, Callable[[Estate, Fault], Estate]] = {
        FaultKind.DEMAND: _grown,
        FaultKind.ORDER_DELAY: lambda now, fault: _delayed(now, catalog, fault),
        FaultKind.LEAVE: lambda now, fault: _left(now, catalog, fault),
        FaultKind.BUDGET: lambda now, fault: _cut(now, fault, spend_usd_per_period),
    }
    for fault in faults:
        if fault.kind in steps:
            estate = steps[fault.kind](estate, fault)
    return estate, catalog


def without(estate: Estate, workloads: Sequence[str]) -> Estate:
    """The estate without some of its workloads, and without what only they were named in."""
    gone = frozenset(workloads)
    policies = replace(
        estate.policies,
        residency=tuple(
            replace(rule, workloads=tuple(each for each in rule.workloads if each not in gone))
            for rule in estate.policies.residency
            if not rule.workloads or set(rule.workloads) - gone
        ),
        certification=tuple(
            replace(rule, workloads=tuple(each for each in rule.workloads if each not in gone))
            for rule in estate.policies.certification
            if not rule.workloads or set(rule.workloads) - gone
        ),
    )
    kept = tuple(each for each in estate.workloads if each.id not in gone)
    return replace(estate, workloads=kept, policies=policies)


def sacrifices(estate: Estate) -> tuple[str, ...]:
    """Workloads in the order in which they would be given up: the least urgent first, of those the last declared."""
    ranked = sorted(enumerate(estate.workloads), key=lambda row: (-row[1].priority, -row[0]))
    return tuple(str(workload.id) for _, workload in ranked)


def _grown(estate: Estate, fault: Fault) -> Estate:
    """Demand grows to `size` times itself a year, where it was declared to grow less."""

    def of(workload: Workload) -> Workload:
        growth = max(workload.growth_per_year, fault.size - 1.0)
        return replace(workload, growth_per_year=growth) if workload.id in fault.on else workload

    return replace(estate, workloads=tuple(of(each) for each in estate.workloads))


def _delayed(estate: Estate, catalog: Catalog, fault: Fault) -> Estate:
    """Nodes ordered at the sites or for the pools struck arrive later; lead times nobody declared are the default."""
    usual = default_figure(catalog, estate.assumptions, "lead_time.server_months").value
    late = fault.size / _WEEKS_PER_MONTH

    def of(site: Site, pool: NodePool) -> NodePool:
        if not {site.id, f"{site.id}/{pool.node_type}"} & set(fault.on):
            return pool
        months = late + (usual if pool.lead_time_months is None else pool.lead_time_months)
        return replace(pool, lead_time_months=math.ceil(months - 1e-9))

    return _with_pools(estate, of)


def _left(estate: Estate, catalog: Catalog, fault: Fault) -> Estate:
    """Work may no longer be at sites struck: all of it, or only what is named beside them. Notice shortens lead times.

    Orders are placed when notice is given, so nodes arrive by so much earlier than the day that counts.
    """
    sites = tuple(site.id for site in estate.sites if site.id in fault.on)
    apis = {name for name in fault.on if "/" in name}
    named = {workload.id for workload in estate.workloads if workload.id in fault.on}

    def of(workload: Workload) -> Workload:
        return replace(workload, not_at=tuple(dict.fromkeys((*workload.not_at, *sites))))

    estate = replace(
        estate,
        workloads=tuple(of(each) if not named or each.id in named else each for each in estate.workloads),
        sites=tuple(_without_apis(site, apis) for site in estate.sites),
    )
    notice = fault.size / _DAYS_PER_MONTH
    usual = default_figure(catalog, estate.assumptions, "lead_time.server_months").value

    def sooner(site: Site, pool: NodePool) -> NodePool:
        if site.kind.is_rented:
            return pool
        months = (usual if pool.lead_time_months is None else pool.lead_time_months) - notice
        return replace(pool, lead_time_months=max(0, math.ceil(months - 1e-9)))

    return _with_pools(estate, sooner)


def _without_apis(site: Site, gone: set[str]) -> Site:
    """A site without the token-priced models that are withdrawn, named `site/model`."""
    return replace(site, apis=tuple(model for model in site.apis if f"{site.id}/{model}" not in gone))


def _cut(estate: Estate, fault: Fault, spend_usd_per_period: float) -> Estate:
    """Of the budget a share is left; where none was declared, of what the plan spends in its dearest."""
    budget = estate.policies.budget or Budget(usd_per_period=spend_usd_per_period)
    less = replace(budget, usd_per_period=budget.usd_per_period * fault.size)
    return replace(estate, policies=replace(estate.policies, budget=less))


def _with_pools(estate: Estate, of: Callable[[Site, NodePool], NodePool]) -> Estate:
    return replace(
        estate,
        sites=tuple(
            site if site.pools is None else replace(site, pools=tuple(of(site, pool) for pool in site.pools))
            for site in estate.sites
        ),
    )
