"""A pool's prices as rates: what a node costs to own, commit, rent, keep and run busy."""

from __future__ import annotations

import math

from tripoint.domain.catalog import Catalog
from tripoint.domain.charge import ChargeKind, Rate
from tripoint.domain.estate import Estate
from tripoint.domain.provenance import Figure
from tripoint.domain.purchase import Offer, PurchaseOption
from tripoint.engines.costing.rates import (
    committed_node_month,
    elastic_node_hour,
    held_node_month,
    owned_busy_hour,
    owned_node_month,
    owned_purchase,
)
from tripoint.engines.facts.figures import FinanceFigures, NodeFigures, SiteFigures, node_figures
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.facts.prices.offers import commitment_offer, pool_offers
from tripoint.engines.placement.instance.calendar import lead_periods, months_until, overlap_months
from tripoint.engines.placement.instance.instance import PoolModel, SignedCommitment, SiteModel, TermOffer

_SUNK = (ChargeKind.AMORTISATION, ChargeKind.CAPITAL)


def pool_model(
    spec: PoolSpec,
    site: int,
    sites: tuple[SiteModel, ...],
    finance: FinanceFigures,
    estate: Estate,
    catalog: Catalog,
) -> tuple[PoolModel, tuple[Figure, ...]]:
    """The pool with every way of buying it priced, and the figures those prices rest on."""
    figures = node_figures(spec, catalog, estate.assumptions)
    place = sites[site].figures
    offers, price_figures = pool_offers(spec, estate, catalog)
    by_option = {offer.option: offer for offer in offers if offer.term_months is None}
    owned = by_option.get(PurchaseOption.OWNED)
    declared = spec.declared
    gpus = spec.node.gpus
    signed, signed_figures = _signed(spec, figures, place, estate, catalog)
    own_nodes = owned is not None or declared.held > 0
    running, sunk = _held_rates(figures, gpus, place, finance) if declared.held else ((), ())
    horizon = estate.horizon
    written_off = 0 if declared.held_until is None else months_until(horizon, declared.held_until)
    lead = spec.lead_time_months.value if spec.lead_time_months is not None else 0.0
    return PoolModel(
        spec=spec,
        site=site,
        gpus=gpus,
        count=spec.site.count,
        figures=figures,
        node_kw=figures.max_kw.value,
        max_nodes=math.inf if spec.max_nodes is None else float(spec.max_nodes),
        lead_periods=lead_periods(horizon, lead),
        lead_months=lead,
        held=declared.held,
        held_months=tuple(overlap_months(horizon, period, written_off) for period in range(horizon.periods)),
        owned_month=owned_node_month(figures, gpus, place, finance) if owned is not None else (),
        owned_purchase=owned_purchase(figures, finance) if owned is not None else (),
        held_running=running,
        held_sunk=sunk,
        busy_hour=owned_busy_hour(figures, place, finance) if own_nodes else (),
        on_demand_hour=_elastic(by_option.get(PurchaseOption.ON_DEMAND), figures, place),
        spot_hour=_elastic(by_option.get(PurchaseOption.SPOT), figures, place),
        terms=_terms(offers, figures, place, horizon.period_months),
        signed=signed,
        offers=offers,
    ), (*price_figures, *signed_figures)


def _held_rates(
    node: NodeFigures, gpus: int, site: SiteFigures, finance: FinanceFigures
) -> tuple[tuple[Rate, ...], tuple[Rate, ...]]:
    running = held_node_month(node, gpus, site, finance, is_written_off=True)
    everything = held_node_month(node, gpus, site, finance, is_written_off=False)
    return running, tuple(rate for rate in everything if rate.kind in _SUNK)


def _elastic(offer: Offer | None, node: NodeFigures, site: SiteFigures) -> tuple[Rate, ...]:
    return () if offer is None else elastic_node_hour(offer, node, site)


def _terms(
    offers: tuple[Offer, ...], node: NodeFigures, site: SiteFigures, period_months: int
) -> tuple[TermOffer, ...]:
    return tuple(
        TermOffer(
            offer=offer,
            periods=max(1, round(offer.term_months / period_months)),
            month_rates=committed_node_month(offer, node, site),
        )
        for offer in offers
        if offer.option is PurchaseOption.COMMITTED and offer.term_months
    )


def _signed(
    spec: PoolSpec, node: NodeFigures, site: SiteFigures, estate: Estate, catalog: Catalog
) -> tuple[tuple[SignedCommitment, ...], tuple[Figure, ...]]:
    horizon = estate.horizon
    signed: list[SignedCommitment] = []
    used: list[Figure] = []
    for commitment in spec.declared.commitments:
        offer, figures = commitment_offer(spec, commitment, estate, catalog)
        if offer is None:
            continue
        left = months_until(horizon, commitment.ends)
        used.extend(figures)
        signed.append(
            SignedCommitment(
                nodes=commitment.nodes * spec.site.count,
                ends=commitment.ends,
                months=tuple(overlap_months(horizon, period, left) for period in range(horizon.periods)),
                month_rates=committed_node_month(offer, node, site),
            )
        )
    return tuple(signed), tuple(used)
