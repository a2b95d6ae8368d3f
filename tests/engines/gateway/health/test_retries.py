"""The retry budget: a share of traffic beside a floor, in any ten seconds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.gateway.health.retries import RetryBudget


def test_the_floor_lets_a_quiet_gateway_retry() -> None:
    """Ten in ten seconds without any traffic to earn them, and ten more in the next ten."""
    asked = RetryBudget(0.1, now=0.0)
    assert sum(asked.spend(0.5) for _ in range(50)) == 10
    assert not asked.spend(9.9)
    assert sum(asked.spend(10.5) for _ in range(50)) == 10


def test_traffic_earns_its_share() -> None:
    """A thousand requests at a tenth are a hundred more."""
    asked = RetryBudget(0.1, now=0.0)
    for _ in range(1000):
        asked.arrived(1.0)
    assert sum(asked.spend(1.0) for _ in range(500)) == 110


def test_credits_expire() -> None:
    """What was earned more than ten seconds ago is worth nothing."""
    asked = RetryBudget(0.1, floor=0.0, now=0.0)
    for _ in range(1000):
        asked.arrived(1.0)
    assert asked.spend(10.5)
    assert not asked.spend(11.5)


def test_the_share_may_change() -> None:
    """After a reload the new share counts at once."""
    asked = RetryBudget(0.0, floor=0.0, now=0.0)
    for _ in range(100):
        asked.arrived(1.0)
    assert not asked.spend(1.0)
    asked.resize(0.5)
    assert sum(asked.spend(1.0) for _ in range(100)) == 50


events = st.lists(st.tuples(st.floats(0.0, 3.0), st.booleans()), max_size=200)


@given(events=events, share=st.sampled_from((0.0, 0.1, 0.5)), floor=st.sampled_from((0.0, 3.0)))
def test_the_bound_holds_in_every_window(events: list[tuple[float, bool]], share: float, floor: float) -> None:
    """Spent in the ten slices up to now is never more than the floor and the share of what arrived in them."""
    asked = RetryBudget(share, floor=floor, now=0.0)
    now, arrived, spent = 0.0, [], []
    for passed_s, is_request in events:
        now += passed_s
        if is_request:
            asked.arrived(now)
            arrived.append(int(now))
        elif asked.spend(now):
            spent.append(int(now))
            lately = int(now) - 10
            earned = share * sum(each > lately for each in arrived)
            assert sum(each > lately for each in spent) <= floor + earned + 1e-9


def test_a_clock_that_runs_backwards_does_no_harm() -> None:
    """Neither does it earn nor forget."""
    asked = RetryBudget(0.1, now=100.0)
    assert sum(asked.spend(100.0) for _ in range(20)) == 10
    assert not asked.spend(50.0)
