"""Live latency: quantiles within a bucket of the truth, and forgetting by halves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.gateway.health.latency import LatencyWindow

times = st.floats(1e-4, 1000.0)


def test_without_samples_there_is_no_quantile() -> None:
    """Nothing is known of what was never measured."""
    asked = LatencyWindow(now=0.0)
    assert asked.weight(1.0) == 0.0
    assert asked.quantile(1.0, 0.5) == 0.0


@given(samples=st.lists(times, min_size=1, max_size=60), q=st.sampled_from((0.01, 0.5, 0.95, 0.99, 1.0)))
def test_quantiles_are_within_a_bucket(samples: list[float], q: float) -> None:
    """A quantile is the upper edge of the bucket of the sample at that rank: at most a sixteenth above it."""
    asked = LatencyWindow(now=0.0)
    for sample in samples:
        asked.add(0.0, sample)
    rank = next(index for index in range(len(samples)) if index + 1 >= q * len(samples) - 1e-9)
    exact = sorted(samples)[rank]
    assert exact <= asked.quantile(0.0, q) <= exact * (1 + 1 / 16) * (1 + 1e-9)


@given(samples=st.lists(times, min_size=1, max_size=40))
def test_several_quantiles_in_one_pass_are_those_asked_singly(samples: list[float]) -> None:
    """In the order asked, whatever that is."""
    asked = LatencyWindow(now=0.0)
    for sample in samples:
        asked.add(0.0, sample)
    wanted = (0.99, 0.5, 0.95, 0.0)
    assert asked.quantiles(0.0, wanted) == [asked.quantile(0.0, q) for q in wanted]


@given(now=st.floats(0.0, 1e6), half_lives=st.integers(0, 50))
def test_a_sample_counts_half_after_every_half_life(now: float, half_lives: int) -> None:
    """To within one step of forgetting."""
    asked = LatencyWindow(half_life_s=30.0, now=now)
    asked.add(now, 0.1)
    weight = asked.weight(now + 30.0 * half_lives)
    assert 0.5 ** (half_lives + 1 / 16) * 0.999 <= weight <= 0.5 ** (half_lives - 1 / 16) * 1.001


def test_what_is_new_outweighs_what_is_old() -> None:
    """A hundred slow samples from two minutes ago are fewer than twenty fast ones of now."""
    asked = LatencyWindow(now=0.0)
    for _ in range(100):
        asked.add(0.0, 10.0)
    for _ in range(20):
        asked.add(120.0, 0.1)
    assert asked.quantile(120.0, 0.5) < 0.11


def test_years_of_samples_neither_overflow_nor_lose_the_last_ones() -> None:
    """The weights are brought down before they grow beyond what a float keeps apart."""
    asked = LatencyWindow(half_life_s=1.0, now=0.0)
    for second in range(2000):
        asked.add(float(second), 0.1 if second < 1990 else 0.4)
    assert asked.weight(2000.0) < 3.0
    assert 0.4 <= asked.quantile(2000.0, 0.5) <= 0.43


def test_after_a_very_long_silence_nothing_is_left() -> None:
    """Sixty half-lives are the end of any sample."""
    asked = LatencyWindow(half_life_s=1.0, now=0.0)
    asked.add(0.0, 0.1)
    assert asked.weight(1e9) == 0.0


@pytest.mark.parametrize("nonsense", [-1.0, float("nan")])
def test_nonsense_is_left_out(nonsense: float) -> None:
    """A negative or undefined time is not a sample."""
    asked = LatencyWindow(now=0.0)
    asked.add(0.0, nonsense)
    assert asked.weight(0.0) == 0.0


@pytest.mark.parametrize(("extreme", "least", "most"), [(0.0, 0.0, 1e-4), (float("inf"), 1000.0, 4096.0)])
def test_extremes_are_told_as_the_first_and_last_bucket(extreme: float, least: float, most: float) -> None:
    """Nothing is too short or too long to count."""
    asked = LatencyWindow(now=0.0)
    asked.add(0.0, extreme)
    assert least <= asked.quantile(0.0, 0.5) <= most


def test_a_clock_that_runs_backwards_does_no_harm() -> None:
    """Samples count as of the latest time seen."""
    asked = LatencyWindow(now=100.0)
    asked.add(100.0, 0.1)
    asked.add(50.0, 0.1)
    assert asked.weight(60.0) == pytest.approx(2.0)
