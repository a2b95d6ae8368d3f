"""The line over the staircase never buys too little, and as little too much as a line can."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.sizing.replicas.cover import Cover, cover, line_over
from tripoint.engines.sizing.replicas.queueing import QueueTarget, capacity_of, replicas_for
from tripoint.engines.sizing.replicas.stairs import Fleet, stairs_of

FLEETS = st.builds(
    Fleet,
    target=st.builds(
        QueueTarget,
        service_rate=st.floats(0.1, 10.0),
        wait_budget_s=st.one_of(st.none(), st.floats(0.0, 3.0)),
        quantile=st.floats(0.6, 0.99),
        arrival_cv=st.floats(0.7, 3.0),
        utilisation_cap=st.floats(0.5, 0.95),
    ),
    replicas_per_node=st.sampled_from([1, 2, 4, 8]),
    min_replicas=st.integers(1, 3),
    spare_replicas=st.integers(0, 1),
)


def line_of(fleet: Fleet, largest: float, sites: int = 1) -> Cover:
    """The line up to a largest rate of all sites together."""
    return cover(stairs_of(fleet, largest / sites), sites)


def nodes_at(fleet: Fleet, rate: float) -> float:
    """Nodes of one site at a rate, by the queue itself."""
    return fleet.nodes_of(replicas_for(fleet.target, rate))


def rates_to_try(fleet: Fleet, largest: float) -> list[float]:
    """Everywhere, and just after every step, where a line is most likely to be too low."""
    last = min(replicas_for(fleet.target, largest), 120)
    steps = [capacity_of(fleet.target, count) * (1 + 1e-7) for count in range(1, last)]
    everywhere = np.linspace(largest / 300, largest, 300).tolist()
    return [rate for rate in [1e-9, *steps, *everywhere] if rate <= largest]


@given(fleet=FLEETS, largest=st.floats(0.05, 300.0), sites=st.integers(1, 5))
def test_the_line_covers_the_need_at_every_rate(fleet: Fleet, largest: float, sites: int) -> None:
    """Nodes of the line are at least the nodes needed, summed over identical sites that split the demand."""
    line = line_of(fleet, largest * sites, sites)
    assert line.fixed >= 0
    assert line.slope >= 0
    for rate in rates_to_try(fleet, largest):
        needed = nodes_at(fleet, rate) * sites
        assert line.at(rate * sites) >= needed - 1e-6 * max(1.0, needed)


@given(fleet=FLEETS, largest=st.floats(0.05, 300.0), sites=st.integers(1, 5))
def test_at_the_largest_rate_the_line_is_below_twice_the_need(fleet: Fleet, largest: float, sites: int) -> None:
    """It meets the hull in the middle, where the hull is no higher than at its end, and begins at one replica."""
    needed = nodes_at(fleet, largest) * sites
    most = 2 * needed - fleet.nodes_of(1) * sites
    assert line_of(fleet, largest * sites, sites).at(largest * sites) <= most + 1e-6 * needed


@given(fleet=FLEETS, largest=st.floats(0.05, 60.0))
def test_no_line_through_two_corners_has_less_area(fleet: Fleet, largest: float) -> None:
    """Least area is least height in the middle; brute force over all pairs of corners finds nothing lower."""
    last = max(replicas_for(fleet.target, largest), 1)
    if last > 30:
        return
    marks = [(0.0, fleet.nodes_of(1))]
    marks += [(capacity_of(fleet.target, count), fleet.nodes_of(count + 1)) for count in range(1, last)]
    marks.append((largest, fleet.nodes_of(last)))
    best = max(height for _, height in marks)
    for (x1, y1), (x2, y2) in ((one, two) for one in marks for two in marks if two[0] > one[0] + 1e-9):
        slope = (y2 - y1) / (x2 - x1)
        if slope >= 0 and all(y1 + slope * (x - x1) >= y - 1e-9 for x, y in marks):
            best = min(best, y1 + slope * (largest / 2 - x1))
    assert line_of(fleet, largest).at(largest / 2) <= best + 1e-6 * best


def test_a_demand_one_replica_carries_is_a_flat_line() -> None:
    """Presence costs one replica, and its share of the demand costs nothing more."""
    fleet = Fleet(target=QueueTarget(service_rate=10.0, utilisation_cap=0.8), replicas_per_node=4)
    line = line_of(fleet, 5.0)
    assert (line.fixed, line.slope) == (0.25, 0.0)


def test_a_large_demand_costs_the_capped_utilisation_and_one_replica() -> None:
    """Without a wait budget the corners lie on one line: 1 replica plus rate / (0.8 mu)."""
    fleet = Fleet(target=QueueTarget(service_rate=2.0, utilisation_cap=0.8), replicas_per_node=8)
    line = line_of(fleet, 160.0)
    assert line.fixed == pytest.approx(1 / 8)
    assert line.slope == pytest.approx(1 / (8 * 1.6))


def test_identical_sites_each_keep_their_minimum() -> None:
    """Ten sites that share a trickle hold ten times the least replicas."""
    fleet = Fleet(target=QueueTarget(service_rate=1.0), replicas_per_node=1, min_replicas=2, spare_replicas=1)
    line = line_of(fleet, 0.5, sites=10)
    assert (line.fixed, line.slope) == (20.0, 0.0)


def test_points_on_a_line_are_that_line() -> None:
    """Nothing is added where nothing is needed."""
    marks = [(float(x), 2.0 + 0.5 * x) for x in range(5)]
    line = line_over(marks)
    assert all(line.at(x) == pytest.approx(y) for x, y in marks)
    assert all(b[1] > a[1] for a, b in pairwise(marks))
