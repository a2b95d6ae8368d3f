"""Copies that share what they cross: equal parts of the tightest, and what one cannot use goes to the others."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.resilience.times.sharing import Copy, arrivals, fair_rates

NAMES = ("a", "b", "c")
routes = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple)
capacities = st.fixed_dictionaries({name: st.floats(0.1, 10.0) for name in NAMES})
copies = st.lists(
    st.builds(Copy, gb=st.floats(0.1, 100.0), resources=routes, start_s=st.floats(0.0, 50.0)), min_size=1, max_size=6
)


def test_one_copy_alone_has_the_whole_link() -> None:
    """100 GB at 2 GB/s from second 10 on arrive at second 60."""
    assert arrivals([Copy(100.0, ("link",), 10.0)], {"link": 2.0}) == (60.0,)


def test_two_copies_share_until_the_smaller_is_there() -> None:
    """10 and 30 GB over 2 GB/s: 1 GB/s each for 10 s, then the larger has 2 GB/s for its other 20 GB."""
    assert arrivals([Copy(10.0, ("link",), 0.0), Copy(30.0, ("link",), 0.0)], {"link": 2.0}) == pytest.approx(
        (10.0, 20.0)
    )


def test_one_that_starts_later_takes_its_half_from_then_on() -> None:
    """20 GB at 1 GB/s, halved from second 10 on: both have 10 GB left then, and are there at second 30."""
    found = arrivals([Copy(20.0, ("link",), 0.0), Copy(10.0, ("link",), 10.0)], {"link": 1.0})
    assert found == pytest.approx((30.0, 30.0))


def test_what_the_tightest_leaves_goes_to_others() -> None:
    """One is held to 1 GB/s by its own door, so the other has 9 of the 10 they cross together."""
    assert fair_rates([("link", "door"), ("link",)], {"link": 10.0, "door": 1.0}) == pytest.approx((1.0, 9.0))


def test_nothing_arrives_over_what_carries_nothing() -> None:
    """A resource of 0 GB/s holds a copy for ever, and only that."""
    assert arrivals([Copy(1.0, ("cut",), 0.0), Copy(1.0, ("link",), 0.0)], {"cut": 0.0, "link": 1.0}) == (
        math.inf,
        1.0,
    )


def test_nothing_to_copy_is_there_at_once() -> None:
    """No bytes take no time."""
    assert arrivals([Copy(0.0, ("link",), 7.0)], {"link": 1.0}) == (7.0,)


@given(st.lists(routes, min_size=1, max_size=8), capacities)
def test_rates_are_fair(crossed: list[tuple[str, ...]], room: dict[str, float]) -> None:
    """No resource carries more than it can, and each copy crosses a full one on which nobody is faster."""
    rates = fair_rates(crossed, room)
    loads = {name: sum(rate for rate, each in zip(rates, crossed, strict=True) if name in each) for name in room}
    assert all(loads[name] <= room[name] * (1 + 1e-9) for name in room)
    for rate, each in zip(rates, crossed, strict=True):
        assert any(
            loads[name] >= room[name] * (1 - 1e-9)
            and rate >= max(r for r, other in zip(rates, crossed, strict=True) if name in other) * (1 - 1e-9)
            for name in each
        )


@given(copies, capacities)
def test_nobody_is_sooner_together_than_alone(many: list[Copy], room: dict[str, float]) -> None:
    """Each arrives no sooner than alone, and the last no later than one after the other would."""
    together = arrivals(many, room)
    alone = [arrivals([each], room)[0] for each in many]
    assert all(t >= a - 1e-6 for t, a in zip(together, alone, strict=True))
    in_turn = max(each.start_s for each in many) + sum(a - c.start_s for a, c in zip(alone, many, strict=True))
    assert max(together) <= in_turn + 1e-6
