"""Capacity: never more on a target than it takes, whatever the order of things; who is more urgent gets in longest."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.factories.routing import Desk
from tests.factories.serving import candidate, route, table, target

from tripoint.domain.record import Failure, Reason
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.health.absence import ENOUGH
from tripoint.engines.gateway.health.board import LocalBoard
from tripoint.engines.gateway.routing.query import Choice


def classes(places: int, *priorities: int) -> RoutingTable:
    """One target, one workload per priority, named after it."""
    routes = [route(candidate(0, share=1.0), workload=f"p{each}", priority=each) for each in priorities]
    return table([target("a", max_concurrency=places)], routes)


def fill(desk: Desk, workload: str, wanted: int) -> int:
    """How many of so many requests get in."""
    return sum(isinstance(desk.ask(desk.query(workload)), Choice) for _ in range(wanted))


def test_what_finds_no_room_is_shed_with_a_time_to_come_back() -> None:
    """Not queued: 429, and how long a place is usually held over how many there are, at least a second."""
    desk = Desk(classes(4, 1))
    assert fill(desk, "p1", 10) == 4
    shed = desk.refused()
    assert (shed.status, shed.code, shed.retry_after_s) == (429, "no_capacity", 1.0)
    assert "`p1`" in shed.message


def test_an_upstream_without_its_credential_is_not_waited_for() -> None:
    """It has no place at all: 503 with the reason; beside one that has places it changes nothing."""
    lacking = target("a", max_concurrency=0)
    desk = Desk(table([lacking], [route(candidate(0, share=1.0), workload="till")]))
    shed = desk.refused()
    assert (shed.status, shed.code) == (503, "no_healthy_upstream")
    assert shed.message == "no permitted upstream of `till` is in use: the gateway lacks their credentials"
    both = route(candidate(0, share=0.5), candidate(1, share=0.5), workload="till")
    desk = Desk(table([lacking, target("b", slot=1, max_concurrency=2)], [both]))
    assert {desk.take().target.id, desk.take().target.id} == {"b"}
    shed = desk.refused()
    assert (shed.status, shed.code) == (429, "no_capacity")
    desk = Desk(table([lacking, target("b", slot=1, max_concurrency=2)], [both]))
    desk.fail(desk.take(), Failure.LIMITED, 20.0)
    shed = desk.refused()
    assert shed.status == 429
    assert shed.retry_after_s == pytest.approx(20.0)


def test_the_time_to_come_back_is_measured() -> None:
    """Requests of forty seconds on four places free one every ten."""
    desk = Desk(classes(4, 1))
    for _ in range(30):
        choice = desk.take()
        desk.now += 40.0
        desk.answer(choice)
    fill(desk, "p1", 4)
    desk.wait(0.25)
    assert desk.refused().retry_after_s == pytest.approx(10.0)


def test_less_urgent_workloads_leave_a_reserve() -> None:
    """Of a hundred places priority 5 gets seventy, 4 up to eighty, 3 up to ninety, 2 up to 95, and 1 the last ones."""
    desk = Desk(classes(100, 1, 2, 3, 4, 5))
    assert [fill(desk, f"p{each}", 100) for each in (5, 4, 3, 2, 1)] == [70, 10, 10, 5, 5]


@given(
    places=st.integers(1, 6),
    held_ms=st.integers(1, 600),
    gap_ms=st.integers(1, 60),
    patient=st.integers(1, 4),
)
def test_the_most_urgent_get_every_place_the_moment_it_is_free(
    places: int, held_ms: int, gap_ms: int, patient: int
) -> None:
    """As many of them are admitted as any gateway without a queue could, however many others ask in between."""
    desk, under_way, free_at = Desk(classes(places, 1, 5)), list[tuple[int, Choice]](), [0] * places
    for number in range(60):
        now_ms = number * gap_ms
        desk.now = now_ms / 1000.0
        for due in [each for each in under_way if each[0] <= now_ms]:
            under_way.remove(due)
            desk.answer(due[1])
        earliest = min(range(places), key=free_at.__getitem__)
        is_free = free_at[earliest] <= now_ms
        if is_free:
            free_at[earliest] = now_ms + held_ms
        choice = desk.ask(desk.query("p1"))
        assert isinstance(choice, Choice) is is_free
        if isinstance(choice, Choice):
            under_way.append((now_ms + held_ms, choice))
        # What is less urgent asks as well, and is gone again before the next urgent one: it takes no place from those.
        for other in [desk.ask(desk.query("p5")) for _ in range(patient)]:
            if isinstance(other, Choice):
                desk.answer(other)


def test_the_order_of_priority_holds_when_capacity_is_lost() -> None:
    """The private tier dies and the cloud has 40 %: what gets in there is by priority, and never beyond it."""
    targets = [target("private", max_concurrency=100), target("cloud", slot=1, max_concurrency=40)]
    ways = (candidate(0, share=1.0, usd=1.0), candidate(1, usd=5.0))
    desk = Desk(table(targets, [route(*ways, workload=f"p{each}", priority=each) for each in (1, 3, 5)]))
    desk.kill("private")
    admitted: Counter[str] = Counter()
    for _ in range(100):
        for name in ("p5", "p3", "p1"):
            choice = desk.ask(desk.query(name))
            if isinstance(choice, Choice) and choice.reason is not Reason.PANIC:
                admitted[name] += 1
    assert sum(admitted.values()) == 40 == desk.board.held(1)
    assert [fill(desk, name, 5) for name in ("p1", "p3", "p5")] == [0, 0, 0]
    assert admitted["p1"] > admitted["p3"] > admitted["p5"]


def test_nothing_is_kept_for_nobody() -> None:
    """Where the least urgent is all there is, it may have everything."""
    desk = Desk(classes(10, 5))
    assert fill(desk, "p5", 20) == 10


def test_a_single_place_is_for_whoever_comes() -> None:
    """A reserve of less than a place is none."""
    desk = Desk(classes(1, 1, 5))
    assert fill(desk, "p5", 2) == 1


def test_a_target_declared_without_places_gets_nothing() -> None:
    """Not even in panic."""
    desk = Desk(classes(0, 1))
    assert desk.refused().status == 503


def test_a_smaller_capacity_after_a_reload_is_kept_to() -> None:
    """Those at work stay; nobody new comes until there is room below the new bound."""
    desk = Desk(classes(8, 1))
    held = [desk.take() for _ in range(8)]
    desk.router.reload(classes(4, 1), 1.0)
    for choice in held[:4]:
        desk.answer(choice)
        assert desk.refused().status == 429
    desk.answer(held[4])
    assert fill(desk, "p1", 5) == 1


class Interleaving(RuleBasedStateMachine):
    """Two workers share two targets of three and two places; all that can happen to requests happens."""

    capacity = (3, 2)

    @initialize(shares=st.sampled_from(((1.0, 0.0), (0.5, 0.5))))
    def begin(self, shares: tuple[float, float]) -> None:
        """Both idle."""
        targets = [target(name, slot=slot, max_concurrency=self.capacity[slot]) for slot, name in enumerate("ab")]
        ways = [candidate(slot, share=share) for slot, share in enumerate(shares)]
        routes = [route(*ways, workload=f"p{each}", priority=each) for each in (1, 5)]
        board = LocalBoard()
        self.desks = [Desk(table(targets, routes), board=board, seed=seed) for seed in range(2)]
        self.live: list[tuple[Desk, Choice]] = []
        self.missed = [[0, 0], [0, 0]]
        """How often in a row a worker was told by a target that the model is not there."""

    @rule(worker=st.integers(0, 1), workload=st.sampled_from(("p1", "p5")), prefix=st.integers(0, 2))
    def ask(self, worker: int, workload: str, prefix: int) -> None:
        """A request gets in only where there is room, and is refused only where there is none for it."""
        desk = self.desks[worker]
        before = [desk.board.held(slot) for slot in range(2)]
        answer = desk.ask(desk.query(workload, prefix=prefix))
        if isinstance(answer, Choice):
            assert before[answer.index] < self.capacity[answer.index]
            self.live.append((desk, answer))
        elif workload == "p1":
            assert all(
                held >= desk.state(name).limit or desk.state(name).breaker != "closed" or missed >= ENOUGH
                for held, name, missed in zip(before, "ab", self.missed[worker], strict=True)
            )

    @rule(pick=st.integers(0, 20), failure=st.sampled_from((None, None, *Failure)))
    def end(self, pick: int, failure: Failure | None) -> None:
        """A request ends, well or badly."""
        if self.live:
            desk, choice = self.live.pop(pick % len(self.live))
            missed = self.missed[self.desks.index(desk)]
            missed[choice.index] = missed[choice.index] + 1 if failure is Failure.ABSENT else missed[choice.index]
            if failure is None:
                missed[choice.index] = 0
                desk.router.answered(choice, 0.1, desk.now)
            desk.router.ended(choice, failure, desk.now)

    @rule(seconds=st.sampled_from((0.1, 2.0, 20.0)), ok=st.booleans())
    def wait(self, seconds: float, ok: bool) -> None:
        """Time passes, probes are answered or not."""
        for desk in self.desks:
            desk.wait(seconds, step_s=seconds)
            for each in desk.router.probes_due(desk.now):
                desk.router.probed(each, ok, desk.now)

    @invariant()
    def nobody_has_more_than_it_takes(self) -> None:
        """And the board counts right."""
        if not hasattr(self, "live"):
            return
        for slot, capacity in enumerate(self.capacity):
            held = sum(choice.index == slot for _, choice in self.live)
            assert self.desks[0].board.held(slot) == held <= capacity


TestInterleaving = Interleaving.TestCase


def test_a_reload_that_adds_an_urgent_workload_makes_room_for_it() -> None:
    """The reserve begins when somebody can use it."""
    desk = Desk(classes(10, 5))
    assert fill(desk, "p5", 8) == 8
    found = desk.router.table
    desk.router.reload(replace(classes(10, 1, 5), name=found.name), 1.0)
    assert desk.ask(desk.query("p5")).__class__ is not Choice
    assert fill(desk, "p1", 5) == 2
