"""Objectives and live cost: who meets the objective comes first, then who is cheaper; the envelope bounds both."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.factories.routing import Desk
from tests.factories.serving import candidate, price, route, table, target

from tripoint.domain.record import Reason
from tripoint.domain.serving import Shifting
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.health.load import UpstreamLoad


def trio(shifting: Shifting | None = None) -> RoutingTable:
    """`a` and `b` by the plan, `c` unused and dear; first token within 500 ms, 50 ms a token."""
    targets = [target(name, slot=slot, max_concurrency=100) for slot, name in enumerate("abc")]
    ways = [candidate(0, share=0.6, usd=1.0), candidate(1, share=0.4, usd=2.0), candidate(2, usd=8.0)]
    made = route(*ways, ttft_ms=500.0, tpot_ms=50.0)
    return table(targets, [made], shifting=shifting or Shifting(min_dwell_s=1e9))


def measured(desk: Desk, ttft_s: dict[str, float], tpot_s: dict[str, float] | None = None, count: int = 20) -> None:
    """Every upstream named answers so fast a few times, and the router looks."""
    slots = {each.id: each.slot for each in desk.router.table.targets}
    for name, seconds in ttft_s.items():
        others = [slot for other, slot in slots.items() if other != name]
        for _ in range(count):
            desk.answer(desk.take(tried=others), seconds, (tpot_s or {}).get(name, 0.01))
    desk.wait(0.25)


def test_a_slow_way_gives_way_to_those_that_meet_the_objective() -> None:
    """Its share goes to the other planned one, for the reason of the objective."""
    desk = Desk(trio())
    measured(desk, {"a": 0.9, "b": 0.1})
    choice = desk.take()
    assert (choice.target.id, choice.reason) == ("b", Reason.SLO)
    assert set(desk.serve(30)) == {"b"}


def test_a_standstill_of_our_own_process_is_no_slowness_of_an_upstream() -> None:
    """What was under way over it is no sample, is not silence, and shortens nobody's share; what comes after counts."""
    desk = Desk(trio())
    measured(desk, {"a": 0.1, "b": 0.1})
    before = desk.router.states(desk.now)
    held = [desk.take(tried=[1, 2]) for _ in range(20)]
    desk.now += 3.0
    desk.router.stood_still(desk.now)
    assert not any(state.is_silent for state in desk.router.states(desk.now))
    for choice in held:
        desk.router.answered(choice, 3.0, desk.now)
        desk.router.ended(choice, None, desk.now, tokens_out=3, stream_s=3.0)
    desk.wait(0.25)
    after = desk.router.states(desk.now)
    assert [state.ttft_p95_s for state in after] == [state.ttft_p95_s for state in before]
    assert [state.tpot_p50_s for state in after] == [state.tpot_p50_s for state in before]
    assert set(desk.serve(30)) == {"a", "b"}
    measured(desk, {"a": 0.9})
    assert set(desk.serve(30)) == {"b"}


def test_slow_tokens_count_as_well() -> None:
    """A first token in time does not excuse a slow stream."""
    desk = Desk(trio())
    measured(desk, {"a": 0.1, "b": 0.1}, {"a": 0.2})
    assert set(desk.serve(30)) == {"b"}


def test_when_no_planned_way_meets_it_an_unplanned_one_does() -> None:
    """The cheapest that meets the objective, however dear, where no limit was set."""
    desk = Desk(trio())
    measured(desk, {"a": 0.9, "b": 0.8, "c": 0.1})
    choice = desk.take()
    assert (choice.target.id, choice.reason) == ("c", Reason.SLO)


def test_not_at_any_price() -> None:
    """With a limit on the cost the best of the slow ones is taken instead."""
    desk = Desk(trio(Shifting(min_dwell_s=1e9, max_cost_factor=3.0)))
    measured(desk, {"a": 0.9, "b": 0.7, "c": 0.1})
    choice = desk.take()
    assert (choice.target.id, choice.reason) == ("b", Reason.SLO)


def test_when_nobody_meets_it_the_best_predicted_is_taken() -> None:
    """And the reason says that it is about the objective."""
    desk = Desk(trio())
    measured(desk, {"a": 0.9, "b": 0.7, "c": 2.0})
    choice = desk.take()
    assert (choice.target.id, choice.reason) == ("b", Reason.SLO)


@pytest.mark.parametrize(("max_share", "least", "most"), [(0.0, 595, 605), (0.25, 345, 355), (1.0, 0, 0)])
def test_the_envelope_bounds_what_leaves_for_the_sake_of_the_objective(max_share: float, least: int, most: int) -> None:
    """`a` is slow and has 60 % by the plan: as much of it leaves as may be elsewhere than planned."""
    desk = Desk(trio(Shifting(min_dwell_s=1e9, max_share=max_share)))
    measured(desk, {"a": 0.9, "b": 0.1})
    slow = {"a": 0.9, "b": 0.1}
    went = desk.serve(1000, ttft_s=slow)
    assert least <= went["a"] <= most


def test_the_network_counts() -> None:
    """A way round the world misses the objective before anything was measured."""
    ways = [candidate(0, share=0.5, rtt_ms=700.0), candidate(1, share=0.5)]
    made = route(*ways, ttft_ms=500.0)
    desk = Desk(table([target("a"), target("b", slot=1)], [made]))
    assert set(desk.serve(20)) == {"b"}


def test_a_queue_told_by_the_upstream_counts() -> None:
    """Forty waiting at four at a time and a second each are ten seconds; a stale reading is none."""
    desk = Desk(trio())
    slow = desk.take(tried=[1, 2])
    desk.now += 1.0
    desk.answer(slow, 0.1)
    desk.router.observed(desk.target("a"), UpstreamLoad(4.0, 40.0, 0.9), desk.now)
    desk.wait(0.25)
    assert set(desk.serve(20)) == {"b"}
    desk.wait(30.0)
    assert "a" in desk.serve(20)


def test_load_scales_what_was_measured() -> None:
    """Measured when idle, asked when three quarters full: expect up to twice as long."""
    desk = Desk(trio())
    measured(desk, {"a": 0.3})
    held = [desk.take(tried=[1, 2]) for _ in range(80)]
    desk.wait(0.25)
    way = desk.router._fleet.flows["chat"].ways[0]
    assert way.predicted_s == pytest.approx(0.3 * 1.8, rel=0.1)
    assert not way.is_met
    assert len(held) == 80


def test_a_way_that_was_slow_comes_back_slowly() -> None:
    """When the past is forgotten its share returns over seconds, not as one herd."""
    desk = Desk(trio())
    measured(desk, {"a": 0.9, "b": 0.1})
    assert "a" not in desk.serve(50)
    while not desk.router._fleet.flows["chat"].ways[0].is_met:
        desk.wait(1.0)
        desk.serve(1)
    assert desk.serve(100)["a"] < 30
    desk.wait(10.5)
    assert desk.serve(100)["a"] == 60


def test_without_a_plan_the_cheapest_for_the_requests_seen() -> None:
    """Long answers make the one cheapest whose output is cheap; price, not order, decides."""
    ways = [
        replace(candidate(0), price=price(0.1, 10.0)),
        replace(candidate(1), price=price(1.0, 1.0)),
    ]
    targets = [target("a"), target("b", slot=1)]
    chatty = Desk(table(targets, [route(*ways, tokens_out=1000)]))
    terse = Desk(table(targets, [route(*ways, tokens_out=1)]))
    assert chatty.take().target.id == "b"
    assert terse.take().target.id == "a"


def test_what_finds_no_room_spills_to_the_cheapest_of_the_rest() -> None:
    """By the request's own tokens, at live cost."""
    targets = [target(name, slot=slot, max_concurrency=2) for slot, name in enumerate("abc")]
    ways = [candidate(0, share=1.0), candidate(1, usd=5.0), candidate(2, usd=3.0)]
    desk = Desk(table(targets, [route(*ways)]))
    told = [(choice.target.id, choice.reason) for choice in (desk.take() for _ in range(6))]
    assert told == [("a", Reason.PLAN)] * 2 + [("c", Reason.SPILL)] * 2 + [("b", Reason.SPILL)] * 2


def test_a_label_whose_planned_places_are_taken_away_goes_to_the_cheapest_left() -> None:
    """No share was planned for what is left: the reason is the price."""
    targets = [target(name, slot=slot) for slot, name in enumerate("abc")]
    made = route(candidate(0, share=1.0), candidate(1, usd=5.0), candidate(2, usd=3.0), labels=("eu",))
    desk = Desk(table(targets, [replace(made, allowed={"eu": (1, 2)})]))
    choice = desk.take(desk.query(label="eu"))
    assert (choice.target.id, choice.reason) == ("c", Reason.CHEAPEST)


def test_streams_and_whole_answers_are_measured_apart() -> None:
    """A workload of slow whole answers says nothing about time to first token."""
    desk = Desk(trio())
    for _ in range(60):
        desk.answer(desk.take(desk.query(is_stream=False)), 20.0)
    desk.wait(0.25)
    went: Counter[str] = desk.serve(50)
    assert went == {"a": 30, "b": 20}
