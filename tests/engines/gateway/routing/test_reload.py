"""Reloads and states: what persists keeps its health, its measurements and its places; what is gone drains."""

from __future__ import annotations

from dataclasses import replace

from tests.factories.routing import Desk
from tests.factories.serving import candidate, route, table, target, two_sites

from tripoint.engines.gateway.health.load import UpstreamLoad


def test_breakers_and_measurements_survive() -> None:
    """A reload is no amnesty and no amnesia."""
    desk = Desk(two_sites())
    desk.serve(100, ttft_s={"a": 0.2, "b": 0.4})
    desk.kill("a")
    desk.wait(0.25)
    before = desk.router.states(desk.now)
    desk.router.reload(replace(desk.router.table, plan_digest="sha256:2"), desk.now)
    assert desk.router.states(desk.now) == before
    assert before[0].breaker == "open"
    assert 0.4 <= before[1].ttft_p50_s <= 0.43
    assert set(desk.serve(20)) == {"b"}


def test_health_follows_the_target_not_its_place_in_the_table() -> None:
    """The same upstream at another index keeps its verdict."""
    desk = Desk(two_sites())
    desk.kill("a")
    targets = tuple(reversed(desk.router.table.targets))
    ways = (candidate(0, share=0.4), candidate(1, share=0.6))
    desk.router.reload(table(targets, [route(*ways)]), desk.now)
    assert desk.state("a").breaker == "open"
    assert set(desk.serve(20)) == {"b"}


def test_another_address_is_another_target() -> None:
    """The verdict on the old machine says nothing about the new one, also where the slot is used again."""
    desk = Desk(two_sites())
    desk.kill("a")
    moved = replace(desk.router.table.targets[0], port=9999)
    desk.router.reload(replace(desk.router.table, targets=(moved, desk.router.table.targets[1])), desk.now)
    assert desk.state("a").breaker == "closed"
    assert "a" in desk.serve(20)


def test_a_removed_target_drains() -> None:
    """Requests under way end as they would have; no new one comes."""
    desk = Desk(two_sites())
    held = [desk.take() for _ in range(10)]
    slots = {choice.index for choice in held}
    assert slots == {0, 1}
    only = replace(desk.router.table, targets=desk.router.table.targets[:1], routes=(route(candidate(0, share=1.0)),))
    desk.router.reload(only, desk.now)
    assert set(desk.serve(4)) == {"a"}
    for choice in held:
        desk.answer(choice)
    assert [desk.board.held(slot) for slot in (0, 1)] == [0, 0]
    desk.router.probed(held[0].target, True, desk.now)
    desk.router.observed(target("gone", slot=7), UpstreamLoad(1.0, 1.0, 1.0), desk.now)
    assert [each.upstream for each in desk.router.states(desk.now)] == ["a"]


def test_a_target_that_comes_back_starts_anew() -> None:
    """Away and back is not the same as having stayed."""
    desk = Desk(two_sites())
    both = desk.router.table
    desk.kill("b")
    desk.router.reload(replace(both, targets=both.targets[:1], routes=(route(candidate(0, share=1.0)),)), desk.now)
    desk.wait(1.0)
    desk.router.reload(both, desk.now)
    assert desk.state("b").weights == (("chat", 0.4, 0.4),)


def test_states_tell_what_the_dashboard_shows() -> None:
    """Places, limits, weights and the plan, per target in the table's order."""
    desk = Desk(two_sites())
    desk.take(tried=[1])
    first, second = desk.router.states(desk.now)
    assert (first.upstream, first.site, first.breaker) == ("a", "site-a", "closed")
    assert (first.held, first.capacity, first.limit, first.limited_s) == (1, 8, 8, 0.0)
    assert (first.weights, second.weights) == ((("chat", 0.6, 0.6),), (("chat", 0.4, 0.4),))
    assert (first.ttft_p95_s, first.tpot_p50_s, first.is_silent) == (0.0, 0.0, False)
