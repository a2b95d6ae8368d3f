"""Paces of replicas and shapes of requests, for Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.stations.pace import Pace

PACES = st.builds(
    Pace,
    base_s=st.floats(0.001, 0.1),
    sequence_s=st.floats(0.0, 0.002),
    context_s=st.floats(0.0, 1e-6),
    prefill_s=st.floats(1e-6, 1e-3),
    overhead_s=st.floats(0.0, 0.5),
    max_sequences=st.integers(1, 512),
    found_share=st.one_of(st.none(), st.floats(0.0, 1.0)),
)
SHAPES = st.builds(
    Shape,
    input_tokens=st.floats(1.0, 20_000.0),
    output_tokens=st.floats(0.0, 4_000.0),
    cached_share=st.floats(0.0, 1.0),
)
