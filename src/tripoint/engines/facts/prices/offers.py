"""What can be bought at a site, and for how much after own rates and discounts?

Order for every price: the pool's own field, the most specific line of the estate's price sheet, the
catalogue (see `list_prices`). A discount is taken off list once. No price means no offer;
`explain_no_price` says what was looked for."""

from __future__ import annotations

from dataclasses import replace

from tripoint.domain.catalog import ApiPrice, Catalog
from tripoint.domain.estate import Estate
from tripoint.domain.provenance import Figure, Origin, Provenance
from tripoint.domain.purchase import Commitment, NodePool, Offer, PurchaseOption
from tripoint.domain.site import Site
from tripoint.domain.units import NodeTypeId, OfferId, PoolId
from tripoint.engines.facts.figures import node_figures
from tripoint.engines.facts.grades import origin_of
from tripoint.engines.facts.own_prices import OwnLine, Subject, best_line
from tripoint.engines.facts.places import geo_of, provider_of
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.facts.prices.list_prices import UNIT, Price, Wanted, list_price

TERMS_MONTHS = (12, 36)
_PER_MTOK = "USD/Mtok"

_Offers = tuple[tuple[Offer, ...], tuple[Figure, ...]]


def pool_offers(pool: PoolSpec, estate: Estate, catalog: Catalog) -> _Offers:
    """Everything buyable in `pool`, and the figures the prices rest on."""
    offers: list[Offer] = []
    figures: dict[str, Figure] = {}
    for option, term in _ways(pool.options):
        offer, used = _offer(pool, option, term, estate, catalog)
        if offer is not None:
            offers.append(offer)
            figures.update((figure.key, figure) for figure in used)
    return tuple(offers), tuple(figures.values())


def api_offers(site: Site, estate: Estate, catalog: Catalog) -> _Offers:
    """Token-priced offers of a site; own discounts apply to all token prices alike, own token prices stand as list."""
    offers: list[Offer] = []
    figures: dict[str, Figure] = {}
    for api in site.apis:
        row = next((row for row in catalog.api_prices if row.id == api), None)
        if row is None:
            continue
        offer, used = _api_offer(site, row, estate)
        offers.append(offer)
        figures.update((figure.key, figure) for figure in used)
    return tuple(offers), tuple(figures.values())


def commitment_offer(
    pool: PoolSpec, commitment: Commitment, estate: Estate, catalog: Catalog
) -> tuple[Offer | None, tuple[Figure, ...]]:
    """A commitment already signed as an offer: its own rate, else the rate of a new one of its term."""
    term = TERMS_MONTHS[1] if (commitment.term_months or TERMS_MONTHS[0]) > 2 * TERMS_MONTHS[0] else TERMS_MONTHS[0]
    offer, figures = _offer(pool, PurchaseOption.COMMITTED, term, estate, catalog)
    if commitment.usd_per_hour is None:
        return offer, figures
    key = f"site.{pool.site.id}.{pool.node.id}.commitment-{commitment.ends}"
    signed = Figure(key=key, value=commitment.usd_per_hour, unit=UNIT, origin=Origin.DECLARED, note="already signed")
    listed = offer.list_usd if offer is not None else commitment.usd_per_hour
    price = Price(usd_per_hour=commitment.usd_per_hour, figures=(signed,))
    return _hourly_offer(pool, PurchaseOption.COMMITTED, term, (listed, price)), (signed,)


def explain_no_price(pool: PoolSpec, catalog: Catalog) -> str:
    """What was looked for in vain, for a refusal."""
    provider, node = provider_of(pool.site), pool.node
    options = ", ".join(option.value for option in pool.options) or "no option allowed"
    if pool.options == (PurchaseOption.OWNED,):
        return f"no purchase price for `{node.id}`: neither the pool nor the catalogue has one"
    known = sorted({row.region for row in catalog.compute_prices if row.sku == node.id})
    where = f"the catalogue prices it in {', '.join(known)} only" if known else "the catalogue has no row for it"
    region = pool.site.region or "any region"
    return (
        f"no price for `{node.id}` at `{provider}` in `{region}` ({options}): neither the pool nor the "
        f"{len(pool.own_prices)} lines of `prices` give one, and {where}"
    )


def _ways(options: tuple[PurchaseOption, ...]) -> tuple[tuple[PurchaseOption, int | None], ...]:
    ways: list[tuple[PurchaseOption, int | None]] = []
    for option in options:
        if option is PurchaseOption.COMMITTED:
            ways.extend((option, term) for term in TERMS_MONTHS)
        elif option is not PurchaseOption.PER_TOKEN:
            ways.append((option, None))
    return tuple(ways)


def _offer(
    pool: PoolSpec, option: PurchaseOption, term: int | None, estate: Estate, catalog: Catalog
) -> tuple[Offer | None, tuple[Figure, ...]]:
    if option is PurchaseOption.OWNED:
        return _owned_offer(pool, estate, catalog)
    listed, price = _hourly(pool, option, term, estate, catalog)
    if price is None:
        return None, ()
    list_usd = listed.usd_per_hour if listed is not None else price.usd_per_hour
    return _hourly_offer(pool, option, term, (list_usd, price)), price.figures


def _hourly(
    pool: PoolSpec, option: PurchaseOption, term: int | None, estate: Estate, catalog: Catalog
) -> tuple[Price | None, Price | None]:
    """(list price, own price); ratios apply to the own on-demand rate where there is one, else to list."""
    on_demand: Price | None = None
    list_on_demand: Price | None = None
    if option is not PurchaseOption.ON_DEMAND:
        list_on_demand, own = _hourly(pool, PurchaseOption.ON_DEMAND, None, estate, catalog)
        on_demand = own if own is not None and _is_own_rate(pool, estate) else list_on_demand
    wanted = _wanted(pool, option, term, catalog)
    listed = list_price(catalog, wanted, list_on_demand)
    rate = _field_price(pool, option, term)
    if rate is not None:
        return listed, rate
    fallback = list_price(catalog, wanted, on_demand)
    own_line = best_line(estate.prices, _subject(pool, option))
    return listed, fallback if own_line is None else _line_price(own_line, listed or fallback)


def _is_own_rate(pool: PoolSpec, estate: Estate) -> bool:
    """True when on-demand is priced by an own rate; a discount line is for the options it names alone."""
    line = best_line(estate.prices, _subject(pool, PurchaseOption.ON_DEMAND))
    return pool.declared.usd_per_hour is not None or (line is not None and line.line.usd_per_hour is not None)


def _line_price(own: OwnLine, listed: Price | None) -> Price | None:
    figure = own.figure()
    if own.line.usd_per_hour is not None:
        return Price(usd_per_hour=own.line.usd_per_hour, figures=(figure,))
    if listed is None or own.line.discount is None:
        return listed
    return Price(usd_per_hour=listed.usd_per_hour * (1.0 - own.line.discount), figures=(*listed.figures, figure))


def _field_price(pool: PoolSpec, option: PurchaseOption, term: int | None) -> Price | None:
    name = _field_name(option, term)
    value = _field_value(pool.declared, name)
    if value is None:
        return None
    figure = Figure(
        key=f"site.{pool.site.id}.{pool.node.id}.{name}",
        value=value,
        unit=UNIT,
        origin=Origin.DECLARED,
        note="own rate",
    )
    return Price(usd_per_hour=value, figures=(figure,))


def _field_name(option: PurchaseOption, term: int | None) -> str:
    if option is PurchaseOption.COMMITTED:
        return "committed_1y_usd_per_hour" if term == TERMS_MONTHS[0] else "committed_3y_usd_per_hour"
    return "spot_usd_per_hour" if option is PurchaseOption.SPOT else "usd_per_hour"


def _field_value(declared: NodePool, name: str) -> float | None:
    return {
        "usd_per_hour": declared.usd_per_hour,
        "spot_usd_per_hour": declared.spot_usd_per_hour,
        "committed_1y_usd_per_hour": declared.committed_1y_usd_per_hour,
        "committed_3y_usd_per_hour": declared.committed_3y_usd_per_hour,
    }[name]


def _subject(pool: PoolSpec, option: PurchaseOption) -> Subject:
    return Subject(provider=provider_of(pool.site), skus=(pool.node.id,), region=pool.site.region, option=option)


def _wanted(pool: PoolSpec, option: PurchaseOption, term: int | None, catalog: Catalog) -> Wanted:
    return Wanted(
        provider=provider_of(pool.site),
        sku=pool.node.id,
        region=pool.site.region,
        geo=geo_of(pool.site, catalog),
        option=option,
        term_months=term,
    )


def _hourly_offer(pool: PoolSpec, option: PurchaseOption, term: int | None, usd: tuple[float, Price]) -> Offer:
    list_usd, price = usd
    return Offer(
        id=_offer_id(pool, option, term),
        site=pool.site.id,
        pool=pool.id,
        node_type=pool.node.id,
        option=option,
        term_months=term,
        list_usd=list_usd,
        price_usd=price.usd_per_hour,
        basis=price.basis,
    )


def _offer_id(pool: PoolSpec, option: PurchaseOption, term: int | None) -> OfferId:
    return OfferId(f"{pool.id}/{option.value}{f'-{term}' if term else ''}")


def _owned_offer(pool: PoolSpec, estate: Estate, catalog: Catalog) -> tuple[Offer | None, tuple[Figure, ...]]:
    node = node_figures(pool, catalog, estate.assumptions)
    if node.purchase_usd.value <= 0:
        return None, ()
    offer = Offer(
        id=_offer_id(pool, PurchaseOption.OWNED, None),
        site=pool.site.id,
        pool=pool.id,
        node_type=pool.node.id,
        option=PurchaseOption.OWNED,
        list_usd=node.list_purchase_usd,
        price_usd=node.purchase_usd.value,
        basis=(node.purchase_usd.key, *node.basis),
    )
    return offer, (node.purchase_usd, *node.extras)


def _api_offer(site: Site, row: ApiPrice, estate: Estate) -> tuple[Offer, tuple[Figure, ...]]:
    names = (row.id, row.model)
    option = PurchaseOption.PER_TOKEN
    providers = dict.fromkeys((provider_of(site), row.provider.lower()))
    subjects = [Subject(provider=name, skus=names, region=site.region, option=option) for name in providers]
    own = next((line for line in (best_line(estate.prices, subject) for subject in subjects) if line), None)
    cached = row.usd_in_per_mtok if row.usd_cached_per_mtok is None else row.usd_cached_per_mtok
    (usd_in, usd_out, usd_cached), figures = _tokens(row, cached, own)
    offer = Offer(
        id=OfferId(f"{site.id}/{row.id}/{option.value}"),
        site=site.id,
        pool=PoolId(f"{site.id}/{row.id}"),
        node_type=NodeTypeId(row.id),
        option=option,
        list_usd=row.usd_in_per_mtok if own is None or not own.line.is_per_token else usd_in,
        price_usd=usd_in,
        usd_in_per_mtok=usd_in,
        usd_out_per_mtok=usd_out,
        usd_cached_per_mtok=usd_cached,
        basis=tuple(figure.key for figure in figures),
    )
    return offer, figures


def _tokens(row: ApiPrice, cached: float, own: OwnLine | None) -> tuple[tuple[float, float, float], tuple[Figure, ...]]:
    """USD per million tokens in, out and cached, by the own line if there is one, and what they rest on."""
    line = own.line if own else None
    if own is not None and line is not None and line.usd_in_per_mtok is not None:
        fresh, out = line.usd_in_per_mtok, line.usd_out_per_mtok or 0.0
        again = fresh if line.usd_cached_per_mtok is None else line.usd_cached_per_mtok
        named = {"usd_in_per_mtok": fresh, "usd_out_per_mtok": out, "usd_cached_per_mtok": again}
        return (fresh, out, again), tuple(
            Figure(
                key=f"prices[{own.index}].{name}",
                value=value,
                unit=_PER_MTOK,
                origin=Origin.DECLARED,
                note="own price sheet; replaces the list price",
            )
            for name, value in named.items()
        )
    kept = 1.0 - (line.discount or 0.0) if line else 1.0
    figures = _api_figures(row, cached) + ((own.figure(),) if own else ())
    return (row.usd_in_per_mtok * kept, row.usd_out_per_mtok * kept, cached * kept), figures


def _api_figures(row: ApiPrice, cached: float) -> tuple[Figure, ...]:
    def figure(name: str, value: float, note: str = "") -> Figure:
        provenance: Provenance = row.provenance
        return Figure(
            key=f"api.{row.id}.{name}",
            value=value,
            unit=_PER_MTOK,
            origin=origin_of(provenance),
            provenance=provenance,
            note=note,
        )

    note = "no price for cached input; that of fresh input taken" if row.usd_cached_per_mtok is None else ""
    prices = (figure("in", row.usd_in_per_mtok), figure("out", row.usd_out_per_mtok))
    return (*prices, replace(figure("cached", cached), note=note))
