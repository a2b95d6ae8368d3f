"""Two stages in one program, held against small cases worked by hand and against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.placement import chat, hall, horizon, place, placement_catalog, region, rented, resolved, servers
from tests.factories.planning import highs

from tripoint.domain.outlook import Outlook, PriceFactors
from tripoint.domain.purchase import PurchaseOption
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.outlook import demand_in
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import Program, ProgramBuilder
from tripoint.engines.placement.outlooks.extensive import (
    allows,
    choice_of,
    decided_now,
    extensive,
    hold,
    holding,
)

NOW = ((0,), (0,), (0,))


def newsvendor(demand: int, price: float = 5.0, most: int = 9) -> Program:
    """Buy units now for 2 each; what is short later costs `price` each."""
    builder = ProgramBuilder()
    bought = builder.column("buy", upper=float(most), integer=True)
    short = builder.column(f"short of {demand}")
    builder.row("demand", "demand", [(bought, 1.0), (short, 1.0)], lower=float(demand))
    return builder.build([2.0, price])


def test_the_newsvendor_buys_what_the_odds_say() -> None:
    """Short is 5, bought 2: the sixth unit is worth it while demand exceeds five with odds above 2/5.

    Demands 2, 6, 9 with odds 0.3, 0.4, 0.3: P(D >= 6) = 0.7 > 0.4 > P(D >= 9) = 0.3, so six are bought. Expected cost
    12 + 0.3 x 3 x 5 = 16.5; with perfect information 2 x (0.6 + 2.4 + 2.7) = 11.4.
    """
    programs, odds = [newsvendor(each) for each in (2, 6, 9)], (0.3, 0.4, 0.3)
    whole = extensive(programs, odds, NOW)
    found = highs(whole.program)
    assert found.objective == pytest.approx(16.5)
    assert whole.program.columns == 4
    for program, place_ in zip(programs, whole.columns, strict=True):
        assert choice_of(program, (0,), found.values[place_]) == {"buy": 6.0}
    perfect = sum(weight * highs(program).objective for weight, program in zip(odds, programs, strict=True))
    assert perfect == pytest.approx(11.4)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=3, max_size=3),
    st.lists(st.integers(1, 5), min_size=3, max_size=3),
    st.sampled_from([2.5, 3.0, 5.0]),
)
def test_it_is_the_best_of_all_choices(demands: list[int], odds: list[int], price: float) -> None:
    """Brute force over what may be bought; between perfect information and every fixed choice."""
    weights = [each / sum(odds) for each in odds]
    programs = [newsvendor(each, price) for each in demands]
    found = highs(extensive(programs, weights, NOW).program).objective
    by_choice = [
        sum(w * highs(holding(p, (0,), {"buy": float(n)})).objective for w, p in zip(weights, programs, strict=True))
        for n in range(10)
    ]
    assert found == pytest.approx(min(by_choice))
    assert found >= sum(w * highs(p).objective for w, p in zip(weights, programs, strict=True)) - 1e-9


def test_values_go_together_and_apart() -> None:
    """What is joined reads back, and is a plan of the whole where the choices agree."""
    programs = [newsvendor(each) for each in (2, 6, 9)]
    whole = extensive(programs, (0.3, 0.4, 0.3), NOW)
    held = [highs(holding(program, (0,), {"buy": 4.0})).values for program in programs]
    joined = whole.joined(held)
    assert whole.program.worst_violation(joined) < 1e-6
    for place_, mine in zip(whole.columns, held, strict=True):
        np.testing.assert_allclose(joined[place_], mine)


def test_what_not_every_outlook_knows_is_not_decided_now() -> None:
    """A purchase that one outlook cannot account for stays at nought; bounds are the tightest of all."""
    other = newsvendor(6, most=3)
    builder = ProgramBuilder()
    short = builder.column("short of 2")
    builder.row("demand", "demand", [(short, 1.0)], lower=2.0)
    blind = builder.build([5.0])
    assert highs(extensive([other, blind], (0.5, 0.5), ((0,), ())).program).objective == pytest.approx(0.5 * (30 + 10))
    both = extensive([newsvendor(6), other], (0.5, 0.5), NOW[:2])
    assert both.program.upper[0] == 3.0


def test_a_choice_beyond_the_bounds_is_not_allowed() -> None:
    """Too many, or of what is not sold there."""
    program = newsvendor(6, most=3)
    assert allows(program, (0,), {"buy": 3.0})
    assert allows(program, (0,), {})
    assert not allows(program, (0,), {"buy": 4.0})
    assert not allows(program, (0,), {"build": 1.0})
    assert allows(program, (0,), {"build": 0.0})


def test_now_is_the_first_review() -> None:
    """Nodes bought and committed in the first year; what is bought later is decided later."""
    pool = rented(PurchaseOption.ON_DEMAND, PurchaseOption.COMMITTED)
    estate = place(hall(), region(pools=(pool,)), workloads=(chat(),), horizon=horizon(8, 1, review_months=12))
    form, _ = formulate(resolved(estate))
    names = {form.builder.name_of(column) for column in decided_now(form)}
    assert {name for name in names if name.startswith("buy")} == {f"buy[hall/server,p{period}]" for period in range(4)}
    assert all(name.endswith("p0]") for name in names if name.startswith("commit"))
    before = form.program()
    hold(form, {"buy[hall/server,p0]": 2.0})
    after = form.program()
    held = after.lower == after.upper
    assert {after.column_names[int(column)] for column in np.flatnonzero(held & (before.lower < before.upper))} == names
    hold(form, {})
    assert list(form.program().lower) == list(after.lower)


def test_an_outlook_changes_demand_and_what_is_rented_from_its_period_on() -> None:
    """Twice the demand from the second year on; one workload by its own factor; hours at half the price there."""
    estate = place(
        hall(pool=servers(held=1)), region(), workloads=(chat(), chat("other")),
        horizon=horizon(8, 1, review_months=12),
    )  # fmt: skip
    outlook = Outlook(id="boom", weight=1.0, demand=2.0, demand_of={"other": 0.5}, prices=PriceFactors(on_demand=0.5))
    plain = resolved(estate)
    changed = prepare(estate, placement_catalog(), {}, outlook)
    assert changed.grid == demand_in(outlook, plain.grid, estate.horizon)
    for period, factor in itertools.product(range(8), (2.0,)):
        asked, other = changed.grid.workloads
        base = plain.grid.workloads[0]
        assert asked.mean_rate[period][0] == base.mean_rate[period][0] * (factor if period >= 4 else 1.0)
        assert other.mtok_in[period] == plain.grid.workloads[1].mtok_in[period] * (0.5 if period >= 4 else 1.0)
    costs = [formulate(instance)[0] for instance in (plain, changed)]
    before, after = (form.objective()[form.rent[1, 3, 0]] for form in costs)
    assert after == pytest.approx(before)
    before, after = (form.objective()[form.rent[1, 4, 0]] for form in costs)
    assert after == pytest.approx(before / 2)
    bought = [form.objective()[form.buy[0, 4]] for form in costs]
    assert bought[0] == bought[1]


def test_an_outlook_may_name_its_first_period() -> None:
    """And without reviews to come it holds from the start."""
    estate = place(region(), workloads=(chat(),), horizon=horizon(4, 1, review_months=12))
    plain = resolved(estate).grid
    named = demand_in(Outlook(id="x", weight=1.0, since=plain.periods[2], demand=3.0), plain, estate.horizon)
    factors = [a[0] / b[0] for a, b in zip(named.workloads[0].mean_rate, plain.workloads[0].mean_rate, strict=True)]
    assert factors == pytest.approx([1.0, 1.0, 3.0, 3.0])
    whole = demand_in(Outlook(id="x", weight=1.0, demand=3.0), plain, estate.horizon)
    assert whole.workloads[0].work == tuple(3 * each for each in plain.workloads[0].work)
    assert whole.workloads[0].peak_rate[0][0] == pytest.approx(3 * plain.workloads[0].peak_rate[0][0])
