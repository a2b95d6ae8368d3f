"""Break-even: where two ways of buying cost the same, in use, tokens and time."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.tiny_catalog import cloud, colo, estate_of, pool_of, tiny_catalog

from tripoint.domain.plan import CostCurve
from tripoint.domain.purchase import PurchaseOption
from tripoint.engines.costing.breakeven.curves import Way, by_tokens, by_utilisation
from tripoint.engines.costing.breakeven.sensitivity import owned_busy_hour_sensitivity, owned_month_sensitivity
from tripoint.engines.costing.breakeven.threshold import (
    Range,
    break_even,
    crossing,
    crossing_month,
    elastic_hour,
    month_after,
    within,
)
from tripoint.engines.facts.figures import finance_figures, node_figures, site_figures
from tripoint.engines.facts.pools import pool_specs
from tripoint.engines.facts.prices.offers import pool_offers

HOURS = 730.0
firms = st.floats(1.0, 1e5)
rents = st.floats(0.5, 100.0)


@given(firm=firms, rent=rents, busy=st.floats(0.0, 0.4))
def test_at_the_threshold_both_ways_cost_the_same(firm: float, rent: float, busy: float) -> None:
    """The definition: F + u x H x b = u x H x e."""
    threshold = break_even(within(firm, 0.0), within(rent, 0.0), HOURS, within(busy, 0.0))
    held = firm + threshold.utilisation * HOURS * busy
    assert held == pytest.approx(threshold.utilisation * HOURS * rent)
    assert threshold.low == pytest.approx(threshold.utilisation)


@given(firm=firms, rent=rents, firm_spread=st.floats(0.0, 0.5), rent_spread=st.floats(0.0, 0.5))
def test_the_range_brackets_the_threshold(firm: float, rent: float, firm_spread: float, rent_spread: float) -> None:
    """Cheap nodes and dear rent lower it; wider ranges never narrow it."""
    threshold = break_even(within(firm, firm_spread), within(rent, rent_spread))
    assert threshold.low <= threshold.utilisation <= threshold.high
    wider = break_even(within(firm, firm_spread + 0.1), within(rent, rent_spread + 0.1))
    assert wider.low <= threshold.low
    assert threshold.high <= wider.high


def test_rent_below_the_nodes_own_energy_is_never_beaten() -> None:
    """An infinite threshold, which no demand crosses."""
    threshold = break_even(within(100.0, 0.0), within(0.1, 0.0), HOURS, within(0.2, 0.0))
    assert threshold.utilisation == math.inf
    assert crossing_month(5.0, 1.0, threshold.utilisation, "2027-01") == "beyond"


@pytest.mark.parametrize(
    ("now", "growth", "month"),
    [
        (100.0, 0.5, "already"),
        (120.0, 0.0, "already"),
        (50.0, 1.0, "2028-01"),
        (25.0, 1.0, "2029-01"),
        (50.0, 0.0, "beyond"),
        (50.0, -0.2, "beyond"),
        (0.0, 1.0, "beyond"),
        (1.0, 0.1, "beyond"),
        (99.0, 0.5, "2027-02"),
    ],
)
def test_the_crossing_month_by_hand(now: float, growth: float, month: str) -> None:
    """Doubling each year from half the threshold takes a year, from a quarter two; ten years is the horizon."""
    assert crossing_month(now, growth, 100.0, "2027-01") == month


@given(now=st.floats(0.01, 99.0), growth=st.floats(0.01, 3.0))
def test_demand_reaches_the_threshold_in_that_month_and_not_before(now: float, growth: float) -> None:
    """Compounded month by month from the start."""
    month = crossing_month(now, growth, 100.0, "2027-01")
    if month == "beyond":
        assert now * (1 + growth) ** 10 < 100.0
        return
    year, index = (int(part) for part in month.split("-"))
    months = (year - 2027) * 12 + index - 1
    assert now * (1 + growth) ** (months / 12) >= 100.0 * (1 - 1e-6)
    assert now * (1 + growth) ** ((months - 1) / 12) < 100.0


def test_the_range_of_months_runs_from_early_to_late() -> None:
    """Faster growth and a lower threshold come first."""
    found = crossing(50.0, 0.4, Range(value=100.0, low=80.0, high=130.0), "2027-01")
    assert (found.early, found.month, found.late) == ("2028-01", "2029-02", "2032-04")


def test_months_roll_over_years() -> None:
    """Both ways."""
    assert (month_after("2027-11", 2), month_after("2027-01", 0), month_after("2027-01", -1)) == (
        "2028-01",
        "2027-01",
        "2026-12",
    )


def test_a_price_made_by_a_ratio_spreads_by_the_ratios_range_too() -> None:
    """Spot at 0.4 of list (0.3 to 0.5), and list itself may move by a tenth."""
    catalog, estate = tiny_catalog(), estate_of(cloud(pool=pool_of()))
    offers, figures = pool_offers(pool_specs(estate, catalog)[0], estate, catalog)
    spot = next(offer for offer in offers if offer.option is PurchaseOption.SPOT)
    spread = elastic_hour(spot, figures, 0.1)
    assert spread.value == pytest.approx(20.0)
    assert (spread.low, spread.high) == pytest.approx((15.0 * 0.9, 25.0 * 1.1))


def _cost_at(curve: CostCurve, x: float) -> float:
    """Cost on the curve at `x`, the cheaper side of a step."""
    pairs = pairwise(curve.points)
    return min(a.usd + (b.usd - a.usd) * (x - a.x) / (b.x - a.x) for a, b in pairs if a.x <= x <= b.x and b.x > a.x)


@given(firm=firms, share=st.floats(0.0101, 0.9999), busy=st.floats(0.0, 0.4))
def test_the_curves_cross_where_the_threshold_says(firm: float, share: float, busy: float) -> None:
    """The picture and the number agree, over use and over tokens, whatever rent makes the threshold such a share."""
    rent = busy + firm / (HOURS * share)
    threshold = break_even(within(firm, 0.0), within(rent, 0.0), HOURS, within(busy, 0.0)).utilisation
    assert threshold == pytest.approx(share)
    ways = (Way(label="owned", month_usd=firm, hour_usd=busy), Way(label="on_demand", hour_usd=rent))
    owned, rented = by_utilisation(ways, HOURS)
    assert _cost_at(owned, threshold) == pytest.approx(_cost_at(rented, threshold))
    owned, rented = by_tokens(ways, 2.0, 3 * 2.0 * HOURS, HOURS)
    mtok = threshold * 2.0 * HOURS
    assert _cost_at(owned, mtok) == pytest.approx(_cost_at(rented, mtok), rel=1e-6)


@given(nodes=st.floats(0.1, 200.0), firm=firms)
def test_held_nodes_come_in_whole_numbers(nodes: float, firm: float) -> None:
    """The owned curve climbs by one node at a time, and ends at the number the load needs."""
    full = 2.0 * HOURS
    (curve,) = by_tokens((Way(label="owned", month_usd=firm),), 2.0, nodes * full, HOURS)
    xs = [point.x for point in curve.points]
    assert xs == sorted(xs)
    assert xs[-1] == pytest.approx(nodes * full)
    assert curve.points[-1].usd == pytest.approx(math.ceil(nodes * full / full) * firm)
    if nodes <= 60:
        assert all(point.usd / firm == pytest.approx(round(point.usd / firm)) for point in curve.points)


def test_no_tokens_no_token_curve() -> None:
    """Training pools have curves over use only."""
    assert by_tokens((Way(label="owned", month_usd=1.0),), 0.0, 10.0) == ()


def test_the_sensitivity_of_an_owned_node_names_its_drivers() -> None:
    """The range holds the value, no single swing leaves it, and the widest comes first."""
    catalog, estate = tiny_catalog(), estate_of(colo())
    pool = pool_specs(estate, catalog)[0]
    node, site = node_figures(pool, catalog, {}), site_figures(pool.site, catalog, {})
    finance = finance_figures(estate, catalog)
    found = owned_month_sensitivity(node, 8, site, finance)
    assert found.usd.low < found.usd.value < found.usd.high
    assert all(found.usd.low <= swing.low_usd <= swing.high_usd <= found.usd.high for swing in found.swings)
    widths = [swing.high_usd - swing.low_usd for swing in found.swings]
    assert widths == sorted(widths, reverse=True)
    assert found.swings[0].figure.key == "default.finance.amortisation_years"
    busy = owned_busy_hour_sensitivity(node, site, finance)
    assert busy.usd.value == pytest.approx(5 * 1.35 * 0.2)
    assert {swing.figure.key for swing in busy.swings} == {
        "default.power.idle_fraction",
        "default.pue.colo",
        "electricity.NL.usd_per_kwh",
    }
