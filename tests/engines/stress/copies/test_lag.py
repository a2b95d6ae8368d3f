"""Copies fall behind while their way is struck, and catch up at the speed that is left over."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.fault import Fault, FaultKind
from tripoint.engines.stress.copies.following import Following
from tripoint.engines.stress.copies.lag import stale_by_workload

HOUR = 3600.0
COPY = Following(
    store="orders", workloads=("shop",), source="colo", target="cloud", links=("wan",), gb_per_s=0.5, lag_s=60.0
)
CARRIED = {"wan": 1.0}


def fault(kind: FaultKind, on: str, at: float, until: float = inf, size: float = 1.0) -> Fault:
    """A fault, times in hours."""
    return Fault(kind=kind, on=(on,), at_s=at * HOUR, until_s=until * HOUR, size=size)


def stale(*faults: Fault, copies: tuple[Following, ...] = (COPY,), hours: float = 24) -> float | None:
    """Age of the newest copy of the shop's data, s."""
    return stale_by_workload(copies, CARRIED, faults, hours * HOUR).get("shop")


def test_a_lost_source_leaves_a_copy_as_old_as_its_lag() -> None:
    """Nothing was behind when it was lost."""
    assert stale(fault(FaultKind.DOWN, "colo", 2, 5)) == 60.0


def test_a_cut_link_lets_the_copy_age() -> None:
    """By as long as it lasts; it does not grow any more while the source is away too."""
    assert stale(fault(FaultKind.LINK_DOWN, "wan", 2, 5)) == pytest.approx(3 * HOUR + 60)
    assert stale(fault(FaultKind.LINK_DOWN, "wan", 2, 5), fault(FaultKind.DOWN, "colo", 3, 9)) == pytest.approx(
        HOUR + 60
    )


def test_a_copy_catches_up_with_what_the_link_has_to_spare() -> None:
    """The link carries twice what changes, so an hour behind is made good in an hour."""
    cut = fault(FaultKind.LINK_DOWN, "wan", 0, 1)
    for wait, left in ((0.5, 0.5), (1.0, 0.0)):
        second = fault(FaultKind.LINK_DOWN, "wan", 1 + wait, 3 + wait)
        assert stale(cut, second) == pytest.approx((left + 2) * HOUR + 60)


def test_a_narrow_link_falls_behind_only_below_what_changes() -> None:
    """Half of it is just enough; a quarter loses half an hour in each."""
    assert stale(fault(FaultKind.LINK_RATE, "wan", 2, 6, size=0.5)) == pytest.approx(60)
    assert stale(fault(FaultKind.LINK_RATE, "wan", 2, 6, size=0.25)) == pytest.approx(2 * HOUR + 60)
    assert stale(fault(FaultKind.LINK_LOSS, "wan", 2, 6, size=0.75)) == pytest.approx(2 * HOUR + 60)


def test_copies_share_a_link() -> None:
    """Another store that changes three times as fast leaves a half of what both need."""
    other = replace(COPY, store="logs", workloads=("search",), gb_per_s=1.5)
    assert stale(fault(FaultKind.LINK_LOSS, "wan", 2, 3, size=0.0), copies=(COPY, other), hours=4) == pytest.approx(
        0.5 * 4 * HOUR + 60
    )


def test_the_newest_copy_counts() -> None:
    """A second one over another link keeps the point, until it is lost itself."""
    near = replace(COPY, target="next-door", links=())
    cut = fault(FaultKind.LINK_DOWN, "wan", 2, 5)
    assert stale(cut, copies=(COPY, near)) == 60.0
    assert stale(cut, fault(FaultKind.DOWN, "next-door", 3, 6), copies=(COPY, near)) == pytest.approx(2 * HOUR + 60)


def test_what_has_nothing_to_do_with_the_data_leaves_it_alone() -> None:
    """Other links, other sites, other kinds."""
    for other in (
        fault(FaultKind.LINK_DOWN, "lan", 2),
        fault(FaultKind.DOWN, "edge", 2),
        fault(FaultKind.SLOW, "colo", 2, size=9.0),
    ):
        assert stale(other) is None


@given(
    st.lists(st.tuples(st.floats(0, 20), st.floats(0.1, 5), st.floats(0, 1)), min_size=1, max_size=4),
    st.floats(0.05, 5.0),
)
def test_more_bandwidth_never_makes_a_copy_older(cuts: list[tuple[float, float, float]], carried: float) -> None:
    """Whatever befalls the link; and never older than the trial is long."""
    faults = [fault(FaultKind.LINK_RATE, "wan", at, at + length, size) for at, length, size in cuts]
    ages = [
        stale_by_workload((COPY,), {"wan": rate}, faults, 24 * HOUR).get("shop", 0.0)
        for rate in (carried, carried * 1.5)
    ]
    assert ages[1] <= ages[0] + 1e-6
    assert ages[0] <= 24 * HOUR + 60 + 1e-6
