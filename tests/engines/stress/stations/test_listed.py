"""A full replica does what the planner sized it for."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.apps.wiring import load_catalog, load_estate
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.units import ModelId
from tripoint.engines.facts.pools import pool_specs
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.sizing.fit.desk import Desk
from tripoint.engines.sizing.fit.hosting import Hosted, Seat, best_hosting
from tripoint.engines.sizing.speed.memory import model_size
from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.stations.listed import MOST_SEQUENCES, FullLoad, pace_at, pace_of, physics
from tripoint.engines.stress.stations.pace import stay_of

ROOT = Path(__file__).resolve().parents[4]
LOADS = st.builds(
    FullLoad,
    rate_per_s=st.floats(0.01, 100.0),
    tpot_s=st.floats(0.005, 0.2),
    prefill_s=st.floats(1e-6, 1e-3),
    base_s=st.floats(0.0, 0.05),
    context_s=st.floats(0.0, 1e-6),
    overhead_s=st.floats(0.0, 1.0),
)
SHAPES = st.builds(Shape, input_tokens=st.floats(1.0, 8_000.0), output_tokens=st.floats(1.0, 2_000.0))


@given(LOADS, SHAPES)
def test_a_full_replica_finishes_the_planned_rate(load: FullLoad, shape: Shape) -> None:
    """Whatever the division of its work, the most it does is what the planner counted on."""
    assert stay_of(pace_at(load, shape), shape).most_per_s == pytest.approx(load.rate_per_s)


@given(LOADS, SHAPES)
def test_every_part_of_the_time_is_a_time(load: FullLoad, shape: Shape) -> None:
    """No part is negative, and a batch is never free."""
    pace = pace_at(load, shape)
    assert min(pace.base_s, pace.sequence_s, pace.context_s, pace.prefill_s) >= 0
    assert 1 <= pace.max_sequences <= MOST_SEQUENCES
    assert pace.base_s <= load.base_s


def test_a_full_replica_keeps_the_planned_time_per_token() -> None:
    """Sequences are as many as the time per token of the point allows."""
    shape = Shape(input_tokens=1024, output_tokens=512)
    load = FullLoad(rate_per_s=4.0, tpot_s=0.045, prefill_s=2e-5, base_s=0.01, context_s=1e-8)
    stay = stay_of(pace_at(load, shape), shape)
    sequences = stay.pace.max_sequences
    per_token = (stay.total_s(sequences) - stay.prefill_s) / shape.output_tokens
    assert per_token == pytest.approx(0.045, rel=0.02)


def test_a_lone_sequence_is_as_quick_as_the_memory() -> None:
    """With one sequence an iteration takes hardly more than reading the weights."""
    shape = Shape(input_tokens=1024, output_tokens=512)
    load = FullLoad(rate_per_s=4.0, tpot_s=0.045, prefill_s=2e-5, base_s=0.01, context_s=1e-8)
    assert stay_of(pace_at(load, shape), shape).iteration_s(1) == pytest.approx(0.01, rel=0.05)


def test_work_without_output_is_prefill_alone() -> None:
    """Embeddings are done one after the other at the planned rate."""
    shape = Shape(input_tokens=512, output_tokens=0)
    load = FullLoad(rate_per_s=50.0, tpot_s=0.0, prefill_s=1e-6, base_s=0.01, context_s=0.0)
    stay = stay_of(pace_at(load, shape), shape)
    assert stay.most_per_s == pytest.approx(50.0)
    assert stay.total_s(1) == pytest.approx(0.02)


@pytest.mark.parametrize("template", ["three-layer", "hybrid", "edge-retail"])
def test_seats_are_the_planners_own(template: str) -> None:
    """On every pool of a shipped template, a node's replicas finish what the planner counts on, at its own time."""
    loaded = load_estate(ROOT / "src" / "tripoint" / "templates" / template)
    catalog = load_catalog()
    instance = prepare(loaded.estate, catalog, loaded.profiles)
    desk = Desk(estate=loaded.estate, catalog=catalog)
    fits = {(lane.fit.workload, lane.fit.pool): lane.fit for lane in instance.lanes if not lane.fit.is_api}
    seen = 0
    for workload, demand in zip(loaded.estate.workloads, instance.grid.workloads, strict=True):
        errand = desk.errand(workload, demand)
        for pool in pool_specs(loaded.estate, catalog):
            fit, chip = fits.get((workload.id, pool.id)), desk.accelerator(pool.node.accelerator)
            if fit is None or not workload.kind.is_interactive:
                continue
            assert chip is not None
            rtt = desk.worst_rtt(workload, pool.site.id)
            hosted = best_hosting(desk, Seat(errand=errand, node=pool.node, chip=chip, rtt=rtt))
            assert isinstance(hosted, Hosted)
            pace = pace_of(desk, errand, hosted, chip)
            stay = stay_of(pace, errand.shape)
            assert stay.most_per_s * hosted.replicas_per_node == pytest.approx(1 / fit.busy_nodes_per_unit)
            if fit.tpot_ms is not None and 1 < pace.max_sequences < MOST_SEQUENCES:
                per_token_s = (stay.total_s(pace.max_sequences) - stay.prefill_s) / errand.shape.output_tokens
                assert per_token_s * 1000 <= fit.tpot_ms * 1.25
            seen += 1
    assert seen > 0


def test_physics_of_a_dense_model() -> None:
    """70 billion bytes over 2 x 3350 GB/s, and 2 x 70 billion operations at the 8-bit peak of two accelerators."""
    catalog = load_catalog()
    size = model_size(ModelSpec(id=ModelId("llama3.1-70b")), catalog)
    chip = next(row for row in catalog.accelerators if row.id == "h100-sxm")
    assert size is not None
    defaults = {
        "weights.bytes_per_parameter.fp8": 1.0,
        "weights.bytes_per_parameter.bf16": 2.0,
        "stress.iteration_over_floor": 1.0,
        "stress.iteration_fixed_ms": 3.0,
        "stress.prefill_mfu": 0.5,
    }
    known = physics(size, chip, 2, "fp8", defaults.__getitem__)
    assert known.base_s == pytest.approx(70.6 / (2 * chip.mem_bw_gb_s) + 0.003)
    assert known.prefill_s == pytest.approx(2 * 70.6e9 / (2 * (chip.fp8_dense_tflops or 0.0) * 1e12 * 0.5))
    wide = physics(size, chip, 2, "bf16", defaults.__getitem__)
    assert wide.prefill_s == pytest.approx(known.prefill_s * (chip.fp8_dense_tflops or 0.0) / chip.bf16_dense_tflops)


def test_mixtures_of_experts_have_no_least_prefill() -> None:
    """The share of the peak they reach varies too much to say."""
    catalog = load_catalog()
    size = model_size(ModelSpec(id=ModelId("mixtral-8x7b")), catalog)
    assert size is not None
    assert math.isinf(physics(size, catalog.accelerators[0], 1, "fp8", lambda key: 1.0).prefill_s)
