"""How long an upstream is waited for: by what was measured, longer for larger requests."""

from __future__ import annotations

import pytest

from tripoint.engines.gateway.health.pace import Pace


def measured(count: int, ttft_s: float, tokens_in: int = 100, tokens_out: int = 50) -> Pace:
    """A pace after some requests alike."""
    pace = Pace(0.0)
    for _ in range(count):
        pace.ttft.add(0.0, ttft_s)
        pace.ended(ttft_s, tokens_in, tokens_out)
    pace.look(0.0, 0.9)
    return pace


def test_a_handful_of_samples_is_not_enough_to_give_up_early() -> None:
    """Quantiles are believed from eight samples on, impatience from twenty."""
    assert measured(7, 1.0).p95 == 0.0
    assert measured(8, 1.0).p95 > 0.0
    assert measured(19, 1.0).patience_s(100, 50) == 0.0
    assert measured(20, 1.0).patience_s(100, 50) > 0.0


def test_three_times_the_slowest_percent_and_a_second_at_least() -> None:
    """Fast upstreams get a second, slow ones what they need."""
    assert measured(100, 0.05).patience_s(100, 50) == 1.0
    assert measured(100, 2.0).patience_s(100, 50) == pytest.approx(6.0, rel=0.07)


def test_a_larger_request_is_waited_for_longer() -> None:
    """In the proportion in which it is larger than usual, by input or by output, whichever is more."""
    pace = measured(100, 0.05)
    assert pace.patience_s(1000, 0) == pytest.approx(10.0)
    assert pace.patience_s(1000, 1000) == pytest.approx(20.0)
    assert pace.patience_s(1, 0) == 1.0


def test_what_was_forgotten_is_unknown_again() -> None:
    """After some minutes without traffic a slow upstream is given another chance."""
    pace = measured(100, 2.0)
    pace.look(300.0, 0.9)
    assert (pace.p95, pace.wait_s, pace.hedge_s) == (0.0, 0.0, 0.0)


def test_what_is_measured_after_a_silence_is_seen() -> None:
    """Unknown is not for ever."""
    pace = measured(100, 2.0)
    pace.look(600.0, 0.0)
    for _ in range(8):
        pace.ttft.add(600.0, 0.5)
        pace.tpot.add(600.0, 0.01)
    pace.look(600.0, 0.0)
    assert 0.5 <= pace.p95 <= 0.54
    assert 0.01 <= pace.tpot_p50 <= 0.0107
    assert pace.hedge_s == 0.0
