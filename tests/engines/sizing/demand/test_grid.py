"""Shapes, blocks and the demand grid, against hand-computed weeks."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.sizing import estate, sizing_catalog, workload
from tests.factories.tiny_catalog import cloud

from tripoint.domain.demand import DemandGrid, DemandProfile, Distribution
from tripoint.domain.estate import Finance, Horizon, RiskTolerance
from tripoint.domain.provenance import Origin
from tripoint.domain.units import WorkloadId
from tripoint.domain.workload import Caller, Demand, Workload, WorkloadKind
from tripoint.engines.sizing.demand.blocks import cluster_hours, longest_gap
from tripoint.engines.sizing.demand.grid import demand_grid, growth_factors, period_labels
from tripoint.engines.sizing.demand.levels import TOP_BLOCK_HOURS, runs_of_hours
from tripoint.engines.sizing.demand.shapes import (
    SHAPE_NAMES,
    shape_weights,
    shifted_to_utc,
    utc_offset_hours,
)

YEAR = Horizon(months=12, period_months=3, blocks=3)
HOURS = st.lists(st.floats(0.0, 10.0), min_size=168, max_size=168)


def grid_of(*workloads: Workload, horizon: Horizon = YEAR, **fields: object) -> DemandGrid:
    """The grid of an estate with one cloud site."""
    return demand_grid(estate(cloud(), workloads=workloads, horizon=horizon, **fields), sizing_catalog(), {})[0]


@pytest.mark.parametrize("name", SHAPE_NAMES)
def test_shapes_are_a_week_of_weights_with_mean_one(name: str) -> None:
    """168 non-negative weights that leave the mean rate alone."""
    weights = shape_weights(name)
    assert len(weights) == 168
    assert sum(weights) == pytest.approx(168)
    assert min(weights) >= 0


def test_office_hours_in_tokyo_fall_into_the_european_night() -> None:
    """Monday 10:00 in Tokyo is Monday 01:00 UTC."""
    local = shape_weights("office_hours")
    utc = shifted_to_utc(local, {utc_offset_hours("JP"): 1.0})
    assert utc[1] == local[10]
    assert utc[10] == local[19]


def test_callers_on_two_continents_share_the_day_by_their_shares() -> None:
    """Three quarters in New York's offset, one quarter in Berlin's."""
    local = shape_weights("office_hours")
    utc = shifted_to_utc(local, {-6: 0.75, 1: 0.25})
    assert utc[12] == pytest.approx(0.75 * local[6] + 0.25 * local[13])


def test_unknown_countries_count_as_utc() -> None:
    """Zero; known ones are found in either case of letters."""
    assert (utc_offset_hours("XX"), utc_offset_hours("de")) == (0, 1)


@given(load=HOURS, blocks=st.integers(1, 6))
def test_blocks_share_out_the_week_busiest_first(load: list[float], blocks: int) -> None:
    """Every hour once; levels do not rise from block to block; gaps are those of the hours."""
    found = cluster_hours([load], blocks)
    assert sorted(hour for block in found for hour in block.hours_of_week) == list(range(168))
    assert sum(block.weight for block in found) == pytest.approx(1.0)
    assert len(found) <= blocks
    for busier, calmer in pairwise(found):
        assert min(load[h] for h in busier.hours_of_week) >= max(load[h] for h in calmer.hours_of_week) - 1e-6
    for block in found:
        assert block.longest_gap_hours == longest_gap(block.hours_of_week)


def test_the_cuts_plan_the_least_capacity_of_all_cuts() -> None:
    """Brute force over all ways to cut fourteen levels of twelve hours into four runs, the first of one level."""
    levels = [9.0, 8.9, 8.5, 5.0, 4.8, 4.7, 4.6, 3.0, 2.0, 1.9, 1.5, 1.0, 0.5, 0.2]
    load = [levels[hour % 14] for hour in range(168)]
    planned = sum(max(load[h] for h in b.hours_of_week) * len(b.hours_of_week) for b in cluster_hours([load], 4))
    best = min(
        12 * sum(levels[start] * (stop - start) for start, stop in ((0, 1), (1, a), (a, b), (b, 14)))
        for a, b in combinations(range(2, 14), 2)
    )
    assert planned == pytest.approx(best)


@given(load=HOURS, blocks=st.integers(2, 6))
def test_the_busiest_block_is_short_enough_to_show_how_rare_the_peak_is(load: list[float], blocks: int) -> None:
    """At most a tenth of the week, unless all its hours are equally busy; and it holds the busiest hour."""
    top = cluster_hours([load], blocks)[0]
    levels = {round(load[hour], 6) for hour in top.hours_of_week}
    assert max(load) == max(load[hour] for hour in top.hours_of_week)
    assert len(top.hours_of_week) <= TOP_BLOCK_HOURS or len(levels) == 1


def test_a_week_that_never_changes_is_one_block() -> None:
    """Nothing to cut."""
    (block,) = cluster_hours([[3.0] * 168], 4)
    assert (block.weight, block.longest_gap_hours, block.name) == (1.0, 0.0, "b1")


@pytest.mark.parametrize(("hours", "gap"), [((0,), 167), ((0, 84), 83), (tuple(range(168)), 0), ((166, 1), 164)])
def test_gaps_wrap_around_the_week(hours: tuple[int, ...], gap: int) -> None:
    """Sunday night is followed by Monday morning."""
    assert longest_gap(hours) == gap


@pytest.mark.parametrize(
    ("start", "months", "label"),
    [("2027-01", 3, "2027-Q1"), ("2027-10", 3, "2027-Q4"), ("2027-02", 3, "2027-02"), ("2027-04", 1, "2027-04")],
)
def test_periods_are_quarters_only_when_they_are(start: str, months: int, label: str) -> None:
    """A quarter that starts in February is named by its month."""
    assert period_labels(Horizon(start=start, months=12, period_months=months))[0] == label


def test_periods_roll_over_the_year() -> None:
    """Q4 is followed by the next year's Q1."""
    assert period_labels(Horizon(start="2027-10", months=6, period_months=3)) == ("2027-Q4", "2028-Q1")


def test_growth_compounds_to_the_middle_of_each_period() -> None:
    """21 % a year is 10 % by the middle of a one-year period."""
    assert growth_factors(0.21, Horizon(months=24, period_months=12)) == pytest.approx((1.1, 1.1 * 1.21))


def test_a_flat_workload_has_the_same_rate_everywhere_with_headroom_on_the_peak() -> None:
    """10 requests per second; medium risk tolerance plans capacity for 11."""
    (demand,) = grid_of(workload()).workloads
    assert demand.mean_rate == ((10.0,),) * 4
    assert demand.peak_rate[0] == pytest.approx((11.0,))
    assert demand.mtok_in[0] == pytest.approx(10 * 2190 * 3600 * 1000 / 1e6)
    assert demand.mtok_out[0] == pytest.approx(10 * 2190 * 3600 * 500 / 1e6)
    assert demand.gb_wire[0] == pytest.approx(10 * 2190 * 3600 * 1500 * 8 / 1e9)
    assert demand.work == (0.0,) * 4


@pytest.mark.parametrize(("risk", "factor"), [("low", 1.2), ("medium", 1.1), ("high", 1.0)])
def test_risk_tolerance_sets_the_headroom(risk: str, factor: float) -> None:
    """Only peaks carry it, volumes never."""
    grid = grid_of(workload(), finance=Finance(risk_tolerance=RiskTolerance(risk)))
    assert grid.workloads[0].peak_rate[0][0] == pytest.approx(10 * factor)
    assert grid.workloads[0].mean_rate[0][0] == 10.0


@given(shape=st.sampled_from(SHAPE_NAMES), growth=st.floats(-0.5, 2.0), blocks=st.integers(1, 6))
def test_volumes_do_not_depend_on_how_the_week_is_cut(shape: str, growth: float, blocks: int) -> None:
    """Mean rates weighted by the blocks add up to the declared mean, and no peak is below its mean."""
    one = workload(growth_per_year=growth, callers=(Caller(place="DE"), Caller(place="US")))
    declared = replace(one, demand=replace(one.demand, shape=shape))
    grid = grid_of(declared, horizon=replace(YEAR, blocks=blocks))
    factors = growth_factors(growth, YEAR)
    (demand,) = grid.workloads
    for means, peaks, factor in zip(demand.mean_rate, demand.peak_rate, factors, strict=True):
        total = sum(rate * block.weight for rate, block in zip(means, grid.blocks, strict=True))
        assert total == pytest.approx(10 * factor)
        assert all(peak >= mean - 1e-9 for peak, mean in zip(peaks, means, strict=True))


def test_the_peak_of_a_block_is_its_busiest_hour_even_of_a_small_workload() -> None:
    """A nightly workload that is tiny beside office hours still gets its own busiest hour in every block."""
    day = replace(workload("day"), demand=Demand(requests_per_s=100.0, shape="office_hours"))
    night = replace(workload("night"), demand=Demand(requests_per_s=1.0, shape="nightly"))
    grid = grid_of(day, night)
    weights = shape_weights("nightly")
    for block, rate in zip(grid.blocks, grid.workloads[1].peak_rate[0], strict=True):
        assert rate == pytest.approx(1.1 * max(weights[hour] for hour in block.hours_of_week))


def test_batch_work_is_counted_in_million_tokens_and_split_as_the_requests_are() -> None:
    """300 Mtok a month at 1000 in / 500 out: 900 a quarter, two thirds of them input."""
    batch = workload(
        kind=WorkloadKind.BATCH_INFERENCE,
        demand=Demand(mtok_per_month=300.0, input_tokens=1000.0, output_tokens=500.0),
    )
    (demand,) = grid_of(batch).workloads
    assert demand.work[0] == pytest.approx(900.0)
    assert [demand.mtok_in[0], demand.mtok_out[0]] == pytest.approx([600.0, 300.0])
    assert demand.peak_rate[0] == (0.0,)


def test_batch_work_may_be_declared_as_requests() -> None:
    """864 documents a day of 1500 tokens."""
    batch = workload(
        kind=WorkloadKind.BATCH_INFERENCE,
        demand=Demand(requests_per_day=864.0, input_tokens=1000.0, output_tokens=500.0),
    )
    assert grid_of(batch).workloads[0].work[0] == pytest.approx(0.01 * 1500 * 2190 * 3600 / 1e6)


def test_embeddings_have_no_output() -> None:
    """All work is input."""
    embed = workload(kind=WorkloadKind.EMBEDDING, demand=Demand(mtok_per_month=100.0, input_tokens=512.0))
    (demand,) = grid_of(embed).workloads
    assert [demand.mtok_in[0], demand.mtok_out[0], demand.output_tokens] == pytest.approx([300.0, 0.0, 0.0])


def test_training_work_is_reference_hours() -> None:
    """200 accelerator-hours a month are 600 a quarter; nothing crosses the wire."""
    train = workload(kind=WorkloadKind.TRAINING, demand=Demand(gpu_hours_per_month=200.0, gang_gpus=16))
    (demand,) = grid_of(train).workloads
    assert (demand.work[0], demand.gang_gpus, demand.gb_wire[0]) == (600.0, 16, 0.0)


def test_a_profile_replaces_rate_tokens_shape_and_burstiness() -> None:
    """And `scale` multiplies its rate."""
    week = tuple(2.0 if hour < 84 else 0.0 for hour in range(168))
    profile = DemandProfile(
        name="log",
        kind="requests",
        source="log",
        window_s=604_800.0,
        rows=10,
        requests_per_s=5.0,
        input_tokens=Distribution(mean=300.0, p50=1.0, p95=1.0, p99=1.0),
        output_tokens=Distribution(mean=70.0, p50=1.0, p95=1.0, p99=1.0),
        burstiness_cv=2.5,
        hour_of_week=week,
    )
    chat = replace(workload(), demand=replace(workload().demand, scale=3.0))
    made, figures = demand_grid(
        estate(cloud(), workloads=(chat,), horizon=YEAR), sizing_catalog(), {WorkloadId("chat"): profile}
    )
    (demand,) = made.workloads
    assert (demand.input_tokens, demand.output_tokens, demand.burstiness_cv) == (300.0, 70.0, 2.5)
    assert demand.mean_rate[0] == pytest.approx((30.0, 0.0))
    assert not [figure for figure in figures if figure.key.startswith("workload.chat")]


def test_a_job_log_is_scaled_to_a_month() -> None:
    """70 accelerator-hours in a week are 304.2 in a month of 730 hours."""
    profile = DemandProfile(
        name="jobs", kind="gpu_jobs", source="log", window_s=604_800.0, rows=1, gpu_hours=70.0, gang_gpus=8
    )
    train = workload(kind=WorkloadKind.TRAINING, demand=Demand(profile="jobs.json"))
    made, _ = demand_grid(
        estate(cloud(), workloads=(train,), horizon=YEAR), sizing_catalog(), {WorkloadId("chat"): profile}
    )
    assert made.workloads[0].work[0] == pytest.approx(3 * 70 * 730 / 168)
    assert made.workloads[0].gang_gpus == 8


def test_every_default_used_is_told() -> None:
    """Tokens, burstiness and the flat week of a workload that declares only its rate."""
    bare = workload(demand=Demand(requests_per_s=1.0))
    _, figures = demand_grid(estate(cloud(), workloads=(bare,), horizon=YEAR), sizing_catalog(), {})
    told = {figure.key: figure for figure in figures}
    assert told["workload.chat.input_tokens"].value == 1000.0
    assert told["workload.chat.output_tokens"].value == 250.0
    assert told["workload.chat.burstiness_cv"].value == 1.5
    assert told["workload.chat.peak_to_mean"].origin is Origin.DEFAULT
    assert told["demand.headroom"].value == 1.1


def test_blocks_follow_accelerator_work_rather_than_requests() -> None:
    """Many tiny nightly requests of a small model do not outweigh the day of a large one."""
    day = replace(workload("day", model="m70"), demand=Demand(requests_per_s=10.0, shape="office_hours"))
    night = replace(
        workload("night"),
        demand=Demand(requests_per_s=30.0, shape="nightly", input_tokens=10.0, output_tokens=5.0),
    )
    busiest = grid_of(day, night).blocks[0].hours_of_week
    office = np.array(shape_weights("office_hours"))
    assert office[list(busiest)].min() > 1.0
    assert office.argmax() in busiest


def test_a_week_without_hours_that_differ_is_one_block() -> None:
    """The long way says the same; it is spared because a gateway that starts would import numpy for nothing else."""
    loads = [[0.3] * 168, [7.0] * 168]
    (block,) = cluster_hours(loads, 4)
    assert runs_of_hours(loads, 4) == [list(block.hours_of_week)]
    assert cluster_hours([], 4) == (block,)
