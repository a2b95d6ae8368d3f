"""Worlds of estates: the gateway's own table, places as the plan or the estate has them, policy judged anew."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date
from math import inf, isinf

import pytest
from tests.factories.placement import chat, placement_catalog
from tests.factories.plan import small_plan
from tests.factories.planning import catalog
from tests.factories.served import TODAY, loaded, two_sites

from tripoint.domain.catalog import Catalog
from tripoint.domain.decision import Placement, PoolState
from tripoint.domain.demand import Block
from tripoint.domain.errors import OptionError
from tripoint.domain.plan import Plan
from tripoint.domain.serving import Serving
from tripoint.domain.workload import Caller
from tripoint.engines.gateway.table.compile import compile_table
from tripoint.engines.stress.stations.timing import BatchTiming
from tripoint.engines.stress.survey.days import day_tried
from tripoint.engines.stress.survey.worlds import survey
from tripoint.engines.stress.world import World


def surveyed(plan: Plan | None = None, serving: Serving | None = None, **fields: object) -> World:
    """The world of the hall and the cloud region."""
    estate = two_sites(serving, workloads=(replace(chat(), **fields),))  # type: ignore[arg-type]  # fields of a workload
    if serving is not None:
        estate = replace(estate, serving=serving)
    return survey(loaded(estate), rows(), plan, today=TODAY)


def rows() -> Catalog:
    """The small catalogue, with the shipped defaults where it has none."""
    small = placement_catalog()
    known = {row.key for row in small.defaults}
    return replace(small, defaults=(*small.defaults, *(row for row in catalog().defaults if row.key not in known)))


def plan_of(*shares: tuple[str, str, float, float]) -> Plan:
    """A plan of one period and block that puts (site, node type, share, nodes) of `chat`."""
    rows = [
        Placement(
            workload="chat", site=site, pool=f"{site}/{node}", node_type=node, lane="firm", period=0, block=0,
            share=share, nodes=nodes,
        )
        for site, node, share, nodes in shares
    ]  # fmt: skip
    pools = [
        PoolState(
            pool=f"{site}/{node}", site=site, node_type=node, period=0, block=0, owned=0.0, committed=0.0,
            on_demand=nodes, spot=0.0, used=nodes, gpus_per_node=8,
        )
        for site, node, _, nodes in shares
    ]  # fmt: skip
    block = Block(name="b1", hours_of_week=tuple(range(168)), weight=1.0, longest_gap_hours=0.0)
    return replace(
        small_plan(), start="2027-01", periods=("2027-Q1",), blocks=(block,), placements=tuple(rows),
        pools=tuple(pools), standby=(), estate_digest="sha256:aa",
    )  # fmt: skip


def test_a_declared_serving_section_is_served_as_the_gateway_would() -> None:
    """Without a plan: the same targets, and a place behind each with the planner's figures."""
    found = surveyed()
    served = compile_table(loaded(two_sites(workloads=(chat(),))), rows(), None, today=TODAY, previous=None)
    assert found.table == served.table
    assert [place.upstream for place in found.places] == [target.id for target in found.table.targets]
    assert all(isinstance(timing, BatchTiming) for place in found.places for timing in place.timings.values())
    hall, cloud = found.places
    assert (hall.option, hall.kind, hall.provider) == ("owned", "colo", "own")
    assert isinf(hall.ready_after_s)
    assert isinf(cloud.most_nodes)
    assert 0.0 < cloud.ready_after_s < inf


def test_without_a_serving_section_the_plan_says_what_serves() -> None:
    """One upstream for each pool and model, with the plan's shares and nodes, rented ones whole."""
    found = surveyed(plan_of(("hall", "server", 0.75, 2.0), ("cloud", "big", 0.25, 0.4)), Serving())
    assert [place.pool for place in found.places] == ["hall/server", "cloud/big"]
    assert [place.nodes for place in found.places] == [2.0, 1.0]
    assert [candidate.share for candidate in found.table.routes[0].candidates] == [0.75, 0.25]
    assert all(place.rates["chat"] > 0.0 for place in found.places)


def test_a_part_of_a_rented_node_is_a_whole_one_that_is_paid_whole() -> None:
    """0.25, 0.4 and 1 of a node: the same place for the same dollars an hour; two cost twice that."""
    parts, held = [], []
    for nodes in (0.25, 0.4, 1.0, 2.0):
        found = surveyed(plan_of(("hall", "server", 0.75, 2.0), ("cloud", "big", 0.25, nodes)), Serving())
        place, target = found.places[1], found.table.targets[1]
        parts.append((place.nodes, place.slots, place.rates["chat"]))
        held.append(target.held_nano_per_hour)
    assert parts[0] == parts[1] == parts[2] != parts[3]
    assert held[0] == held[1] == held[2] > 0
    assert held[3] == pytest.approx(2 * held[2])


def test_an_upstream_that_is_declared_keeps_its_name_and_gets_the_plans_nodes() -> None:
    """Twice the nodes are twice the slots."""
    once = surveyed(plan_of(("hall", "server", 1.0, 1.0)))
    twice = surveyed(plan_of(("hall", "server", 1.0, 2.0)))
    assert twice.places[0].upstream == "hall-1"
    assert twice.places[0].slots == pytest.approx(2 * once.places[0].slots, rel=0.01)
    assert twice.places[0].rates["chat"] == pytest.approx(2 * once.places[0].rates["chat"])


def test_nothing_that_serves_is_told() -> None:
    """Neither upstreams nor a plan: the workload is named."""
    found = surveyed(None, Serving())
    assert found.places == ()
    assert found.unserved == ("chat",)


def test_policy_is_judged_anew_and_ways_are_those_of_the_links() -> None:
    """A workload confined to the hall may be nowhere else; its callers' round trips are known for every site."""
    found = surveyed(None, None, only_at=("hall",), callers=(Caller(place="NL", share=1.0),))
    assert found.demanded[0].permitted == ("hall",)
    assert set(found.demanded[0].callers[0].rtt_ms) == {"hall", "cloud"}


def test_a_world_can_be_sent_to_another_process() -> None:
    """And arrives equal."""
    found = surveyed()
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_period_is_tried_on_its_first_day_and_that_of_today_on_today() -> None:
    """Quarters of a horizon that begins in November, over the turn of the year."""
    plan = replace(small_plan(), start="2027-11", period_months=3, periods=("2027-Q4", "2028-Q1", "2028-Q2"))
    today = date(2028, 2, 20)
    tried = {label: day_tried(plan, label, today) for label in ("", *plan.periods)}
    assert tried == {"": today, "2027-Q4": date(2027, 11, 1), "2028-Q1": today, "2028-Q2": date(2028, 5, 1)}
    with pytest.raises(OptionError, match="no period `2028-Q3`") as refused:
        day_tried(plan, "2028-Q3", today)
    assert "2027-Q4, 2028-Q1, 2028-Q2" in refused.value.hint


def test_a_later_period_has_only_what_the_plan_keeps_then() -> None:
    """A rented place of the first quarter is gone in the second."""
    first = plan_of(("hall", "server", 0.5, 1.0), ("cloud", "big", 0.5, 1.0))
    then = plan_of(("hall", "server", 1.0, 1.0))
    plan = replace(
        first,
        periods=("2027-Q1", "2027-Q2"),
        placements=(*first.placements, *(replace(row, period=1) for row in then.placements)),
        pools=(*first.pools, *(replace(row, period=1) for row in then.pools)),
    )
    found = {
        label: survey(
            loaded(two_sites(Serving(), workloads=(chat(),))), rows(), plan, today=day_tried(plan, label, TODAY)
        )
        for label in plan.periods
    }
    assert [place.pool for place in found["2027-Q1"].places] == ["hall/server", "cloud/big"]
    assert [place.pool for place in found["2027-Q2"].places] == ["hall/server"]
