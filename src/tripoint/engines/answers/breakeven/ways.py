"""Ways of having capacity, priced with their ranges: nodes held firm, nodes rented by the hour, tokens by the million.

A firm node costs a month's rate and, where it is owned, the energy of its busy hours; an elastic one costs only while
it is used. Ranges come from the price ranges of the figures and from `price.uncertainty`. Transfer is left out: it
follows the callers and the data, not the way a node is bought.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tripoint.domain.charge import Rate
from tripoint.domain.purchase import Offer, PurchaseOption
from tripoint.domain.units import MONTHS_PER_YEAR
from tripoint.engines.costing.breakeven.sensitivity import owned_busy_hour_sensitivity, owned_month_sensitivity
from tripoint.engines.costing.breakeven.threshold import ZERO, Range, elastic_hour, within
from tripoint.engines.costing.rates import api_mtok_in, api_mtok_out
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.instance.instance import Instance, Lane, PoolModel, TermOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmWay:
    """Nodes paid whether used or not."""

    option: str
    """`owned`, `held` (bought before the plan) or `committed 3y`."""
    month_usd: Range
    """One node for an idle month, USD."""
    busy_hour_usd: Range = ZERO
    """One node-hour of work on top of it, USD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticWay:
    """Nodes paid only while used."""

    option: str
    """`on_demand` or `spot`."""
    hour_usd: Range
    """One node-hour, USD; on the spot market with the work that is lost and done again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What each pool may be had for, priced once: workloads and rivals differ in their fits, not in its prices."""

    firm: tuple[tuple[FirmWay, ...], ...]
    """[pool] its firm ways."""
    elastic: tuple[tuple[ElasticWay, ...], ...]
    """[pool] its elastic ways."""


def market_of(instance: Instance) -> Market:
    """Every pool's ways, priced."""
    return Market(
        firm=tuple(firm_ways(instance, pool) for pool in instance.pools),
        elastic=tuple(elastic_ways(instance, pool) for pool in instance.pools),
    )


def total(rates: Iterable[Rate]) -> float:
    """Effective cost of one unit of an activity, USD."""
    return sum(rate.effective_usd for rate in rates)


def node_of(option: str) -> str:
    """`an owned node`, `a held node`, `a node committed for 3y`."""
    kind, _, term = option.partition(" ")
    if kind == "committed":
        return f"a node committed for {term}"
    return "an owned node" if kind == "owned" else "a held node"


def term_words(months: float) -> str:
    """`committed 3y`."""
    return f"committed {months / MONTHS_PER_YEAR:g}y"


def words_of(option: str) -> str:
    """An elastic option as it is said: `on demand`, `on spot`, `by the token`."""
    return {"on_demand": "on demand", "spot": "on spot", "per_token": "by the token"}[option]


def firm_ways(instance: Instance, pool: PoolModel) -> tuple[FirmWay, ...]:
    """Owning, keeping what is held where nothing can be bought, and each term that may be signed."""
    ways = [_committed(instance, term) for term in pool.terms]
    if pool.owned_month:
        ways.insert(0, _owned(instance, pool))
    elif pool.held:
        ways.insert(0, _held(instance, pool))
    return tuple(ways)


def elastic_ways(instance: Instance, pool: PoolModel) -> tuple[ElasticWay, ...]:
    """On demand and spot, where the pool sells them."""
    lost = 1.0 + default_figure(instance.catalog, instance.estate.assumptions, "spot.lost_work_share").value
    factor = {PurchaseOption.ON_DEMAND: 1.0, PurchaseOption.SPOT: lost}
    return tuple(
        ElasticWay(option=offer.option.value, hour_usd=_hour(instance, offer).scaled(factor[offer.option]))
        for offer in pool.offers
        if offer.option in factor
    )


def token_usd(instance: Instance, lane: Lane) -> Range:
    """A million tokens of an API at the workload's mix of input, cached input and output, USD."""
    assert lane.offer is not None
    demand = instance.demand(lane)
    tokens = demand.input_tokens + demand.output_tokens
    usd_in, usd_out = total(api_mtok_in(lane.offer, demand.cached_share)), total(api_mtok_out(lane.offer))
    mixed = (usd_in * demand.input_tokens + usd_out * demand.output_tokens) / tokens if tokens > 0 else 0.0
    return within(mixed, price_uncertainty(instance))


def price_uncertainty(instance: Instance) -> float:
    """How far a list price may move within the horizon, share either way."""
    return default_figure(instance.catalog, instance.estate.assumptions, "price.uncertainty").value


def _hour(instance: Instance, offer: Offer) -> Range:
    return elastic_hour(offer, instance.figures, price_uncertainty(instance))


def _owned(instance: Instance, pool: PoolModel) -> FirmWay:
    place = instance.sites[pool.site].figures
    month = owned_month_sensitivity(pool.figures, pool.gpus, place, instance.finance)
    return FirmWay(option="owned", month_usd=month.usd, busy_hour_usd=_busy(instance, pool))


def _held(instance: Instance, pool: PoolModel) -> FirmWay:
    """Running cost only: the write-off is paid whatever is decided."""
    month = within(total(pool.held_running), price_uncertainty(instance))
    return FirmWay(option="held", month_usd=month, busy_hour_usd=_busy(instance, pool))


def _busy(instance: Instance, pool: PoolModel) -> Range:
    place = instance.sites[pool.site].figures
    return owned_busy_hour_sensitivity(pool.figures, place, instance.finance).usd


def _committed(instance: Instance, term: TermOffer) -> FirmWay:
    hour = _hour(instance, term.offer)
    month = total(term.month_rates)
    scale = month / hour.value if hour.value > 0 else 0.0
    return FirmWay(option=term_words(term.offer.term_months or 0), month_usd=hour.scaled(scale))
