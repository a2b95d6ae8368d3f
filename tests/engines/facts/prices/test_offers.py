"""What can be bought, for how much, and on whose word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.tiny_catalog import cloud, colo, estate_of, pool_of, tiny_catalog

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.domain.provenance import Confidence, Figure, Origin
from tripoint.domain.purchase import Commitment, NodePool, Offer, OwnPrice, PurchaseOption
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.units import NodeTypeId, SiteId
from tripoint.engines.facts.own_prices import Subject, best_line
from tripoint.engines.facts.pools import pool_specs
from tripoint.engines.facts.prices.offers import api_offers, commitment_offer, explain_no_price, pool_offers

ON_DEMAND, SPOT, COMMITTED = PurchaseOption.ON_DEMAND, PurchaseOption.SPOT, PurchaseOption.COMMITTED


def _offers(estate: Estate) -> tuple[dict[str, Offer], dict[str, Figure]]:
    """Offers of the first pool by option and term, and their figures by key."""
    pool = pool_specs(estate, tiny_catalog())[0]
    offers, figures = pool_offers(pool, estate, tiny_catalog())
    named = {f"{offer.option.value}{offer.term_months or ''}": offer for offer in offers}
    return named, {figure.key: figure for figure in figures}


def test_list_prices_come_from_rows_and_gaps_from_ratios() -> None:
    """Spot by the provider's own ratio 0.4, one year by row, three years by the ratio of any provider."""
    offers, figures = _offers(estate_of(cloud(pool=pool_of())))
    assert {name: offer.price_usd for name, offer in offers.items()} == {
        "on_demand": 50.0,
        "spot": 20.0,
        "committed12": 30.0,
        "committed36": 30.0,
    }
    three_years = figures["price.aws.big.us-east-1.committed-36"]
    assert (three_years.low, three_years.high) == pytest.approx((25.0, 35.0))
    assert set(offers["committed36"].basis) == {
        "price.aws.big.us-east-1.on_demand",
        "ratio.*.committed-36",
        "price.aws.big.us-east-1.committed-36",
    }


def test_every_key_an_offer_rests_on_is_a_figure() -> None:
    """No money rests on something that cannot be shown."""
    lines = (OwnPrice(discount=0.1), OwnPrice(option=SPOT, usd_per_hour=9.0))
    offers, figures = _offers(estate_of(cloud(pool=pool_of()), prices=lines))
    assert {key for offer in offers.values() for key in offer.basis} == set(figures)


def test_a_price_is_borrowed_within_the_geography_and_says_so() -> None:
    """Paris takes Ireland's price, graded derived; Sao Paulo the provider's cheapest, graded estimate."""
    offers, figures = _offers(estate_of(cloud("eu-west-3", pool_of())))
    figure = figures[offers["on_demand"].basis[0]]
    assert (figure.value, figure.key) == (60.0, "price.aws.big.eu-west-3.on_demand")
    assert "eu-west-1" in figure.note
    assert figure.provenance is not None
    assert figure.provenance.confidence is Confidence.DERIVED
    offers, figures = _offers(estate_of(cloud("sa-east-1", pool_of())))
    figure = figures[offers["on_demand"].basis[0]]
    assert figure.value == 50.0
    assert figure.provenance is not None
    assert figure.provenance.confidence is Confidence.ESTIMATE


def test_a_ratio_on_a_near_price_beats_a_far_regions_commitment() -> None:
    """Ireland has no commitment row: its own on-demand price x 0.7, not Virginia's 30."""
    offers, _ = _offers(estate_of(cloud("eu-west-1", pool_of())))
    assert offers["committed12"].price_usd == pytest.approx(42.0)


def test_global_rows_serve_every_region() -> None:
    """A price for everywhere is not a borrowed one."""
    offers, figures = _offers(estate_of(cloud("sa-east-1", NodePool(node_type=NodeTypeId("small")))))
    figure = figures[offers["on_demand"].basis[0]]
    assert (figure.key, figure.note) == ("price.aws.small.global.on_demand", "")


def test_pool_fields_beat_the_price_sheet_and_the_sheet_beats_list() -> None:
    """Own prices win, nearest declaration first; list stays visible."""
    lines = (OwnPrice(provider="aws", usd_per_hour=45.0), OwnPrice(provider="aws", option=SPOT, usd_per_hour=11.0))
    offers, figures = _offers(estate_of(cloud(pool=pool_of(usd_per_hour=40.0)), prices=lines))
    assert (offers["on_demand"].list_usd, offers["on_demand"].price_usd) == (50.0, 40.0)
    assert (offers["spot"].list_usd, offers["spot"].price_usd) == (20.0, 11.0)
    assert figures[offers["on_demand"].basis[0]].origin is Origin.DECLARED


def test_ratios_apply_to_an_own_on_demand_rate() -> None:
    """Who pays 40 instead of 50 gets spot and three years in proportion, and sees the list price beside them."""
    offers, _ = _offers(estate_of(cloud(pool=pool_of(usd_per_hour=40.0))))
    assert (offers["spot"].list_usd, offers["spot"].price_usd) == pytest.approx((20.0, 16.0))
    assert offers["committed36"].price_usd == pytest.approx(24.0)
    assert offers["committed12"].price_usd == 30.0


def test_an_own_rate_where_nothing_is_listed_is_its_own_list_price() -> None:
    """A provider the catalogue does not know is still planned with."""
    site = Site(id=SiteId("local"), kind=SiteKind.GPU_CLOUD, provider="local", pools=(pool_of(usd_per_hour=30.0),))
    offers, _ = _offers(estate_of(site))
    assert (offers["on_demand"].list_usd, offers["on_demand"].price_usd) == (30.0, 30.0)
    assert offers["spot"].price_usd == pytest.approx(15.0)


@given(discount=st.floats(0.0, 0.9))
def test_a_discount_is_taken_off_every_list_price_once(discount: float) -> None:
    """Also off prices that a ratio made from another discounted one."""
    offers, _ = _offers(estate_of(cloud(pool=pool_of()), prices=(OwnPrice(provider="AWS", discount=discount),)))
    for offer in offers.values():
        assert offer.price_usd == pytest.approx(offer.list_usd * (1 - discount))


def test_a_discount_on_one_option_leaves_the_others_at_list() -> None:
    """On-demand less 20 % does not make spot cheaper."""
    offers, _ = _offers(estate_of(cloud(pool=pool_of()), prices=(OwnPrice(option=ON_DEMAND, discount=0.2),)))
    assert (offers["on_demand"].price_usd, offers["spot"].price_usd) == (40.0, 20.0)


def test_the_most_specific_line_wins_and_the_first_of_equals() -> None:
    """Specificity is the number of fields that had to match."""
    lines = (
        OwnPrice(provider="aws", discount=0.1),
        OwnPrice(provider="aws", sku="big", discount=0.2),
        OwnPrice(sku="big", region="us-east-1", discount=0.3),
        OwnPrice(provider="aws", sku="other", region="us-east-1", discount=0.4),
    )
    subject = Subject(provider="aws", skus=("big",), region="us-east-1", option=ON_DEMAND)
    best = best_line(lines, subject)
    assert best is not None
    assert best.figure().key == "prices[1].discount"
    assert best_line(lines[3:], subject) is None


def test_an_hourly_rate_says_nothing_about_a_purchase() -> None:
    """A line for all options prices hours, not servers, and does not hide a discount that would."""
    lines = (OwnPrice(discount=0.1), OwnPrice(sku="server", usd_per_hour=2.0))
    assert _offers(estate_of(colo(), prices=lines[1:]))[0]["owned"].price_usd == 250_000.0
    assert _offers(estate_of(colo(), prices=lines))[0]["owned"].price_usd == 225_000.0


def test_nothing_found_is_no_offer_and_says_what_was_looked_for() -> None:
    """The refusal names SKU, provider, region and the regions that are priced."""
    site = replace(cloud("sa-east-1", pool_of()), provider="gcp")
    estate = estate_of(site)
    pool = pool_specs(estate, tiny_catalog())[0]
    assert pool_offers(pool, estate, tiny_catalog()) == ((), ())
    text = explain_no_price(pool, tiny_catalog())
    for part in ("`big`", "`gcp`", "`sa-east-1`", "ap-south-1, eu-west-1, us-east-1"):
        assert part in text


def test_a_server_without_a_price_cannot_be_bought() -> None:
    """An owned offer at 0 would win every plan."""
    estate = estate_of(colo(pool=NodePool(node_type=NodeTypeId("small"))))
    pool = pool_specs(estate, tiny_catalog())[0]
    assert pool_offers(pool, estate, tiny_catalog()) == ((), ())
    assert "no purchase price for `small`" in explain_no_price(pool, tiny_catalog())


def test_a_signed_commitment_keeps_its_own_rate() -> None:
    """Its list price is that of a new commitment of the same term."""
    estate = estate_of(cloud(pool=pool_of()))
    pool = pool_specs(estate, tiny_catalog())[0]
    signed = Commitment(nodes=2, ends="2027-06", usd_per_hour=28.0, term_months=12)
    offer, figures = commitment_offer(pool, signed, estate, tiny_catalog())
    assert offer is not None
    assert (offer.list_usd, offer.price_usd, offer.basis) == (30.0, 28.0, (figures[0].key,))
    offer, _ = commitment_offer(pool, replace(signed, usd_per_hour=None, term_months=36), estate, tiny_catalog())
    assert offer is not None
    assert (offer.term_months, offer.price_usd) == (36, 30.0)


@given(discount=st.floats(0.0, 0.9))
def test_token_prices_take_one_discount_on_all_three(discount: float) -> None:
    """The line may name the site's provider or the model's maker."""
    site = replace(cloud(), apis=("maker/chat-1", "maker/unknown"))
    estate = estate_of(site, prices=(OwnPrice(provider="maker", sku="chat-1", discount=discount),))
    (offer,), _ = api_offers(site, estate, tiny_catalog())
    prices = (offer.usd_in_per_mtok, offer.usd_out_per_mtok, offer.usd_cached_per_mtok)
    assert prices == pytest.approx([4.0 * (1 - discount), 20.0 * (1 - discount), 0.4 * (1 - discount)])
    assert (offer.id, offer.pool) == ("cloud/maker/chat-1/per_token", "cloud/maker/chat-1")


@pytest.mark.parametrize(("cached", "expected"), [(0.1, 0.1), (None, 1.5)])
def test_own_token_prices_replace_those_of_the_catalogue(cached: float | None, expected: float) -> None:
    """Each price rests on the line, not on the catalogue's row; fresh input stands in for a missing cached price."""
    line = OwnPrice(sku="maker/chat-1", usd_in_per_mtok=1.5, usd_out_per_mtok=6.0, usd_cached_per_mtok=cached)
    site = replace(cloud(), apis=("maker/chat-1",))
    (offer,), figures = api_offers(site, estate_of(site, prices=(line,)), tiny_catalog())
    assert (offer.usd_in_per_mtok, offer.usd_out_per_mtok, offer.usd_cached_per_mtok) == (1.5, 6.0, expected)
    assert (offer.list_usd, offer.price_usd) == (1.5, 1.5)
    assert offer.basis == ("prices[0].usd_in_per_mtok", "prices[0].usd_out_per_mtok", "prices[0].usd_cached_per_mtok")
    assert [figure.value for figure in figures] == [1.5, 6.0, expected]


def test_token_prices_say_nothing_about_nodes() -> None:
    """A line without SKU that prices tokens leaves node-hours at list."""
    line = OwnPrice(provider="aws", usd_in_per_mtok=1.5, usd_out_per_mtok=6.0)
    offers, _ = _offers(estate_of(cloud(pool=pool_of()), prices=(line,)))
    assert offers == _offers(estate_of(cloud(pool=pool_of())))[0]


def test_uncached_price_stands_in_for_a_missing_cached_one() -> None:
    """A cache nobody prices saves nothing."""
    catalog = tiny_catalog()
    catalog = replace(catalog, api_prices=(replace(catalog.api_prices[0], usd_cached_per_mtok=None),))
    (offer,), _ = api_offers(replace(cloud(), apis=("maker/chat-1",)), estate_of(cloud()), catalog)
    assert offer.usd_cached_per_mtok == 4.0


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    """The catalogue that ships."""
    return load_catalog()


def test_every_sku_of_the_shipped_catalogue_can_be_priced_where_it_is_sold(shipped: Catalog) -> None:
    """Each region a provider sells in opens pools, each with an offer above 0 whose basis is all figures."""
    places = {(row.provider, row.region) for row in shipped.compute_prices if row.region != "global"}
    for provider, region in sorted(places):
        site = Site(id=SiteId("x"), kind=SiteKind.CLOUD, provider=provider, region=region)
        pools = pool_specs(estate_of(site), shipped)
        assert pools, (provider, region)
        for pool in pools:
            offers, figures = pool_offers(pool, estate_of(site), shipped)
            keys = {figure.key for figure in figures}
            assert offers, pool.id
            assert all(offer.price_usd > 0 and set(offer.basis) <= keys for offer in offers)


def test_committing_and_spot_never_cost_more_than_on_demand_in_the_shipped_catalogue(shipped: Catalog) -> None:
    """A catalogue row that broke this would turn every break-even around."""
    for provider in sorted({row.provider for row in shipped.compute_prices}):
        site = Site(id=SiteId("x"), kind=SiteKind.CLOUD, provider=provider)
        for pool in pool_specs(estate_of(site), shipped):
            offers, _ = pool_offers(pool, estate_of(site), shipped)
            on_demand = [offer.price_usd for offer in offers if offer.option is ON_DEMAND]
            assert all(offer.price_usd <= max(on_demand, default=1e9) + 1e-9 for offer in offers), pool.id
