"""Figures of request logs whose truth is known, because the test drew them."""

from __future__ import annotations

import random
from math import pi, sin
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.adapters.demand_files.logs import START, Request, csv_text, fit, jsonl_text, poisson, written

pytest.importorskip("duckdb", reason="the extra `demand` is not installed")


def daily_cycle(days: int, seed: int = 3) -> list[Request]:
    """Poisson arrivals whose rate swings between 0.002 and 0.098 per second over the day, busiest at noon."""
    draw, at, rows = random.Random(seed), START, []
    while at < START + days * 86_400:
        at += draw.expovariate(0.1)
        if draw.random() < 0.5 + 0.48 * sin((at - START) / 86_400 * 2 * pi - pi / 2):
            rows.append((round(at, 3), 100, 10))
    return rows


def test_poisson_arrivals_have_a_coefficient_near_one(tmp_path: Path) -> None:
    """20,000 exponential gaps over three hours: within 3 % of 1, rate within 2 %."""
    profile = fit(written(tmp_path, csv_text(poisson(20_000))))
    assert profile.burstiness_cv == pytest.approx(1.0, abs=0.03)
    assert profile.requests_per_s == pytest.approx(2.0, rel=0.02)


def test_regular_arrivals_have_none_and_batches_have_much(tmp_path: Path) -> None:
    """A metronome has no variation; ten at once every ten ticks has sqrt(10 x 1 - 1) = 3."""
    metronome = [(START + k * 0.5, 10, 5) for k in range(2000)]
    batches = [(START + 5 * (k // 10), 10, 5 + k % 10) for k in range(2000)]
    assert fit(written(tmp_path, csv_text(metronome))).burstiness_cv == pytest.approx(0, abs=1e-6)
    assert fit(written(tmp_path, csv_text(batches), "b.csv")).burstiness_cv == pytest.approx(3, rel=0.01)


def test_a_daily_cycle_is_a_shape_and_not_burstiness(tmp_path: Path) -> None:
    """Two weeks of random arrivals with a busy noon: the shape peaks at noon, the hours themselves stay random."""
    profile = fit(written(tmp_path, csv_text(daily_cycle(14))))
    assert profile.burstiness_cv == pytest.approx(1.0, abs=0.1)
    assert profile.hour_of_week is not None
    noon = sum(profile.hour_of_week[24 * day + 11] + profile.hour_of_week[24 * day + 12] for day in range(7)) / 14
    assert noon == pytest.approx(1.96, abs=0.2)
    assert profile.curve[0].level > 1.5
    assert profile.curve[-1].level < 0.5


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scale=st.floats(0.05, 50))
def test_stretching_time_leaves_tokens_and_burstiness_alone(tmp_path: Path, scale: float) -> None:
    """A slower clock divides the rate and nothing else (under an hour, where there is one spell)."""
    rows = [(at - START, *tokens) for at, *tokens in poisson(60)]
    slow = [(scale * at, *tokens) for at, *tokens in rows]
    header = "arrival_s,input_tokens,output_tokens"
    wanted = fit(written(tmp_path, csv_text(rows, header)))
    profile = fit(written(tmp_path, csv_text(slow, header)))
    assert (profile.input_tokens, profile.output_tokens) == (wanted.input_tokens, wanted.output_tokens)
    assert profile.requests_per_s * scale == pytest.approx(wanted.requests_per_s, rel=1e-5)
    assert profile.burstiness_cv == pytest.approx(wanted.burstiness_cv, rel=1e-4)


def test_quantiles_are_order_statistics(tmp_path: Path) -> None:
    """Of 1 to 100 tokens, half are at most 50, 95 at most 95, 99 at most 99; exactly, not from a sketch."""
    values = random.Random(1).sample(range(1, 101), 100)
    profile = fit(written(tmp_path, csv_text([(START + k, value, 7) for k, value in enumerate(values)])))
    assert profile.input_tokens is not None
    assert profile.output_tokens is not None
    assert (profile.input_tokens.p50, profile.input_tokens.p95, profile.input_tokens.p99) == (50, 95, 99)
    assert profile.input_tokens.mean == pytest.approx(50.5)
    assert profile.output_tokens.p99 == profile.output_tokens.p50 == 7


def test_the_peak_is_the_busiest_minute(tmp_path: Path) -> None:
    """One request per second for an hour and 60 more in one minute: twice the usual, 1.97 times the mean."""
    rows = [(START + k, 10, 5) for k in range(3601)] + [(START + 1800 + k + 0.5, 10, 5) for k in range(60)]
    profile = fit(written(tmp_path, csv_text(rows)))
    assert profile.peak_to_mean == pytest.approx(2 / (3661 / 3600))


def test_repeated_prefix_blocks_are_cacheable_whatever_the_order(tmp_path: Path) -> None:
    """Of eight blocks three were seen before; rows without blocks add none."""
    blocks = [[0, 1, 2], [0, 1, 3], [0, 4], []]
    lines = [
        f'{{"timestamp": {1000 * k}, "input_length": 9, "output_length": 1, "hash_ids": {row}}}'
        for k, row in enumerate(blocks)
    ]
    forth = fit(written(tmp_path, "\n".join(lines), "f.jsonl"))
    back = fit(written(tmp_path, "\n".join(reversed(lines)), "b.jsonl"))
    assert forth.cacheable_share == back.cacheable_share == pytest.approx(3 / 8)


def test_two_requests_are_enough_and_one_is_not_a_rate(tmp_path: Path) -> None:
    """The smallest log that can be fitted has a rate, a curve of one block and no burstiness."""
    profile = fit(written(tmp_path, jsonl_text([(START, 10, 5), (START + 10, 20, 5)]), "two.jsonl"))
    assert profile.requests_per_s == pytest.approx(0.2)
    assert sum(block.weight for block in profile.curve) == pytest.approx(1)
    assert profile.burstiness_cv is None
