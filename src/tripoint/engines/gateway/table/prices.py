"""What does one more request cost at an upstream, and what in full? The planner's cost function, per token.

At the margin, which is what routing compares: nodes that are paid whether they work or not (owned, held, committed)
cost what work adds: the energy above idle where the meter is ours, nothing where it is inside the rent. Nodes rented by
the hour cost their busy node-hours; a token API its tokens. On top comes what the answer costs to leave the site, and
what the request costs to leave the caller's.

In full, which is what is billed: the same, and the hours of the node the request takes up at the node's whole cost. So
tokens of one's own nodes are never free; what nobody uses of the nodes is no part of it and becomes an idle row.

A node's cost per request is spread over tokens by the throughput model: accelerator-seconds of a computed input
token, of an output token, none for a cached one. So the price of the mean request is the planner's to the last digit,
and a longer answer costs more in the proportion in which it occupies the node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tripoint.domain.charge import Rate
from tripoint.domain.fit import Fit
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.serving import Upstream
from tripoint.domain.table import TokenPrice
from tripoint.domain.units import TOKENS_PER_MTOK, ModelId, NodeTypeId
from tripoint.domain.workload import Slo
from tripoint.engines.costing.rates import api_mtok_in, api_mtok_out
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.facts.prices.offers import api_offers
from tripoint.engines.gateway.table.ground import Asked, Ground, Work
from tripoint.engines.gateway.table.tariffs.hours import NodeHour, node_hour
from tripoint.engines.gateway.table.transfers import Egress
from tripoint.engines.sizing.fit.desk import Errand
from tripoint.engines.sizing.fit.fits import fit_pool
from tripoint.engines.sizing.fit.hosting import Hosted, Seat, best_hosting
from tripoint.engines.sizing.speed.throughput import Shape

_ANY_OBJECTIVE = Slo()


_NOTHING = TokenPrice(usd_in=0.0, usd_out=0.0, usd_cached=0.0)
_FIRM = (PurchaseOption.OWNED, PurchaseOption.COMMITTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a request costs in full."""

    effective: TokenPrice
    """After own rates and discounts."""
    listed: TokenPrice
    """At list prices."""
    firm: TokenPrice = _NOTHING
    """The part of `effective` that pays for hours of nodes which are paid anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a request costs, and where that comes from."""

    own: TokenPrice
    """At the margin."""
    cost: Cost | None
    """In full; `None` where only the margin is known."""
    basis: str
    """Which figures."""


def price_of(
    ground: Ground, asked: Asked, upstream: Upstream, model: ModelId, ways: tuple[Egress, PurchaseOption | None]
) -> Price | None:
    """Price of a workload's request for `model` at an upstream; `None` where no figure can be found.

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
    hour, work = node_hour(ground, pool, option), work_of(ground, asked, pool, model)
    cost = None if hour is None or work is None else _cost(asked, work, hour, egress)
    if option is PurchaseOption.COMMITTED:
        basis = f"committed: paid whether it works or not{egress.told}"
        return Price(own=_token_price(0.0, 0.0, 0.0, egress), cost=cost, basis=basis)
    if hour is None or work is None:
        return None
    busy = hour.busy if option in _FIRM else hour.useful
    keys = _keys(tuple(dict.fromkeys((*hour.basis, *work.fit.basis))))
    return Price(
        own=_spread(busy * work.node_hours(asked), asked, work, egress),
        cost=cost,
        basis=f"{option.value}: {keys}{egress.told}",
    )


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


def with_own_prices(ground: Ground, upstream: Upstream, price: Price | None, egress: Egress) -> Price | None:
    """The upstream's own token prices steer its traffic; one alone needs the other from the cost function.

    Where tokens are what is bought, they are what is billed as well. Nodes of one's own cost what they cost, whatever
    was declared to steer by; only where the cost function knows no figure the declared ones are billed, unless they
    say that nodes are free.
    """
    own_in, own_out = upstream.usd_in_per_mtok, upstream.usd_out_per_mtok
    if own_in is None and own_out is None:
        return price
    if price is None and (own_in is None or own_out is None):
        return None
    declared = _token_price(own_in or 0.0, own_in or 0.0, own_out or 0.0, egress)
    if price is None or (own_in is not None and own_out is not None):
        own, basis = declared, f"declared: upstream `{upstream.id}`{egress.told}"
    else:
        fields = ("usd_in", "usd_cached") if own_in is not None else ("usd_out",)
        own = replace(price.own, **{name: getattr(declared, name) for name in fields})
        basis = f"declared: upstream `{upstream.id}`; {price.basis}"
    known = None if price is None else price.cost
    is_bought = ground.node_type_of(upstream) in ground.sites[upstream.site].apis
    if is_bought:
        return Price(own=own, cost=Cost(effective=own, listed=known.listed if known else own), basis=basis)
    if known is None and max(own.usd_in, own.usd_out) > 0.0:
        known = Cost(effective=own, listed=own)
    return Price(own=own, cost=known, basis=basis)


def _api(ground: Ground, upstream: Upstream, api: NodeTypeId, egress: Egress) -> Price | None:
    offers, _ = api_offers(ground.sites[upstream.site], ground.estate, ground.catalog)
    offer = next((offer for offer in offers if offer.node_type == api), None)
    if offer is None:
        return None
    fresh, cached, out = api_mtok_in(offer, 0.0), api_mtok_in(offer, 1.0), api_mtok_out(offer)
    own = _token_price(_effective(fresh), _effective(cached), _effective(out), egress)
    listed = _token_price(_listed(fresh), _listed(cached), _listed(out), egress)
    return Price(
        own=own, cost=Cost(effective=own, listed=listed), basis=f"per token: {_keys(offer.basis)}{egress.told}"
    )


def _token_price(fresh: float, cached: float, out: float, egress: Egress) -> TokenPrice:
    """From USD per million tokens."""
    return TokenPrice(
        usd_in=fresh / TOKENS_PER_MTOK,
        usd_out=out / TOKENS_PER_MTOK,
        usd_cached=cached / TOKENS_PER_MTOK,
        usd_request=egress.usd_per_request,
    )


def _cost(asked: Asked, work: Work, hour: NodeHour, egress: Egress) -> Cost:
    hours = work.node_hours(asked)
    firm = _spread(hour.firm * hour.rework * hours, asked, work, egress)
    return Cost(
        effective=_spread(hour.useful * hours, asked, work, egress),
        listed=_spread(hour.useful_list * hours, asked, work, egress),
        firm=replace(firm, usd_request=0.0),
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
