"""Demand profiles on disk: an exact round trip, and every mistake told with its path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.profile_json import profile_from_json, profile_to_json, read_profile, write_profile
from tripoint.domain.demand import CurveBlock, DemandProfile, Distribution
from tripoint.domain.errors import EstateError, FileError
from tripoint.domain.findings import FINDING_CODES

PROFILE = DemandProfile(
    name="chat",
    kind="requests",
    source="chat.csv (request log)",
    window_s=604_800.0,
    rows=1_000_000,
    requests_per_s=1.6534,
    input_tokens=Distribution(mean=1246.3, p50=1024.0, p95=4086.0, p99=4123.0),
    output_tokens=Distribution(mean=203.8, p50=115.0, p95=451.0, p99=602.0),
    burstiness_cv=1.08,
    peak_to_mean=1.44,
    hour_of_week=tuple(1.0 for _ in range(168)),
    curve=(CurveBlock(weight=0.25, level=2.5), CurveBlock(weight=0.75, level=0.5)),
    cacheable_share=0.346,
    tenants=12,
    dropped={"bad timestamp": 3},
    notes=("timestamps are ISO 8601",),
)


def findings_of(changes: dict[str, Any]) -> dict[str, str]:
    """Message by path of the findings on a changed document."""
    content = {**json.loads(profile_to_json(PROFILE)), **changes}
    with pytest.raises(EstateError) as told:
        profile_from_json(json.dumps(content), "chat.json")
    assert all(finding.file == "chat.json" and finding.code in FINDING_CODES for finding in told.value.findings)
    return {finding.path: finding.message for finding in told.value.findings}


def test_a_profile_survives_the_round_trip_exactly() -> None:
    """Written and read it is equal, and writes the same text again."""
    text = profile_to_json(PROFILE)
    assert profile_from_json(text, "chat.json") == PROFILE
    assert profile_to_json(profile_from_json(text, "chat.json")) == text
    assert json.loads(text)["schema"] == "tripoint/demand/v1"


def test_a_profile_is_written_and_read_by_path(tmp_path: Path) -> None:
    """On disk as in memory; a missing file is the platform's failure."""
    write_profile(tmp_path / "new" / "chat.json", PROFILE)
    assert read_profile(tmp_path / "new" / "chat.json") == PROFILE
    with pytest.raises(FileError):
        read_profile(tmp_path / "none.json")


def test_fields_that_do_not_apply_may_be_left_out() -> None:
    """A job profile holds no tokens."""
    content = {
        "schema": "tripoint/demand/v1",
        "name": "j",
        "kind": "gpu_jobs",
        "source": "s",
        "window_s": 10,
        "rows": 3,
    }
    profile = profile_from_json(json.dumps(content), "j.json")
    assert (profile.kind, profile.gpu_hours, profile.curve) == ("gpu_jobs", None, ())


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"schema": "tripoint/demand/v9"}, "schema", "found `tripoint/demand/v9`"),
        ({"schema": None}, "schema", "found none"),
        ({"requests_per_sec": 4}, "requests_per_sec", "unknown key"),
        ({"kind": "trains"}, "kind", "`trains` is not one of"),
        ({"window_s": 0}, "window_s", "is 0, above 0 s expected"),
        ({"window_s": "long"}, "window_s", "valid number"),
        ({"peak_to_mean": 0.5}, "peak_to_mean", "1 or more expected"),
        ({"cacheable_share": 34.6}, "cacheable_share", "is 34.6, from 0 to 1 expected"),
        ({"hour_of_week": [1.0] * 24}, "hour_of_week", "24 hours given, 168 expected"),
        ({"hour_of_week": [0.0] * 168}, "hour_of_week", "all are 0"),
        ({"curve": [{"weight": 0.5, "level": 2.0}]}, "curve", "weights sum to 0.5, 1 expected"),
        ({"rows": 10**400}, "rows", "not a usable number"),
        ({"requests_per_s": 1e300}, "requests_per_s", "not a usable number"),
        ({"curve": [{"weight": 1.0, "level": 2.0}]}, "curve", "mean level is 2, 1 expected"),
        ({"curve": [{"weight": 1.0, "levle": 1.0}]}, "curve[0].levle", "unknown key"),
        ({"curve": [{"weight": 1.0}]}, "curve[0].level", "required"),
        ({"input_tokens": {"mean": 5, "p50": 9, "p95": 8, "p99": 10}}, "input_tokens", "ascending expected"),
        ({"input_tokens": {"mean": -5, "p50": 1, "p95": 8, "p99": 10}}, "input_tokens", "below 0"),
    ],
)
def test_every_mistake_is_told_with_its_path(changes: dict[str, Any], path: str, said: str) -> None:
    """Shape, names and values."""
    assert said in findings_of(changes)[path]


def test_all_mistakes_are_told_at_once() -> None:
    """Three wrong values, three findings."""
    assert set(findings_of({"window_s": -1, "peak_to_mean": 0, "cacheable_share": 2})) == {
        "window_s", "peak_to_mean", "cacheable_share",
    }  # fmt: skip


def test_a_rising_curve_is_told() -> None:
    """Blocks go from the busiest down."""
    rising = [{"weight": 0.75, "level": 0.5}, {"weight": 0.25, "level": 2.5}]
    assert "levels rise" in findings_of({"curve": rising})["curve"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": NaN}', "[" * 100_000])
def test_what_is_no_profile_is_refused_with_a_hint(text: str) -> None:
    """Cut, foreign and hostile documents."""
    with pytest.raises(EstateError) as told:
        profile_from_json(text, "chat.json")
    (finding,) = told.value.findings
    assert "tripoint demand fit" in finding.hint


def test_a_syntax_error_is_placed() -> None:
    """Editors can jump to it."""
    with pytest.raises(EstateError) as told:
        profile_from_json('{\n "schema": oops\n}', "chat.json")
    assert told.value.findings[0].place() == "chat.json:2:12"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(field=st.sampled_from(sorted(json.loads(profile_to_json(PROFILE)))), value=JSON_VALUES)
def test_any_value_in_any_field_is_a_profile_or_findings(field: str, value: object) -> None:
    """Never a trace-back."""
    content = {**json.loads(profile_to_json(PROFILE)), field: value}
    try:
        text = profile_to_json(profile_from_json(json.dumps(content), "chat.json"))
    except EstateError as error:
        text = " ".join(finding.message for finding in error.findings)
    assert text
