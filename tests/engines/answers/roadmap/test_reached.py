"""When limits are full and by when to order: growth, fullness and lead times worked out on paper."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.answering import cage, chat, cloud, commitment, decided, estate, job, placed, states
from tests.factories.planning import instance_of, planned

from tripoint.domain.decision import ExpansionDecision, Placement
from tripoint.domain.estate import Horizon
from tripoint.domain.link import Link
from tripoint.domain.plan import Headroom
from tripoint.domain.policy import Budget, CostView, Policies
from tripoint.domain.site import ExpansionStep, Site
from tripoint.domain.units import LinkId, SiteId
from tripoint.domain.workload import Caller
from tripoint.engines.answers.roadmap.limits import Limit, limits
from tripoint.engines.answers.roadmap.reached import log_slope, order_month, period_label, reached, roadmap
from tripoint.engines.answers.roadmap.traffic import traffic_of
from tripoint.engines.placement.instance.calendar import month_index, period_start_month
from tripoint.engines.placement.outcome import Outcome

YEAR = Horizon(start="2027-01", months=12, period_months=3)


def limit(used: tuple[float, ...], top: float = 100.0, **fields: object) -> Limit:
    """A limit of 100 kW, filled as given."""
    given: dict[str, object] = {"lead_months": 6.0, "remedy": "", "limit": (top,) * len(used)} | fields
    return Limit(resource="power", name="cage power", site="cage", unit="kW", used=used, **given)  # type: ignore[arg-type]  # fields of the case


def rows(*found: Headroom) -> dict[str, Headroom]:
    """By name."""
    return {row.name: row for row in found}


def roadmap_of(outcome: Outcome) -> tuple[Headroom, ...]:
    """The roadmap of a solved estate."""
    assert outcome.decisions is not None
    traffic = traffic_of(outcome)
    return roadmap(outcome.instance, limits(outcome.instance, outcome.decisions, outcome.charges, traffic.peaks))


def test_compound_growth_is_recovered_exactly() -> None:
    """Ten percent more each quarter is a slope of ln 1.1."""
    assert log_slope(tuple(5.0 * 1.1**quarter for quarter in range(8))) == pytest.approx(0.09531, abs=1e-5)
    assert log_slope((4.0, 4.0, 4.0)) == 0.0
    assert log_slope((0.0, 0.0, 3.0)) == 0.0


def test_a_limit_is_followed_beyond_the_plan_by_its_growth() -> None:
    """Doubling every quarter from 10 kW: 80 kW in the fourth, and 98 of 100 kW in the first after the plan."""
    found = reached(limit((10.0, 20.0, 40.0, 80.0)), YEAR)
    assert found.period == 4
    assert period_label(YEAR, 4) == "2028-Q1"


def test_growth_that_takes_more_than_ten_years_is_not_in_sight() -> None:
    """Two percent a year from 50 kW needs 34 years to 98 kW."""
    quarter = 1.02**0.25
    found = reached(limit(tuple(50.0 * quarter**n for n in range(4))), YEAR)
    assert found.period is None
    assert "not in sight within 10 years, if use goes on growing 2 % a year" in found.how


@pytest.mark.parametrize(
    ("used", "period"),
    [
        ((98.0, 98.0, 98.0, 98.0), 0),
        ((97.0, 97.9, 98.0, 99.0), 2),
        ((97.9, 97.9, 97.9, 97.9), None),
        ((50.0, 99.0, 60.0, 60.0), 1),
        ((0.0, 0.0, 0.0, 0.0), None),
        ((0.5, 0.6, 0.7, 0.8), None),
    ],
)
def test_full_is_98_percent_by_plan(used: tuple[float, ...], period: int | None) -> None:
    """The first period at 98 % of the limit; flat use, no use and a trace of use are not in sight."""
    assert reached(limit(used), YEAR).period == period


def test_a_limit_no_further_node_fits_under_is_full() -> None:
    """90 of 100 kW leaves no room for a node of 10.2 kW, while the GPUs there are busy."""
    pressed = (False, True, True, True)
    assert reached(limit((90.0,) * 4, step=10.2, pressed=pressed), YEAR).period == 1
    assert reached(limit((90.0,) * 4, step=9.9, pressed=pressed), YEAR).period is None


def test_a_full_hall_that_carries_its_work_asks_for_nothing() -> None:
    """Nothing is wanted while nothing overflows and use does not grow; use that grows is full where it fills it."""
    found = reached(limit((100.0,) * 4, pressed=(False,) * 4), YEAR)
    assert found.period is None
    assert "nothing more is wanted" in found.how
    assert reached(limit((90.0, 95.0, 99.0, 100.0), pressed=(False,) * 4), YEAR).period == 2


def test_a_rest_that_bars_one_more_node_is_told_though_use_does_not_grow() -> None:
    """30.6 of 40 kW, and a node takes 10.2: nothing overflows, but it is the limit that keeps the next node out."""
    found = reached(limit((30.6,) * 4, top=40.0, step=10.2, pressed=(False,) * 4), YEAR)
    assert found.period is None
    assert found.how == "not in sight: use does not grow, but the 9.4 kW left bar one more node, which takes 10.2"
    roomy = reached(limit((30.6,) * 4, top=41.0, step=10.2, pressed=(False,) * 4), YEAR)
    assert roomy.how == "not in sight: use does not grow"


@pytest.mark.parametrize("overflows", [False, True])
def test_the_same_use_is_full_at_the_same_time_whether_work_overflows_or_not(overflows: bool) -> None:
    """One of one rack from the fourth period on is full then, and so is power that no further node fits into; two
    plans that say the same of a limit say the same date, also where one of them cuts a workload in two."""
    pressed = (False, False, False, overflows)
    racks = limit((0.5, 0.5, 0.5, 1.0), top=1.0, step=0.5, pressed=pressed)
    assert reached(racks, YEAR).period == 3
    power = limit((1.2, 1.2, 1.2, 2.4), top=3.0, step=1.2, pressed=pressed)
    assert reached(power, YEAR).period == 3


def test_what_the_plan_chose_to_order_is_no_limit_while_more_can_be() -> None:
    """GPUs busy to the last are as many as the plan orders; those with room are followed to the next order."""
    bought = (8.0, 8.0, 16.0, 16.0)
    gpus = limit(bought, limit=bought, is_chosen=True)
    assert reached(gpus, YEAR).period is None
    assert "as many as the plan chose" in reached(gpus, YEAR).how
    assert reached(limit((2.0, 4.0, 8.0, 12.0), limit=(16.0,) * 4, is_chosen=True), YEAR).period == 4
    assert reached(replace(gpus, is_chosen=False), YEAR).period == 0


@pytest.mark.parametrize(
    ("used", "period"),
    [
        ((100.0, 100.0, 110.0, 120.0), 11),
        ((100.0, 100.0, 110.0, 200.0), 3),
        ((100.0, 100.0, 200.0, 200.0), 2),
        ((100.0, 100.0, 100.0, 100.0), None),
    ],
)
def test_what_the_plan_already_orders_is_not_due(used: tuple[float, ...], period: int | None) -> None:
    """Full at once, doubled by a step in the third quarter: what counts is when the doubled limit is full."""
    step = ExpansionDecision(site="cage", step="hall-b", order_period=0, service_period=2, adds_kw=100.0)
    found = reached(limit(used, limit=(100.0, 100.0, 200.0, 200.0), planned=(step,)), YEAR)
    assert found.period == period
    assert found.how.startswith(
        "the plan fills it from 2027-Q1; `hall-b`, ordered in 2027-Q1, serves from 2027-Q3; after"
    )


def test_order_is_one_lead_time_before_the_period_begins() -> None:
    """Six months before 2028-01 is 2027-07; part of a month counts as a whole one."""
    assert order_month(YEAR, 4, 6.0) == "2027-07"
    assert order_month(YEAR, 4, 3.2) == "2027-09"
    assert order_month(YEAR, 0, 14.0) == "2025-11"


@given(
    start=st.floats(0.1, 150.0),
    growth=st.floats(0.5, 3.0),
    lead=st.floats(0.0, 40.0),
    top=st.floats(1.0, 200.0),
    periods=st.integers(1, 12),
)
def test_nothing_is_ordered_after_it_is_needed(
    start: float, growth: float, lead: float, top: float, periods: int
) -> None:
    """`order_by` never lies after the month in which the limit is full, and neither lies beyond ten years."""
    horizon = replace(YEAR, months=3 * periods)
    found = reached(limit(tuple(start * growth**n for n in range(periods)), top), horizon)
    if found.period is None:
        return
    full = month_index(period_start_month(horizon, found.period))
    order = month_index(order_month(horizon, found.period, lead))
    assert order <= full <= month_index("2027-01") + 120
    assert full - order >= lead - 1e-6


def test_power_racks_and_gpus_of_a_cage_are_counted_in_nodes_owned() -> None:
    """Three nodes of 10.2 kW under 45 kW: 30.6 kW; two to a rack of 21 kW: 1.5 of 3 racks; 24 GPUs."""
    instance = instance_of(estate(cage(), cloud(), workloads=(job(),)))
    decisions = decided(
        *states(instance, "cage/dgx-h100", (2.0, 2.0, 2.0, 2.0), owned=3.0),
        *states(instance, "cloud/p5.48xlarge", (0.0,) * 4),
    )
    found = rows(*roadmap(instance, limits(instance, decisions, (), {})))
    assert found["cage power"].used == pytest.approx((30.6,) * 4)
    assert found["cage power"].limit == (45.0,) * 4
    assert found["cage racks"].used == pytest.approx((1.5,) * 4)
    assert found["cage GPUs"].used == (16.0,) * 4
    assert found["cage GPUs"].limit == (24.0,) * 4
    assert found["cage/dgx-h100"].used == (3.0,) * 4
    assert "cloud/p5.48xlarge" not in found


def test_a_step_of_the_plan_is_told_and_not_due() -> None:
    """Full in the second quarter; with `hall-b` ordered by the plan, growth from 3 to 5 nodes fills 90 kW in 2028."""
    step = ExpansionStep(id="hall-b", adds_kw=45.0, lead_time_months=6)
    site: Site = replace(cage(), expansion=(step, ExpansionStep(id="racks", adds_racks=4)))
    instance = instance_of(estate(site, cloud(), workloads=(job(),)))
    nodes = (3.0, 4.0, 5.0, 5.0)
    owned = [replace(state, owned=nodes[state.period]) for state in states(instance, "cage/dgx-h100", nodes, owned=5.0)]
    taken = ExpansionDecision(site="cage", step="hall-b", order_period=0, service_period=2, adds_kw=45.0)
    decisions = decided(
        *owned,
        *states(instance, "cloud/p5.48xlarge", (0.0,) * 4),
        expansions=(taken,),
        placements=overflow(1),
    )
    found = rows(*roadmap(instance, limits(instance, decisions, (), {})))
    power = found["cage power"]
    assert power.limit == (45.0, 45.0, 90.0, 90.0)
    assert (power.exhausted, power.order_by, power.lead_time_months) == ("2028-Q4", "2027-08", 14.0)
    assert "the plan fills it from 2027-Q2; `hall-b`, ordered in 2027-Q1, serves from 2027-Q3" in power.note
    assert "`hall-b`" not in found["cage racks"].note
    assert found["cage GPUs"].exhausted == ""


def test_gpus_that_cannot_be_bought_are_a_limit() -> None:
    """A node held and no more to be had: busy with work that overflows, it is full."""
    whole = instance_of(estate(cage(held=4), cloud(), workloads=(job(),)))
    instance = replace(whole, pools=tuple(replace(pool, owned_month=()) for pool in whole.pools))
    decisions = decided(
        *states(instance, "cage/dgx-h100", (4.0,) * 4, owned=4.0),
        *states(instance, "cloud/p5.48xlarge", (0.5,) * 4),
        placements=overflow(2),
    )
    assert rows(*roadmap(instance, limits(instance, decisions, (), {})))["cage GPUs"].exhausted == "2027-Q3"


@pytest.mark.parametrize("late", [0, 1])
def test_gpus_needed_do_not_depend_on_when_work_that_can_wait_is_done(late: int) -> None:
    """Two nodes of batch work all week long, or four in half of it: two are needed, 16 GPUs, and more for callers."""
    callers = chat()
    week = tuple(2.0 if hour < 84 else 0.0 for hour in range(168))
    callers = replace(callers, demand=replace(callers.demand, shape=None, hour_of_week=week))
    instance = instance_of(estate(cage(), cloud(), workloads=(job(), callers)))
    assert [block.weight for block in instance.grid.blocks] == [0.5, 0.5]

    def needed(work: tuple[float, float], nodes_of_callers: float) -> float:
        flat = states(instance, "cage/dgx-h100", (0.0,) * 4, owned=4.0)
        used = [replace(state, used=work[state.block] + nodes_of_callers * (state.block == 0)) for state in flat]
        done = [replace(placed("job", "cage/dgx-h100", 0, 0.5), block=n, nodes=nodes) for n, nodes in enumerate(work)]
        decisions = decided(*used, *states(instance, "cloud/p5.48xlarge", (0.0,) * 4), placements=tuple(done))
        return rows(*roadmap(instance, limits(instance, decisions, (), {})))["cage GPUs"].used[0]

    bunched = (4.0, 0.0) if late else (0.0, 4.0)
    assert needed(bunched, 0.0) == needed((2.0, 2.0), 0.0) == 16.0
    assert needed(bunched, 1.0) == needed((2.0, 2.0), 1.0) == 20.0
    assert needed(bunched, 6.0) == needed((2.0, 2.0), 6.0) == 48.0


def overflow(period: int) -> tuple[Placement, ...]:
    """Nine tenths of the job in the cage, the rest in the cloud."""
    return (placed("job", "cage/dgx-h100", period, 0.9), placed("job", "cloud/p5.48xlarge", period, 0.1))


@pytest.mark.parametrize(("overflowing", "exhausted"), [((), ""), ((2,), "2027-Q3"), ((0, 1, 2, 3), "2027-Q1")])
def test_a_hall_is_full_when_its_work_overflows(overflowing: tuple[int, ...], exhausted: str) -> None:
    """Four nodes of 10.2 kW leave no room for a fifth under 45 kW; it is missed only while work goes elsewhere."""
    instance = instance_of(estate(cage(), cloud(), workloads=(job(),)))
    decisions = decided(
        *states(instance, "cage/dgx-h100", (4.0,) * 4, owned=4.0),
        *states(instance, "cloud/p5.48xlarge", (0.5,) * 4),
        placements=tuple(row for period in overflowing for row in overflow(period)),
    )
    assert rows(*roadmap(instance, limits(instance, decisions, (), {})))["cage power"].exhausted == exhausted


def test_a_pool_that_may_not_grow_is_told_with_what_it_rents() -> None:
    """Two of four committed nodes and two rented ones fill `max_nodes` of four; nothing takes time to rent."""
    instance = instance_of(estate(cloud(max_nodes=4), workloads=(job(),)))
    nodes = states(instance, "cloud/p5.48xlarge", (3.0, 3.5, 4.0, 4.0), committed=(2.0,) * 4)
    decisions = decided(*nodes, purchases=(commitment("cloud/p5.48xlarge", 2.0, 0),))
    found = rows(*roadmap(instance, limits(instance, decisions, (), {})))["cloud/p5.48xlarge"]
    assert found.used == (3.0, 3.5, 4.0, 4.0)
    assert (found.exhausted, found.order_by) == ("2027-Q3", "2027-07")


def test_the_budget_is_counted_in_its_own_view() -> None:
    """A solved estate's billed cost per quarter stands beside its limit."""
    policies = Policies(budget=Budget(usd_per_period=5e6, view=CostView.BILLED))
    outcome = planned(estate(cage(), cloud(), workloads=(job(),), policies=policies))
    assert outcome.decisions is not None
    found = rows(*roadmap_of(outcome))["budget"]
    for period in range(4):
        billed = sum(row.billed_usd for row in outcome.charges if row.period == period)
        assert found.used[period] == pytest.approx(billed)
    assert found.order_by == ""


def test_links_carry_what_the_program_was_bound_by() -> None:
    """50 requests/s x 1200 tokens x 8 bytes at the busiest hour's pace, half each way, over the one link."""
    link = Link(id=LinkId("line"), source=SiteId("cage"), target=SiteId("cloud"), rtt_ms=5.0, bandwidth_gbps=1.0)
    asked = chat(callers=(Caller(place="cage"),), only_at=("cloud",))
    outcome = planned(estate(cage(), cloud(), workloads=(asked,), links=(link,)))
    assert outcome.decisions is not None
    traffic = traffic_of(outcome).peaks[LinkId("line")]
    peak = max(outcome.instance.grid.workloads[0].peak_rate[0])
    assert traffic[0] == pytest.approx(peak * 1200 * 8 * 0.5 * 8 / 1e9, rel=1e-6)
    found = rows(*roadmap_of(outcome))
    assert found["line"].used == traffic


def test_limits_come_before_what_the_plan_chose_itself() -> None:
    """Of those not in sight the fullest first, and accelerators as many as the plan bought last, however busy."""
    instance = instance_of(estate(cage(), cloud(), workloads=(job(),)))
    flat = limit((50.0,) * 4)
    gpus = replace(flat, resource="gpus", name="cage GPUs", used=(100.0,) * 4, is_chosen=True)
    racks = replace(flat, resource="racks", name="cage racks", used=(20.0,) * 4)
    full = replace(flat, name="hall power", used=(99.0,) * 4)
    assert [row.name for row in roadmap(instance, (gpus, racks, flat, full))] == [
        "hall power",
        "cage power",
        "cage racks",
        "cage GPUs",
    ]
