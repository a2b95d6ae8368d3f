"""Who may serve each workload: policy first, then a price and the plan's share for whoever is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tripoint.domain.errors import Finding
from tripoint.domain.findings import finding
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.serving import Upstream
from tripoint.domain.table import Candidate, Route, Target, TokenPrice
from tripoint.domain.units import TOKENS_PER_MTOK, ModelId
from tripoint.engines.gateway.table.ground import Asked, Ground
from tripoint.engines.gateway.table.labels import allowed_by_label
from tripoint.engines.gateway.table.prices import Cost, Price, option_of, price_of, with_own_prices
from tripoint.engines.gateway.table.shares import Pool, Seat, Spread, spread
from tripoint.engines.gateway.table.tariffs.rows import part_of, tariff_of
from tripoint.engines.gateway.table.transfers import egress_of
from tripoint.engines.sizing.policy import Place, Subject, allows_spot, is_allowed, place_of, subject_of

_SHOWN_SHARE = 1e-4
_AS_DEAREST = "not known: as the most expensive of the route"
_AS_LAST_RESORT = "not known: as the last resort"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What the plan says about serving; empty without one."""

    shares: Mapping[str, Mapping[tuple[Pool, bool], float]]
    """Workload -> (pool, on spot nodes) -> share."""
    options: Mapping[Pool, PurchaseOption]
    """How the pool's nodes are paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """An upstream that may serve a workload, with what policy judged."""

    index: int
    """Of its target."""
    upstream: Upstream
    """As declared."""
    model: ModelId
    """What it would answer with."""
    place: Place
    """Its site."""
    subject: Subject
    """The workload with that model."""
    is_fallback: bool
    """True for another model than the workload's."""


def route_of(
    ground: Ground, asked: Asked, targets: tuple[Target, ...], labels: tuple[str, ...], prior: Prior
) -> tuple[Route | None, list[Finding]]:
    """The route of a workload; `None` where no upstream that serves its model may serve it."""
    workload = asked.workload
    allowed = list(_allowed(ground, asked))
    if workload.model is None or not any(not each.is_fallback for each in allowed):
        return None, []
    priced = [_price(ground, asked, each, prior) for each in allowed]
    found, unpriced = _filled(priced)
    findings = [_no_price(ground, asked, allowed[index], found[index]) for index in unpriced]
    shared = _shares(ground, asked, allowed, targets, prior)
    findings += [_nowhere(workload.id, pool, share) for pool, share in shared.lost.items() if share > _SHOWN_SHARE]
    candidates = tuple(
        _candidate(ground, asked, each, (price, share))
        for each, price, share in zip(allowed, found, shared.shares, strict=True)
    )
    route = Route(
        workload=workload.id,
        model=workload.model,
        candidates=candidates,
        allowed=allowed_by_label(labels, [(each.place, each.subject) for each in allowed], ground.book),
        priority=workload.priority,
        ttft_ms=workload.slo.ttft_ms,
        tpot_ms=workload.slo.tpot_ms,
        tokens_out=round(asked.load.output_tokens),
    )
    return route, findings


def _allowed(ground: Ground, asked: Asked) -> Iterator[Allowed]:
    """Upstreams in declared order for its own model, then for each model it may fall back to."""
    workload = asked.workload
    rows = [row for row in ground.estate.serving.fallbacks if row.workload == workload.id]
    others = dict.fromkeys(model for row in rows for model in row.models if model != workload.model)
    for model in [workload.model, *others]:
        if model is None:
            continue
        subject = subject_of(replace(workload, model=model), ground.estate, ground.catalog)
        for index, upstream in enumerate(ground.estate.serving.upstreams):
            if model not in upstream.models:
                continue
            place = place_of(ground.sites[upstream.site], ground.catalog)
            if is_allowed(place, subject, ground.book) and _is_steady_enough(ground, asked, upstream):
                yield Allowed(
                    index=index,
                    upstream=upstream,
                    model=model,
                    place=place,
                    subject=subject,
                    is_fallback=model != workload.model,
                )


def _is_steady_enough(ground: Ground, asked: Asked, upstream: Upstream) -> bool:
    """False for spot nodes under a workload that may not be interrupted, whatever the plan does with the pool."""
    pool = ground.pools.get((upstream.site, ground.node_type_of(upstream) or ""))
    option = upstream.option if pool is None else option_of(upstream, pool, None)
    return option is not PurchaseOption.SPOT or allows_spot(asked.workload)


def _price(ground: Ground, asked: Asked, each: Allowed, prior: Prior) -> Price | None:
    egress = egress_of(ground, asked, each.upstream.site)
    node_type = ground.node_type_of(each.upstream)
    planned = prior.options.get((each.upstream.site, node_type or ""))
    if planned is PurchaseOption.SPOT and not allows_spot(asked.workload):
        planned = None
    price = price_of(ground, asked, each.upstream, each.model, (egress, planned))
    return with_own_prices(ground, each.upstream, price, egress)


def _filled(prices: list[Price | None]) -> tuple[list[Price], list[int]]:
    """Every price, the unknown ones as dear as the dearest known of the route in each part; and which those are."""
    known = [price for price in prices if price is not None]
    unknown = [index for index, price in enumerate(prices) if price is None or price.cost is None]
    costs = [price.cost for price in known if price.cost is not None]
    effective = _dearest([cost.effective for cost in costs])
    cost = Cost(effective=effective, listed=_dearest([cost.listed for cost in costs]), firm=effective)
    stand_in = Price(
        own=_dearest([price.own for price in known]), cost=cost, basis=_AS_DEAREST if known else _AS_LAST_RESORT
    )
    whole = [stand_in if price is None else price for price in prices]
    return [price if price.cost is not None else _with_cost(price, cost, len(costs)) for price in whole], unknown


def _with_cost(price: Price, cost: Cost, known: int) -> Price:
    told = _AS_DEAREST if known else _AS_LAST_RESORT
    return replace(price, cost=cost, basis=f"{price.basis}; in full {told}")


LAST_RESORT = TokenPrice(usd_in=1e-5, usd_out=3e-5, usd_cached=1e-5)
"""Where a route has no price at all: 10 and 30 USD per million tokens, dearer than self-hosting ever is."""


def _dearest(prices: list[TokenPrice]) -> TokenPrice:
    if not prices:
        return LAST_RESORT
    return TokenPrice(
        usd_in=max(price.usd_in for price in prices),
        usd_out=max(price.usd_out for price in prices),
        usd_cached=max(price.usd_cached for price in prices),
        usd_request=max(price.usd_request for price in prices),
    )


def _shares(ground: Ground, asked: Asked, allowed: list[Allowed], targets: tuple[Target, ...], prior: Prior) -> Spread:
    """Shares of the workload's own model; a fallback is no part of the plan."""
    own = [each for each in allowed if not each.is_fallback]
    seats = [_seat(ground, each, targets, prior) for each in own]
    found = spread(prior.shares.get(asked.workload.id, {}), seats)
    return Spread(shares=(*found.shares, *(0.0 for _ in allowed[len(own) :])), lost=found.lost)


def _seat(ground: Ground, each: Allowed, targets: tuple[Target, ...], prior: Prior) -> Seat:
    upstream = each.upstream
    node_type = ground.node_type_of(upstream) or ""
    pool = ground.pools.get((upstream.site, node_type))
    planned = prior.options.get((upstream.site, node_type))
    option = upstream.option if pool is None else option_of(upstream, pool, planned)
    return Seat(
        pool=(upstream.site, node_type),
        capacity=float(targets[each.index].max_concurrency),
        is_spot=option is PurchaseOption.SPOT,
    )


def _candidate(ground: Ground, asked: Asked, each: Allowed, worth: tuple[Price, float]) -> Candidate:
    price, share = worth
    rtt = ground.desk.worst_rtt(asked.workload, each.upstream.site)
    spec = next((model for model in ground.estate.models if model.id == each.model), None)
    cost, row = price.cost, f"{asked.workload.id}/{each.upstream.id}/{each.model}"
    assert cost is not None  # `_filled` leaves none without
    tariff = tariff_of(row, cost.effective)
    return Candidate(
        target=each.index,
        model=each.model,
        name=each.upstream.models[each.model],
        share=share,
        price=price.own,
        tariff=tariff,
        list_tariff=tariff_of(row, cost.listed),
        marginal=tariff_of(row, price.own),
        firm=part_of(replace(cost.firm, usd_request=0.0), tariff),
        basis=price.basis,
        rtt_ms=rtt.value if rtt is not None else 0.0,
        context_tokens=0 if spec is None else spec.context_tokens,
        is_fallback=each.is_fallback,
    )


def _no_price(ground: Ground, asked: Asked, each: Allowed, taken: Price) -> Finding:
    cost = taken.cost
    assert cost is not None  # `_filled` leaves none without
    usd_in, usd_out = cost.effective.usd_in * TOKENS_PER_MTOK, cost.effective.usd_out * TOKENS_PER_MTOK
    message = (
        f"no figure says what a request of `{asked.workload.id}` costs at `{each.upstream.id}`: "
        f"{_why_no_price(ground, each)}; taken {taken.basis.rpartition(': ')[2]}, {usd_in:.3g} USD per million input "
        f"tokens and {usd_out:.3g} per million output tokens"
    )
    hint = "declare `usd_in_per_mtok` and `usd_out_per_mtok`, or a `node_type` with figures"
    return finding("TP1701", f"serving.upstreams[{each.index}]", message, hint)


def _why_no_price(ground: Ground, each: Allowed) -> str:
    site = each.upstream.site
    node_type = ground.node_type_of(each.upstream)
    if node_type is None:
        return f"it names no `node_type`, and `{site}` has not exactly one"
    if (site, node_type) not in ground.pools:
        return f"`{site}` has no pool and sells no API called `{node_type}`"
    return f"the catalogue has no speed of `{each.model}` on `{node_type}`, or no price of it"


def _nowhere(workload: str, pool: Pool, share: float) -> Finding:
    message = (
        f"the plan puts {100 * share:.0f} % of `{workload}` on `{pool[0]}/{pool[1]}`, where no upstream that may serve "
        f"it is; the share is spread over the others in proportion"
    )
    hint = f"declare an upstream with `site: {pool[0]}` and `node_type: {pool[1]}`"
    return finding("TP1702", "serving.upstreams", message, hint)
