"""Shares: requests approach the weights, prompts that begin alike stay together, and neither overloads anybody."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.routing import Desk
from tests.factories.serving import candidate, route, table, target, two_sites

from tripoint.domain.record import Reason
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.routing.query import Choice
from tripoint.engines.gateway.routing.split import BOUND


def shared(*shares: float, places: int = 1000, **fields: object) -> RoutingTable:
    """One workload over as many targets as shares."""
    targets = [target(f"t{number}", slot=number, max_concurrency=places) for number in range(len(shares))]
    ways = [candidate(number, share=share) for number, share in enumerate(shares)]
    return table(targets, [route(*ways)], **fields)  # type: ignore[arg-type]  # passed through


@settings(max_examples=50)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(1, 400))
def test_by_turns_every_way_is_within_one_request_of_its_share(parts: list[int], count: int) -> None:
    """After any number of requests, not only in the long run."""
    shares = [part / sum(parts) for part in parts]
    went = Desk(shared(*shares)).serve(count)
    for number, share in enumerate(shares):
        assert abs(went[f"t{number}"] - share * count) < len(shares)


def test_the_plan_is_the_reason() -> None:
    """Plan shares are recorded as such, no plan as cheapest."""
    desk = Desk(two_sites())
    assert {desk.take().reason for _ in range(4)} == {Reason.PLAN}
    targets = [target("a"), target("b", slot=1)]
    cheap = Desk(table(targets, [route(candidate(0, usd=2.0), candidate(1, usd=1.0))]))
    assert {(choice.reason, choice.target.id) for choice in (cheap.take(), cheap.take())} == {(Reason.CHEAPEST, "b")}


def test_shares_that_do_not_add_up_are_taken_in_proportion() -> None:
    """A plan that leaves some demand unplaced still says how the rest is split."""
    went = Desk(shared(0.3, 0.1)).serve(400)
    assert went == {"t0": 300, "t1": 100}


def test_the_same_calls_give_the_same_choices() -> None:
    """Nothing but table, seed and calls decides."""

    def life(seed: int) -> list[tuple[str, str]]:
        desk = Desk(shared(0.5, 0.3, 0.2), seed=seed)
        told = []
        for number in range(200):
            choice = desk.take(desk.query(prefix=number % 7))
            told.append((choice.target.id, choice.reason.value))
            if number % 11 == 0:
                desk.fail(choice)
            else:
                desk.answer(choice, 0.01 * (number % 13))
            desk.wait(0.05)
        return told

    assert life(7) == life(7)


def test_prompts_that_begin_alike_go_the_same_way() -> None:
    """In every worker, whatever its seed and whatever comes when; while there is load to spread, most of them.

    Each worker sees the prompts in an order of its own, another one each time: taking turns would not do.
    """
    first: dict[int, str] = {}
    same = 0
    for seed in (1, 2):
        desk, order = Desk(shared(0.5, 0.3, 0.2), seed=seed), Random(seed)
        for _ in range(6):
            for prefix in order.sample(range(1, 101), 100):
                choice = desk.take(desk.query(prefix=prefix))
                assert choice.reason is Reason.AFFINITY
                same += first.setdefault(prefix, choice.target.id) == choice.target.id
                desk.answer(choice)
    assert same > 0.9 * 1200


def test_many_prefixes_spread_by_the_weights() -> None:
    """Rendezvous with weights: each way gets its share of the prefixes."""
    desk = Desk(shared(0.6, 0.3, 0.1))
    went: Counter[str] = Counter()
    for prefix in range(1, 3001):
        choice = desk.take(desk.query(prefix=prefix * 2654435761 % 2**32))
        went[choice.target.id] += 1
        desk.answer(choice)
    assert went["t0"] / 3000 == pytest.approx(0.6, abs=0.04)
    assert went["t2"] / 3000 == pytest.approx(0.1, abs=0.03)


def test_one_prefix_alone_does_not_overload_its_way() -> None:
    """All requests begin alike: its way gets its share and a quarter, counted in requests, not all of them."""
    desk = Desk(shared(0.5, 0.5))
    went: Counter[str] = Counter()
    for _ in range(1000):
        choice = desk.take(desk.query(prefix=99))
        went[choice.target.id] += 1
        desk.answer(choice)
    assert max(went.values()) <= BOUND * 500 + 10


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=150))
def test_affinity_is_bounded_by_requests_at_work(events: list[tuple[int, bool]]) -> None:
    """At any moment no way has more than a quarter beyond its share of what is at work, rounded up."""
    desk = Desk(shared(0.5, 0.25, 0.25))
    shares = {"t0": 0.5, "t1": 0.25, "t2": 0.25}
    live: list[Choice] = []
    for prefix, is_end in events:
        if is_end and live:
            desk.answer(live.pop(0))
            continue
        choice = desk.take(desk.query(prefix=prefix))
        live.append(choice)
        there = sum(each.target.id == choice.target.id for each in live)
        assert there < BOUND * shares[choice.target.id] * len(live) + 2


def test_affinity_can_be_switched_off() -> None:
    """Then the beginning of a prompt means nothing."""
    desk = Desk(shared(0.5, 0.5, prefix_affinity=False))
    assert desk.serve(100, desk.query(prefix=5)) == {"t0": 50, "t1": 50}


def test_keys_move_only_away_from_who_is_gone() -> None:
    """When one of three dies, prompts of the two others stay where they are."""
    desk = Desk(shared(0.4, 0.3, 0.3))

    def homes() -> dict[int, str]:
        found = {}
        for prefix in range(1, 61):
            desk.wait(0.5)
            choice = desk.take(desk.query(prefix=prefix))
            found[prefix] = choice.target.id
            desk.answer(choice)
        return found

    before = homes()
    desk.kill("t2")
    after = {}
    for prefix in range(1, 61):
        choice = desk.take(desk.query(prefix=prefix))
        after[prefix] = choice.target.id
        desk.answer(choice)
    stayed = [prefix for prefix, home in before.items() if home != "t2"]
    assert sum(before[prefix] == after[prefix] for prefix in stayed) >= 0.85 * len(stayed)
    assert "t2" not in after.values()
