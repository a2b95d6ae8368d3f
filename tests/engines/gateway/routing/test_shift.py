"""Cost-based workload shifting: when traffic moves, how far, how often, why, and when it comes back."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.routing import Desk
from tests.factories.serving import candidate, price, route, table, target

from tripoint.domain.record import Reason
from tripoint.domain.serving import Shifting
from tripoint.domain.table import RoutingTable


def planned(usd_a: float, usd_b: float, shifting: Shifting, places: int = 100, **fields: Any) -> RoutingTable:
    """Half of the traffic each at `a` and `b`."""
    targets = [target("a", max_concurrency=places), target("b", slot=1, max_concurrency=places)]
    ways = [candidate(0, share=0.5, usd=usd_a), candidate(1, share=0.5, usd=usd_b)]
    return table(targets, [route(*ways, **fields)], shifting=shifting)


def repriced(desk: Desk, upstream: str, usd: float) -> None:
    """The price of one place changes on a reload."""
    found = desk.router.table
    index = next(index for index, each in enumerate(found.targets) if each.id == upstream)
    ways = tuple(
        replace(way, price=price(usd, 2 * usd)) if way.target == index else way for way in found.routes[0].candidates
    )
    desk.router.reload(replace(found, routes=(replace(found.routes[0], candidates=ways),)), desk.now)


RULES = Shifting(min_dwell_s=60.0, step=0.2, hysteresis=0.1)


def test_traffic_moves_to_the_cheaper_place_step_by_step() -> None:
    """A fifth at a time, a minute apart, until all of it has moved; each move is recorded with both numbers."""
    desk = Desk(planned(1.0, 2.0, RULES))
    desk.wait(59.0)
    assert desk.shifts == []
    desk.wait(2.0)
    assert desk.weight("a") == pytest.approx(0.7)
    desk.wait(55.0)
    assert len(desk.shifts) == 1
    desk.wait(300.0)
    assert desk.weight("a") == pytest.approx(1.0)
    assert desk.weight("b") == pytest.approx(0.0)
    first = desk.shifts[0]
    assert (first.workload, first.source, first.target) == ("chat", "b", "a")
    assert first.share == pytest.approx(0.2)
    assert "50 % cheaper, 10 % asked" in first.reason
    assert [round(each.share, 6) for each in desk.shifts] == [0.2, 0.2, 0.1]
    assert desk.take().reason is Reason.SHIFTED


def test_moves_are_a_dwell_apart() -> None:
    """However often the router looks."""
    desk = Desk(planned(1.0, 2.0, RULES))
    desk.wait(400.0)
    times = [each.at for each in desk.shifts]
    assert all(later - earlier >= 60.0 for earlier, later in pairwise(times))


def test_a_little_cheaper_is_not_enough() -> None:
    """Within the hysteresis nothing moves."""
    desk = Desk(planned(0.91, 1.0, RULES))
    desk.wait(600.0)
    assert desk.shifts == []


def test_the_envelope_is_kept() -> None:
    """With a quarter approved, a quarter moves; with nothing approved, nothing does."""
    for max_share, weight in ((0.25, 0.75), (0.0, 0.5)):
        desk = Desk(planned(1.0, 9.0, replace(RULES, max_share=max_share)))
        desk.wait(600.0)
        assert desk.weight("a") == pytest.approx(weight)


def test_it_comes_back_when_the_price_does() -> None:
    """The cause is gone: back to plan, with that as the reason, and then no further."""
    desk = Desk(planned(1.0, 2.0, RULES))
    desk.wait(200.0)
    assert desk.weight("a") == pytest.approx(1.0)
    repriced(desk, "a", 2.0)
    assert desk.weight("a") == pytest.approx(1.0)
    desk.wait(400.0)
    assert desk.weight("a") == pytest.approx(0.5)
    assert desk.weight("b") == pytest.approx(0.5)
    assert desk.shifts[-1].reason.startswith("back to plan: ")
    assert desk.take().reason is Reason.PLAN


def test_prices_that_waver_move_nothing_back_and_forth() -> None:
    """Between the two thresholds traffic stays where it is."""
    desk = Desk(planned(1.0, 2.0, RULES))
    desk.wait(200.0)
    moves = len(desk.shifts)
    for usd in (1.85, 1.88, 1.85, 1.88):  # 7.5 and 6 % cheaper: less than asked to go, more than asked to return
        repriced(desk, "a", usd)
        desk.wait(100.0)
    assert len(desk.shifts) == moves


def test_a_full_place_is_no_cheaper_place() -> None:
    """Traffic moves only where there is room for it, with what would come."""
    desk = Desk(planned(1.0, 2.0, RULES, places=10))
    held = [desk.take(tried=[1]) for _ in range(8)]
    desk.wait(300.0)
    assert desk.shifts == []
    for choice in held:
        desk.answer(choice)
    desk.wait(30.0)
    assert len(desk.shifts) == 1


def test_a_crowded_place_is_left() -> None:
    """Even for a dearer one, as long as that is not too dear; and it fills again when it has room."""
    shifting = replace(RULES, max_cost_factor=3.0)
    targets = [target("a", max_concurrency=10), target("b", slot=1, max_concurrency=100)]
    ways = [candidate(0, share=1.0, usd=1.0), candidate(1, usd=2.5)]
    desk = Desk(table(targets, [route(*ways)], shifting=shifting))
    held = [desk.take(tried=[1]) for _ in range(10)]
    desk.wait(61.0)
    assert desk.weight("b") == pytest.approx(0.2)
    assert desk.shifts[0].reason.startswith("10 of 10 places taken")
    for choice in held:
        desk.answer(choice)
    desk.wait(61.0)
    assert desk.weight("a") == pytest.approx(1.0)
    assert "not worth leaving the plan for" in desk.shifts[-1].reason


def test_not_to_a_place_that_is_too_dear() -> None:
    """The same with a limit below that price: nothing moves."""
    shifting = replace(RULES, max_cost_factor=2.0)
    targets = [target("a", max_concurrency=10), target("b", slot=1)]
    desk = Desk(table(targets, [route(candidate(0, share=1.0), candidate(1, usd=2.5))], shifting=shifting))
    for _ in range(10):
        desk.take(tried=[1])
    desk.wait(300.0)
    assert desk.shifts == []


def test_a_slow_place_is_left_and_found_again_when_it_is_fast() -> None:
    """The reason says what was measured and what was asked."""
    desk = Desk(planned(1.0, 1.0, RULES, ttft_ms=500.0))
    for _ in range(70):
        desk.serve(4, ttft_s={"a": 0.9, "b": 0.1})
        desk.answer(desk.take(tried=[1]), 0.9)
        desk.wait(1.0)
    assert desk.weight("b") == pytest.approx(0.7)
    assert "500 ms asked" in desk.shifts[0].reason
    for _ in range(400):
        desk.serve(4, ttft_s={"a": 0.1, "b": 0.1})
        desk.wait(1.0)
    assert desk.weight("a") == pytest.approx(0.5)


def test_a_dead_place_is_no_reason_to_shift() -> None:
    """Requests go round it one by one; its share is its own when it is back."""
    desk = Desk(planned(1.0, 2.0, replace(RULES, max_share=0.0)))
    desk.kill("a")
    for _ in range(100):
        desk.wait(1.0)
        for each in desk.router.probes_due(desk.now):
            desk.router.probed(each, False, desk.now)
    assert set(desk.serve(10)) == {"b"}
    assert desk.shifts == []
    assert desk.weight("a") == pytest.approx(0.5)


def test_weights_survive_a_reload() -> None:
    """What moved stays moved, also by a new plan; a new place gets its share, a lost one's share is spread."""
    desk = Desk(planned(1.0, 2.0, replace(RULES, min_dwell_s=1e9)))
    ways = desk.router._fleet.flows["chat"].ways
    ways[0].weight, ways[1].weight = 0.7, 0.3
    found = desk.router.table
    desk.router.reload(replace(found, plan_digest="sha256:2"), 1.0)
    assert desk.weight("a") == pytest.approx(0.7)
    newer = replace(found.routes[0], candidates=(candidate(0, share=0.4), candidate(1, share=0.6)))
    desk.router.reload(replace(found, routes=(newer,)), 2.0)
    assert desk.weight("a") == pytest.approx(0.6)
    third = (*found.targets, target("c", slot=2))
    wider = replace(newer, candidates=(candidate(0, share=0.4), candidate(1, share=0.3), candidate(2, share=0.3)))
    desk.router.reload(replace(found, targets=third, routes=(wider,)), 3.0)
    assert [round(desk.weight(each), 6) for each in "abc"] == [0.6, 0.1, 0.3]
    fewer = replace(newer, candidates=(candidate(0, share=0.5), candidate(1, share=0.5)))
    desk.router.reload(replace(found, targets=(found.targets[0], third[2]), routes=(fewer,)), 4.0)
    assert desk.weight("a") + desk.weight("c") == pytest.approx(1.0)


def test_a_reload_with_a_tighter_envelope_brings_the_weights_within_it() -> None:
    """Approved is what the table says now."""
    desk = Desk(planned(1.0, 2.0, RULES))
    desk.wait(300.0)
    desk.router.reload(replace(desk.router.table, shifting=replace(RULES, max_share=0.1)), desk.now)
    assert desk.weight("a") == pytest.approx(0.6)


prices = st.lists(st.floats(0.1, 10.0), min_size=2, max_size=4)
changes = st.lists(st.tuples(st.integers(0, 3), st.floats(0.1, 10.0), st.integers(0, 9)), max_size=12)


@settings(max_examples=40)
@given(prices=prices, changes=changes, max_share=st.sampled_from((0.0, 0.3, 1.0)), step=st.sampled_from((0.1, 0.5)))
def test_whatever_prices_and_load_do_the_envelope_holds(
    prices: list[float], changes: list[tuple[int, float, int]], max_share: float, step: float
) -> None:
    """Weights are shares of one whole, moves are a dwell apart and no larger than a step, the envelope holds."""
    shifting = Shifting(min_dwell_s=10.0, step=step, max_share=max_share)
    targets = [target(f"t{slot}", slot=slot, max_concurrency=5) for slot in range(len(prices))]
    ways = [candidate(slot, share=1 / len(prices), usd=usd) for slot, usd in enumerate(prices)]
    desk = Desk(table(targets, [route(*ways)], shifting=shifting))
    for which, usd, load in changes:
        repriced(desk, f"t{which % len(prices)}", usd)
        held = [choice for _ in range(load) if not isinstance(choice := desk.ask(), tuple)]
        desk.wait(12.0, step_s=1.0)
        for choice in held:
            desk.answer(choice)
        weights = [desk.weight(each.id) for each in targets]
        assert sum(weights) == pytest.approx(1.0)
        assert min(weights) >= 0.0
        assert sum(max(0.0, weight - 1 / len(prices)) for weight in weights) <= max_share + 1e-6
    times = [each.at for each in desk.shifts]
    assert all(later - earlier >= 10.0 - 1e-9 for earlier, later in pairwise(times))
    assert all(0.0 < each.share <= step + 1e-9 for each in desk.shifts)
