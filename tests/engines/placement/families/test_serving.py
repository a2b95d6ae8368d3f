"""Who runs where: replicas, blocks, deadlines and indivisible work, in plans small enough to see why."""

from __future__ import annotations

import pytest
from tests.factories.placement import (
    TWO_LEVELS,
    batch,
    chat,
    hall,
    horizon,
    place,
    region,
    rented,
    resolved,
    servers,
    solved,
    training,
)

from tripoint.domain.policy import Policies, ResidencyRule
from tripoint.domain.purchase import PurchaseOption
from tripoint.engines.placement.instance.instance import LaneKind
from tripoint.engines.placement.outcome import Outcome

ON_DEMAND, SPOT = PurchaseOption.ON_DEMAND, PurchaseOption.SPOT


def shares(outcome: Outcome, workload: str) -> dict[tuple[str, str, int], float]:
    """Share by site, lane and block of the first period."""
    assert outcome.decisions is not None
    rows = [row for row in outcome.decisions.placements if row.workload == workload and row.period == 0]
    return {(row.site, row.lane, row.block): row.share for row in rows}


def test_a_rule_removes_a_site_however_cheap_it_is() -> None:
    """The cloud asks a cent an hour, and is not in the EEA."""
    rules = Policies(residency=(ResidencyRule(allow=("EEA",), classifications=("health",)),))
    site = region(pools=(rented(usd_per_hour=0.01),))
    loads = (chat(), chat("records", classification="health"))
    outcome = solved(place(hall(), site, workloads=loads, policies=rules))
    assert {site for site, _, _ in shares(outcome, "chat")} == {"cloud"}
    assert {site for site, _, _ in shares(outcome, "records")} == {"hall"}


def test_a_place_with_many_replicas_to_keep_is_not_opened_for_little() -> None:
    """Ten replicas where it runs: half a node of room at the hall is not worth being there."""
    free = hall(pool=servers(held=1, max_nodes=1))
    loads = (chat(min_replicas=10), chat("other", rate=4.0, only_at=("hall",)))
    outcome = solved(place(free, region(), workloads=loads))
    assert outcome.decisions is not None
    nodes = {row.site: row.nodes for row in outcome.decisions.placements if row.workload == "chat"}
    assert all(count >= 10 / 8 - 1e-6 for count in nodes.values())


def test_batch_work_fills_the_valley_of_nodes_paid_anyway() -> None:
    """Three nodes for the busy quarter of the week stand two thirds idle for the rest: batch goes there, free."""
    loads = (chat(rate=12.0, hour_of_week=TWO_LEVELS), batch(mtok=50_000.0))
    estate = place(hall(pool=servers(held=3, max_nodes=3)), region(), workloads=loads, horizon=horizon(1, 2))
    found = shares(solved(estate), "batch")
    assert found[("hall", "firm", 1)] == pytest.approx(1.0)


def test_batch_work_that_cannot_wait_follows_the_clock() -> None:
    """With a day to finish and valleys of 42 hours, a quarter of it is done in the busy quarter of the week."""
    loads = (chat(rate=12.0, hour_of_week=TWO_LEVELS), batch(mtok=50_000.0, deadline_hours=24.0))
    outcome = solved(place(region(), workloads=loads, horizon=horizon(1, 2)))
    found = shares(outcome, "batch")
    assert {block: share for (_, _, block), share in found.items()} == pytest.approx({0: 0.25, 1: 0.75})


def test_a_run_that_may_use_few_hours_may_use_more_nodes_in_them() -> None:
    """Only two hours of the week return within 84 h: the month's work is done in them, or there is no plan at all."""
    peaks = tuple(5.0 if hour in (0, 84) else (1.0 if hour < 84 else 0.5) for hour in range(168))
    loads = (chat(hour_of_week=peaks), training(gpu_hours=8 * 730.0 * 4, deadline_hours=84.0))
    assert not solved(place(region(), workloads=loads, horizon=horizon(1, 3))).is_infeasible


def test_spot_takes_the_work_that_may_be_interrupted_and_no_other() -> None:
    """At 0.4 of the price and a quarter of the work done twice, spot costs half: batch takes it, callers may not."""
    site = region(pools=(rented(ON_DEMAND, SPOT),))
    outcome = solved(place(site, workloads=(chat(), batch())))
    assert {lane for _, lane, _ in shares(outcome, "chat")} == {"firm"}
    assert {lane for _, lane, _ in shares(outcome, "batch")} == {"spot"}


def test_callers_who_accept_interruption_may_use_spot() -> None:
    """`allows_spot` decides, not the kind alone."""
    site = region(pools=(rented(ON_DEMAND, SPOT),))
    kinds = {lane.kind for lane in resolved(place(site, workloads=(chat(allows_spot=True),))).lanes}
    assert kinds == {LaneKind.FIRM, LaneKind.SPOT}
    kinds = {lane.kind for lane in resolved(place(site, workloads=(batch(allows_spot=False),))).lanes}
    assert kinds == {LaneKind.FIRM}


def test_an_indivisible_workload_is_in_one_place_even_where_splitting_is_cheaper() -> None:
    """One held node at the hall would carry some of it; the rest does not fit there, so all of it leaves."""
    sites = (hall(pool=servers(held=1, max_nodes=1)), region())
    split = solved(place(*sites, workloads=(chat(),)))
    whole = solved(place(*sites, workloads=(chat(is_indivisible=True),)))
    assert {site for site, _, _ in shares(split, "chat")} == {"hall", "cloud"}
    assert shares(whole, "chat") == pytest.approx({("cloud", "firm", 0): 1.0})
    assert whole.solution.objective > split.solution.objective


def test_a_training_run_stays_in_one_place_each_quarter() -> None:
    """Work that would fill one and a half halls is done in the cloud rather than split."""
    load = training(gpu_hours=1.5 * 8 * 730.0, gang=8)
    outcome = solved(place(hall(pool=servers(held=1, max_nodes=1)), region(), workloads=(load,)))
    assert {site for site, _, _ in shares(outcome, "train")} == {"cloud"}


def test_identical_sites_are_planned_as_one() -> None:
    """Three shops of a node each carry three times what one does, and power is counted per shop."""
    site = hall("shop", count=3, it_kw=10.0)
    outcome = solved(place(site, region(), workloads=(chat(rate=30.0),)))
    assert outcome.decisions is not None
    (state,) = [row for row in outcome.decisions.pools if row.site == "shop"]
    assert state.owned == 3.0


def test_a_workload_without_demand_needs_nothing() -> None:
    """It is declared at 0 requests per second until it starts: a plan exists and costs nothing."""
    outcome = solved(place(region(), workloads=(chat(rate=0.0),)))
    assert outcome.solution.objective == pytest.approx(0.0)
