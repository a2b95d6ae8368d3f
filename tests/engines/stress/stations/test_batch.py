"""A replica played event by event: against iterations one by one, and against the closed form."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import pytest
from benchmarks.stress_service import LENGTHS, REPLICA, documents
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.stations import PACES

from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.stations.batch import Batch, Step
from tripoint.engines.stress.stations.pace import Pace, stay_of

Asked = tuple[float, int, int]
ASKED = st.lists(st.tuples(st.floats(0.0, 2.0), st.integers(1, 3000), st.integers(1, 60)), min_size=1, max_size=12)


def one_by_one(pace: Pace, asked: Sequence[Asked]) -> list[Step]:
    """The same rules, an iteration at a time: what `Batch` must find in larger steps."""
    waiting = [(at + pace.overhead_s, number, i, o) for number, (at, i, o) in enumerate(asked)]
    running: dict[int, list[int]] = {}  # number -> [tokens held, tokens to come]
    now, steps = 0.0, []
    while waiting or running:
        if waiting and len(running) < pace.max_sequences and waiting[0][0] <= now:
            _, number, tokens_in, tokens_out = waiting.pop(0)
            now += pace.prefill_s * tokens_in
            steps.append(Step(now, number, False))
            if tokens_out == 1:
                steps.append(Step(now, number, True))
            else:
                running[number] = [tokens_in + 1, tokens_out - 1]
        elif running:
            held = sum(each[0] for each in running.values())
            now += pace.base_s + len(running) * pace.sequence_s + held * pace.context_s
            for number, each in sorted(running.items()):
                each[0] += 1
                each[1] -= 1
                if each[1] == 0:
                    del running[number]
                    steps.append(Step(now, number, True))
        else:
            now = waiting[0][0]
    return steps


def played(pace: Pace, asked: Sequence[Asked]) -> list[Step]:
    """All steps, time moving from arrival to arrival."""
    batch, steps = Batch(pace), []
    for number, (at, tokens_in, tokens_out) in enumerate(asked):
        steps.extend(batch.played_until(at))
        batch.add(at, number, tokens_in, tokens_out)
    return [*steps, *batch.played_until(float("inf"))]


@given(PACES, ASKED)
def test_large_steps_find_what_single_iterations_find(pace: Pace, gaps: list[Asked]) -> None:
    """The same tokens for the same requests at the same times."""
    times = accumulate(gap for gap, _, _ in gaps)
    asked = [(at, tokens_in, tokens_out) for at, (_, tokens_in, tokens_out) in zip(times, gaps, strict=True)]
    found, true = played(pace, asked), one_by_one(pace, asked)
    assert len(found) == 2 * len(asked) == len(true)
    key = {(step.number, step.is_last): step.at_s for step in true}
    assert {(step.number, step.is_last): step.at_s for step in found} == pytest.approx(key, rel=1e-6)


@given(PACES, ASKED, st.lists(st.floats(0.0, 20.0), max_size=10))
def test_looking_in_between_changes_nothing(pace: Pace, gaps: list[Asked], looks: list[float]) -> None:
    """However often somebody asks what has happened so far, the same happens."""
    asked = [(0.0, tokens_in, tokens_out) for _, tokens_in, tokens_out in gaps]
    batch = Batch(pace)
    for number, (at, tokens_in, tokens_out) in enumerate(asked):
        batch.add(at, number, tokens_in, tokens_out)
    steps = [step for look in sorted(looks) for step in batch.played_until(look)]
    steps.extend(batch.played_until(float("inf")))
    plain = played(pace, asked)
    assert [(step.number, step.is_last) for step in steps] == [(step.number, step.is_last) for step in plain]
    assert [step.at_s for step in steps] == pytest.approx([step.at_s for step in plain], rel=1e-6)


@pytest.mark.parametrize("sequences", [1, 4, 16, 64, 128])
def test_the_closed_form_holds_with_so_many_always_present(sequences: int) -> None:
    """Each answer is followed by the next request at once: the stay is the closed form's within a hundredth."""
    batch, began, stays = Batch(REPLICA), dict[int, float](), list[float]()
    for number in range(sequences):
        batch.add(0.0, number, 1024, 256)
        began[number] = 0.0
    look = 0.0
    while len(stays) < 20 * sequences:
        look += 0.01
        for step in batch.played_until(look):
            if step.is_last:
                stays.append(step.at_s - began[step.number])
                began[len(began)] = step.at_s
                batch.add(step.at_s, len(began) - 1, 1024, 256)
    stay = stay_of(REPLICA, Shape(input_tokens=1024, output_tokens=256))
    assert statistics.mean(stays[10 * sequences :]) == pytest.approx(stay.total_s(sequences), rel=0.01)


@pytest.mark.parametrize(("load", "off"), [(0.3, 0.03), (0.5, 0.06), (0.7, 0.06), (0.85, 0.08)])
def test_times_frozen_at_the_beginning_on_real_lengths_of_documents(shared_data: Path, load: float, off: float) -> None:
    """As trials take them, against the exact ones: mean and 99th percentile of the stay, mean time to first token."""
    if not (shared_data / LENGTHS).exists():
        pytest.skip(f"`{LENGTHS}` is not beside the checkout")
    found = documents(shared_data, load)
    assert found.stay == pytest.approx(1.0, rel=off)
    assert found.longest == pytest.approx(1.0, rel=off)
    assert found.first_token == pytest.approx(1.0, rel=0.03)


def test_no_more_than_fit_are_run_at_once() -> None:
    """The third of three waits for a place, though the replica would have time for its input."""
    pace = Pace(base_s=0.01, sequence_s=0.0, context_s=0.0, prefill_s=0.0001, max_sequences=2)
    steps = played(pace, [(0.0, 100, 11), (0.0, 100, 21), (0.0, 100, 2)])
    at = {(step.number, step.is_last): step.at_s for step in steps}
    assert at[0, False] == pytest.approx(0.01)
    assert at[1, False] == pytest.approx(0.02)
    assert at[0, True] == pytest.approx(0.12)
    assert at[2, False] == pytest.approx(0.13)
    assert at[1, True] > at[2, True] > at[0, True]


def test_an_iteration_that_takes_no_time_ends_at_once() -> None:
    """A pace with nothing but prefill finishes where its input is computed."""
    pace = Pace(base_s=0.0, sequence_s=0.0, context_s=0.0, prefill_s=0.001, max_sequences=4)
    steps = played(pace, [(0.0, 100, 50), (0.05, 100, 50)])
    assert max(step.at_s for step in steps) == pytest.approx(0.2)
