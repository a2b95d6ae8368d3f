"""Trials as flows: nothing is lost from the books, capacity and policy hold, outages are exact to the second."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.serving import candidate, route, table, target
from tests.factories.worlds import demanded, place, world

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.stress import Outcome
from tripoint.engines.stress.fluid.flow import Basin, flow, flows
from tripoint.engines.stress.fluid.layout import layout_of
from tripoint.engines.stress.world import Callers, World

HOUR = 3600.0
DAY = 24


def fault(
    kind: FaultKind, *on: str, at: float = 0.0, until: float = inf, size: float = 1.0, ramp: float = 0.0
) -> Fault:
    """A fault; times in hours."""
    return Fault(kind=kind, on=on, at_s=at * HOUR, until_s=until * HOUR, size=size, ramp_s=ramp * HOUR)


def only(outcomes: tuple[Outcome, ...]) -> Outcome:
    """The one outcome."""
    (outcome,) = outcomes
    return outcome


def narrow(**fields: float) -> World:
    """Two places of 1.5 requests/s each before a workload that asks 2."""
    return world((place("a", rates={"chat": 1.5}), place("b", rates={"chat": 1.5}, **fields)))


def ranked(first: int, second: int) -> World:
    """Two workloads of 2 requests/s and these priorities on one place of 3."""
    stands = (place("a", rates={"chat": 3.0, "search": 3.0}),)
    asks = (demanded("chat", priority=first), demanded("search", priority=second))
    targets = [target("a", slot=0, site="site-a", max_concurrency=8)]
    routes = [route(candidate(0, share=1.0), workload=each.workload, priority=each.priority) for each in asks]
    return world(stands, asks, routing=table(targets, routes))


def test_a_quiet_day_costs_what_it_usually_costs() -> None:
    """Everything is served, nothing is late, the margin is what the places have left."""
    outcome = only(flow(world(), (), start_hour=0, hours=DAY))
    assert outcome.offered == outcome.answered == pytest.approx(2.0 * DAY * HOUR)
    assert (outcome.late, outcome.shed, outcome.lost, outcome.outage_s, outcome.first_limit) == (0, 0, 0, 0, "")
    assert outcome.margin == pytest.approx(1 - 2 / 16)
    assert outcome.usd == outcome.usual_usd > 0


def test_a_lost_site_is_an_outage_to_the_second() -> None:
    """From minute 20 to minute 80 a quarter finds no room; what was in flight is lost."""
    outcome = only(flow(narrow(), (fault(FaultKind.DOWN, "site-a", at=1 / 3, until=4 / 3),), start_hour=0, hours=DAY))
    assert outcome.outage_s == pytest.approx(HOUR)
    assert outcome.shed == pytest.approx(0.5 * HOUR)
    assert outcome.lost == pytest.approx(1.0 * (0.1 + 99 * 0.009))  # Little: rate there times stay
    assert outcome.offered == pytest.approx(outcome.answered + outcome.shed + outcome.lost)
    assert outcome.margin == pytest.approx(-0.5 / 2)
    assert outcome.first_limit == "site-a is out"
    assert outcome.usd < outcome.usual_usd


def test_a_neighbour_with_room_takes_over() -> None:
    """Nothing but what was in flight is missed."""
    outcome = only(flow(world(), (fault(FaultKind.DOWN, "site-a", at=1, until=5),), start_hour=0, hours=DAY))
    assert outcome.shed == outcome.outage_s == 0.0
    assert outcome.margin == pytest.approx(1 - 2 / 8)


def test_more_capacity_ends_the_outage_when_it_is_ready() -> None:
    """Ten minutes after the loss the second place has grown, and what grew is paid for."""
    more = narrow(most_nodes=3.0, ready_after_s=600.0)
    struck = (fault(FaultKind.DOWN, "site-a", at=2, until=6),)
    outcome = only(flow(more, struck, start_hour=0, hours=DAY))
    assert outcome.outage_s == pytest.approx(600.0)
    assert outcome.shed == pytest.approx(0.5 * 600)
    without = only(flow(narrow(), struck, start_hour=0, hours=DAY))
    # A third of what stands is asked for, at 1 USD per node and hour, for what is left of the four hours.
    served = outcome.answered - without.answered
    assert outcome.usd - without.usd == pytest.approx((4 * HOUR - 600) / HOUR / 3 + served * 0.0002 * 2, rel=0.05)


def test_a_cold_standby_serves_once_its_nodes_are_there() -> None:
    """It takes nothing before the loss, and half an hour after it all that found no room; two nodes are paid then."""
    stands = (
        place("a", rates={"chat": 3.0}),
        place("b", rates={"chat": 3.0}, nodes=0.0, is_cold=True, kept_nodes=2.0, most_nodes=inf, ready_after_s=1800.0),
    )
    cold = world(stands)
    quiet = only(flow(cold, (), start_hour=0, hours=DAY))
    assert quiet.shed == 0.0
    assert quiet.margin == pytest.approx(1 / 3)
    lost = only(flow(cold, (fault(FaultKind.DOWN, "site-a", at=2, until=6),), start_hour=0, hours=DAY))
    assert lost.outage_s == pytest.approx(1800.0)
    assert lost.shed == pytest.approx(2.0 * 1800.0)
    per_request = quiet.usd / quiet.answered
    assert lost.usd - lost.answered * per_request == pytest.approx(2 / 3 * 2 * 3.5, rel=0.01)


@pytest.mark.parametrize("service", ["registry", "control", "identity"])
def test_without_what_orders_need_nothing_grows(service: str) -> None:
    """Capacity cannot be had while the registry, the control plane or the identity provider is out."""
    more = narrow(most_nodes=3.0, ready_after_s=600.0)
    down = fault(FaultKind.DOWN, "site-a", at=2, until=6)
    outcome = only(flow(more, (down, fault(FaultKind.SERVICE_DOWN, service, until=24)), start_hour=0, hours=DAY))
    assert outcome.outage_s == pytest.approx(4 * HOUR)


def test_an_absent_approver_delays_what_grows() -> None:
    """Half an hour more until somebody decides."""
    more = narrow(most_nodes=3.0, ready_after_s=600.0)
    struck = (fault(FaultKind.DOWN, "site-a", at=2, until=6), fault(FaultKind.APPROVAL, "approver", size=0.5))
    assert only(flow(more, struck, start_hour=0, hours=DAY)).outage_s == pytest.approx(600.0 + 1800.0)


def test_segments_that_touch_are_one_wait() -> None:
    """A pool that loses node after node is waited for once."""
    more = narrow(most_nodes=3.0, ready_after_s=1800.0)
    cuts = (
        fault(FaultKind.CAPACITY, "site-a/node", at=2, until=2.25, size=0.1),
        fault(FaultKind.CAPACITY, "site-a/node", at=2.25, until=4, size=0.05),
    )
    assert only(flow(more, cuts, start_hour=0, hours=DAY)).outage_s == pytest.approx(1800.0)


@pytest.mark.parametrize(("chat", "search"), [(1, 5), (5, 1)])
def test_the_first_priority_is_served_first(chat: int, search: int) -> None:
    """On three requests/s for four asked, the better priority loses nothing."""
    outcomes = {each.workload: each for each in flow(ranked(chat, search), (), start_hour=0, hours=1)}
    better, worse = ("chat", "search") if chat < search else ("search", "chat")
    assert outcomes[better].shed == 0.0
    assert outcomes[worse].shed == pytest.approx(HOUR)
    assert outcomes[worse].outage_s == HOUR
    assert outcomes[worse].first_limit == "site-a/node is full"


def test_a_burst_asks_for_more() -> None:
    """Three times as much for two hours, over a ramp of one."""
    burst = fault(FaultKind.DEMAND, "chat", at=3, until=5, size=3.0, ramp=1.0)
    outcome = only(flow(world(), (burst,), start_hour=0, hours=DAY))
    # The ramp rises in twenty steps, each at the force of its beginning.
    ramp = sum(1 + 2 * step / 20 for step in range(20)) / 20
    assert outcome.offered == pytest.approx(2.0 * HOUR * (22 + ramp + 3))
    assert outcome.margin == pytest.approx(1 - 6 / 16)


@pytest.mark.parametrize(
    ("kind", "size", "margin"),
    [
        (FaultKind.CAPACITY, 0.25, 1 - 2 / (8 + 2)),
        (FaultKind.LIMIT, 0.25, 1 - 2 / (8 + 2)),
        (FaultKind.SLOW, 4.0, 1 - 2 / (8 + 2)),
        (FaultKind.ERRORS, 0.3, 1 - 2 / (8 + 5.6)),
        (FaultKind.ERRORS, 0.6, 1 - 2 / 8),
        (FaultKind.WRONG, 0.5, 1 - 2 / 8),
        (FaultKind.HANG, 1.0, 1 - 2 / 8),
    ],
)
def test_what_a_fault_leaves_of_a_place(kind: FaultKind, size: float, margin: float) -> None:
    """Shares of capacity, times of service, and failures up to where a breaker shuts the place."""
    struck = (fault(kind, "site-a/node", at=1, until=2, size=size),)
    assert only(flow(world(), struck, start_hour=0, hours=DAY)).margin == pytest.approx(margin)


def test_slow_places_answer_late() -> None:
    """Twenty-five times 100 ms is beyond two seconds."""
    struck = (fault(FaultKind.SLOW, "site-a", at=1, until=2, size=25.0),)
    outcome = only(flow(world(), struck, start_hour=0, hours=DAY))
    assert outcome.late == pytest.approx(8 / 25 * HOUR)


def test_a_cut_link_keeps_its_callers_away() -> None:
    """Half of the callers reach one place only over the link; they go to the other."""
    near = Callers(place="here", share=0.5, rtt_ms={}, links={})
    far = Callers(place="there", share=0.5, rtt_ms={"site-a": 10.0}, links={"site-a": ("wan",)})
    lined = world((place("a", rates={"chat": 1.2}), place("b", rates={"chat": 1.2})), (demanded(callers=(near, far)),))
    cut = only(flow(lined, (fault(FaultKind.LINK_DOWN, "wan", at=1, until=2),), start_hour=0, hours=DAY))
    # The near ones keep to the plan, half a request/s at each place; of the far ones 0.7 find room at b.
    assert cut.shed == pytest.approx(0.3 * HOUR)
    alone = world((place("a", rates={"chat": 1.2}), place("b", rates={"chat": 0.5})), (demanded(callers=(near, far)),))
    cut = only(flow(alone, (fault(FaultKind.LINK_DOWN, "wan", at=1, until=2),), start_hour=0, hours=1))
    assert cut.shed == pytest.approx((2.0 - 1.7) * HOUR)
    slow = only(flow(lined, (fault(FaultKind.LINK_DELAY, "wan", size=1950.0),), start_hour=0, hours=1))
    assert slow.late == pytest.approx(0.5 * HOUR)
    lossy = (fault(FaultKind.LINK_DELAY, "wan", size=1500.0), fault(FaultKind.LINK_LOSS, "wan", size=0.02))
    # What loses one of ten packets waits once more and is late.
    assert only(flow(lined, lossy, start_hour=0, hours=1)).late == pytest.approx((1 - 0.98**10) * 0.5 * HOUR)


def test_who_must_leave_has_notice() -> None:
    """After two days nothing is served at the place any more."""
    outcome = only(flow(world(), (fault(FaultKind.LEAVE, "site-a", size=2.0),), start_hour=0, hours=3 * DAY))
    assert outcome.shed == outcome.outside == 0.0
    assert outcome.margin == pytest.approx(1 - 2 / 8)
    tight = only(flow(narrow(), (fault(FaultKind.LEAVE, "site-a", size=2.0),), start_hour=0, hours=3 * DAY))
    assert tight.outage_s == DAY * HOUR


def test_what_policy_forbids_is_counted() -> None:
    """A table that sends requests where the estate forbids shows in the outcome."""
    outcome = only(flow(world(asked=(demanded(permitted=("site-b",)),)), (), start_hour=0, hours=1))
    assert outcome.outside == pytest.approx(HOUR)


def test_prices_change_what_it_costs() -> None:
    """Owned nodes ask more energy; rented ones more rent; nothing else changes."""
    plain = only(flow(world(), (), start_hour=0, hours=DAY))
    dear = only(flow(world(), (fault(FaultKind.PRICE, "energy", size=2.0),), start_hour=0, hours=DAY))
    assert dear.usd == pytest.approx(2 * plain.usd)
    assert dear.usual_usd == plain.usd
    assert dear.answered == plain.answered


def test_lost_data_is_as_old_as_the_newest_clean_copy() -> None:
    """By workload or by place; others are not touched."""
    for name, hours in (("chat", 7.0), ("site-a", 7.0), ("elsewhere", 0.0)):
        outcome = only(flow(world(), (fault(FaultKind.DATA_LOST, name, size=7.0),), start_hour=0, hours=1))
        assert outcome.stale_s == hours * HOUR


def test_deferred_work_waits_and_is_late_when_its_deadline_passes() -> None:
    """Both places are out for five hours; two requests/s gather and are done at three."""
    batch = demanded("chat", kind="batch_inference", is_interactive=False, deadline_hours=2.0, ttft_ms=None)
    stands = (place("a", rates={"chat": 1.5}), place("b", rates={"chat": 1.5}))
    down = (fault(FaultKind.DOWN, "site-a", "site-b", at=1, until=6),)
    outcome = only(flow(world(stands, (batch,)), down, start_hour=0, hours=DAY))
    assert outcome.shed == outcome.lost == 0.0
    # What came in the hour after the loss is done 2/3 of an hour after the return: 4 2/3 hours later.
    assert outcome.outage_s == pytest.approx((4 + 2 / 3 - 2) * HOUR, rel=1e-6)
    assert 0 < outcome.late < outcome.offered
    assert outcome.first_limit == "deadline of 2 h"
    patient = replace(batch, deadline_hours=12.0)
    assert only(flow(world(stands, (patient,)), down, start_hour=0, hours=DAY)).late == 0.0
    never = (fault(FaultKind.DOWN, "site-a", "site-b", at=1),)
    gone = only(flow(world(stands, (batch,)), never, start_hour=0, hours=DAY))
    assert gone.shed == pytest.approx(2.0 * HOUR * (DAY - 1 - 2), rel=0.05)
    assert gone.offered == pytest.approx(gone.answered + gone.shed)


def test_deferred_work_without_a_deadline_is_out_while_it_has_no_place() -> None:
    """160 of 168 hours without a place: nothing is late, and that is the outage; with one place left there is none."""
    batch = demanded(
        "chat", kind="batch_inference", is_interactive=False, deadline_hours=None, ttft_ms=None, requests_per_s=1.0
    )
    stands = (place("a", rates={"chat": 1.5}), place("b", rates={"chat": 1.5}))
    both = (fault(FaultKind.DOWN, "site-a", "site-b", at=1, until=161),)
    found = only(flow(world(stands, (batch,)), both, start_hour=0, hours=7 * DAY))
    assert found.late == found.shed == 0.0
    assert found.outage_s == pytest.approx(160 * HOUR)
    assert found.first_limit == "no place could do it"
    spared = only(flow(world(stands, (batch,)), (fault(FaultKind.DOWN, "site-a", at=1),), start_hour=0, hours=DAY))
    assert (spared.outage_s, spared.first_limit) == (0.0, "")


def test_demand_grows_over_years() -> None:
    """Doubling every year: three years ask 1 + 2 + 4 times a year of continuous growth."""
    grown = world(asked=(demanded(growth_per_year=1.0),))
    years = [only(flow(grown, (), start_hour=0, hours=8760 * count)).offered for count in (1, 2, 3)]
    assert years[1] - years[0] == pytest.approx(2 * years[0])
    assert years[2] - years[1] == pytest.approx(4 * years[0])


def test_the_hours_of_a_trial_add_up_to_its_outcome() -> None:
    """Offered, served and late by the hour; the hour of the loss shows it."""
    struck = (fault(FaultKind.DOWN, "site-a", at=1 / 3, until=4 / 3), fault(FaultKind.SLOW, "site-b", at=3, size=25.0))
    outcome = only(flow(narrow(), struck, start_hour=0, hours=DAY))
    (over_time,) = Basin(layout_of(narrow()), start_hour=0, hours=DAY).hours(struck)
    assert over_time.workload == "chat"
    assert over_time.offered.sum() == pytest.approx(outcome.offered)
    assert over_time.served.sum() == pytest.approx(outcome.answered + outcome.lost)
    assert over_time.late.sum() == pytest.approx(outcome.late)
    assert (over_time.offered - over_time.served)[:3].tolist() == pytest.approx([0.5 * 2400, 0.5 * 1200, 0.0])


KINDS = (
    FaultKind.DOWN, FaultKind.HANG, FaultKind.SLOW, FaultKind.ERRORS, FaultKind.WRONG, FaultKind.LIMIT,
    FaultKind.CAPACITY, FaultKind.DEMAND, FaultKind.PRICE, FaultKind.LEAVE,
)  # fmt: skip
NAMES = ("site-a", "site-b", "site-a/node", "chat", "search", "energy")


@st.composite
def trials(draw: st.DrawFn) -> tuple[Fault, ...]:
    """Any few faults within two days."""
    found = []
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(KINDS))
        at, length = draw(st.floats(0, 47)), draw(st.floats(0.01, 20))
        size = draw(st.floats(0.0, 1.0)) * (3.0 if kind in (FaultKind.DEMAND, FaultKind.PRICE, FaultKind.SLOW) else 1.0)
        on = draw(st.sampled_from(NAMES))
        found.append(fault(kind, on, at=at, until=at + length, size=size, ramp=draw(st.sampled_from((0.0, 0.3)))))
    return tuple(found)


def mixed() -> World:
    """Two that wait and one that does not, on two places that are nearly full."""
    stands = (
        place("a", rates={"chat": 3.0, "search": 6.0, "night": 9.0}),
        place("b", rates={"chat": 2.0, "search": 4.0, "night": 6.0}, most_nodes=2.0, ready_after_s=1200.0),
    )
    hours = tuple(0.5 + (hour % 24 >= 8) * 0.75 for hour in range(168))
    asks = (
        demanded("chat", priority=2, hour_of_week=hours),
        demanded("search", priority=1, growth_per_year=0.4),
        demanded("night", is_interactive=False, ttft_ms=None, deadline_hours=6.0, requests_per_s=1.0),
    )
    return world(stands, asks)


@given(trials())
def test_the_books_balance(struck: tuple[Fault, ...]) -> None:
    """Offered = answered + shed + lost, all of them not negative, nothing out of place, the margin within bounds."""
    for each in flow(mixed(), struck, start_hour=5, hours=48):
        scale = each.offered * 1e-9 + 1e-9
        assert each.offered == pytest.approx(each.answered + each.shed + each.lost, abs=scale)
        assert min(each.answered, each.shed, each.lost, each.late, each.usd) >= -scale
        assert each.late <= each.answered + scale
        assert each.outside == 0.0
        assert -1.0 - 1e-9 <= each.margin <= 1.0
        assert 0.0 <= each.outage_s <= 48 * HOUR


@given(st.lists(trials(), min_size=1, max_size=4))
def test_trials_together_are_trials_alone(several: list[tuple[Fault, ...]]) -> None:
    """To the last bit, whatever else is played with them."""
    together = flows(mixed(), several, start_hour=0, hours=48)
    assert together == [flow(mixed(), each, start_hour=0, hours=48) for each in several]
