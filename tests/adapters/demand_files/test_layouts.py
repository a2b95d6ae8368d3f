"""Formats, column names, units of time: what is detected, what is said, what is asked back."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.adapters.demand_files.logs import START, csv_text, figures, fit, iso, jsonl_text, poisson, written

from tripoint.adapters.demand_files.columns import layout_of, normalised, unit_in_name
from tripoint.domain.errors import OptionError
from tripoint.usecases.demand import FitOptions

duckdb = pytest.importorskip("duckdb", reason="the extra `demand` is not installed")


def test_csv_jsonl_and_parquet_give_the_same_profile(tmp_path: Path) -> None:
    """The format carries no meaning: plain or compressed text and Parquet agree to the last digit."""
    rows = poisson(400)
    text = csv_text(rows)
    plain = written(tmp_path, text)
    parquet = tmp_path / "log.parquet"
    # A decimal keeps the microseconds that a floating-point column would blur.
    columns = "{'timestamp': 'DECIMAL(20, 6)', 'input_tokens': 'INT', 'output_tokens': 'INT'}"
    duckdb.sql(f"COPY (FROM read_csv('{plain}', columns={columns})) TO '{parquet}' (FORMAT parquet)")
    others = [
        written(tmp_path, text, "log.csv.gz"),
        written(tmp_path, jsonl_text(rows), "log.jsonl"),
        written(tmp_path, jsonl_text(rows), "log.jsonl.gz"),
        written(tmp_path, text.replace(",", ";"), "semicolons.csv"),
        written(tmp_path, text.replace(",", "\t"), "tabs.tsv"),
        written(tmp_path, text.replace("\n", "\r\n"), "windows.csv"),
        written(tmp_path, "\ufeff" + text, "marked.csv"),
        written(tmp_path, "# exported by a gateway\n\n" + text, "commented.csv"),
        str(parquet),
    ]
    wanted = figures(fit(plain))
    assert wanted.rows == 400
    assert [name for name in others if figures(fit(name)) != wanted] == []


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_unit_of_absolute_timestamps_is_found_and_said(tmp_path: Path, unit: str) -> None:
    """Seconds, milliseconds, microseconds and nanoseconds since 1970 cannot be mistaken for each other."""
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    rows = [((START + 2 * k) * factor if unit == "s" else int((START + 2 * k) * factor), 10, 5) for k in range(50)]
    profile = fit(written(tmp_path, csv_text(rows)))
    words = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
    assert profile.window_s == pytest.approx(98)
    assert profile.notes[0] == f"timestamps of `timestamp` are {words[unit]} since 1970"


@pytest.mark.parametrize(
    ("pattern", "hours", "told"),
    [
        ("%Y-%m-%d %H:%M:%S.%f0", 0.0, "7 decimals, without a zone: read as UTC"),
        ("%Y-%m-%dT%H:%M:%S.%fZ", 0.0, "6 decimals, in UTC"),
        ("%Y-%m-%dT%H:%M:%S.%f+05:30", 5.5, "6 decimals, with offsets"),
        ("%Y-%m-%d %H:%M:%S.%f-08", -8.0, "6 decimals, with offsets"),
    ],
)
def test_iso_timestamps_are_read_with_their_offset(tmp_path: Path, pattern: str, hours: float, told: str) -> None:
    """The same instants in any zone fall on the same hours of the week."""
    rows = [(START + 600 * k + 0.25, 10, 5) for k in range(200)]
    wanted = fit(written(tmp_path, csv_text(rows), "epoch.csv"))
    text = csv_text([(iso(at, pattern, hours), *tokens) for at, *tokens in rows])
    profile = fit(written(tmp_path, text))
    assert profile.hour_of_week == wanted.hour_of_week
    assert any(told in note for note in profile.notes)


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S", "TIMESTAMPTZ", "DOUBLE"])
def test_typed_parquet_timestamps_are_read(tmp_path: Path, kind: str) -> None:
    """Every type a Parquet writer uses for time gives the same window."""
    path = tmp_path / "log.parquet"
    moment = f"{START} + 3 * k" if kind == "DOUBLE" else f"make_timestamp(({int(START)} + 3 * k) * 1000000)"
    duckdb.sql("SET TimeZone = 'UTC'")
    duckdb.sql(
        f"COPY (SELECT ({moment})::{kind} AS ts, 10 AS input_tokens, 5 AS output_tokens FROM range(100) AS r(k)) "
        f"TO '{path}' (FORMAT parquet)"
    )
    profile = fit(str(path))
    assert profile.window_s == pytest.approx(297)
    assert profile.requests_per_s == pytest.approx(100 / 297)


def test_two_zones_in_one_file_are_reconciled_row_by_row(tmp_path: Path) -> None:
    """A log that crosses a change to summer time keeps its order."""
    rows = [(iso(START + k, "%Y-%m-%dT%H:%M:%S+00:00"), 1, 1) for k in range(60)]
    rows += [(iso(START + k, "%Y-%m-%dT%H:%M:%S+01:00", 1.0), 1, 1) for k in range(60, 120)]
    profile = fit(written(tmp_path, csv_text(rows)))
    assert profile.window_s == pytest.approx(119)
    assert not any("earlier than the row before" in note for note in profile.notes)


def test_relative_timestamps_of_unknown_unit_are_asked_back(tmp_path: Path) -> None:
    """0 to 990 may be seconds or milliseconds; the range is told and the flag named."""
    path = written(tmp_path, csv_text([(10 * k, 5, 5) for k in range(100)]))
    with pytest.raises(OptionError) as told:
        fit(path)
    assert "runs from 0 to 990" in told.value.message
    assert "--unit" in told.value.hint
    assert fit(path, FitOptions(unit="ms")).window_s == pytest.approx(0.99)
    assert fit(path, FitOptions(unit="s")).window_s == pytest.approx(990)


def test_a_unit_in_the_columns_name_is_believed(tmp_path: Path) -> None:
    """`arrival_ms` needs no flag."""
    path = written(tmp_path, csv_text([(10 * k, 5, 5) for k in range(100)], "arrival_ms,input_tokens,output_tokens"))
    assert fit(path).window_s == pytest.approx(0.99)


def test_a_relative_trace_can_be_told_when_it_began(tmp_path: Path) -> None:
    """With a start, weekdays are known; without, the profile says what was assumed."""
    rows = [(3600 * k, 5, 5) for k in range(30) for _ in range(1 + 9 * (k == 2))]
    path = written(tmp_path, csv_text(rows, "arrival_s,input_tokens,output_tokens"))
    assumed = fit(path)
    told = fit(path, FitOptions(starts_at="2026-01-05T10:00:00Z"))
    assert assumed.hour_of_week is not None
    assert told.hour_of_week is not None
    assert assumed.hour_of_week.index(max(assumed.hour_of_week)) == 2
    assert told.hour_of_week.index(max(told.hour_of_week)) == 12
    assert any("taken as Monday 00:00 UTC" in note for note in assumed.notes)
    assert not any("taken as Monday" in note for note in told.notes)


def test_columns_can_be_mapped_and_a_typing_error_is_met_with_the_nearest_name(tmp_path: Path) -> None:
    """Own names are given by role."""
    path = written(tmp_path, csv_text(poisson(50), "wann,rein,raus"))
    mapped = FitOptions(columns={"timestamp": "wann", "input": "rein", "output": "raus"})
    assert fit(path, mapped).rows == 50
    with pytest.raises(OptionError, match=r"no column `wan` to be the timestamp; did you mean `wann`\?"):
        fit(path, FitOptions(columns={"timestamp": "wan", "input": "rein", "output": "raus"}))


def test_missing_columns_are_told_with_those_found_and_the_likeliest(tmp_path: Path) -> None:
    """The hint can be pasted."""
    path = written(tmp_path, csv_text(poisson(50), "timestamp,promt_tokens,reply_size"))
    with pytest.raises(OptionError) as told:
        fit(path)
    assert "no column known as input or output" in told.value.message
    assert "`promt_tokens`" in told.value.message
    assert "input=promt_tokens" in told.value.hint


def test_two_candidates_are_a_question(tmp_path: Path) -> None:
    """`created` beside `timestamp` is not decided by tripoint."""
    path = written(
        tmp_path, csv_text([(1, *row) for row in poisson(5)], "created,timestamp,input_tokens,output_tokens")
    )
    with pytest.raises(OptionError, match=r"several columns of `log\.csv` could be the timestamp") as told:
        fit(path)
    assert "--map timestamp=timestamp" in told.value.hint


def test_tenants_are_counted_and_the_largest_named_by_its_share(tmp_path: Path) -> None:
    """Names of tenants do not reach the profile."""
    rows = [(*row, "big" if k % 4 else f"small{k}") for k, row in enumerate(poisson(100))]
    profile = fit(written(tmp_path, csv_text(rows, "timestamp,input_tokens,output_tokens,tenant")))
    assert profile.tenants == 26
    assert any("sends 75.0 % of the requests" in note for note in profile.notes)
    assert "small" not in repr(profile)


def test_keys_with_dots_are_keys_or_paths(tmp_path: Path) -> None:
    """Flat telemetry names (`gen_ai.usage.input_tokens`) and nested usage objects are both found."""
    flat = "\n".join(
        f'{{"timestamp": {START + k}, "gen_ai.usage.input_tokens": {k}, "gen_ai.usage.output_tokens": 2}}'
        for k in range(20)
    )
    profile = fit(written(tmp_path, flat, "flat.jsonl"))
    assert profile.input_tokens is not None
    assert profile.input_tokens.mean == pytest.approx(9.5)


def test_a_name_with_pattern_signs_is_one_file(tmp_path: Path) -> None:
    """`log[1]*.csv` is not expanded."""
    written(tmp_path, csv_text(poisson(10)), "log1x.csv")
    assert fit(written(tmp_path, csv_text(poisson(40)), "log[1]*.csv")).rows == 40


def test_a_servegen_token_file_alone_is_pointed_to_its_sibling() -> None:
    """It has no rates."""
    with pytest.raises(OptionError, match="no request rates") as told:
        layout_of(["client_id", "window_start_s", "field", "value", "prob"], {}, None, "x_token_pdfs.parquet")
    assert "client_windows" in told.value.hint


@pytest.mark.parametrize(
    ("name", "same"),
    [("ContextTokens", "context_tokens"), ("Prompt Tokens", "prompt_tokens"), ("@timestamp", "timestamp")],
)
def test_names_are_compared_without_case_and_separators(name: str, same: str) -> None:
    """Camel case, blanks and signs do not matter."""
    assert normalised(name) == same


def test_units_are_read_off_names_only_where_they_end_them() -> None:
    """`prompt_tokens` ends on no unit, `ms` alone has no head."""
    assert [unit_in_name(name) for name in ("start_ms", "startSeconds", "prompt_tokens", "ms")] == [
        "ms",
        "s",
        None,
        None,
    ]
