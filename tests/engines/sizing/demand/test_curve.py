"""Load-duration curves: their invariants, optimality against brute force, and long series."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.demand import CurveBlock
from tripoint.engines.sizing.demand.curve import MAX_POINTS, load_duration_curve

RATES = st.lists(st.floats(0, 1e6), min_size=1, max_size=60).filter(lambda rates: sum(rates) > 1e-3)


@given(rates=RATES, blocks=st.integers(1, 8), seed=st.integers(0, 99))
def test_weights_sum_to_one_levels_descend_and_average_one(rates: list[float], blocks: int, seed: int) -> None:
    """The three invariants hold for any load and any lengths of bins."""
    weights = np.random.default_rng(seed).uniform(0.1, 5, len(rates))
    if float(np.dot(rates, weights)) <= 0:
        return
    curve = load_duration_curve(np.array(rates), weights, blocks)
    levels = [block.level for block in curve]
    assert 1 <= len(curve) <= blocks
    assert sum(block.weight for block in curve) == pytest.approx(1)
    assert sum(block.weight * block.level for block in curve) == pytest.approx(1)
    assert levels == sorted(levels, reverse=True)


@given(rates=RATES, scale=st.floats(0.01, 100), seed=st.integers(0, 99))
def test_scale_and_order_of_the_bins_do_not_matter(rates: list[float], scale: float, seed: int) -> None:
    """A curve is relative, and about durations only."""
    shuffled = np.random.default_rng(seed).permutation(np.array(rates)) * scale
    curve = load_duration_curve(np.array(rates), np.ones(len(rates)), 4)
    other = load_duration_curve(shuffled, np.ones(len(rates)), 4)
    assert deviation(rates, curve) == pytest.approx(deviation(rates, other), rel=1e-6, abs=1e-9)


@given(rates=st.lists(st.integers(0, 20), min_size=3, max_size=9).filter(any), blocks=st.integers(2, 4))
def test_no_other_segmentation_is_nearer(rates: list[int], blocks: int) -> None:
    """Dynamic programming finds the least squared deviation; brute force over all cuts agrees."""
    levels = sorted((rate * len(rates) / sum(rates) for rate in rates), reverse=True)
    found = deviation(rates, load_duration_curve(np.array(rates, dtype=float), np.ones(len(rates)), blocks))
    best = min(
        sum(spread(levels[start:end]) for start, end in zip((0, *cuts), (*cuts, len(levels)), strict=True))
        for count in range(min(blocks, len(levels)))
        for cuts in combinations(range(1, len(levels)), count)
    )
    assert found == pytest.approx(best, abs=1e-9)


def test_a_steady_load_is_one_block() -> None:
    """Equal bins are never split."""
    (block,) = load_duration_curve(np.full(50, 3.0), np.ones(50), 5)
    assert (block.weight, block.level) == pytest.approx((1, 1))


def test_no_load_has_no_curve() -> None:
    """Silence has no shape."""
    assert load_duration_curve(np.zeros(5), np.ones(5), 5) == ()


def test_a_year_of_hours_is_thinned_without_losing_its_peak_block() -> None:
    """8,760 hours with one day at ten times the rest: that day is a block of its own."""
    rates = np.random.default_rng(2).uniform(0.9, 1.1, 8760)
    rates[100:124] = 10.0
    assert rates.size > MAX_POINTS
    curve = load_duration_curve(rates, np.ones(8760), 5)
    assert curve[0].weight == pytest.approx(24 / 8760, rel=0.01)
    assert curve[0].level == pytest.approx(10 / rates.mean(), rel=0.01)


def spread(levels: list[float]) -> float:
    """Squared deviation from the mean of a group."""
    mean = sum(levels) / len(levels) if levels else 0.0
    return sum((level - mean) ** 2 for level in levels)


def deviation(rates: list[float] | list[int], curve: tuple[CurveBlock, ...]) -> float:
    """Squared deviation of sorted relative rates from a curve's steps."""
    levels = sorted((rate * len(rates) / sum(rates) for rate in rates), reverse=True)
    total, at = 0.0, 0
    for block in curve:
        count = round(block.weight * len(levels))
        total += sum((level - block.level) ** 2 for level in levels[at : at + count])
        at += count
    return total
