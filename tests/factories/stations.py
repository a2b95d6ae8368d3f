"""Paces of replicas and shapes of requests for Hypothesis, and what a replica of a pace answers."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.stations.batch import Batch, Step
from tripoint.engines.stress.stations.observed import Answered
from tripoint.engines.stress.stations.pace import Pace, stay_of

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


def answered_by(pace: Pace, loads: Sequence[float], each: int, seed: int = 5) -> list[Answered]:
    """What a replica of that pace answers at such shares of the most it carries, `each` requests at one after another.

    Inputs of 200 to 1800 tokens, outputs of 20 to 380, arrivals by chance.
    """
    most = stay_of(pace, Shape(input_tokens=1000, output_tokens=200)).most_per_s
    draws = Streams(seed, 0)
    gaps, inputs, outputs = (draws.named(name) for name in ("gaps", "inputs", "outputs"))
    batch, asked, steps = Batch(pace), list[tuple[float, int, int]](), list[Step]()
    at = 0.0
    for number in range(len(loads) * each):
        at += gaps.exponential(number) / (loads[number // each] * most)
        tokens = (200 + int(1600 * inputs.uniform(number)), 20 + int(360 * outputs.uniform(number)))
        steps.extend(batch.played_until(at))
        batch.add(at, number, *tokens)
        asked.append((at, *tokens))
    steps.extend(batch.played_until(float("inf")))
    ends = {(step.number, step.is_last): step.at_s for step in steps}
    return [
        Answered(
            began_s=began,
            first_token_s=ends[number, False] - began,
            per_token_s=(ends[number, True] - ends[number, False]) / (tokens_out - 1),
            total_s=ends[number, True] - began,
            input_tokens=tokens_in,
            output_tokens=tokens_out,
        )
        for number, (began, tokens_in, tokens_out) in enumerate(asked)
    ]
