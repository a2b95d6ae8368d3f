"""The folded closed form is the closed form."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.stations import PACES

from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.stations.pace import Pace, stay_of
from tripoint.engines.stress.stations.timing import BatchTiming

TIMINGS = st.builds(
    BatchTiming, pace=PACES, replicas=st.floats(0.5, 64.0), cached_share=st.sampled_from([0.0, 0.3, 0.9])
)


@given(TIMINGS, st.integers(1, 4000), st.integers(1, 20_000), st.integers(0, 4_000))
def test_folded_is_unfolded(timing: BatchTiming, running: int, tokens_in: int, tokens_out: int) -> None:
    """Both parts sum up to the stay; the first is its time to first token, never more than the whole."""
    shape = Shape(input_tokens=tokens_in, output_tokens=tokens_out, cached_share=timing.cached_share)
    stay = stay_of(timing.pace, shape)
    beside = max(running / timing.replicas, 1.0)
    first, rest = timing.times(running, tokens_in, tokens_out)
    assert first + rest == pytest.approx(stay.total_s(beside))
    assert first == pytest.approx(min(stay.first_token_s(beside), stay.total_s(beside)))
    assert rest >= 0


@given(TIMINGS)
def test_a_timing_crosses_processes(timing: BatchTiming) -> None:
    """Trials run elsewhere: what they are made of is the same there."""
    assert pickle.loads(pickle.dumps(timing)) == timing


def test_slots_are_those_of_all_replicas() -> None:
    """Each replica runs its own batch; less than one sequence is one."""
    pace = Pace(base_s=0.01, sequence_s=0.001, context_s=0.0, prefill_s=1e-5, max_sequences=40)
    assert BatchTiming(pace=pace, replicas=2.5).slots == 100
    assert BatchTiming(pace=pace, replicas=0.001).slots == 1
