"""Figures of defaults, nodes, sites and finance: what wins, and what the note says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.tiny_catalog import cloud, colo, estate_of, pool_of, tiny_catalog

from tripoint.domain.errors import InternalError
from tripoint.domain.estate import Estate, Finance
from tripoint.domain.provenance import Confidence, Figure, Origin, Provenance
from tripoint.domain.purchase import OwnPrice, PurchaseOption
from tripoint.domain.site import CoolingClass, PowerEnvelope, Site, SiteKind
from tripoint.domain.units import SiteId
from tripoint.engines.facts.defaults import default_figure, first_default
from tripoint.engines.facts.figures import NodeFigures, finance_figures, node_figures, site_figures
from tripoint.engines.facts.grades import merged, origin_of
from tripoint.engines.facts.pools import pool_specs


def _node(estate: Estate, index: int = 0) -> NodeFigures:
    return node_figures(pool_specs(estate, tiny_catalog())[index], tiny_catalog(), estate.assumptions)


def test_a_default_keeps_its_range_until_it_is_overridden() -> None:
    """An own value is declared and exact."""
    row = default_figure(tiny_catalog(), {}, "pue.colo")
    own = default_figure(tiny_catalog(), {"pue.colo": 1.2}, "pue.colo")
    assert (row.key, row.value, row.low, row.high, row.origin) == ("default.pue.colo", 1.35, 1.25, 1.5, Origin.DEFAULT)
    assert (own.key, own.value, own.low, own.high, own.origin) == (row.key, 1.2, None, None, Origin.DECLARED)
    assert "1.35" in own.note


def test_an_unknown_default_is_our_bug() -> None:
    """No estate can cause it, so it is an internal error, not a KeyError."""
    with pytest.raises(InternalError, match=r"pue\.moon"):
        default_figure(tiny_catalog(), {}, "pue.moon")
    assert first_default(tiny_catalog(), {}, "pue.moon", "pue.colo").value == 1.35


def test_rows_that_cite_somebody_are_catalogue_and_our_own_are_defaults() -> None:
    """Origin follows the source, not the grade."""

    def row(source: str) -> Provenance:
        return Provenance(source=source, as_of="2026", confidence=Confidence.ESTIMATE)

    assert origin_of(row("cbre-h2-2025")) is Origin.CATALOGUE
    assert origin_of(row("cbre-h2-2025;book-estimate")) is Origin.CATALOGUE
    assert origin_of(row("book-estimate;tripoint-judgement")) is Origin.DEFAULT
    assert origin_of(None) is Origin.DECLARED


def test_a_combination_is_as_weak_and_as_old_as_its_worst_part() -> None:
    """Arithmetic never improves a figure."""
    good = Provenance(source="a", as_of="2026-10", confidence=Confidence.MEASURED)
    poor = Provenance(source="b;a", as_of="2024", confidence=Confidence.RECALLED)
    assert merged([good, None, poor]) == Provenance(source="a;b", as_of="2024", confidence=Confidence.RECALLED)
    assert merged([None]) is None


def test_the_purchase_price_is_the_middle_of_the_range_unless_declared() -> None:
    """200 to 300 thousand means 250, with its range."""
    listed = _node(estate_of(colo())).purchase_usd
    own = _node(estate_of(colo(pool=replace(colo().pools[0], purchase_usd=210_000.0)))).purchase_usd  # type: ignore[index]  # a colo has pools
    assert (listed.value, listed.low, listed.high) == (250_000.0, 200_000.0, 300_000.0)
    assert (own.value, own.low, own.origin) == (210_000.0, None, Origin.DECLARED)


def test_an_own_discount_on_hardware_is_taken_off_once() -> None:
    """The list price is kept beside the own one, and the note gives both numbers."""
    node = _node(estate_of(colo(), prices=(OwnPrice(option=PurchaseOption.OWNED, discount=0.2),)))
    assert (node.list_purchase_usd, node.purchase_usd.value) == (250_000.0, 200_000.0)
    assert (node.purchase_usd.low, node.purchase_usd.high) == (160_000.0, 240_000.0)
    assert "250,000" in node.purchase_usd.note


def test_missing_draw_is_derived_and_says_how() -> None:
    """Nameplate from the chip's design power, typical from nameplate."""
    small = _node(estate_of(cloud()), 1)
    assert small.max_kw.value == pytest.approx(1 * 0.5 * 1.6)
    assert small.typical_kw.value == pytest.approx(0.8 * 0.6)
    assert "500 W" in small.max_kw.note
    assert small.max_kw.provenance is not None
    assert small.max_kw.provenance.confidence is Confidence.ESTIMATE


def test_a_node_without_any_price_has_none_and_says_so() -> None:
    """Rented SKUs cannot be bought."""
    price = _node(estate_of(cloud())).purchase_usd
    assert (price.value, price.note) == (0.0, "no purchase price known")


def test_declared_site_figures_win() -> None:
    """Every figure of the envelope is taken as it stands."""
    power = PowerEnvelope(pue=1.1, energy_usd_per_kwh=0.1, colo_usd_per_kw_month=150.0, grid_gco2_per_kwh=20.0)
    site = site_figures(colo(power=power), tiny_catalog(), {})
    figures = (site.pue, site.energy_usd_per_kwh, site.colo_usd_per_kw_month, site.gco2_per_kwh)
    assert [figure.value for figure in figures] == [1.1, 0.1, 150.0, 20.0]
    assert {figure.origin for figure in figures} == {Origin.DECLARED}
    assert site.energy_usd_per_kwh.key == "site.colo.energy_usd_per_kwh"


def test_site_figures_come_from_the_country() -> None:
    """Dutch power, colocation at the European multiplier times the density of the cooling."""
    site = site_figures(colo(power=PowerEnvelope(cooling=CoolingClass.REAR_DOOR)), tiny_catalog(), {})
    assert site.energy_usd_per_kwh.key == "electricity.NL.usd_per_kwh"
    assert site.gco2_per_kwh.value == 268.0
    assert site.colo_usd_per_kw_month.value == pytest.approx(200 * 1.1 * 1.2)
    assert site.colo_usd_per_kw_month.low == pytest.approx(170 * 1.0 * 1.0)
    assert (site.country, site.jurisdiction) == ("NL", "NL")


@pytest.mark.parametrize(("country", "multiplier"), [("NO", 0.9), ("SE", 0.9), ("DE", 1.1), ("US", 1.0), ("IN", 1.0)])
def test_colocation_follows_its_market(country: str, multiplier: float) -> None:
    """The Nordics are a market of their own; a market without a multiplier pays the base price."""
    figure = site_figures(colo(country), tiny_catalog(), {}).colo_usd_per_kw_month
    assert figure.value == pytest.approx(200 * multiplier)


def test_own_premises_pay_for_their_space() -> None:
    """Space at home is not free."""
    shop = Site(id=SiteId("shop"), kind=SiteKind.EDGE, country="NL")
    assert site_figures(shop, tiny_catalog(), {}).colo_usd_per_kw_month.value == 95.0


def test_a_state_is_more_specific_than_its_country() -> None:
    """A region that names a state gives that state's price; its missing carbon comes from the median."""
    texas = replace(colo("US"), region="us-tx")
    site = site_figures(texas, tiny_catalog(), {})
    assert (site.energy_usd_per_kwh.value, site.gco2_per_kwh.key) == (0.07, "site.colo.gco2_per_kwh")


def test_an_unknown_country_gets_the_median_and_a_note() -> None:
    """Nothing is silently free."""
    figure = site_figures(colo("JP"), tiny_catalog(), {}).energy_usd_per_kwh
    assert figure.value == pytest.approx(0.14)
    assert figure.origin is Origin.DEFAULT
    assert "JP" in figure.note


def test_carbon_of_a_cloud_region_is_the_regions_own() -> None:
    """The region's grid, else the country's."""
    assert site_figures(cloud("us-east-1"), tiny_catalog(), {}).gco2_per_kwh.value == 300.0
    assert site_figures(cloud("us-west-2"), tiny_catalog(), {}).gco2_per_kwh.value == 369.0


def test_pue_of_a_cloud_follows_its_provider() -> None:
    """Known fleets have a figure of their own."""
    assert site_figures(cloud(), tiny_catalog(), {}).pue.value == 1.15
    assert site_figures(replace(cloud(), provider="other"), tiny_catalog(), {}).pue.value == 1.2


def test_finance_takes_declared_rates_first() -> None:
    """Also a declared 0, which is a value and not an absence."""
    estate = replace(estate_of(colo()), finance=Finance(discount_rate=0.0))
    figures = finance_figures(estate, tiny_catalog())
    assert (figures.discount_rate.value, figures.discount_rate.key) == (0.0, "finance.discount_rate")
    assert figures.amortisation_years.value == 5.0


def test_an_override_reaches_every_figure_made_from_it() -> None:
    """`assumptions` are own values of defaults."""
    estate = estate_of(colo(), finance__fabric_share=0.3)
    assert finance_figures(estate, tiny_catalog()).fabric_share.value == 0.3


def test_figure_keys_of_one_estate_name_one_value() -> None:
    """Two figures never share a key with different values, or money would be counted on the wrong one."""
    estate = estate_of(cloud("us-west-2"), cloud("us-east-1"), colo(), pool_of_site())
    seen: dict[str, Figure] = {}
    for site in estate.sites:
        figures = site_figures(site, tiny_catalog(), {})
        for figure in (figures.pue, figures.energy_usd_per_kwh, figures.gco2_per_kwh, figures.colo_usd_per_kw_month):
            assert seen.setdefault(figure.key, figure) == figure


def pool_of_site() -> Site:
    """A second colocation site with a pool of its own."""
    return replace(colo("JP", pool=pool_of(usd_per_hour=3.0)), id=SiteId("tokyo"))
