"""Runs under faults: steady work, whole gangs, checkpoints, deadlines; by hand and as rules."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.worlds import place

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.stress import Outcome
from tripoint.engines.stress.runs.course import run_outcome
from tripoint.engines.stress.world import Run, RunAt

HOUR = 3600.0
WEEK = 168 * HOUR
AT = RunAt(
    place=place("a", option="spot", usd_per_node_hour=10.0), work_per_hour=1.0, gang_nodes=2, nodes=2,
)  # fmt: skip
RUN = Run(
    workload="tune", places=(AT,), deadline_hours=24.0, checkpoint_s=HOUR, restart_s=HOUR / 2, permitted=("site-a",)
)


def gone(hours: float, *, at_h: float = 24.0, on: str = "site-a", kind: FaultKind = FaultKind.DOWN) -> Fault:
    """The place is gone for so long."""
    return Fault(kind=kind, on=(on,), at_s=at_h * HOUR, until_s=(at_h + hours) * HOUR, size=0.0)


def outcome(*faults: Fault, run: Run = RUN, until_s: float = WEEK) -> Outcome:
    """What became of it."""
    return run_outcome(run, faults, until_s)


def test_without_faults_work_is_done_as_it_comes() -> None:
    """A node-hour an hour on two nodes: half busy, nothing late, paid for what is worked."""
    found = outcome()
    assert (found.offered, found.answered) == pytest.approx((168.0, 168.0))
    assert (found.late, found.shed, found.outside, found.outage_s, found.stale_s) == (0.0, 0.0, 0.0, 0.0, 0.0)
    assert found.usd == found.usual_usd == pytest.approx(1680.0)
    assert found.margin == pytest.approx(0.5)
    assert found.first_limit == ""


def test_a_loss_takes_half_an_interval_and_a_restart_of_a_gang_that_was_half_busy() -> None:
    """2 nodes x (0.5 h + 0.5 h) x 1/2 = a node-hour done again, and paid; the point it goes back to is an hour old."""
    found = outcome(gone(8.0))
    assert found.usd - found.usual_usd == pytest.approx(10.0)
    assert found.stale_s == HOUR
    assert "1 node-hours since the last checkpoint are done again" in found.first_limit
    assert (found.late, found.shed) == (0.0, 0.0)
    # What came in the hour before it was over waits for eight hours of work less what two nodes have made good.
    assert 7.0 * HOUR < found.wait_p99_ms / 1e3 < 10.0 * HOUR


def test_a_loss_longer_than_the_deadline_makes_work_late() -> None:
    """Forty hours without nodes, then twice as much is done as comes: what came t hours in is done at 40 + t / 2."""
    found = outcome(gone(40.0))
    assert found.late == pytest.approx(32.0, abs=2.0)
    assert found.shed == 0.0
    assert found.outage_s == pytest.approx(16.0 * HOUR, abs=HOUR)
    assert found.first_limit == "deadline of 24 h"


def test_a_run_without_a_deadline_is_out_while_it_stands_still() -> None:
    """Forty hours without nodes, and the half node-hour each that they take to make good, on two nodes."""
    found = outcome(gone(40.0), run=replace(RUN, deadline_hours=None))
    assert found.late == found.shed == 0.0
    assert 40.0 * HOUR <= found.outage_s <= 42.0 * HOUR
    assert outcome(run=replace(RUN, deadline_hours=None)).outage_s == 0.0


def test_what_is_never_done_is_shed_once_it_is_overdue() -> None:
    """Gone for good after a day: of the rest all but the last day is overdue at the end."""
    found = outcome(gone(inf))
    assert found.shed == pytest.approx(168.0 - 24.0 - 24.0, abs=1.5)
    assert found.answered + found.shed == pytest.approx(found.offered)


def test_half_a_gang_does_nothing_and_a_second_one_goes_on() -> None:
    """One of two nodes left stops a gang of two; two of four do not, but hit it half of the time."""
    half = Fault(kind=FaultKind.CAPACITY, on=("site-a/node",), at_s=24 * HOUR, until_s=64 * HOUR, size=0.5)
    assert outcome(half).late == pytest.approx(outcome(gone(40.0)).late)
    roomy = replace(RUN, places=(replace(AT, nodes=4),))
    found = outcome(half, run=roomy)
    assert (found.late, found.stale_s) == (0.0, HOUR)
    assert found.usd - found.usual_usd == pytest.approx(5.0)


def test_only_spot_nodes_are_reclaimed() -> None:
    """`pool:spot` names the nodes paid so, and leaves the others of the pool alone."""
    wave = gone(40.0, on="site-a/node:spot", kind=FaultKind.CAPACITY)
    firm = replace(RUN, places=(replace(AT, place=replace(AT.place, option="on_demand")),))
    assert outcome(wave).late > 0.0
    assert outcome(wave, run=firm) == outcome(run=firm)


def test_work_where_policy_forbids_it_is_counted() -> None:
    """All of it."""
    assert outcome(run=replace(RUN, permitted=("site-b",))).outside == pytest.approx(168.0)


@given(
    st.lists(st.tuples(st.floats(0.0, 150.0), st.floats(0.1, 100.0)), max_size=6),
    st.floats(0.05, 1.9),
    st.one_of(st.none(), st.floats(1.0, 100.0)),
)
def test_every_hour_of_work_is_counted_once(
    losses: list[tuple[float, float]], rate: float, deadline: float | None
) -> None:
    """Offered = answered + shed; late is part of what was answered; a loss never makes it better."""
    run = replace(RUN, places=(replace(AT, work_per_hour=rate),), deadline_hours=deadline)
    found = outcome(*(gone(hours, at_h=at) for at, hours in losses), run=run)
    quiet = outcome(run=run)
    assert found.offered == pytest.approx(rate * 168.0)
    assert found.answered + found.shed == pytest.approx(found.offered)
    assert 0.0 <= found.late <= found.answered + 1e-6
    assert found.outage_s >= quiet.outage_s - 1e-6
    assert found.late + found.shed >= quiet.late + quiet.shed - 1e-6
    assert (found.stale_s > 0.0) <= bool(losses)
