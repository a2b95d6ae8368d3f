"""A full replica does what the planner sized it for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.stations.listed import MOST_SEQUENCES, FullLoad, pace_at
from tripoint.engines.stress.stations.pace import stay_of

LOADS = st.builds(
    FullLoad,
    rate_per_s=st.floats(0.01, 100.0),
    tpot_s=st.floats(0.005, 0.2),
    prefill_s=st.floats(1e-6, 1e-3),
    read_s=st.floats(0.0, 0.05),
    context_s=st.floats(0.0, 1e-6),
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
    assert pace.base_s <= load.read_s


def test_a_full_replica_keeps_the_planned_time_per_token() -> None:
    """Sequences are as many as the time per token of the point allows."""
    shape = Shape(input_tokens=1024, output_tokens=512)
    load = FullLoad(rate_per_s=4.0, tpot_s=0.045, prefill_s=2e-5, read_s=0.01, context_s=1e-8)
    stay = stay_of(pace_at(load, shape), shape)
    sequences = stay.pace.max_sequences
    per_token = (stay.total_s(sequences) - stay.prefill_s) / shape.output_tokens
    assert per_token == pytest.approx(0.045, rel=0.02)


def test_a_lone_sequence_is_as_quick_as_the_memory() -> None:
    """With one sequence an iteration takes hardly more than reading the weights."""
    shape = Shape(input_tokens=1024, output_tokens=512)
    load = FullLoad(rate_per_s=4.0, tpot_s=0.045, prefill_s=2e-5, read_s=0.01, context_s=1e-8)
    assert stay_of(pace_at(load, shape), shape).iteration_s(1) == pytest.approx(0.01, rel=0.05)


def test_work_without_output_is_prefill_alone() -> None:
    """Embeddings are done one after the other at the planned rate."""
    shape = Shape(input_tokens=512, output_tokens=0)
    load = FullLoad(rate_per_s=50.0, tpot_s=0.0, prefill_s=1e-6, read_s=0.01, context_s=0.0)
    stay = stay_of(pace_at(load, shape), shape)
    assert stay.most_per_s == pytest.approx(50.0)
    assert stay.total_s(1) == pytest.approx(0.02)
