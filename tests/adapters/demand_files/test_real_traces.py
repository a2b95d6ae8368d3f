"""The published traces, as they are, against the statistics their README gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tripoint.adapters.demand_files import read_trace
from tripoint.domain.demand import DemandProfile
from tripoint.domain.errors import OptionError
from tripoint.usecases.demand import FitOptions, fit_demand

pytest.importorskip("duckdb", reason="the extra `demand` is not installed")

AZURE = "azure_llm_2023/AzureLLMInferenceTrace_{}_first35min.csv.gz"
MOONCAKE = "mooncake_conversation/{}.jsonl.gz"
SERVEGEN = "servegen/{}_client_windows.parquet"


def fitted(shared_data: Path, name: str) -> DemandProfile:
    """Profile of one of the real files."""
    return fit_demand(read_trace, str(shared_data / name))


def means_and_tail(profile: DemandProfile) -> tuple[float, float, float, float]:
    """Mean and p99 of input and output tokens."""
    assert profile.input_tokens is not None
    assert profile.output_tokens is not None
    return (
        profile.input_tokens.mean,
        profile.input_tokens.p99,
        profile.output_tokens.mean,
        profile.output_tokens.p99,
    )


def test_azure_conversation_matches_its_readme(shared_data: Path) -> None:
    """12,337 requests, 5.87 per second, near Poisson, input mean 1,246, output mean 204 and p99 602."""
    profile = fitted(shared_data, AZURE.format("conv"))
    mean_in, _, mean_out, p99_out = means_and_tail(profile)
    assert profile.rows == 12_337
    assert profile.requests_per_s == pytest.approx(5.87, abs=0.01)
    assert profile.burstiness_cv == pytest.approx(1.08, abs=0.005)
    assert (mean_in, mean_out, p99_out) == pytest.approx((1246, 204, 602), abs=0.5)
    assert profile.dropped == {}


def test_azure_code_is_seen_to_be_extremely_bursty(shared_data: Path) -> None:
    """6,621 requests, 3.18 per second, coefficient of variation 12.8, input p99 7,436, output p99 251."""
    profile = fitted(shared_data, AZURE.format("code"))
    mean_in, p99_in, mean_out, p99_out = means_and_tail(profile)
    assert profile.rows == 6_621
    assert profile.requests_per_s == pytest.approx(3.18, abs=0.005)
    assert profile.burstiness_cv == pytest.approx(12.8, abs=0.05)
    assert (mean_in, p99_in) == pytest.approx((2033, 7436), abs=0.5)
    # The README interpolates between order statistics, tripoint names one of them.
    assert (mean_out, p99_out) == pytest.approx((27, 251), abs=1)


def test_azure_100_ns_ticks_are_read_and_said(shared_data: Path) -> None:
    """Seven decimals are recognised, a missing zone is told, and no shape is claimed for 35 minutes."""
    profile = fitted(shared_data, AZURE.format("conv"))
    assert any("7 decimals, without a zone: read as UTC" in note for note in profile.notes)
    assert profile.hour_of_week is None
    assert any("too short for an hour-of-week shape" in note for note in profile.notes)


def test_mooncake_conversation_matches_its_readme(shared_data: Path) -> None:
    """6,758 requests, 3.22 per second, CV 2.94 on 700 ticks, input mean 12,592, 0.346 of the blocks seen before."""
    profile = fitted(shared_data, MOONCAKE.format("conversation_trace_first35min"))
    mean_in, p99_in, mean_out, _ = means_and_tail(profile)
    assert profile.rows == 6_758
    assert profile.requests_per_s == pytest.approx(3.22, abs=0.005)
    assert profile.burstiness_cv == pytest.approx(2.94, abs=0.005)
    assert (mean_in, mean_out) == pytest.approx((12_592, 347), abs=0.5)
    assert p99_in == pytest.approx(90_000, rel=0.01)
    assert profile.cacheable_share == pytest.approx(0.346, abs=0.0005)
    assert any("700 distinct values" in note and "inflated" in note for note in profile.notes)


def test_mooncake_rows_on_one_tick_are_not_taken_for_duplicates(shared_data: Path) -> None:
    """Its clock ticks every three seconds, so several requests share a timestamp; all of them count."""
    assert fitted(shared_data, MOONCAKE.format("conversation_trace_first35min")).dropped == {}


def test_the_synthetic_control_is_poisson(shared_data: Path) -> None:
    """3,993 requests, 3.91 per second, CV 1.01, input mean 15,325."""
    profile = fitted(shared_data, MOONCAKE.format("synthetic_trace_poisson"))
    assert profile.rows == 3_993
    assert profile.requests_per_s == pytest.approx(3.91, abs=0.005)
    assert profile.burstiness_cv == pytest.approx(1.01, abs=0.005)
    assert means_and_tail(profile)[0] == pytest.approx(15_325, abs=0.5)


def test_servegen_day_adds_its_clients_up(shared_data: Path) -> None:
    """73 clients, 16 requests per second, 42.5 at the peak; one day gives a shape that repeats daily."""
    profile = fitted(shared_data, SERVEGEN.format("reason_deepseek-r1"))
    assert (profile.rows, profile.tenants) == (10_512, 73)
    assert profile.requests_per_s == pytest.approx(16.0, abs=0.05)
    assert profile.peak_to_mean * profile.requests_per_s == pytest.approx(42.5, abs=0.05)
    assert profile.hour_of_week is not None
    assert profile.hour_of_week[:24] == profile.hour_of_week[24:48]
    assert any("sends 29 % of the requests" in note for note in profile.notes)


def test_servegen_tokens_are_found_beside_it_and_weighted_by_requests(shared_data: Path) -> None:
    """The README's plain means (1,865 in, 1,207 out) are told; the profile's count a busy client for its requests."""
    profile = fitted(shared_data, SERVEGEN.format("reason_deepseek-r1"))
    mean_in, _, mean_out, _ = means_and_tail(profile)
    assert (mean_in, mean_out) == pytest.approx((1268.2, 1527.4), abs=0.5)
    assert any("1,865 in and 1,206 out" in note for note in profile.notes)


def test_servegen_week_has_its_own_hours(shared_data: Path) -> None:
    """1,063 requests per second over a week, 391 to 2,273; tokens known for under half of the traffic, and said so."""
    profile = fitted(shared_data, SERVEGEN.format("language_m-small"))
    assert profile.requests_per_s == pytest.approx(1063, abs=0.5)
    assert profile.window_s == 7 * 86_400
    assert profile.peak_to_mean * profile.requests_per_s == pytest.approx(2273, abs=1)
    assert profile.hour_of_week is not None
    assert len(profile.hour_of_week) == 168
    assert profile.hour_of_week[:24] != profile.hour_of_week[24:48]
    assert any("known for 44 % of the requests" in note for note in profile.notes)


def test_servegen_tokens_can_be_named(shared_data: Path) -> None:
    """A companion given by name is used; here the other model's, so the means differ."""
    folder = shared_data / "servegen"
    named = FitOptions(companion=str(folder / "language_m-small_token_pdfs.parquet"))
    profile = fit_demand(read_trace, str(folder / "reason_deepseek-r1_client_windows.parquet"), named)
    assert profile.input_tokens is not None
    assert profile.input_tokens.mean < 1_000
    assert any("language_m-small_token_pdfs.parquet" in note for note in profile.notes)


def test_every_real_curve_is_a_curve(shared_data: Path) -> None:
    """Weights sum to 1, levels descend, and their weighted mean is 1."""
    for name in (AZURE.format("conv"), MOONCAKE.format("synthetic_trace_poisson"), SERVEGEN.format("language_m-small")):
        curve = fitted(shared_data, name).curve
        assert sum(block.weight for block in curve) == pytest.approx(1)
        assert sum(block.weight * block.level for block in curve) == pytest.approx(1, abs=1e-6)
        levels = [block.level for block in curve]
        assert levels == sorted(levels, reverse=True)


def test_files_that_are_no_logs_are_refused_with_their_columns(shared_data: Path) -> None:
    """A node series and a bare list of run times hold no requests; the answer names what was found."""
    for name in ("philly_node_sequence_first65pct.csv.gz", "philly_job_runtimes_s.csv.gz"):
        with pytest.raises(OptionError) as told:
            fitted(shared_data, f"gpu_cluster_demand/{name}")
        assert "columns found: " in told.value.message
        assert "--map" in told.value.hint
