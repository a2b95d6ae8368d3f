"""Unit prices of each activity, against arithmetic done by hand on round numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.tiny_catalog import cloud, colo, estate_of, pool_of, tiny_catalog

from tripoint.domain.charge import ChargeKind, Rate
from tripoint.domain.dataset import StorageTier
from tripoint.domain.estate import Finance
from tripoint.domain.link import Link
from tripoint.domain.provenance import Figure, Origin
from tripoint.domain.purchase import Offer, OwnPrice
from tripoint.domain.site import ExpansionStep, PowerEnvelope
from tripoint.domain.units import LinkId, SiteId
from tripoint.engines.costing import rates
from tripoint.engines.costing.transfer import storage_rate
from tripoint.engines.facts.figures import (
    FinanceFigures,
    NodeFigures,
    SiteFigures,
    finance_figures,
    node_figures,
    site_figures,
)
from tripoint.engines.facts.pools import pool_specs
from tripoint.engines.facts.prices.offers import api_offers, pool_offers

HOURS, GPUS = 730.0, 8
Facts = tuple[NodeFigures, SiteFigures, FinanceFigures]


def _facts(finance: Finance | None = None, prices: tuple[OwnPrice, ...] = ()) -> Facts:
    """A 250,000 USD server of 10 kW in a Dutch colocation hall."""
    catalog = tiny_catalog()
    estate = replace(estate_of(colo(), prices=prices), finance=finance or Finance())
    pool = pool_specs(estate, catalog)[0]
    return node_figures(pool, catalog, {}), site_figures(colo(), catalog, {}), finance_figures(estate, catalog)


def _by_kind(found: tuple[Rate, ...]) -> dict[ChargeKind, Rate]:
    return {rate.kind: rate for rate in found}


def _cloud_offer(usd_per_hour: float | None = None) -> tuple[Offer, NodeFigures, SiteFigures]:
    catalog = tiny_catalog()
    estate = estate_of(cloud(pool=pool_of(usd_per_hour)))
    pool = pool_specs(estate, catalog)[0]
    offers, _ = pool_offers(pool, estate, catalog)
    return offers[0], node_figures(pool, catalog, {}), site_figures(pool.site, catalog, {})


def test_an_owned_node_month_by_hand() -> None:
    """Capital 250,000 x 1.12 = 280,000 with 10 % residual over 60 months; the other lines one by one."""
    node, site, finance = _facts()
    found = _by_kind(rates.owned_node_month(node, GPUS, site, finance))
    assert found[ChargeKind.AMORTISATION].effective_usd == pytest.approx(280_000 * 0.9 / 60)
    assert found[ChargeKind.MAINTENANCE].effective_usd == pytest.approx(250_000 * 0.06 / 12)
    assert found[ChargeKind.STAFF].effective_usd == pytest.approx(8 / 256 * 240_000 / 12)
    assert found[ChargeKind.FACILITY].effective_usd == pytest.approx(10 * 220)
    assert found[ChargeKind.ENERGY].effective_usd == pytest.approx(10 * 0.3 * HOURS * 1.35 * 0.2)
    assert found[ChargeKind.ENERGY].carbon_kg == pytest.approx(10 * 0.3 * HOURS * 1.35 * 268 / 1000)
    assert len(found) == 6


def test_idle_and_busy_energy_add_up_to_the_typical_draw() -> None:
    """A node busy all month draws its typical load, not idle plus typical."""
    node, site, finance = _facts()
    idle = _by_kind(rates.owned_node_month(node, GPUS, site, finance))[ChargeKind.ENERGY]
    (busy,) = rates.owned_busy_hour(node, site, finance)
    assert idle.effective_usd + HOURS * busy.effective_usd == pytest.approx(8 * HOURS * 1.35 * 0.2)
    assert idle.carbon_kg + HOURS * busy.carbon_kg == pytest.approx(8 * HOURS * 1.35 * 0.268)


def test_a_node_whose_idle_draw_would_exceed_its_typical_one_has_no_negative_energy() -> None:
    """Small boxes idle near their load."""
    node, site, finance = _facts()
    flat = replace(node, typical_kw=replace(node.typical_kw, value=2.0))
    (busy,) = rates.owned_busy_hour(flat, site, finance)
    assert busy.effective_usd == 0.0


@given(years=st.integers(1, 10), residual=st.floats(0.0, 0.5), rate=st.floats(0.0, 0.3), discount=st.floats(0.0, 0.9))
def test_effective_cost_over_the_whole_life_is_the_purchase_plus_interest(
    years: int, residual: float, rate: float, discount: float
) -> None:
    """Amortisation recovers what was billed less the residual; interest comes on top; the annuity ties them."""
    own = Finance(discount_rate=rate, residual_share=residual, amortisation_years=years)
    node, site, finance = _facts(own, (OwnPrice(discount=discount),))
    months = years * 12
    found = _by_kind(rates.owned_node_month(node, GPUS, site, finance))
    (bought,) = rates.owned_purchase(node, finance)
    paid, interest = bought.billed_usd, found[ChargeKind.CAPITAL].effective_usd
    assert found[ChargeKind.AMORTISATION].effective_usd * months == pytest.approx(paid * (1 - residual))
    i = (1 + rate) ** (1 / 12) - 1
    level = found[ChargeKind.AMORTISATION].effective_usd + interest
    worth = math.fsum(level / (1 + i) ** month for month in range(1, months + 1))
    assert worth == pytest.approx(paid * (1 - residual / (1 + i) ** months), rel=1e-6)
    assert interest >= -1e-9


def test_a_purchase_is_billed_once_and_never_effective_and_amortisation_the_reverse() -> None:
    """No dollar appears twice in one view."""
    node, site, finance = _facts()
    (bought,) = rates.owned_purchase(node, finance)
    found = _by_kind(rates.owned_node_month(node, GPUS, site, finance))
    assert (bought.billed_usd, bought.effective_usd) == pytest.approx((280_000, 0.0))
    assert found[ChargeKind.AMORTISATION].billed_usd == 0.0
    interest = found[ChargeKind.CAPITAL]
    assert (interest.list_usd, interest.contracted_usd, interest.billed_usd) == (0.0, 0.0, 0.0)


def test_an_own_discount_shows_between_list_and_contracted() -> None:
    """List stays what the vendor asks."""
    node, site, finance = _facts(prices=(OwnPrice(discount=0.25),))
    (bought,) = rates.owned_purchase(node, finance)
    assert (bought.list_usd, bought.contracted_usd) == pytest.approx((280_000, 210_000))
    amortised = _by_kind(rates.owned_node_month(node, GPUS, site, finance))[ChargeKind.AMORTISATION]
    assert amortised.list_usd == pytest.approx(amortised.contracted_usd / 0.75)


def test_a_held_node_costs_its_book_value_then_only_its_upkeep() -> None:
    """Written off, it still needs power, space, support and people."""
    node, site, finance = _facts()
    before = _by_kind(rates.held_node_month(node, GPUS, site, finance, is_written_off=False))
    after = _by_kind(rates.held_node_month(node, GPUS, site, finance, is_written_off=True))
    assert set(before) - set(after) == {ChargeKind.AMORTISATION}
    assert ChargeKind.CAPITAL not in before
    assert all(rate.effective_usd > 0 for rate in after.values())


@given(
    pue=st.floats(1.0, 3.0),
    energy=st.floats(0.001, 1.0),
    colo_price=st.floats(0.0, 500.0),
    written_off=st.booleans(),
)
def test_self_hosting_is_never_free(pue: float, energy: float, colo_price: float, written_off: bool) -> None:
    """Not even written off in free space."""
    node, _, finance = _facts()
    power = PowerEnvelope(pue=pue, energy_usd_per_kwh=energy, colo_usd_per_kw_month=colo_price)
    site = site_figures(colo(power=power), tiny_catalog(), {})
    held = rates.held_node_month(node, GPUS, site, finance, is_written_off=written_off)
    assert sum(rate.effective_usd for rate in held) > 0
    assert sum(rate.effective_usd for rate in rates.owned_node_month(node, GPUS, site, finance)) > 0


@given(factor=st.floats(0.1, 10.0))
def test_money_scales_when_every_price_does(factor: float) -> None:
    """Prices in another unit of money give the same cost in that unit: nothing is a hidden constant."""
    node, site, finance = _facts()

    def scaled(figure: Figure) -> Figure:
        return replace(figure, value=figure.value * factor)

    dear_node = replace(node, purchase_usd=scaled(node.purchase_usd), list_purchase_usd=node.list_purchase_usd * factor)
    dear_site = replace(
        site,
        energy_usd_per_kwh=scaled(site.energy_usd_per_kwh),
        colo_usd_per_kw_month=scaled(site.colo_usd_per_kw_month),
    )
    dear_finance = replace(finance, staff_usd_per_fte_year=scaled(finance.staff_usd_per_fte_year))
    cheap = rates.owned_node_month(node, GPUS, site, finance)
    dear = rates.owned_node_month(dear_node, GPUS, dear_site, dear_finance)
    for one, other in zip(cheap, dear, strict=True):
        assert other.effective_usd == pytest.approx(one.effective_usd * factor)
        assert other.list_usd == pytest.approx(one.list_usd * factor)
        assert other.carbon_kg == pytest.approx(one.carbon_kg)


def test_rented_hours_cost_their_price_and_only_their_carbon_is_counted() -> None:
    """50 a hour, 10 kW x 0.6 x 1.15 x 300 g; a month is 730 of them."""
    offer, node, site = _cloud_offer()
    (hour,) = rates.elastic_node_hour(offer, node, site)
    (month,) = rates.committed_node_month(offer, node, site)
    assert (hour.billed_usd, hour.effective_usd) == (50.0, 50.0)
    assert hour.carbon_kg == pytest.approx(6 * 1.15 * 0.3)
    assert (month.effective_usd, month.carbon_kg) == pytest.approx((36_500, hour.carbon_kg * 730))


def test_an_own_rate_beats_list_in_every_view_but_list() -> None:
    """What is contracted is billed and effective."""
    offer, node, site = _cloud_offer(usd_per_hour=40.0)
    (hour,) = rates.elastic_node_hour(offer, node, site)
    assert (hour.list_usd, hour.contracted_usd, hour.billed_usd, hour.effective_usd) == (50.0, 40.0, 40.0, 40.0)


@given(cached=st.floats(0.0, 1.0), discount=st.floats(0.0, 0.9))
def test_api_tokens_mix_fresh_and_cached_prices(cached: float, discount: float) -> None:
    """4 and 0.40 per Mtok in, 20 out; list stays list under any discount."""
    site = replace(cloud(), apis=("maker/chat-1",))
    (offer,), _ = api_offers(site, estate_of(site, prices=(OwnPrice(discount=discount),)), tiny_catalog())
    (read,), (written,) = rates.api_mtok_in(offer, cached), rates.api_mtok_out(offer)
    fresh = 4.0 * (1 - cached) + 0.4 * cached
    assert (read.list_usd, read.effective_usd) == pytest.approx((fresh, fresh * (1 - discount)))
    assert (written.list_usd, written.effective_usd) == pytest.approx((20, 20 * (1 - discount)))


def test_one_line_rates_charge_what_was_declared() -> None:
    """Storage, retrieval, ports, expansion, migration and contracted space."""
    keep, _ = storage_rate(cloud(), StorageTier.COOL, estate_of(cloud()), tiny_catalog())
    step = ExpansionStep(id="hall-2", usd_per_month=2e4)
    link = Link(id=LinkId("l"), source=SiteId("a"), target=SiteId("b"), port_usd_per_month=1642.0)
    move = Figure(key="default.migration.usd_per_move", value=2000.0, unit="USD", origin=Origin.DEFAULT)
    _, site, finance = _facts()
    cases = [
        (rates.storage_gb_month(keep), ChargeKind.STORAGE, 0.0125),
        (rates.retrieval_gb(keep), ChargeKind.RETRIEVAL, 0.01),
        (rates.port_month(link), ChargeKind.PORT, 1642.0),
        (rates.expansion_month(step, finance), ChargeKind.FACILITY, 2e4),
        (rates.migration(move), ChargeKind.MIGRATION, 2000.0),
        (rates.contracted_kw_month(site), ChargeKind.FACILITY, 220.0),
    ]
    for (rate,), kind, usd in cases:
        assert rate.kind is kind
        assert (rate.billed_usd, rate.effective_usd) == pytest.approx((usd, usd))


def test_an_expansion_is_billed_when_ordered_and_amortised_over_the_life_of_a_facility() -> None:
    """1.8 million over 15 years of 12 months is 10,000 a month, nothing left; ordering it has no effective cost."""
    _, _, finance = _facts()
    step = ExpansionStep(id="hall-2", one_off_usd=1.8e6, usd_per_month=2e4)
    (ordered,) = rates.expansion_one_off(step)
    assert (ordered.kind, ordered.billed_usd, ordered.effective_usd) == (ChargeKind.EXPANSION, 1.8e6, 0.0)
    found = _by_kind(rates.expansion_month(step, finance))
    assert set(found) == {ChargeKind.FACILITY, ChargeKind.AMORTISATION, ChargeKind.CAPITAL}
    assert found[ChargeKind.FACILITY].billed_usd == found[ChargeKind.FACILITY].effective_usd == 2e4
    assert found[ChargeKind.AMORTISATION].effective_usd == pytest.approx(10_000.0)
    assert found[ChargeKind.AMORTISATION].billed_usd == found[ChargeKind.CAPITAL].billed_usd == 0.0
    assert "default.finance.facility_amortisation_years" in found[ChargeKind.CAPITAL].basis


@given(usd=st.floats(1e3, 1e8), years=st.floats(1.0, 50.0))
def test_the_months_of_an_expansion_are_worth_what_was_paid_for_it(usd: float, years: float) -> None:
    """Amortisation and interest of its whole life, discounted month by month, give back the price."""
    _, _, known = _facts()
    finance = replace(known, facility_years=replace(known.facility_years, value=years))
    found = rates.expansion_month(ExpansionStep(id="hall-2", one_off_usd=usd), finance)
    monthly = sum(rate.effective_usd for rate in found)
    growth = (1.0 + finance.discount_rate.value) ** (1 / 12)
    assert monthly * (1.0 - growth ** (-12.0 * years)) / (growth - 1.0) == pytest.approx(usd)
