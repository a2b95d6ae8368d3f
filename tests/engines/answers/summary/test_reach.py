"""Sites every workload may be at, and why not the others: gathered once, the same as asked one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.answering import cage, chat, cloud, estate
from tests.factories.planning import planned

from tripoint.domain.estate import Estate
from tripoint.domain.units import SiteId, WorkloadId
from tripoint.engines.answers.homes import served
from tripoint.engines.answers.summary.reach import choice, reach_of, why_out
from tripoint.engines.placement.outcome import Outcome


def of_three() -> Estate:
    """One that may be anywhere, one kept in the cage, one kept in the cloud."""
    free = chat()
    here = replace(free, id=WorkloadId("here"), only_at=(SiteId("cage"),))
    there = replace(free, id=WorkloadId("there"), only_at=(SiteId("cloud"),))
    return estate(cage(), cloud(), workloads=(free, here, there))


@pytest.fixture(scope="module")
def three() -> Outcome:
    """The plan of the three."""
    return planned(of_three())


def test_reach_is_what_each_is_told_by_itself(three: Outcome) -> None:
    """Sites of the lanes, refusals by name, nothing of anybody else's."""
    instance, reach = three.instance, reach_of(three.instance)
    for number, workload in enumerate(instance.estate.workloads):
        assert reach.open_sites[number] == {lane.site for lane in instance.lanes if lane.workload == number}
        mine = tuple(row for row in instance.refusals if row.workload == workload.id)
        assert reach.refusals.get(workload.id, ()) == mine
    assert choice(instance, reach, 0) == ""
    assert choice(instance, reach, 1) == "its own rules left it 1 of 2 sites"
    assert why_out(instance, reach, 2) == "the others are ruled out by its own rules"


def test_what_is_served_is_gathered_whole(three: Outcome) -> None:
    """Every placement stands under its workload once, in its order, and its workload among the pool's users."""
    assert three.decisions is not None
    plan = served(three.decisions)
    rows = three.decisions.placements
    for workload in {row.workload for row in rows}:
        assert plan.rows[workload] == tuple(row for row in rows if row.workload == workload)
    for pool in {row.pool for row in rows}:
        assert plan.users[pool] == {row.workload for row in rows if row.pool == pool}
