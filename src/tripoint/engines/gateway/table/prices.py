"""What does one more request cost at an upstream? The planner's cost function, per token.

Nodes that are paid whether they work or not (owned, held, committed) cost at the margin what work adds: the energy
above idle where the meter is ours, nothing where it is inside the rent. Nodes rented by the hour cost their busy
node-hours; a token API its tokens. On top comes what the answer costs to leave the site, and what the request costs
to leave the caller's.

A node's cost per request is spread over tokens by the throughput model: accelerator-seconds of a computed input
token, of an output token, none for a cached one. So the price of the mean request is the planner's to the last digit,
and a longer answer costs more in the proportion in which it occupies the node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tripoint.domain.charge import Rate
from tripoint.domain.fit import Fit
from tripoint.domain.purchase import Offer, PurchaseOption
from tripoint.domain.serving import Upstream
from tripoint.domain.table import TokenPrice
from tripoint.domain.units import TOKENS_PER_MTOK, ModelId, NodeTypeId
from tripoint.domain.workload import Slo
from tripoint.engines.costing.rates import api_mtok_in, api_mtok_out, elastic_node_hour, owned_busy_hour
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.facts.figures import node_figures, site_figures
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.facts.prices.offers import api_offers, pool_offers
from tripoint.engines.gateway.table.ground import Asked, Ground, Work
from tripoint.engines.gateway.table.transfers import Egress
from tripoint.engines.sizing.fit.desk import Errand
from tripoint.engines.sizing.fit.fits import fit_pool
from tripoint.engines.sizing.fit.hosting import Hosted, Seat, best_hosting
from tripoint.engines.sizing.speed.throughput import Shape

_ANY_OBJECTIVE = Slo()


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A marginal price and where it comes from."""

    own: TokenPrice
    """After own rates and discounts."""
    listed: TokenPrice
    """At list prices."""
    basis: str
    """Which figures."""


def price_of(
    ground: Ground, asked: Asked, upstream: Upstream, model: ModelId, ways: tuple[Egress, PurchaseOption | None]
) -> Price | None:
    """Marginal price of a workload's request for `model` at an upstream; `None` where no figure can be found.

    `ways` are what moving a request's bytes costs there, and how the plan buys the pool (`None` without a plan).
    """
    egress, planned = ways
    node_type = ground.node_type_of(upstream)
    if node_type is None:
        return None
    if node_type in ground.sites[upstream.site].apis:
        return _api(ground, upstream, node_type, egress)
    pool = ground.pools.get((upstream.site, node_type))
    if pool is None:
        return None
    option = option_of(upstream, pool, planned)
    if option is PurchaseOption.COMMITTED:
        nothing = _token_price(0.0, 0.0, 0.0, egress)
        return Price(own=nothing, listed=nothing, basis=f"committed: paid whether it works or not{egress.told}")
    rates = _busy_hour(ground, pool, option)
    work = work_of(ground, asked, pool, model)
    return None if rates is None or work is None else _nodes(asked, work, (rates, option), egress)


def work_of(ground: Ground, asked: Asked, pool: PoolSpec, model: ModelId) -> Work | None:
    """The workload on the pool's nodes as the planner sizes it; without its objectives where it misses them there."""
    key = (asked.workload.id, pool.id, model)
    if key not in ground.known_works:
        workload = replace(asked.workload, model=model)
        errand = ground.desk.errand(workload, asked.demand)
        free = ground.desk.errand(replace(workload, slo=_ANY_OBJECTIVE), asked.demand)
        found = _sized(ground, errand, pool) or _sized(ground, free, replace(pool, max_nodes=None))
        ground.known_works[key] = found
    return ground.known_works[key]


def option_of(upstream: Upstream, pool: PoolSpec, planned: PurchaseOption | None) -> PurchaseOption:
    """How the upstream's nodes are paid: declared, else as the plan buys them, else the firmest the pool has."""
    if upstream.option is not None:
        return upstream.option
    if planned is not None:
        return planned
    if pool.declared.held or PurchaseOption.OWNED in pool.options:
        return PurchaseOption.OWNED
    if pool.declared.commitments:
        return PurchaseOption.COMMITTED
    elastic = (PurchaseOption.ON_DEMAND, PurchaseOption.SPOT)
    return next((option for option in elastic if option in pool.options), PurchaseOption.COMMITTED)


def _sized(ground: Ground, errand: Errand, pool: PoolSpec) -> Work | None:
    chip = ground.desk.accelerator(pool.node.accelerator)
    fit, _ = fit_pool(ground.desk, errand, pool)
    if chip is None or not isinstance(fit, Fit):
        return None
    rtt = ground.desk.worst_rtt(errand.workload, pool.site.id)
    hosted = best_hosting(ground.desk, Seat(errand=errand, node=pool.node, chip=chip, rtt=rtt))
    return Work(errand=errand, node=pool.node, fit=fit, hosted=hosted) if isinstance(hosted, Hosted) else None


def with_own_prices(upstream: Upstream, price: Price | None, egress: Egress) -> Price | None:
    """The upstream's own token prices win over the cost function's; one alone needs the other from there."""
    own_in, own_out = upstream.usd_in_per_mtok, upstream.usd_out_per_mtok
    if own_in is None and own_out is None:
        return price
    if price is None and (own_in is None or own_out is None):
        return None
    declared = _token_price(own_in or 0.0, own_in or 0.0, own_out or 0.0, egress)
    if price is None or (own_in is not None and own_out is not None):
        return Price(own=declared, listed=declared, basis=f"declared: upstream `{upstream.id}`{egress.told}")
    fields = ("usd_in", "usd_cached") if own_in is not None else ("usd_out",)
    given = {name: getattr(declared, name) for name in fields}
    own, listed = replace(price.own, **given), replace(price.listed, **given)
    return Price(own=own, listed=listed, basis=f"declared: upstream `{upstream.id}`; {price.basis}")


def _api(ground: Ground, upstream: Upstream, api: NodeTypeId, egress: Egress) -> Price | None:
    offers, _ = api_offers(ground.sites[upstream.site], ground.estate, ground.catalog)
    offer = next((offer for offer in offers if offer.node_type == api), None)
    if offer is None:
        return None
    fresh, cached, out = api_mtok_in(offer, 0.0), api_mtok_in(offer, 1.0), api_mtok_out(offer)
    return Price(
        own=_token_price(_effective(fresh), _effective(cached), _effective(out), egress),
        listed=_token_price(_listed(fresh), _listed(cached), _listed(out), egress),
        basis=f"per token: {_keys(offer.basis)}{egress.told}",
    )


def _token_price(fresh: float, cached: float, out: float, egress: Egress) -> TokenPrice:
    """From USD per million tokens."""
    return TokenPrice(
        usd_in=fresh / TOKENS_PER_MTOK,
        usd_out=out / TOKENS_PER_MTOK,
        usd_cached=cached / TOKENS_PER_MTOK,
        usd_request=egress.usd_per_request,
    )


def _busy_hour(ground: Ground, pool: PoolSpec, option: PurchaseOption) -> tuple[Rate, ...] | None:
    """What a busy node-hour adds to the bill; `None` without a price."""
    overrides = ground.estate.assumptions
    node = node_figures(pool, ground.catalog, overrides)
    place = site_figures(pool.site, ground.catalog, overrides)
    if option is PurchaseOption.OWNED:
        return owned_busy_hour(node, place, ground.finance)
    offers, _ = pool_offers(replace(pool, options=(option,)), ground.estate, ground.catalog)
    offer = next((offer for offer in offers if offer.option is option), None)
    return None if offer is None else elastic_node_hour(_with_lost_work(ground, offer), node, place)


def _with_lost_work(ground: Ground, offer: Offer) -> Offer:
    """Spot nodes are taken back: the planner pays for the work that is done twice, and so does a request."""
    if offer.option is not PurchaseOption.SPOT:
        return offer
    lost = 1.0 + default_figure(ground.catalog, ground.estate.assumptions, "spot.lost_work_share").value
    return replace(offer, price_usd=offer.price_usd * lost, list_usd=offer.list_usd * lost)


def _nodes(asked: Asked, work: Work, bought: tuple[tuple[Rate, ...], PurchaseOption], egress: Egress) -> Price:
    rates, option = bought
    hours = work.node_hours(asked)
    keys = _keys(tuple(dict.fromkeys(key for rate in rates for key in (*rate.basis, *work.fit.basis))))
    return Price(
        own=_spread(_effective(rates) * hours, asked, work, egress),
        listed=_spread(_listed(rates) * hours, asked, work, egress),
        basis=f"{option.value}: {keys}{egress.told}",
    )


def _spread(usd: float, asked: Asked, work: Work, egress: Egress) -> TokenPrice:
    """A request's cost over its tokens, by the accelerator-seconds each takes; evenly where they take none."""
    speed, load = work.hosted.speed, asked.load
    seconds = speed.gpu_seconds(_mean(asked))
    if seconds > 0:
        return TokenPrice(
            usd_in=usd * speed.prefill_s / seconds,
            usd_out=usd * speed.decode_s / seconds,
            usd_cached=0.0,
            usd_request=egress.usd_per_request,
        )
    even = usd / load.tokens if load.tokens > 0 else 0.0
    return TokenPrice(usd_in=even, usd_out=even, usd_cached=even, usd_request=egress.usd_per_request)


def _mean(asked: Asked) -> Shape:
    """The mean request, as the planner sizes it."""
    load = asked.load
    return Shape(input_tokens=load.input_tokens, output_tokens=load.output_tokens, cached_share=load.cached_share)


def _effective(rates: tuple[Rate, ...]) -> float:
    return sum(rate.effective_usd for rate in rates)


def _listed(rates: tuple[Rate, ...]) -> float:
    return sum(rate.list_usd for rate in rates)


def _keys(basis: tuple[str, ...]) -> str:
    return ", ".join(basis)
