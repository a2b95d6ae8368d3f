"""Prompts wait for each other on the replica that is free soonest."""

from __future__ import annotations

import statistics
from itertools import accumulate

import pytest
from benchmarks.stress_service import REPLICA
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.stations import PACES

from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.stations.batch import Batch, Step
from tripoint.engines.stress.stations.pace import Pace, stay_of
from tripoint.engines.stress.stations.prompts import PromptLine
from tripoint.engines.stress.stations.timing import BatchTiming

SHAPE = Shape(input_tokens=1000, output_tokens=200)
PLAIN = Pace(base_s=0.01, sequence_s=0.0, context_s=0.0, prefill_s=0.001, max_sequences=64)


def test_prompts_that_come_together_wait_for_each_other() -> None:
    """Three inputs of a tenth of a second on two replicas: two at once, the third after one of them."""
    line = PromptLine(BatchTiming(pace=PLAIN, replicas=2, typical=SHAPE))
    firsts = [line.times(5.0, 1, 100, 10)[0] for _ in range(3)]
    assert firsts == pytest.approx([0.105, 0.105, 0.205])


def test_a_free_replica_begins_at_the_next_iteration() -> None:
    """Half an iteration after it was asked, on average; long after the last prompt nothing is left of it."""
    line = PromptLine(BatchTiming(pace=PLAIN, replicas=1, typical=SHAPE))
    assert line.times(0.0, 1, 100, 10)[0] == pytest.approx(0.105)
    assert line.times(9.0, 1, 200, 10)[0] == pytest.approx(0.205)


def test_what_is_slower_is_slower_as_a_whole() -> None:
    """Overhead, prefill and iterations alike, and the others behind it wait as long."""
    quick, slow = (PromptLine(BatchTiming(pace=REPLICA, replicas=1, typical=SHAPE)) for _ in range(2))
    for _ in range(4):
        first, rest = quick.times(0.0, 3, 1000, 200)
        assert slow.times(0.0, 3, 1000, 200, 2.0) == pytest.approx((2 * first, 2 * rest))


def test_fewer_replicas_make_a_longer_line() -> None:
    """Half of four: two prompts at once; those that come back are free."""
    line = PromptLine(BatchTiming(pace=PLAIN, replicas=4, typical=SHAPE))
    line.keep(0.5, 1.0)
    assert [line.times(1.0, 1, 100, 10)[0] for _ in range(3)] == pytest.approx([0.105, 0.105, 0.205])
    line.keep(1.0, 1.0)
    assert [line.times(1.0, 1, 100, 10)[0] for _ in range(2)] == pytest.approx([0.105, 0.105])


@given(
    PACES,
    st.floats(0.5, 8.0),
    st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(0, 3000), st.integers(0, 300)), max_size=20),
)
def test_nobody_is_quicker_than_alone(pace: Pace, replicas: float, asked: list[tuple[float, int, int]]) -> None:
    """Whatever comes in whatever order, a first token is not there before its own prefill, nor after for ever."""
    line = PromptLine(BatchTiming(pace=pace, replicas=replicas, typical=SHAPE))
    now, work = 0.0, 0.0
    for gap, tokens_in, tokens_out in asked:
        now += gap
        own = pace.prefill_s * tokens_in
        first, rest = line.times(now, 1, tokens_in, tokens_out)
        assert first >= own * (1 - 1e-9)
        assert rest >= 0
        work += own
        iteration = pace.base_s + (pace.sequence_s + pace.context_s * 1100) / min(replicas, 1.0)
        assert first <= work + pace.overhead_s + len(asked) * iteration + 1e-9


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_the_slowest_first_tokens_are_those_of_the_exact_replica(load: float) -> None:
    """Mean, 95th and 99th percentile within a twentieth, for inputs from 200 to 5000 tokens and arrivals by
    chance, as long as there are slots."""
    count = 3000
    draws = Streams(11, 0)
    gaps, inputs, outputs = (draws.named(name) for name in ("gaps", "inputs", "outputs"))
    lengths = [(200 + int(4800 * inputs.uniform(n)), 50 + int(500 * outputs.uniform(n))) for n in range(count)]
    typical = Shape(
        input_tokens=statistics.mean(tokens for tokens, _ in lengths),
        output_tokens=statistics.mean(tokens for _, tokens in lengths),
    )
    rate = load * stay_of(REPLICA, typical).most_per_s
    times = list(accumulate(gaps.exponential(number) / rate for number in range(count)))
    batch, steps = Batch(REPLICA), list[Step]()
    line = PromptLine(BatchTiming(pace=REPLICA, replicas=1, typical=typical))
    told, running = list[float](), list[float]()
    for number, (at, tokens) in enumerate(zip(times, lengths, strict=True)):
        steps.extend(batch.played_until(at))
        batch.add(at, number, *tokens)
        running = [end for end in running if end > at]
        first, rest = line.times(at, len(running) + 1, *tokens)
        told.append(first)
        running.append(at + first + rest)
    steps.extend(batch.played_until(float("inf")))
    exact = {step.number: step.at_s - times[step.number] for step in steps if not step.is_last}
    true = [exact[number] for number in range(count)]
    assert statistics.mean(told) == pytest.approx(statistics.mean(true), rel=0.05)
    for percentile in (94, 98):
        slow = statistics.quantiles(told, n=100)[percentile]
        assert slow == pytest.approx(statistics.quantiles(true, n=100)[percentile], rel=0.05)
