"""How long to wait for a first byte, when to ask elsewhere as well, and how often either may happen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.factories.routing import Desk
from tests.factories.serving import candidate, route, table, target, two_sites

from tripoint.domain.record import Failure
from tripoint.domain.serving import Api, Hedging


def test_before_much_was_measured_the_declared_wait_holds() -> None:
    """A minute, unless the estate says otherwise."""
    desk = Desk(two_sites(first_byte_s=42.0))
    assert desk.router.first_byte_timeout_s(desk.take(), desk.now) == 42.0


def test_after_that_three_times_the_slowest_percent() -> None:
    """At least a second, at most what was declared."""
    desk = Desk(two_sites(first_byte_s=42.0))
    desk.serve(200, ttft_s={"a": 1.0, "b": 20.0})
    desk.wait(0.25)
    waits = {
        choice.target.id: desk.router.first_byte_timeout_s(choice, desk.now) for choice in (desk.take(), desk.take())
    }
    assert waits["a"] == pytest.approx(3.0, rel=0.07)
    assert waits["b"] == 42.0


def test_a_hang_costs_a_second_once_others_were_fast() -> None:
    """A new upstream is judged by its alternatives, generously."""
    desk = Desk(two_sites())
    for _ in range(50):
        desk.answer(desk.take(tried=[1]), 0.05)
    desk.wait(0.25)
    known, unknown = desk.take(tried=[1]), desk.take(tried=[0])
    assert desk.router.first_byte_timeout_s(known, desk.now) == 1.0
    assert desk.router.first_byte_timeout_s(unknown, desk.now) == 5.0


def test_with_nowhere_else_to_go_it_is_worth_waiting_longer() -> None:
    """Giving up helps only when somebody else can answer."""
    desk = Desk(two_sites())
    desk.serve(100)
    desk.wait(0.25)
    assert desk.router.first_byte_timeout_s(desk.take(), desk.now) == 1.0
    desk.kill("b")
    assert desk.router.first_byte_timeout_s(desk.take(), desk.now) == 4.0


def test_a_long_prompt_is_waited_for_in_proportion() -> None:
    """Ten times the usual input, ten times the wait."""
    desk = Desk(two_sites())
    desk.serve(100)
    desk.wait(0.25)
    assert desk.router.first_byte_timeout_s(desk.take(desk.query(tokens_in=1000)), desk.now) == pytest.approx(10.0)


def test_a_whole_answer_is_waited_for_by_its_length() -> None:
    """Its first byte comes with its last token; embeddings have none, and are judged by their input."""
    desk = Desk(two_sites())
    short = desk.query(is_stream=False, tokens_out=11)
    desk.serve(100, short)
    desk.serve(100, desk.query(api=Api.EMBEDDINGS, is_stream=False, tokens_out=0))
    desk.wait(0.25)

    def wait_s(**fields: Any) -> float:
        return desk.router.first_byte_timeout_s(desk.take(desk.query(is_stream=False, **fields)), desk.now)

    assert wait_s(tokens_out=11) == 1.0
    assert wait_s(tokens_out=220) == pytest.approx(20.0)
    assert wait_s(tokens_out=0) == pytest.approx(400 / 11)
    assert wait_s(api=Api.EMBEDDINGS, tokens_out=0) == 1.0


def test_a_target_that_is_only_slower_than_thought_is_waited_for_longer() -> None:
    """Timeouts of a target that answers others count as samples; those of a silent one do not."""
    desk = Desk(two_sites(retry_share=1.0))
    desk.serve(100)
    desk.wait(0.25)
    for _ in range(4):
        late = desk.take(tried=[1])
        desk.now += 1.0
        desk.answer(desk.take(tried=[1]), 0.9)
        desk.fail(late, Failure.TIMEOUT)
        desk.answer(desk.take(tried=[1]), 0.9)
    desk.wait(0.25)
    assert desk.router.first_byte_timeout_s(desk.take(tried=[1]), desk.now) > 2.9
    silent = desk.take(tried=[0])
    desk.now += 1.0
    desk.fail(silent, Failure.TIMEOUT)
    desk.wait(0.25)
    assert desk.router.first_byte_timeout_s(desk.take(tried=[0]), desk.now) == 1.0


def test_hedging_is_asked_for() -> None:
    """Without it nothing is ever asked twice."""
    desk = Desk(two_sites())
    desk.serve(100)
    desk.wait(0.25)
    assert desk.router.hedge_after_s(desk.take(), desk.now) is None
    assert not desk.router.may_hedge(desk.now)


def test_a_hedge_waits_for_a_quantile_of_what_was_measured() -> None:
    """And is not sent before there is one."""
    desk = Desk(two_sites(hedging=Hedging(quantile=0.5)))
    assert desk.router.hedge_after_s(desk.take(), desk.now) is None
    desk.serve(100, ttft_s={"a": 0.2, "b": 0.4})
    desk.wait(0.25)
    waits = {choice.target.id: desk.router.hedge_after_s(choice, desk.now) for choice in (desk.take(), desk.take())}
    assert waits == {"a": pytest.approx(0.2, rel=0.07), "b": pytest.approx(0.4, rel=0.07)}


def test_hedges_have_a_budget_of_their_own() -> None:
    """A twentieth of the traffic, and one to begin with; retries are not touched by it."""
    desk = Desk(two_sites(hedging=Hedging(max_share=0.05)))
    for _ in range(200):
        desk.router.arrived(desk.now)
    assert sum(desk.router.may_hedge(desk.now) for _ in range(100)) == 11
    assert sum(desk.router.may_retry(desk.now) for _ in range(100)) == 30


def test_budgets_follow_a_reload() -> None:
    """The share of the new table counts from then on."""
    desk = Desk(two_sites(retry_share=0.0))
    for _ in range(100):
        desk.router.arrived(desk.now)
    assert sum(desk.router.may_retry(desk.now) for _ in range(50)) == 10
    desk.router.reload(replace(desk.router.table, retry_share=0.2, hedging=Hedging(max_share=0.1)), desk.now)
    assert sum(desk.router.may_retry(desk.now) for _ in range(50)) == 20
    for _ in range(100):
        desk.router.arrived(desk.now)
    assert sum(desk.router.may_hedge(desk.now) for _ in range(50)) == 11


def test_one_slow_place_of_many_does_not_shorten_the_wait_of_the_unknown() -> None:
    """Alternatives that were not measured say nothing."""
    targets = [target(name, slot=slot) for slot, name in enumerate("abc")]
    ways = [candidate(slot, share=1 / 3) for slot in range(3)]
    desk = Desk(table(targets, [route(*ways)], first_byte_s=50.0))
    assert desk.router.first_byte_timeout_s(desk.take(), desk.now) == 50.0
    for _ in range(50):
        desk.answer(desk.take(tried=[1, 2]), 6.0)
    desk.wait(0.25)
    assert desk.router.first_byte_timeout_s(desk.take(tried=[0, 1]), desk.now) == pytest.approx(36.0, rel=0.07)
