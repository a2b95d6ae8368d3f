"""What a unit of share means in nodes, node-hours, tokens and volume."""

from __future__ import annotations

import pytest
from tests.factories.placement import (
    API,
    ONE_REPLICA,
    RATE_PER_REPLICA,
    TWO_LEVELS,
    batch,
    chat,
    hall,
    horizon,
    place,
    region,
    resolved,
    training,
)

from tripoint.domain.units import WorkloadId
from tripoint.domain.workload import Workload
from tripoint.engines.placement.columns import coefficients as unit
from tripoint.engines.placement.instance.instance import Instance

QUARTER_H, BUSY_H = 2190.0, 547.5


def of(*loads: Workload) -> Instance:
    """One region with an API, one quarter, two blocks: a quarter of the time at twice the mean rate."""
    rhythm = chat("rhythm", 4.0, hour_of_week=TWO_LEVELS)
    return resolved(place(region(apis=(API,)), workloads=(rhythm, *loads), horizon=horizon(1, 2)))


def test_callers_occupy_nodes_by_the_busiest_hour_of_the_block() -> None:
    """12 req/s on average are 24 in the busy block and 8 in the quiet one: 18 and 6 replicas, no more."""
    instance = of(chat(rate=12.0, hour_of_week=TWO_LEVELS))
    lane = next(lane for lane in instance.lanes if instance.workload(lane).id == "chat" and lane.pool is not None)
    assert unit.nodes_per_share(instance, lane, 0, 0) == pytest.approx(24.0 / RATE_PER_REPLICA * ONE_REPLICA)
    assert unit.nodes_per_share(instance, lane, 0, 1) == pytest.approx(8.0 / RATE_PER_REPLICA * ONE_REPLICA)


def test_work_occupies_nodes_for_the_hours_of_the_block_it_is_done_in() -> None:
    """8,760 GPU-hours a month on eight accelerators are 3,285 node-hours a quarter: six nodes of the busy block."""
    instance = of(training(gpu_hours=8760.0))
    lane = next(lane for lane in instance.lanes if instance.workload(lane).id == "train")
    assert unit.nodes_per_share(instance, lane, 0, 0) == pytest.approx(3285.0 / BUSY_H)
    assert unit.nodes_per_share(instance, lane, 0, 1) == pytest.approx(2.0)
    assert unit.busy_hours_per_share(instance, lane, 0, 0) == pytest.approx(3285.0)
    assert unit.least_nodes(instance, lane) == 0.0


@pytest.mark.parametrize(("declared", "nodes"), [(None, 1 / 8), (4, 4 / 8)])
def test_a_place_runs_at_least_its_fewest_replicas(declared: int | None, nodes: float) -> None:
    """One of eight accelerators unless more are declared, three times over where one entry stands for three halls."""
    load = chat(min_replicas=declared)
    instance = resolved(place(hall(), hall("shops", count=3), region(pools=(), apis=(API,)), workloads=(load,)))
    one, three, api = instance.lanes
    assert unit.least_nodes(instance, one) == pytest.approx(nodes)
    assert unit.least_nodes(instance, three) == pytest.approx(3 * nodes)
    assert unit.least_nodes(instance, api) == 0.0


def test_power_follows_the_mean_rate_and_not_the_peak() -> None:
    """Busy node-hours: 12 req/s at 13.33 a node, a quarter of the hours at twice that rate."""
    instance = of(chat(rate=12.0, hour_of_week=TWO_LEVELS))
    lane = next(lane for lane in instance.lanes if instance.workload(lane).id == "chat" and lane.pool is not None)
    busy = unit.busy_hours_per_share(instance, lane, 0, 0)
    quiet = unit.busy_hours_per_share(instance, lane, 0, 1)
    assert busy == pytest.approx(24.0 / (40 / 3) * BUSY_H)
    assert busy + quiet == pytest.approx(12.0 / (40 / 3) * QUARTER_H)


def test_tokens_are_those_of_the_requests_of_the_block() -> None:
    """24 req/s for 547.5 h at 1000 in and 500 out."""
    instance = of(chat(rate=12.0, hour_of_week=TWO_LEVELS))
    lane = next(lane for lane in instance.lanes if instance.workload(lane).id == "chat" and lane.pool is None)
    mtok_in, mtok_out = unit.mtok_per_share(instance, lane, 0, 0)
    assert mtok_in == pytest.approx(24.0 * BUSY_H * 3600 * 1000 / 1e6)
    assert mtok_out == pytest.approx(mtok_in / 2)


def test_tokens_of_batch_work_are_those_of_the_whole_period() -> None:
    """300 Mtok a quarter, two thirds of them in."""
    instance = of(batch(mtok=100.0))
    lane = next(lane for lane in instance.lanes if instance.workload(lane).id == "batch" and lane.pool is None)
    assert unit.mtok_per_share(instance, lane, 0, 0) == pytest.approx((200.0, 100.0))


def test_volume_is_shared_between_blocks_by_requests() -> None:
    """Half of the requests fall in the busy quarter of the time; work is one volume wherever it is done."""
    instance = of(batch())
    assert unit.volume_share(instance, 0, 0, 0) == pytest.approx(0.5)
    assert unit.volume_share(instance, 0, 0, 1) == pytest.approx(0.5)
    assert unit.volume_share(instance, 1, 0, 0) == 1.0


@pytest.mark.parametrize(
    ("deadline", "blocks", "follows"),
    [(None, (0, 1), False), (168.0, (0, 1), False), (126.0, (0, 1), False), (42.0, (1,), False), (24.0, (0, 1), True)],
)
def test_work_waits_for_a_valley_that_comes_round_before_its_deadline(
    deadline: float | None, blocks: tuple[int, ...], follows: bool
) -> None:
    """The busy hours return after 126 h, the quiet ones after 42 h; given less, work follows the clock."""
    instance = of(batch(deadline_hours=deadline))
    assert unit.usable_blocks(instance, 1) == blocks
    assert unit.follows_the_clock(instance, 1) is follows


def test_training_is_indivisible_unless_declared_otherwise() -> None:
    """A run stays in one place; answers and batches may be split."""
    assert unit.is_indivisible(training())
    assert not unit.is_indivisible(training(is_indivisible=False))
    assert not unit.is_indivisible(chat())
    assert unit.is_indivisible(chat(is_indivisible=True))
    assert unit.is_energy(batch())
    assert not unit.is_energy(chat())


def test_workloads_keep_their_index() -> None:
    """Lanes point at workloads by position, in the estate's order."""
    instance = of(batch())
    assert {instance.workload(lane).id for lane in instance.lanes if lane.workload == 1} == {WorkloadId("batch")}
    assert all(instance.demand(lane).workload == instance.workload(lane).id for lane in instance.lanes)
