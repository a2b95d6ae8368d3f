"""Client windows: superposition, companions, damaged rows; on small files of our own."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import pytest
from tests.adapters.demand_files.logs import csv_text, fit, written

from tripoint.domain.errors import OptionError

pytest.importorskip("duckdb", reason="the extra `demand` is not installed")

WINDOWS = "client_id,window_start_s,rate_rps,iat_cv"
TOKENS = "client_id,window_start_s,field,value,prob"


def test_rates_add_and_squared_coefficients_combine_by_rate(tmp_path: Path) -> None:
    """Two clients of 3 and 1 per second with CV 1 and 3 make 4 per second with CV sqrt(3)."""
    rows = [(client, 600 * k, rate, cv) for k in range(6) for client, rate, cv in ((1, 3, 1), (2, 1, 3))]
    profile = fit(written(tmp_path, csv_text(rows, WINDOWS)))
    assert profile.requests_per_s == pytest.approx(4)
    assert profile.burstiness_cv == pytest.approx(sqrt((3 * 1 + 1 * 9) / 4))
    assert (profile.window_s, profile.tenants) == (3600, 2)
    assert profile.peak_to_mean == pytest.approx(1)


def test_idle_clients_and_windows_count_as_time_not_as_tenants(tmp_path: Path) -> None:
    """A client that never sends is no tenant; an empty window lowers the mean."""
    rows = [(1, 0, 8, 1), (1, 600, 0, 0), (2, 0, 0, 0), (2, 600, 0, 0)]
    profile = fit(written(tmp_path, csv_text(rows, WINDOWS)))
    assert (profile.requests_per_s, profile.peak_to_mean) == pytest.approx((4, 2))
    assert profile.tenants == 1


def test_token_distributions_are_mixed_by_requests(tmp_path: Path) -> None:
    """A client with three times the rate counts three times; its probabilities need not sum to 1."""
    rows = [(client, 600 * k, rate, 1) for k in range(4) for client, rate in ((1, 3), (2, 1))]
    pdfs = [(1, 0, "input_tokens", 100, 0.2), (2, 0, "input_tokens", 500, 1.0),
            (1, 0, "output_tokens", 10, 1.0), (2, 0, "output_tokens", 50, 1.0)]  # fmt: skip
    written(tmp_path, csv_text(pdfs, TOKENS), "x_token_pdfs.csv")
    profile = fit(written(tmp_path, csv_text(rows, WINDOWS), "x_client_windows.csv"))
    assert profile.input_tokens is not None
    assert profile.output_tokens is not None
    assert profile.input_tokens.mean == pytest.approx((3 * 100 + 500) / 4)
    assert (profile.input_tokens.p50, profile.input_tokens.p95) == (100, 500)
    assert profile.output_tokens.mean == pytest.approx(20)


def test_without_a_companion_tokens_are_unknown_and_said_so(tmp_path: Path) -> None:
    """No number is made up."""
    profile = fit(written(tmp_path, csv_text([(1, 0, 1, 1), (1, 600, 1, 1)], WINDOWS)))
    assert profile.input_tokens is None
    assert any("token counts are unknown" in note for note in profile.notes)


def test_bad_and_repeated_windows_are_counted(tmp_path: Path) -> None:
    """Negative rates and a second row of the same window are set aside; the first row stands."""
    rows = [(1, 0, 2, 1), (1, 600, 2, 1), (1, 600, 9, 1), (2, 0, -1, 1), (2, 600, "fast", 1)]
    profile = fit(written(tmp_path, csv_text(rows, WINDOWS)))
    assert profile.requests_per_s == pytest.approx(2)
    assert profile.dropped == {"bad window, rate or burstiness": 2, "second row of a client's window": 1}


def test_an_absent_window_is_told(tmp_path: Path) -> None:
    """A hole in the series is quiet time, in words."""
    rows = [(1, at, 2, 1) for at in (0, 600, 1200, 3000)]
    profile = fit(written(tmp_path, csv_text(rows, WINDOWS)))
    assert profile.requests_per_s == pytest.approx(2 * 4 / 6)
    assert any("2 windows are absent" in note for note in profile.notes)


@pytest.mark.parametrize(
    ("rows", "said"),
    [([(1, 0, 1, 1)], "belong to one window"), ([(1, 0, 0, 0), (1, 600, 0, 0)], "no client sends any request")],
)
def test_windows_without_an_answer_are_refused(tmp_path: Path, rows: list[tuple[int, ...]], said: str) -> None:
    """One window has no length; silence has no rate."""
    with pytest.raises(OptionError, match=said):
        fit(written(tmp_path, csv_text(rows, WINDOWS)))
