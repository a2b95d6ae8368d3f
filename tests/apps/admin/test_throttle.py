"""Failed log-ins per address: a burst, then one each few seconds; memory stays bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tripoint.apps.admin.identity.throttle import BURST, REFILL_S, Throttle

HERE, THERE = "192.0.2.1", "192.0.2.2"


def failing(throttle: Throttle, times: int, address: str = HERE, at: float = 0.0) -> None:
    """So many failures at once."""
    for _ in range(times):
        throttle.failed(address, at)


def test_a_burst_is_free_and_then_one_waits() -> None:
    """Nine failures cost nothing, the tenth a wait, which the next attempt need not exceed."""
    throttle = Throttle()
    failing(throttle, BURST - 1)
    assert throttle.wait_s(HERE, "x", 0.0) == 0.0
    failing(throttle, 1)
    wait_s = throttle.wait_s(HERE, "x", 0.0)
    assert wait_s == REFILL_S
    assert throttle.wait_s(HERE, "x", wait_s) == 0.0
    assert throttle.wait_s(THERE, "x", 0.0) == 0.0


def test_who_was_good_is_not_held_up() -> None:
    """For a quarter of an hour, and only with that credential."""
    throttle = Throttle()
    throttle.passed("good", 0.0)
    failing(throttle, 100)
    assert throttle.wait_s(HERE, "good", 1.0) == 0.0
    assert throttle.wait_s(HERE, "other", 1.0) > 0.0
    failing(throttle, 100, at=1000.0)
    assert throttle.wait_s(HERE, "good", 1000.0) > 0.0


def test_one_customer_of_ipv6_is_one_address() -> None:
    """The /64 counts, not each of its addresses."""
    throttle = Throttle()
    for number in range(BURST):
        throttle.failed(f"2001:db8::{number:x}", 0.0)
    assert throttle.wait_s("2001:db8::ffff", "x", 0.0) > 0.0
    assert throttle.wait_s("2001:db8:0:1::1", "x", 0.0) == 0.0


@given(gaps=st.lists(st.floats(0, 60), max_size=60))
def test_no_pattern_of_failures_gets_more_than_the_rate(gaps: list[float]) -> None:
    """Whoever waits as told fails at most a burst and then one per `REFILL_S`."""
    throttle, now, failed = Throttle(), 0.0, 0
    for gap in gaps:
        now += gap
        if throttle.wait_s(HERE, "x", now) == 0.0:
            throttle.failed(HERE, now)
            failed += 1
    assert failed <= BURST + now / REFILL_S + 1e-6


def test_memory_is_bounded() -> None:
    """A flood from everywhere does not grow it without end, and what is forgotten is the oldest."""
    throttle = Throttle()
    for number in range(20_000):
        throttle.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
        throttle.passed(str(number), 0.0)
    kept = (throttle._failures, throttle._good)
    assert [len(each) for each in kept] == [4096, 1024]
    failing(throttle, BURST)
    assert throttle.wait_s(HERE, "x", 0.0) > 0.0
