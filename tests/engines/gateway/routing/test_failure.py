"""Failure: dead targets are left at once, asked by one, tried by one, and come back slowly; nobody is stormed."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.factories.routing import Desk
from tests.factories.serving import candidate, route, table, target, two_sites

from tripoint.domain.record import Failure, Reason
from tripoint.domain.serving import Api
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.health.board import LocalBoard
from tripoint.engines.gateway.routing.query import Choice, Shed


def wide(places: int = 100) -> RoutingTable:
    """Two sites with many places."""
    targets = [target("a", max_concurrency=places), target("b", slot=1, max_concurrency=places)]
    return table(targets, [route(candidate(0, share=0.6), candidate(1, share=0.4))])


def pair(found: RoutingTable) -> tuple[Desk, Desk]:
    """Two workers on one board."""
    board = LocalBoard()
    return Desk(found, board=board, seed=1), Desk(found, board=board, seed=2)


@pytest.mark.parametrize(
    "failure",
    [each for each in Failure if each not in (Failure.LIMITED, Failure.CANCELLED, Failure.ABSENT)],
)
def test_three_failures_shut_a_target(failure: Failure) -> None:
    """Whatever kind they are of, wrong credentials included; the rest goes to the other one."""
    desk = Desk(wide())
    for _ in range(3):
        desk.fail(desk.take(tried=[1]), failure)
    assert desk.state("a").breaker == "open"
    assert set(desk.serve(50)) == {"b"}


def two_models() -> RoutingTable:
    """Two upstreams; the first is to serve two workloads by different models."""
    targets = [target("a", max_concurrency=100), target("b", slot=1, max_concurrency=100)]
    chat = route(candidate(0, share=1.0), candidate(1, usd=3.0))
    other = route(candidate(0, model="other", share=1.0), candidate(1, model="other", usd=3.0), workload="other")
    return table(targets, [chat, other])


def test_a_model_that_is_not_there_shuts_only_itself() -> None:
    """The upstream lives: its other model and its other interfaces are served as before."""
    desk = Desk(two_models())
    for _ in range(3):
        desk.fail(desk.take(tried=[1]), Failure.ABSENT)
    assert desk.state("a").breaker == "closed"
    assert set(desk.serve(20)) == {"b"}
    assert set(desk.serve(20, desk.query("other"))) == {"a"}
    assert set(desk.serve(20, desk.query(api=Api.COMPLETIONS))) == {"a"}
    desk.wait(1.1)
    assert set(desk.serve(20)) == {"a"}  # the first of them was answered, so all may go there again


def test_a_model_that_nobody_has_is_told_with_a_wait() -> None:
    """One request at a time finds out whether it has come."""
    desk = Desk(two_models())
    for other in (1, 0):
        for _ in range(3):
            desk.fail(desk.take(tried=[other]), Failure.ABSENT)
    shed = desk.refused()
    assert (shed.status, shed.code) == (503, "no_healthy_upstream")
    assert "no such model" in shed.message
    assert shed.retry_after_s >= 1.0
    desk.wait(1.1)
    assert {desk.take().target.id, desk.take().target.id} == {"a", "b"}
    assert desk.refused().code == "no_healthy_upstream"


def test_a_caller_that_hangs_up_is_no_failure() -> None:
    """However many do."""
    desk = Desk(wide())
    for _ in range(50):
        desk.fail(desk.take(tried=[1]), Failure.CANCELLED)
    assert desk.state("a").breaker == "closed"


def test_open_in_one_worker_is_open_in_all() -> None:
    """The next choice of the other worker knows, without waiting for its next look."""
    one, two = pair(wide())
    one.kill("a")
    assert set(two.serve(50)) == {"b"}
    assert two.state("a").breaker == "open"


def test_one_worker_probes() -> None:
    """When the probe is due exactly one of two workers is told to send it; a failed one is due later."""
    one, two = pair(wide())
    one.kill("a")
    for desk in (one, two):
        desk.wait(1.3)
    assert [[each.id for each in desk.router.probes_due(desk.now)] for desk in (one, two, one)] == [["a"], [], []]
    one.router.probed(one.target("a"), False, one.now)
    assert two.router.probes_due(two.now) == []
    for desk in (one, two):
        desk.wait(2.5)
    assert [len(desk.router.probes_due(desk.now)) for desk in (two, one)] == [1, 0]


def test_a_probe_that_is_never_told_of_does_not_block_for_ever() -> None:
    """The worker that took it died: the right to ask lapses."""
    one, two = pair(wide())
    one.kill("a")
    for desk in (one, two):
        desk.wait(1.3)
    assert len(one.router.probes_due(one.now)) == 1
    two.wait(9.0)
    assert len(two.router.probes_due(two.now)) == 1


def revived() -> tuple[Desk, Desk]:
    """Two workers; `a` was killed, and its probe is answered in both."""
    one, two = pair(wide(300))
    one.kill("a")
    for desk in (one, two):
        desk.wait(1.3)
    for desk in (one, two):
        assert len(desk.router.probes_due(desk.now)) == 1
        desk.router.probed(desk.target("a"), True, desk.now)
        assert desk.state("a").breaker == "half_open"
    return one, two


def test_half_open_admits_exactly_one() -> None:
    """Of two hundred requests through two workers one is the trial; the rest goes elsewhere until it is decided."""
    one, two = revived()
    choices = [desk.take() for _ in range(100) for desk in (one, two)]
    trials = [choice for choice in choices if choice.target.id == "a"]
    assert [choice.is_trial for choice in trials] == [True]


def test_a_trial_that_is_answered_reopens_for_all() -> None:
    """The slow start begins in both workers."""
    one, two = revived()
    trial = one.take()
    assert trial.is_trial
    one.router.answered(trial, 0.05, one.now)
    assert one.state("a").breaker == "closed"
    two.wait(0.25)
    assert two.state("a").breaker == "closed"
    assert 0 < two.state("a").limit < 150
    two.wait(2.0)
    assert two.state("a").limit == 300


def test_a_trial_that_fails_shuts_for_twice_as_long() -> None:
    """And costs one request, which goes elsewhere."""
    one, two = revived()
    trial = one.take()
    one.fail(trial, Failure.TIMEOUT)
    assert one.state("a").breaker == "open"
    assert one.take(tried=[trial.index], why=Reason.FAILOVER).target.id == "b"
    two.wait(0.25)
    assert two.state("a").breaker == "open"
    one.wait(1.9)
    assert one.router.probes_due(one.now) == []
    one.wait(0.7)
    assert len(one.router.probes_due(one.now)) == 1


def test_a_trial_whose_caller_hangs_up_decides_nothing() -> None:
    """The next request is the trial then, in whichever worker it arrives."""
    one, two = revived()
    one.fail(one.take(), Failure.CANCELLED)
    assert two.take().is_trial


def test_a_trial_that_is_told_to_wait_has_found_it_alive() -> None:
    """It is left alone as long as it asks, and then used."""
    one, _ = revived()
    one.fail(one.take(), Failure.LIMITED, 3.0)
    assert one.state("a").breaker == "closed"
    assert set(one.serve(20)) == {"b"}
    one.wait(3.5)
    assert "a" in one.serve(20)


def test_late_failures_do_not_shut_it_again() -> None:
    """Requests sent before it died that time out after it came back say nothing about now."""
    desk = Desk(wide())
    hung = [desk.take(tried=[1]) for _ in range(20)]
    desk.kill("a")
    desk.wait(1.3)
    desk.router.probes_due(desk.now)
    desk.router.probed(desk.target("a"), True, desk.now)
    desk.answer(desk.take())
    for choice in hung:
        desk.fail(choice, Failure.TIMEOUT)
    assert desk.state("a").breaker == "closed"


def test_a_target_that_says_not_now_is_left_alone_until_then() -> None:
    """Without being shut: afterwards it has its full share at once."""
    desk = Desk(wide())
    desk.fail(desk.take(tried=[1]), Failure.LIMITED, 5.0)
    assert (desk.state("a").breaker, desk.state("a").limit) == ("closed", 0)
    assert set(desk.serve(30)) == {"b"}
    desk.wait(4.7)
    assert set(desk.serve(30)) == {"b"}
    desk.wait(0.6)
    assert desk.serve(100)["a"] >= 60


def test_when_all_say_not_now_the_caller_hears_when() -> None:
    """429 with the soonest time any of them gave."""
    desk = Desk(wide())
    desk.fail(desk.take(tried=[1]), Failure.LIMITED, 9.0)
    desk.fail(desk.take(tried=[0]), Failure.LIMITED, 4.0)
    shed = desk.refused()
    assert (shed.status, shed.code) == (429, "no_capacity")
    assert shed.retry_after_s == pytest.approx(4.0)


def test_an_absurd_wait_is_cut_short() -> None:
    """An upstream does not put itself out of use for a year by one header."""
    desk = Desk(wide())
    desk.fail(desk.take(tried=[1]), Failure.LIMITED, 3e7)
    assert desk.state("a").limited_s == pytest.approx(600.0)


def test_silence_is_noticed_before_any_timeout() -> None:
    """Several requests wait much longer than usual and nothing has come: new ones go elsewhere meanwhile."""
    desk = Desk(wide())
    desk.serve(100)
    desk.wait(0.25)
    hung = [desk.take(tried=[1]) for _ in range(4)]
    desk.wait(0.75)
    assert desk.state("a").is_silent
    assert desk.state("a").breaker == "closed"
    assert set(desk.serve(30)) == {"b"}
    desk.router.answered(hung[0], 0.75, desk.now)  # it was only thinking
    assert "a" in desk.serve(30)


def test_a_lone_silent_target_is_still_used() -> None:
    """Silence is a reason to prefer others, not to refuse."""
    desk = Desk(table([target("a")], [route(candidate(0, share=1.0))]))
    desk.serve(100)
    desk.wait(0.25)
    for _ in range(4):
        desk.take()
    desk.wait(2.0)
    assert desk.state("a").is_silent
    assert desk.take().target.id == "a"


def test_fallback_only_after_every_upstream_of_the_model() -> None:
    """The other model answers when all of the first are dead, and says why."""
    targets = [target("a"), target("b", slot=1), target("c", slot=2)]
    ways = [candidate(0, share=1.0), candidate(1), candidate(2, model="other", usd=0.01, is_fallback=True)]
    desk = Desk(table(targets, [route(*ways)]))
    assert set(desk.serve(50)) == {"a"}
    assert desk.take(tried=[0], why=Reason.FAILOVER).target.id == "b"
    last = desk.take(tried=[0, 1], why=Reason.FAILOVER)
    assert (last.target.id, last.reason) == ("c", Reason.FALLBACK)
    desk.kill("a")
    desk.kill("b")
    assert desk.take().reason is Reason.FALLBACK


def test_a_hedge_never_goes_to_another_model_or_to_a_dead_target() -> None:
    """Rather none at all."""
    targets = [target("a"), target("b", slot=1), target("c", slot=2)]
    ways = [candidate(0, share=0.5), candidate(1, share=0.5), candidate(2, model="other", is_fallback=True)]
    desk = Desk(table(targets, [route(*ways)]))
    assert desk.take(tried=[0], why=Reason.HEDGE).reason is Reason.HEDGE
    desk.kill("b")
    assert isinstance(desk.ask(tried=[0], why=Reason.HEDGE), Shed)


def outage(desk: Desk, seconds: int, rate: int, client_retries: int) -> tuple[int, int, Counter[int]]:
    """Everything is dead for a while; callers ask again as often as told. Requests offered, attempts, statuses."""
    offered = attempts = 0
    statuses: Counter[int] = Counter()
    for _ in range(seconds * rate):
        desk.now += 1 / rate
        desk.router.tick(desk.now)
        for each in desk.router.probes_due(desk.now):
            desk.router.probed(each, False, desk.now)
        for _ in range(1 + client_retries):
            offered += 1
            desk.router.arrived(desk.now)
            tried: list[int] = []
            choice = desk.ask()
            while isinstance(choice, Choice):
                attempts += 1
                tried.append(choice.index)
                desk.fail(choice)
                if not desk.router.may_retry(desk.now):
                    break
                choice = desk.ask(tried=tried, why=Reason.FAILOVER)
            statuses[choice.status if isinstance(choice, Shed) else 502] += 1
    return offered, attempts, statuses


def test_a_total_outage_is_not_fed() -> None:
    """With callers retrying three times each: far fewer attempts than requests, the rest is shed with 503."""
    desk = Desk(wide())
    offered, attempts, statuses = outage(desk, seconds=30, rate=20, client_retries=3)
    assert attempts <= 1.1 * offered
    assert attempts < 0.1 * offered
    assert statuses[503] > 0.9 * offered
    shed = desk.refused()
    assert shed.retry_after_s >= 1.0


def test_with_breakers_that_never_open_the_budget_still_bounds_attempts() -> None:
    """Failures that no breaker counts, e.g. because successes come in between: 1.1 attempts a request at most."""
    desk = Desk(wide())
    offered = attempts = 0
    for number in range(3000):
        desk.now += 0.01
        offered += 1
        desk.router.arrived(desk.now)
        choice = desk.take()
        attempts += 1
        if number % 3:
            desk.answer(choice)
            continue
        desk.fail(choice)
        if desk.router.may_retry(desk.now):
            attempts += 1
            desk.answer(desk.take(tried=[choice.index], why=Reason.FAILOVER))
    assert attempts <= 1.1 * offered + 4 * 10


def test_in_panic_one_request_a_second_and_target_asks() -> None:
    """No probe comes through, yet a live request may: it brings the target back for all."""
    desk = Desk(wide())
    desk.kill("a")
    desk.kill("b")
    chosen = [choice for _ in range(100) if isinstance(choice := desk.ask(), Choice)]
    assert [choice.reason for choice in chosen] == [Reason.PANIC] * 2
    assert {choice.target.id for choice in chosen} == {"a", "b"}
    desk.answer(chosen[0])
    assert desk.state(chosen[0].target.id).breaker == "closed"


def test_a_total_outage_ends() -> None:
    """After it, everything is back within twice the longest probe interval, full share and all."""
    desk = Desk(wide())
    outage(desk, seconds=120, rate=5, client_retries=3)
    began = desk.now
    while desk.now < began + 36:
        desk.now += 0.2
        desk.router.tick(desk.now)
        for each in desk.router.probes_due(desk.now):
            desk.router.probed(each, True, desk.now)
        choice = desk.ask()
        if isinstance(choice, Choice):
            desk.answer(choice)
    assert [desk.state(each).limit for each in ("a", "b")] == [100, 100]
    assert desk.serve(100) == {"a": 60, "b": 40}


def test_a_place_is_given_back_once() -> None:
    """Ended twice is ended once; answered after the end is too late."""
    desk = Desk(two_sites())
    choice = desk.take()
    desk.answer(choice)
    desk.fail(choice)
    desk.router.answered(choice, 1.0, desk.now)
    assert desk.board.held(choice.index) == 0
    assert desk.router._fleet.stations[next(iter(desk.router._fleet.stations))].pending == 0


def test_an_idle_spill_target_is_not_tried_before_it_is_needed() -> None:
    """A target the plan does not use gets its trial when somebody needs it, not before."""
    targets = [target("a"), target("b", slot=1)]
    desk = Desk(table(targets, [route(candidate(0, share=1.0), candidate(1, usd=9.0))]))
    desk.kill("b")
    desk.wait(1.3)
    desk.router.probes_due(desk.now)
    desk.router.probed(desk.target("b"), True, desk.now)
    assert set(desk.serve(20)) == {"a"}
    desk.kill("a")
    needed = desk.take()
    assert (needed.target.id, needed.is_trial) == ("b", True)


def test_those_at_work_when_a_target_dies_may_all_go_elsewhere() -> None:
    """Sixty long requests are lost at once: each may be had elsewhere, whatever traffic has earned."""
    desk = Desk(wide())
    victims = [desk.take(tried=[1]) for _ in range(60)]
    moved = 0
    for choice in victims:
        desk.fail(choice, Failure.RESET)
        if desk.router.may_retry(desk.now):
            assert desk.take(tried=[choice.index], why=Reason.FAILOVER).target.id == "b"
            moved += 1
    assert moved == 60
    assert sum(desk.router.may_retry(desk.now) for _ in range(100)) == 8  # two were lost before it was known dead


def test_those_moved_once_earn_nothing_more() -> None:
    """When the second target dies as well, what moved there has the ordinary budget."""
    desk = Desk(wide())
    moved = [desk.take(tried=[0], why=Reason.FAILOVER) for _ in range(60)]
    for choice in moved:
        desk.fail(choice, Failure.RESET)
    assert sum(desk.router.may_retry(desk.now) for _ in range(100)) == 10


def test_an_end_without_an_answer_decides_nothing() -> None:
    """A choice that was never sent is no proof of health."""
    one, two = revived()
    trial = one.take()
    one.router.ended(trial, None, one.now)
    assert one.state("a").breaker == "half_open"
    assert two.take().is_trial


def test_a_deadline_in_mid_answer_is_not_the_targets_fault() -> None:
    """A stream that is longer than the caller allows ends as one that was cancelled."""
    desk = Desk(wide())
    for _ in range(5):
        choice = desk.take(tried=[1])
        desk.router.answered(choice, 0.1, desk.now)
        desk.fail(choice, Failure.TIMEOUT)
    assert desk.state("a").breaker == "closed"
