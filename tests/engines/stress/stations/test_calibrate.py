"""A pace is found again from what it would measure, and tells measurements it has not seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.stress_service import (
    SILICON,
    SPLITWISE,
    ends,
    every_other,
    from_the_catalogue,
    from_the_roofline,
    held_out,
    ninth,
    silicon,
    splitwise,
    typical,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from tripoint.apps import wiring
from tripoint.engines.stress.stations.calibrate import Measured, calibrate, first_token_s, per_token_s
from tripoint.engines.stress.stations.pace import Pace

TRUE = Pace(
    base_s=0.012, sequence_s=0.0001, context_s=4e-8, prefill_s=5e-5, overhead_s=0.05, max_sequences=256, found_share=0.1
)
SHAPES = ((1000.0, 200.0), (4000.0, 500.0), (200.0, 1000.0))


def measured(pace: Pace, is_together: bool = False) -> list[Measured]:
    """What three shapes at four sizes of batch would measure."""
    blank = [
        Measured(sequences=n, input_tokens=tokens_in, output_tokens=tokens_out, is_together=is_together)
        for tokens_in, tokens_out in SHAPES
        for n in (1.0, 8.0, 32.0, 128.0)
    ]
    return [
        Measured(
            sequences=at.sequences,
            input_tokens=at.input_tokens,
            output_tokens=at.output_tokens,
            first_token_s=first_token_s(pace, at),
            per_token_s=per_token_s(pace, at),
            is_together=is_together,
        )
        for at in blank
    ]


@pytest.mark.parametrize("is_together", [False, True])
def test_a_pace_is_found_again(is_together: bool) -> None:
    """Every part of it, from exact measurements under callers or of fixed batches."""
    found = calibrate(measured(TRUE, is_together), 256)
    assert found is not None
    for part in ("base_s", "sequence_s", "context_s", "prefill_s", "overhead_s"):
        assert getattr(found.pace, part) == pytest.approx(getattr(TRUE, part), rel=1e-3), part
    assert found.per_token_error < 1e-6
    if not is_together:
        assert found.pace.found_share == pytest.approx(0.1, rel=1e-3)


@given(st.lists(st.floats(0.9, 1.1), min_size=24, max_size=24))
def test_noise_makes_errors_of_its_own_size_only(noise: list[float]) -> None:
    """With a tenth of noise on every time, what is told of the true times is off by little more than a tenth."""
    points = measured(TRUE)
    noisy = [
        Measured(
            sequences=at.sequences,
            input_tokens=at.input_tokens,
            output_tokens=at.output_tokens,
            first_token_s=(at.first_token_s or 0.0) * noise[place],
            per_token_s=(at.per_token_s or 0.0) * noise[place + 12],
        )
        for place, at in enumerate(points)
    ]
    found = calibrate(noisy, 256)
    assert found is not None
    assert all(per_token_s(found.pace, at) == pytest.approx(at.per_token_s, rel=0.25) for at in points)
    parts = (
        found.pace.base_s,
        found.pace.sequence_s,
        found.pace.context_s,
        found.pace.prefill_s,
        found.pace.overhead_s,
    )
    assert min(parts) >= 0


@given(
    st.lists(
        st.tuples(st.integers(1, 512), st.floats(1.0, 8000.0), st.floats(1.0, 4000.0), st.floats(1e-3, 10.0)),
        min_size=3,
        max_size=12,
    )
)
def test_any_measurements_give_times_that_are_none_negative(rows: list[tuple[int, float, float, float]]) -> None:
    """Whatever was measured, a pace that is found has no negative part; the same points give the same pace."""
    points = [
        Measured(sequences=n, input_tokens=i, output_tokens=o, per_token_s=seconds, first_token_s=seconds * 3)
        for n, i, o, seconds in rows
    ]
    found = calibrate(points, 64)
    assume(found is not None)
    assert found is not None
    pace = found.pace
    assert min(pace.base_s, pace.sequence_s, pace.context_s, pace.prefill_s, pace.overhead_s) >= 0
    assert pace.found_share is None or 0 <= pace.found_share <= 1
    assert calibrate(points, 64) == found


def test_two_points_are_too_few() -> None:
    """They say nothing about how a batch behaves."""
    assert calibrate(measured(TRUE)[:2], 256) is None


def test_engines_under_callers_are_told_from_half_of_their_points(shared_data: Path) -> None:
    """Measured serving engines: per token within 6 % typically, the first token within 16 %, the whole within 6 %."""
    if not (shared_data / SILICON).exists():
        pytest.skip(f"`{SILICON}` is not beside the checkout")
    errors = held_out(silicon(shared_data), every_other)
    assert errors.configurations > 100
    assert typical(errors.per_token) < 0.06
    assert ninth(errors.per_token) < 0.22
    assert typical(errors.first_token) < 0.16
    assert typical(errors.whole) < 0.06


def test_engines_are_told_between_their_fewest_and_most_callers(shared_data: Path) -> None:
    """Knowing only the ends of each curve: everything between within 10 % typically."""
    if not (shared_data / SILICON).exists():
        pytest.skip(f"`{SILICON}` is not beside the checkout")
    errors = held_out(silicon(shared_data), ends)
    assert typical(errors.per_token) < 0.10
    assert typical(errors.whole) < 0.10


def test_fixed_batches_are_told_from_half_of_their_points(shared_data: Path) -> None:
    """Measured batches of two models: per token within 3 % typically, prompts within 15 %."""
    if not (shared_data / SPLITWISE).exists():
        pytest.skip(f"`{SPLITWISE}` is not beside the checkout")
    errors = held_out(splitwise(shared_data), every_other)
    assert errors.configurations == 12
    assert typical(errors.per_token) < 0.03
    assert typical(errors.first_token) < 0.15
    assert typical(errors.whole) < 0.03


def test_sizes_and_hardware_alone_tell_engines_better_than_listed_speeds(shared_data: Path) -> None:
    """On the same points, none of them known: the roofline is nearer per token, the first token is told alike.

    Trials go by the listed speeds, for those are what was planned by; both are bounded.
    """
    if not (shared_data / SILICON).exists():
        pytest.skip(f"`{SILICON}` is not beside the checkout")
    served, figures = silicon(shared_data), wiring.load_catalog()
    listed, roofed = from_the_catalogue(served, figures), from_the_roofline(served, figures)
    assert len(listed.whole) == len(roofed.same.whole) > 80
    assert typical(roofed.same.per_token) < 0.15 < typical(listed.per_token) < 0.25
    assert ninth(roofed.same.per_token) < 0.35 < ninth(listed.per_token)
    assert typical(listed.first_token) < 0.35
    assert ninth(listed.first_token) < 0.65
    assert typical(listed.whole) < 0.22
    assert typical(roofed.same.first_token) < 0.35
    assert len(roofed.others.whole) > 300
    assert typical(roofed.others.per_token) < 0.20
