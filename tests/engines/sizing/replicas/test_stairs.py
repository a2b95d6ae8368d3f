"""The staircase is the queue's own answer at every rate, found without asking the queue each time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.sizing.replicas.test_cover import FLEETS

from tripoint.engines.sizing.replicas.queueing import QueueTarget, replicas_for
from tripoint.engines.sizing.replicas.stairs import EXACT_STEPS, Fleet, stairs_of

RATES = st.floats(0.0, 1.0)


@given(fleet=FLEETS, largest=st.floats(0.05, 300.0), parts=st.lists(RATES, min_size=1, max_size=20))
def test_replicas_are_those_of_the_queue(fleet: Fleet, largest: float, parts: list[float]) -> None:
    """At any rate up to the largest, but for a rate within rounding of a step."""
    stairs = stairs_of(fleet, largest)
    for rate in [largest, *(part * largest for part in parts)]:
        assert replicas_for(fleet.target, rate * (1 - 1e-9)) <= stairs.replicas(rate)
        assert stairs.replicas(rate) <= replicas_for(fleet.target, rate * (1 + 1e-9))


@given(fleet=FLEETS, largest=st.floats(0.05, 300.0), longer=st.floats(1.0, 30.0))
def test_the_need_at_a_rate_does_not_depend_on_what_else_is_asked(fleet: Fleet, largest: float, longer: float) -> None:
    """A line redrawn for a larger demand gave the same rate other nodes; steps are where they are."""
    for part in (0.1, 0.5, 1.0):
        rate = part * largest
        assert stairs_of(fleet, largest).nodes(rate) == stairs_of(fleet, longer * largest).nodes(rate)


@given(fleet=FLEETS, largest=st.floats(0.05, 300.0), one=RATES, two=RATES)
def test_more_demand_never_needs_fewer_nodes(fleet: Fleet, largest: float, one: float, two: float) -> None:
    """Steps only rise."""
    stairs = stairs_of(fleet, largest)
    low, high = sorted((one * largest, two * largest))
    assert stairs.nodes(low) <= stairs.nodes(high)


def test_a_pair_carries_more_than_two_alone() -> None:
    """By hand, 1 request/s each and nobody waits more than 1 s nineteen times of twenty: a step longer than the first.

    Alone, rho exp(-(1 - rho)) = 0.05 at rho 0.1205; the pair's 2 rho^2 / (1 + rho) exp(-2 (1 - rho)) at 0.352.
    """
    target = QueueTarget(service_rate=1.0, wait_budget_s=1.0, quantile=0.95, utilisation_cap=0.9)
    stairs = stairs_of(Fleet(target=target, replicas_per_node=4), 0.7)
    assert stairs.capacities[0] == pytest.approx(0.1205, abs=0.0001)
    assert stairs.capacities[1] == pytest.approx(2 * 0.352, abs=0.001)
    assert [stairs.nodes(rate) for rate in (0.1, 0.2, 0.7)] == [0.25, 0.5, 0.5]


def test_no_more_steps_are_looked_for_than_the_largest_rate_takes() -> None:
    """Nor beyond the one from which all are alike."""
    waiting = Fleet(target=QueueTarget(service_rate=1.0, wait_budget_s=0.0, quantile=0.99), replicas_per_node=1)
    assert len(stairs_of(waiting, 0.001).capacities) == 1
    assert len(stairs_of(waiting, 1000.0).capacities) == EXACT_STEPS
    capped = Fleet(target=QueueTarget(service_rate=1.0, utilisation_cap=0.5), replicas_per_node=1)
    assert stairs_of(capped, 1000.0).capacities == (0.5,)
    assert stairs_of(capped, 1000.0).replicas(1000.0) == 2000


def test_identical_sites_split_each_rate() -> None:
    """Three sites at 2 requests/s are three at 0.67; without demand there is nobody."""
    fleet = Fleet(target=QueueTarget(service_rate=1.0, utilisation_cap=0.5), replicas_per_node=2, spare_replicas=1)
    stairs = stairs_of(fleet, 2.0 / 3)
    assert stairs.table(((2.0, 0.0), (1.0, 1.5)), 3) == ((4.5, 0.0), (3.0, 3.0))
