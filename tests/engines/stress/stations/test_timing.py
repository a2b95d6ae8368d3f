"""The folded closed form is the closed form."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.stations import PACES, SHAPES

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


@given(TIMINGS, SHAPES, st.integers(1, 4000))
def test_a_typical_request_among_typical_ones_is_the_closed_form(
    timing: BatchTiming, shape: Shape, running: int
) -> None:
    """Whether the others are named or taken to be alike."""
    alike = replace(shape, input_tokens=int(shape.input_tokens), output_tokens=int(shape.output_tokens))
    own = replace(timing, cached_share=alike.cached_share)
    named = replace(own, typical=alike)
    asked = (running, int(alike.input_tokens), int(alike.output_tokens))
    assert named.times(*asked) == pytest.approx(own.times(*asked))


@given(TIMINGS, SHAPES, st.integers(1, 4000), st.integers(1, 8000), st.integers(1, 2000))
def test_longer_requests_stay_longer(
    timing: BatchTiming, shape: Shape, running: int, tokens_in: int, tokens_out: int
) -> None:
    """Among the same others, more to read or to write never ends sooner."""
    named = replace(timing, typical=shape)
    total = sum(named.times(running, tokens_in, tokens_out))
    assert sum(named.times(running, tokens_in + 1, tokens_out)) >= total * (1 - 1e-12)
    assert sum(named.times(running, tokens_in, tokens_out + 1)) >= total * (1 - 1e-12)


@given(TIMINGS, SHAPES, st.integers(1, 4000), st.integers(1, 8000), st.integers(1, 2000))
def test_parts_sum_up_to_the_stay_but_for_who_waits(
    timing: BatchTiming, shape: Shape, running: int, tokens_in: int, tokens_out: int
) -> None:
    """Overhead, prefill, half an iteration and the rest are the whole stay: waiting is for whoever keeps a line."""
    named = replace(timing, typical=shape)
    overhead, own, half, rest = named.parts(running, tokens_in, tokens_out)
    total = sum(named.times(running, tokens_in, tokens_out))
    if shape.output_tokens * 2 * half > 0:  # the others decode for a time, which so few tokens as 5e-324 do not
        assert overhead + own + half + rest == pytest.approx(total)
    else:
        assert rest == 0.0
        assert total >= (overhead + own) * (1 - 1e-12)
