"""Draws belong to a name, a trial and an index; their laws are the ones they claim."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.stress.kernel.arithmetic import exponential, natural_log, normal_quantile
from tripoint.engines.stress.kernel.streams import BLOCK, FIRST, Streams, lognormals

PINNED_UNIFORMS = ["0x1.6828c22a0bfc0p-7", "0x1.4b875fd24871fp-1", "0x1.edd16be680b72p-2"]
PINNED_EXPONENTIALS = ["0x1.20aeada4e8992p+2", "0x1.bd0a62427ea27p-2", "0x1.75676bfab1f99p-1"]
PINNED_NORMALS = ["-0x1.2534bffca53c2p+1", "0x1.83b689a3423ddp-2", "-0x1.6cb938c7f7860p-5"]


@given(st.integers(0, 5000), st.integers(1, 300))
def test_a_draw_depends_on_its_index_alone(start: int, count: int) -> None:
    """Any stretch of a stream equals that stretch of the whole, singly or together."""
    whole = Streams(7, 3).named("service/chat")
    part = Streams(7, 3).named("service/chat")
    drawn = part.uniforms(start, count)
    assert drawn.tolist() == whole.uniforms(0, start + count)[start:].tolist()
    assert part.uniform(start) == drawn[0]


def test_singles_equal_blocks_of_every_kind() -> None:
    """Also across the border of a block, forwards and back."""
    stream = Streams(1, 0).named("a")
    for index in (BLOCK - 1, BLOCK, 0, FIRST, FIRST - 1, 5 * BLOCK + 3):
        assert stream.uniform(index) == stream.uniforms(index, 1)[0]
        assert stream.exponential(index) == stream.exponentials(index, 1)[0]
        assert stream.normals(0, index + 1)[index] == stream.normals(index, 1)[0]


def test_streams_differ_by_seed_trial_and_name() -> None:
    """Each of the three makes another stream; the same three make the same one."""
    keys = [(1, 0, "a"), (2, 0, "a"), (1, 1, "a"), (1, 0, "b"), (11, 0, "a"), (1, 10, "a")]
    firsts = [Streams(seed, trial).named(name).uniform(0) for seed, trial, name in keys]
    assert len(set(firsts)) == len(keys)
    assert firsts == [Streams(seed, trial).named(name).uniform(0) for seed, trial, name in keys]


def test_the_draws_are_these_on_every_machine() -> None:
    """Pinned to the last bit: another value here means that all trials ever recorded have changed."""
    stream = Streams(2026, 1).named("arrivals/chat")
    assert [stream.uniform(index).hex() for index in (0, 1, 4095)] == PINNED_UNIFORMS
    assert [stream.exponential(index).hex() for index in (0, 1, 4095)] == PINNED_EXPONENTIALS
    assert [float(stream.normals(index, 1)[0]).hex() for index in (0, 1, 4095)] == PINNED_NORMALS


def test_the_laws_hold() -> None:
    """Moments of a hundred thousand draws, within five standard errors."""
    stream, count = Streams(5, 0).named("laws"), 100_000
    for drawn, mean, variance in (
        (stream.uniforms(0, count), 0.5, 1 / 12),
        (stream.exponentials(0, count), 1.0, 1.0),
        (stream.normals(0, count), 0.0, 1.0),
        (lognormals(stream, 0, count, mean=300.0, cv=0.5), 300.0, 150.0**2),
    ):
        assert drawn.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / count))
        assert drawn.var() == pytest.approx(variance, rel=0.05)
    assert stream.uniforms(0, count).min() > 0.0
    assert stream.uniforms(0, count).max() < 1.0


@given(st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=20))
def test_the_logarithm_is_one(values: list[float]) -> None:
    """Equal to the library's within a few units in the last place."""
    ours = natural_log(np.array(values))
    assert ours == pytest.approx([math.log(value) for value in values], rel=1e-15, abs=1e-16)


@given(st.lists(st.floats(-600, 600), min_size=1, max_size=20))
def test_the_exponential_is_one(values: list[float]) -> None:
    """Likewise."""
    assert exponential(np.array(values)) == pytest.approx([math.exp(value) for value in values], rel=3e-15)


@given(st.lists(st.floats(1e-15, 1 - 1e-15), min_size=1, max_size=20))
def test_the_normal_quantile_is_one(shares: list[float]) -> None:
    """Equal to the standard library's."""
    expected = [NormalDist().inv_cdf(share) for share in shares]
    assert normal_quantile(np.array(shares)) == pytest.approx(expected, rel=1e-13, abs=1e-15)
