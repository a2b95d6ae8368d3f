"""What faults do to places and links at a moment: who is struck, how overlaps combine, how a ramp climbs."""

from __future__ import annotations

from math import inf

import hypothesis.strategies as st
import pytest
from hypothesis import given
from tests.factories.worlds import place, world

from tripoint.domain.fault import Fault, FaultKind
from tripoint.engines.stress.trial.conditions import Conditions, conditions, force, moments, strikes
from tripoint.engines.stress.world import Line

PLACES = (place("a"), place("b", kind="cloud", option="per_token", pool="site-b/model", slots=64))
LINES = (Line(id="fibre", ends=("NL", "site-a"), bandwidth_gbps=1.0, conduits=()),)


def struck(*faults: Fault, now: float = 10.0) -> Conditions:
    """Conditions of the two places."""
    return conditions(world(PLACES, lines=LINES), faults, now)


def fault(kind: FaultKind, *on: str, size: float = 1.0, **times: float) -> Fault:
    """A fault that is in full force at 10 s unless told otherwise."""
    return Fault(kind=kind, on=on, size=size, **{"at_s": 0.0, "until_s": inf, **times})


@pytest.mark.parametrize("name", ["site-a", "site-a/node", "a"])
def test_a_place_is_struck_by_its_site_its_pool_or_its_own_name(name: str) -> None:
    """And by no other's."""
    found = struck(fault(FaultKind.DOWN, name))
    assert [place.is_down for place in found.places] == [True, False]


def test_prices_and_names_strike_what_depends_on_them() -> None:
    """Token prices token APIs, names rented places."""
    dear = struck(fault(FaultKind.PRICE, "token", size=2.0))
    assert [place.price for place in dear.places] == [1.0, 2.0]
    assert [place.is_down for place in struck(fault(FaultKind.SERVICE_DOWN, "dns")).places] == [False, True]
    assert [place.is_down for place in struck(fault(FaultKind.SERVICE_DOWN, "registry")).places] == [False, False]


def test_overlaps_multiply_add_or_combine_as_chances() -> None:
    """As each kind says."""
    pair = [(FaultKind.SLOW, 2.0), (FaultKind.CAPACITY, 0.5), (FaultKind.LIMIT, 0.5), (FaultKind.ERRORS, 0.5)]
    found = struck(*(fault(kind, "site-a", size=size) for kind, size in pair for _ in range(2))).places[0]
    assert (found.slow, found.capacity, found.limit, found.errors) == (4.0, 0.25, 0.25, 0.75)
    lines = struck(
        fault(FaultKind.LINK_DELAY, "fibre", size=20.0), fault(FaultKind.LINK_DELAY, "fibre", size=30.0),
        fault(FaultKind.LINK_RATE, "fibre", size=0.5), fault(FaultKind.LINK_LOSS, "fibre", size=0.5),
        fault(FaultKind.LINK_LOSS, "fibre", size=0.5),
    ).lines["fibre"]  # fmt: skip
    assert (lines.delay_ms, lines.rate, lines.loss, lines.is_down) == (50.0, 0.5, 0.75, False)
    twice = struck(fault(FaultKind.RETRIES, "chat", size=2.0), fault(FaultKind.RETRIES, "chat", size=1.0))
    assert twice.retries == {"chat": 3}
    each = struck(fault(FaultKind.RETRIES, "chat", size=4.0), fault(FaultKind.RETRIES, "letters", size=4.0))
    assert each.retries == {"chat": 4, "letters": 4}  # what one workload's callers do, no other's do as well
    assert struck(fault(FaultKind.BUDGET, "chat", size=0.5), fault(FaultKind.BUDGET, "chat", size=0.5)).money == 0.25


def test_a_place_without_a_slot_left_is_gone() -> None:
    """A fraction of one slot serves nobody."""
    assert struck(fault(FaultKind.CAPACITY, "site-a", size=0.05)).places[0].is_down
    assert not struck(fault(FaultKind.CAPACITY, "site-b", size=0.05)).places[1].is_down


def test_a_site_is_left_when_the_notice_is_over() -> None:
    """Half a day of notice, and back when the rule ends."""
    leave = fault(FaultKind.LEAVE, "site-a", size=0.5, until_s=100_000.0)
    assert [struck(leave, now=now).banned for now in (43_199.0, 43_200.0, 100_000.0)] == [(), ("site-a",), ()]
    assert moments([leave]) == (0.0, 43_200.0, 100_000.0)


@given(
    at=st.floats(0.0, 100.0), lasts=st.floats(0.1, 100.0), ramp=st.sampled_from([0.0, 0.5, 7.0, 90.0]),
    now=st.floats(-10.0, 300.0),
)  # fmt: skip
def test_force_changes_at_the_moments_told_and_never_falls_before_the_end(
    at: float, lasts: float, ramp: float, now: float
) -> None:
    """Between two moments nothing changes, so nobody has to look."""
    one = Fault(kind=FaultKind.SLOW, on=("site-a",), at_s=at, until_s=at + lasts, size=5.0, ramp_s=ramp)
    told = moments([one])
    assert 0.0 <= force(one, now) <= 1.0
    before = max((moment for moment in told if moment <= now), default=None)
    if before is not None:
        assert force(one, now) == pytest.approx(force(one, before), abs=0.051)
    inside = [force(one, moment) for moment in told if moment < at + lasts]
    assert inside == sorted(inside)


def test_nothing_strikes_what_it_does_not_name() -> None:
    """Workloads are no places."""
    assert not strikes(fault(FaultKind.DEMAND, "chat"), PLACES[0])
