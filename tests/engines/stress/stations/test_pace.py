"""The closed form of a batch: linear in the sequences, consistent with Little's law."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.factories.stations import PACES, SHAPES

from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.stations.pace import Pace, stay_of


@given(PACES, SHAPES, st.integers(1, 512))
def test_stay_is_prefills_and_iterations(pace: Pace, shape: Shape, sequences: int) -> None:
    """The closed form is the sum of what the docstring says a request waits for."""
    stay = stay_of(pace, shape)
    prefills = sequences * pace.prefill_s * shape.input_tokens * (1 - shape.cached_share)
    iterations = shape.output_tokens * stay.iteration_s(sequences)
    assert stay.total_s(sequences) == pytest.approx(pace.overhead_s + prefills + iterations)


@given(PACES, SHAPES, st.floats(1.0, 512.0))
def test_little_law_at_any_number_present(pace: Pace, shape: Shape, sequences: float) -> None:
    """The number present is the rate at which they finish times how long each stays."""
    stay = stay_of(pace, shape)
    assume(stay.total_s(sequences) > 0)
    assert stay.rate_per_s(sequences) * stay.total_s(sequences) == pytest.approx(sequences)


@given(PACES, SHAPES)
def test_more_company_means_a_longer_stay_and_more_work_done(pace: Pace, shape: Shape) -> None:
    """Beside more sequences nobody is quicker, and the replica finishes no fewer."""
    stay = stay_of(pace, shape)
    assume(stay.beside_s > 0)
    stays = [stay.total_s(n) for n in range(1, 20)]
    rates = [stay.rate_per_s(n) for n in range(1, 20)]
    assert stays == sorted(stays)
    assert all(later >= sooner * (1 - 1e-12) for sooner, later in pairwise(rates))


@given(PACES, SHAPES, st.integers(1, 512))
def test_first_token_comes_after_its_prefill(pace: Pace, shape: Shape, sequences: int) -> None:
    """Own prefill at least, all prefills and one iteration at most."""
    stay = stay_of(pace, shape)
    first = stay.first_token_s(sequences)
    alone = pace.overhead_s + stay.prefill_s
    assert first >= alone * (1 - 1e-12)
    most = pace.overhead_s + stay.prefill_s * sequences + stay.iteration_s(sequences)
    assert first <= most * (1 + 1e-12)


@given(PACES, SHAPES, st.floats(1.0, 20.0))
def test_a_slower_replica_is_slower_by_that_much(pace: Pace, shape: Shape, times: float) -> None:
    """Everything takes so many times as long; the batch stays as large."""
    usual, slow = stay_of(pace, shape), stay_of(pace.slower(times), shape)
    assert slow.total_s(7) == pytest.approx(times * usual.total_s(7))
    assert slow.first_token_s(7) == pytest.approx(times * usual.first_token_s(7))
    assert slow.pace.max_sequences == pace.max_sequences


def test_a_full_replica_finishes_less_than_an_endless_batch_would() -> None:
    """No batch carries more than one request per time that each adds to the others' stay."""
    pace = Pace(base_s=0.01, sequence_s=0.001, context_s=0.0, prefill_s=0.0001)
    stay = stay_of(pace, Shape(input_tokens=100, output_tokens=100))
    assert stay.most_per_s < 1 / stay.beside_s
