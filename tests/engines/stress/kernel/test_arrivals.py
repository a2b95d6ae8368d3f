"""Arrivals follow their rate and their burstiness, and stay the same requests when the rate changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.stress.kernel.arrivals import arrivals_until, chosen, unit_gaps
from tripoint.engines.stress.kernel.streams import Streams


@pytest.mark.parametrize("cv", [0.3, 1.0, 2.5])
def test_gaps_have_the_burstiness_asked_for(cv: float) -> None:
    """Mean 1 and the coefficient of variation, over two hundred thousand gaps."""
    gaps = unit_gaps(Streams(3, 0), "a", 0, 200_000, cv)
    assert gaps.mean() == pytest.approx(1.0, abs=0.03)
    assert gaps.std() / gaps.mean() == pytest.approx(cv, rel=0.03)


def test_arrivals_follow_the_rate() -> None:
    """As many as the rate says in each stretch, none where it is 0, ascending, inside the edges."""
    edges, rates = np.array([10.0, 110.0, 210.0, 310.0]), np.array([50.0, 0.0, 100.0])
    times = arrivals_until(Streams(3, 0), "a", edges, rates)
    assert np.all(np.diff(times) >= 0)
    counts = np.histogram(times, edges)[0]
    assert counts.tolist() == pytest.approx([5000, 0, 10_000], rel=0.06)
    assert times.size == counts.sum()


def test_no_rate_no_arrivals() -> None:
    """An idle workload asks for nothing."""
    assert arrivals_until(Streams(3, 0), "a", np.array([0.0, 10.0]), np.array([0.0])).size == 0


@given(st.floats(1.0, 10.0), st.integers(0, 50))
def test_a_higher_rate_brings_the_same_requests_sooner(factor: float, trial: int) -> None:
    """Request `i` exists in both runs, and is never later in the one with more demand."""
    edges, rates = np.array([0.0, 20.0, 60.0]), np.array([3.0, 1.0])
    plain = arrivals_until(Streams(1, trial), "a", edges, rates, cv=1.5)
    burst = arrivals_until(Streams(1, trial), "a", edges, rates * factor, cv=1.5)
    assert burst.size >= plain.size
    assert np.all(burst[: plain.size] <= plain + 1e-9)


def test_choices_follow_the_shares() -> None:
    """In proportion; a share of 0 is never chosen."""
    picked = chosen(Streams(3, 0).named("route/a"), 0, 60_000, np.array([1.0, 0.0, 3.0]))
    assert (np.bincount(picked, minlength=3) / 60_000).tolist() == pytest.approx([0.25, 0.0, 0.75], abs=0.01)
