"""Where holding and renting meet: worked out on paper, and the two costs equal at whatever threshold is found."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.answering import fit

from tripoint.domain.units import HOURS_PER_MONTH
from tripoint.engines.answers.breakeven.appetite import Appetite, Stretch
from tripoint.engines.answers.breakeven.contest import Contest, Elastic, End, Firm, contests
from tripoint.engines.costing.breakeven.threshold import Range, within


def exactly(value: float) -> Range:
    """A value without spread."""
    return within(value, 0.0)


def flat(mtok: float = 100.0) -> Appetite:
    """Work that may be done at any hour."""
    whole = Stretch(hours=HOURS_PER_MONTH, rate_per_mtok=0.0, mean_rate_per_mtok=0.0, volume=1.0)
    return Appetite(mtok=mtok, growth_per_year=0.0, is_waiting=False, stretches=(whole,), utilisation_cap=0.8)


def waiting(peak: float = 3.0, busy_share: float = 0.25, mtok: float = 100.0) -> Appetite:
    """Requests of which the busy part of the month sees `peak` times the mean, sized at that rate throughout it."""
    low = (1.0 - busy_share * peak) / (1.0 - busy_share)

    def stretch(share: float, rate: float) -> Stretch:
        per_mtok = rate * 1e-3
        hours = HOURS_PER_MONTH * share
        return Stretch(hours=hours, rate_per_mtok=per_mtok, mean_rate_per_mtok=per_mtok, volume=share * rate)

    return Appetite(
        mtok=mtok,
        growth_per_year=0.0,
        is_waiting=True,
        stretches=(stretch(busy_share, peak), stretch(1.0 - busy_share, low)),
        utilisation_cap=0.8,
    )


def held(
    month_usd: Range,
    *,
    busy_usd: float = 0.0,
    busy_nodes: float = 0.0,
    nodes_per_unit: float = 0.01,
    fixed: float = 0.0,
    lot: int = 1,
) -> Firm:
    """A firm way at `cage`; `busy_nodes` per unit are under load."""
    need = fit(nodes_per_unit=nodes_per_unit, fixed_nodes=fixed, name="cage/node")
    return Firm(
        label="cage/node owned",
        option="owned",
        site="cage",
        fit=replace(need, busy_nodes_per_unit=busy_nodes),
        lot=lot,
        month_usd=month_usd,
        busy_hour_usd=exactly(busy_usd),
    )


def rented(hour_usd: Range, *, nodes_per_unit: float = 0.01, fixed: float = 0.0, name: str = "cloud/node") -> Elastic:
    """Nodes by the hour."""
    return Elastic(
        label=f"{name} on_demand",
        option="on_demand",
        site="cloud",
        fit=fit(nodes_per_unit=nodes_per_unit, fixed_nodes=fixed, name=name),
        usd=hour_usd,
    )


def tokens(mtok_usd: Range) -> Elastic:
    """Tokens by the million."""
    way = fit(nodes_per_unit=0.0, is_api=True, name="vendor/model")
    return Elastic(label="vendor/model per_token", option="per_token", site="vendor", fit=way, usd=mtok_usd)


def one(firm: Firm, *elastics: Elastic, asked: Appetite) -> Contest:
    """The contest of one firm way."""
    return Contest(firm=firm, elastics=elastics, appetite=asked)


def test_flat_work_pays_from_the_textbook_threshold() -> None:
    """7300 USD a month against 20 USD an hour: half of the 73,000 Mtok a node does in a month."""
    found = one(held(exactly(7300.0)), rented(exactly(20.0)), asked=flat())
    assert found.utilisation(found.elastics[0]).utilisation == pytest.approx(0.5)
    assert found.demand().value == pytest.approx(36_500.0)


def test_energy_of_busy_hours_raises_the_threshold() -> None:
    """Each busy hour saves 20 - 4 USD, so 7300 / (16 x 730) of the hours are needed."""
    found = one(held(exactly(7300.0), busy_usd=4.0, busy_nodes=0.01), rented(exactly(20.0)), asked=flat())
    assert found.demand().value == pytest.approx(73_000.0 * 7300 / (16 * 730))


def test_peaks_are_rented_and_raise_the_threshold() -> None:
    """Busy a quarter of the month at 3 x the mean: 12.5 of 25 % busy and 1/3 of 75 % idle hours fill the first node."""
    found = one(held(exactly(7300.0), nodes_per_unit=1.0), rented(exactly(20.0), nodes_per_unit=1.0), asked=waiting())
    # The node is full a quarter of the month and does x/3 in the rest: 0.25 + 0.75 x / 3000 = 0.5 at x = 1000 Mtok.
    assert found.demand().value == pytest.approx(1000.0)


def test_only_what_is_under_load_draws_active_power() -> None:
    """One request a second occupies a node and keeps 0.4 of it busy: its energy is that of 292 of 730 hours."""
    firm = held(exactly(7300.0), busy_usd=5.0, busy_nodes=0.4, nodes_per_unit=1.0)
    found = one(firm, rented(exactly(20.0), nodes_per_unit=1.0), asked=waiting(peak=1.0))
    assert sum(found.appetite.busy_hours(firm.fit, 1000.0)) == pytest.approx(0.4 * 730)
    assert firm.occupied_hour_usd(found.appetite).value == pytest.approx(0.4 * 5.0)
    assert found.firm_cost(1000.0, 1) == pytest.approx(7300.0 + 0.4 * 730 * 5.0)


def test_replicas_that_always_run_pay_from_the_first_request() -> None:
    """One node is kept anyway; renting it costs 14,600 USD a month, holding it 7300."""
    sides = (held(exactly(7300.0), fixed=1.0), rented(exactly(20.0), fixed=1.0))
    found = one(*sides, asked=waiting())
    assert found.demand() == exactly(0.0)


def test_tokens_bought_by_the_million_need_no_replicas() -> None:
    """2 USD a Mtok against a node kept for 7300 USD a month: 3650 Mtok, though the rented node loses from the start."""
    elastics = (rented(exactly(20.0), nodes_per_unit=1e-6, fixed=1.0), tokens(exactly(2.0)))
    found = one(held(exactly(7300.0), nodes_per_unit=1e-6, fixed=1.0), *elastics, asked=waiting())
    assert found.demand().value == pytest.approx(3650.0, rel=1e-4)
    assert found.rival(3650.0).option == "per_token"


def test_a_lot_is_bought_in_every_identical_site() -> None:
    """Four branches need four nodes, so four times the demand."""
    single = one(held(exactly(7300.0)), rented(exactly(20.0)), asked=flat()).demand().value
    assert one(held(exactly(7300.0), lot=4), rented(exactly(20.0)), asked=flat()).demand().value == pytest.approx(
        4 * single
    )


def test_renting_stays_cheaper_where_a_full_node_saves_nothing() -> None:
    """A node of 14,700 USD a month does work worth 14,600 at most."""
    found = one(held(exactly(14_700.0)), rented(exactly(20.0)), asked=flat())
    assert math.isinf(found.demand().value)
    assert found.utilisation(found.elastics[0]).utilisation > 1


def rack() -> Firm:
    """A rack at a tenth of the node-hours per token and eight times the price: cheaper when full."""
    return Firm(
        label="cage/rack owned",
        option="owned",
        site="cage",
        fit=fit(nodes_per_unit=0.001, name="cage/rack"),
        lot=1,
        month_usd=exactly(60_000.0),
        busy_hour_usd=exactly(0.0),
    )


@pytest.mark.parametrize(
    ("mtok", "named"), [(30_000.0, "node"), (50_000.0, "node"), (250_000.0, "node"), (700_000.0, "rack")]
)
def test_the_way_named_first_is_the_one_for_today_s_demand(mtok: float, named: str) -> None:
    """A rack that is cheaper per token when full does not hide a node that pays at a tenth of the demand."""
    node = held(exactly(7300.0))
    assert rack().usd_per_mtok(flat()) < node.usd_per_mtok(flat())
    found = contests((rack(), node), (rented(exactly(20.0)),), flat(mtok=mtok))
    assert found[0].firm.label == f"cage/{named} owned"
    assert len(found) == 2


def test_a_way_that_paid_only_when_demand_was_smaller_does_not_pay() -> None:
    """Beside replicas kept anyway a node pays from the first request, but not once a cheaper node type is filled."""
    small = rented(exactly(20.0), nodes_per_unit=1.0, fixed=1.0, name="cloud/small")
    large = rented(exactly(40.0), nodes_per_unit=0.1, fixed=1.0, name="cloud/large")
    firm = held(exactly(7300.0), nodes_per_unit=1.0, fixed=1.0)
    early = one(firm, small, large, asked=waiting(mtok=1.0))
    assert early.least(End.USED) == 0.0
    late = one(firm, small, large, asked=waiting(mtok=1e6))
    assert math.isinf(late.least(End.USED))


def test_nothing_is_compared_where_one_side_is_missing() -> None:
    """No elastic way, no contest; no firm way, none either."""
    assert contests((held(exactly(1.0)),), (), flat()) == ()
    assert contests((), (rented(exactly(1.0)),), flat()) == ()


prices = st.floats(0.5, 100.0)


@given(
    month=st.floats(100.0, 30_000.0),
    busy=st.floats(0.0, 3.0),
    hour=prices,
    fixed=st.sampled_from((0.0, 0.3, 1.0, 2.4)),
    peak=st.floats(1.0, 3.9),
    spread=st.floats(0.0, 0.4),
    mtok_usd=st.none() | st.floats(0.01, 50.0),
)
def test_at_the_threshold_both_ways_cost_the_same(
    month: float, busy: float, hour: float, fixed: float, peak: float, spread: float, mtok_usd: float | None
) -> None:
    """Just below it renting is cheaper, at it the costs are equal, and the ends of the range lie on both sides."""
    firm = held(within(month, spread), busy_usd=busy, busy_nodes=0.5, nodes_per_unit=1.0, fixed=fixed)
    elastics = [rented(within(hour, spread), nodes_per_unit=1.5, fixed=fixed)]
    elastics += [] if mtok_usd is None else [tokens(within(mtok_usd, spread))]
    found = one(firm, *elastics, asked=waiting(peak=peak))
    demand = found.demand()
    assert 0.0 <= demand.low <= demand.value <= demand.high
    if 0.0 < demand.value < math.inf:
        renting = found.elastic_cost(demand.value)
        assert found.firm_cost(demand.value, 1) == pytest.approx(renting, rel=1e-6)
        below = demand.value * (1 - 1e-4)
        assert found.elastic_cost(below) <= found.firm_cost(below, 1) * (1 + 1e-9)


@given(month=st.floats(100.0, 30_000.0), hour=prices, mtok=st.floats(1.0, 1e6))
def test_the_best_mix_is_never_dearer_than_one_node_and_the_rest_rented(month: float, hour: float, mtok: float) -> None:
    """The firm curve is the lower envelope over the number of nodes held."""
    firm = held(exactly(month), nodes_per_unit=1.0)
    found = one(firm, rented(exactly(hour), nodes_per_unit=1.0), asked=waiting())
    assert found.best_firm_cost(mtok) <= found.firm_cost(mtok, 1) * (1 + 1e-12)
    assert found.firm_cost(mtok, 0) == pytest.approx(found.elastic_cost(mtok))
