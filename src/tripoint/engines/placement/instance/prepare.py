"""From an estate and a catalogue to a planning instance: resolve figures, prices, fits and refusals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields

from tripoint.domain.catalog import Catalog
from tripoint.domain.demand import DemandProfile
from tripoint.domain.estate import Estate
from tripoint.domain.fit import Fit, Refusal, RefusalReason
from tripoint.domain.outlook import Outlook
from tripoint.domain.provenance import Figure
from tripoint.domain.purchase import Offer, PurchaseOption
from tripoint.domain.site import Site
from tripoint.domain.units import PoolId, SiteId, WorkloadId
from tripoint.engines.facts.figures import finance_figures, site_figures
from tripoint.engines.facts.pools import pool_specs
from tripoint.engines.facts.prices.offers import api_offers, explain_no_price
from tripoint.engines.placement.instance.calendar import discount_factors, lead_periods
from tripoint.engines.placement.instance.instance import Instance, Lane, LaneKind, PoolModel, SiteModel
from tripoint.engines.placement.instance.outlook import demand_in, differs_from
from tripoint.engines.placement.instance.pool_models import pool_model
from tripoint.engines.sizing.demand.grid import demand_grid
from tripoint.engines.sizing.fit.fits import fit_all
from tripoint.engines.sizing.policy import allows_spot


def prepare(
    estate: Estate,
    catalog: Catalog,
    profiles: Mapping[WorkloadId, DemandProfile],
    outlook: Outlook | None = None,
    waived: frozenset[tuple[str, str]] = frozenset(),
) -> Instance:
    """Resolves everything; pairs that cannot be are kept as refusals, never dropped in silence.

    With an outlook, demand and prices are as it has them. `waived` (workload, country) asks what would be without the
    estate's own residency rules there.
    """
    grid, grid_figures = demand_grid(estate, catalog, profiles)
    if outlook is not None:
        grid = demand_in(outlook, grid, estate.horizon)
    finance = finance_figures(estate, catalog)
    sites = tuple(_site_model(site, estate, catalog) for site in estate.sites)
    site_index = {model.site.id: number for number, model in enumerate(sites)}
    specs = pool_specs(estate, catalog)
    priced_apis = {site.id: api_offers(site, estate, catalog) for site in estate.sites}
    apis = {site: offers for site, (offers, _) in priced_apis.items()}
    fits, refusals, fit_figures = fit_all(estate, catalog, grid, specs, apis, waived)
    pools: list[PoolModel] = []
    price_figures: list[Figure] = [figure for _, figures in priced_apis.values() for figure in figures]
    for spec in specs:
        model, pool_figures = pool_model(spec, site_index[spec.site.id], sites, finance, estate, catalog)
        pools.append(model)
        price_figures.extend(pool_figures)
    kept = _useful_pools(pools, fits)
    lanes = _lanes(estate, kept, fits, site_index, apis)
    unpriced = _unbuyable(estate, catalog, kept, fits, lanes)
    figures = (
        *grid_figures,
        *fit_figures,
        *price_figures,
        *_figures_in(finance),
        *(figure for model in sites for figure in _figures_in(model.figures)),
        *(figure for pool in kept for figure in _figures_in(pool.figures)),
        *(pool.spec.lead_time_months for pool in kept if pool.spec.lead_time_months is not None),
    )
    return Instance(
        estate=estate,
        catalog=catalog,
        grid=grid,
        finance=finance,
        sites=sites,
        pools=kept,
        lanes=lanes,
        discount=discount_factors(estate.horizon, finance.discount_rate.value),
        refusals=(*refusals, *unpriced),
        figures=tuple({figure.key: figure for figure in figures}.values()),
        price_factors={} if outlook is None else outlook.prices.by_option,
        prices_from=0 if outlook is None else differs_from(outlook, grid, estate.horizon),
    )


def _figures_in(record: object) -> tuple[Figure, ...]:
    values = [getattr(record, field.name) for field in fields(record)]  # type: ignore[arg-type]  # any dataclass
    inner = [item for value in values if isinstance(value, tuple) for item in value]
    return tuple(value for value in (*values, *inner) if isinstance(value, Figure))


def _site_model(site: Site, estate: Estate, catalog: Catalog) -> SiteModel:
    power = site.power
    usable = None if power is None else power.usable_kw
    racks = math.inf if power is None or power.racks is None else float(power.racks)
    return SiteModel(
        site=site,
        figures=site_figures(site, catalog, estate.assumptions),
        layer=site.kind.layer.value,
        usable_kw=math.inf if usable is None else usable,
        racks=racks,
        expansion_lead=tuple(lead_periods(estate.horizon, step.lead_time_months) for step in site.expansion),
    )


def _useful_pools(pools: list[PoolModel], fits: tuple[Fit, ...]) -> tuple[PoolModel, ...]:
    """Pools some workload can use, and those somebody already pays for."""
    wanted = {fit.pool for fit in fits if not fit.is_api}
    return tuple(pool for pool in pools if pool.spec.id in wanted or pool.held or pool.signed)


def _lanes(
    estate: Estate,
    pools: tuple[PoolModel, ...],
    fits: tuple[Fit, ...],
    site_index: Mapping[SiteId, int],
    apis: Mapping[SiteId, tuple[Offer, ...]],
) -> tuple[Lane, ...]:
    workload_index = {workload.id: number for number, workload in enumerate(estate.workloads)}
    pool_index = {pool.spec.id: number for number, pool in enumerate(pools)}
    lanes: list[Lane] = []
    for fit in fits:
        number = workload_index[fit.workload]
        site = site_index[fit.site]
        if fit.is_api:
            lanes.extend(
                Lane(workload=number, site=site, pool=None, kind=LaneKind.API, fit=fit, offer=offer)
                for offer in apis[fit.site]
                if offer.pool == fit.pool
            )
            continue
        pool = pools[pool_index[fit.pool]]
        if _has_firm_nodes(pool):
            lanes.append(Lane(workload=number, site=site, pool=pool_index[fit.pool], kind=LaneKind.FIRM, fit=fit))
        if pool.spot_hour and allows_spot(estate.workloads[number]):
            lanes.append(
                Lane(
                    workload=number,
                    site=site,
                    pool=pool_index[fit.pool],
                    kind=LaneKind.SPOT,
                    fit=fit,
                    offer=_spot_offer(pool, fit.pool),
                )
            )
    return tuple(lanes)


def _unbuyable(
    estate: Estate,
    catalog: Catalog,
    pools: tuple[PoolModel, ...],
    fits: tuple[Fit, ...],
    lanes: tuple[Lane, ...],
) -> tuple[Refusal, ...]:
    """Offers refused although the workload fits: spot where it may not be interrupted, or no price at all."""
    bought = {(lane.fit.workload, lane.fit.pool) for lane in lanes}
    by_id = {pool.spec.id: pool for pool in pools}
    by_name = {workload.id: workload for workload in estate.workloads}
    refusals: list[Refusal] = []
    for fit in fits:
        if fit.is_api:
            continue
        pool = by_id[fit.pool]
        if pool.spot_hour and not allows_spot(by_name[fit.workload]):
            refusals.append(_refused(fit, f"{fit.node_type} spot", RefusalReason.SPOT_NOT_ALLOWED, _NO_SPOT))
        elif (fit.workload, fit.pool) not in bought:
            text = explain_no_price(pool.spec, catalog)
            refusals.append(_refused(fit, fit.node_type, RefusalReason.NO_PRICE, text))
    return tuple(refusals)


def _refused(fit: Fit, node_type: str, reason: RefusalReason, text: str) -> Refusal:
    return Refusal(workload=fit.workload, site=fit.site, node_type=node_type, reason=reason, text=text)


_NO_SPOT = "spot nodes may be taken back and the workload may not be interrupted; `allows_spot: true` would let it"


def _has_firm_nodes(pool: PoolModel) -> bool:
    return bool(pool.on_demand_hour or pool.owned_month or pool.held or pool.terms or pool.signed)


def _spot_offer(pool: PoolModel, name: PoolId) -> Offer:
    return next(offer for offer in pool.offers if offer.option is PurchaseOption.SPOT and offer.pool == name)
