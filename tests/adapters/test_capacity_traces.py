"""Traces of capacity: JSON as SkyPilot's, CSV and Parquet tables, series picked by their words."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.real_files import real_file
from tests.factories.tried import FRAGILE, shipped, tried

from tripoint.adapters.capacity_traces import located, read_capacity_traces
from tripoint.domain.scenario import CapacityTrace
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.scenarios.knobs import usual
from tripoint.engines.stress.scenarios.resolve import faults_of

TABLE = "zone,step,value,gap_seconds,nodes\nb,1,0,60,2\na,0,2,300,2\nb,0,2,60,2\na,1,1,300,2\nb,2,2,60,2\n"


@pytest.mark.parametrize("packed", [False, True])
def test_a_table_holds_several_series_in_the_order_of_their_steps(tmp_path: Path, packed: bool) -> None:
    """Rows of two zones, mixed; shares are of what was asked for."""
    file = tmp_path / ("zones.csv.gz" if packed else "zones.csv")
    file.write_bytes(gzip.compress(TABLE.encode()) if packed else TABLE.encode())
    assert read_capacity_traces(file) == (
        CapacityTrace(name="b", seconds=(60.0, 60.0, 60.0), left=(1.0, 0.0, 1.0)),
        CapacityTrace(name="a", seconds=(300.0, 300.0), left=(1.0, 0.5)),
    )
    assert [each.name for each in read_capacity_traces(file, "a")] == ["a"]
    with pytest.raises(ValueError, match="no series is called `c`; it has `b`, `a`"):
        read_capacity_traces(file, "c")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no rows"),
        ("value\n1\n", "no column `gap_seconds`"),
        ("value,gap_seconds\nx,60\n", "row 1 holds something that is not a number"),
        ("value,gap_seconds\n1,0\n", "above 0"),
        ("value,gap_seconds\n-1,60\n", "of 0 and more"),
        ("value,gap_seconds\n1,60\n1,30\n", "steps of one length"),
        ("value,gap_seconds\n0,60\n", "never any capacity"),
    ],
)
def test_what_is_no_trace_is_told(text: str, told: str, tmp_path: Path) -> None:
    """With the row, or what is missing."""
    (tmp_path / "bad.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        read_capacity_traces(tmp_path / "bad.csv")


def test_half_a_gzip_file_is_told(tmp_path: Path) -> None:
    """As what it is, not as a failure of ours."""
    (tmp_path / "half.csv.gz").write_bytes(gzip.compress(TABLE.encode())[:30])
    with pytest.raises(ValueError, match="not a whole gzip file"):
        read_capacity_traces(tmp_path / "half.csv.gz")


def test_a_series_is_named_behind_the_file(tmp_path: Path) -> None:
    """Unless the sign belongs to a file's own name."""
    (tmp_path / "a#b.json").touch()
    assert located(tmp_path, "x.csv#us-east-1a,v100") == (tmp_path / "x.csv", "us-east-1a,v100")
    assert located(tmp_path, "a#b.json") == (tmp_path / "a#b.json", "")
    assert located(tmp_path, "x.json") == (tmp_path / "x.json", "")


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40).filter(any), st.integers(1, 1000))
def test_stretches_are_the_steps_said_shorter(steps: list[int], gap: int) -> None:
    """Written out again they are what was read; neighbours differ."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        file = Path(folder) / "t.json"
        file.write_text(json.dumps({"metadata": {"gap_seconds": gap}, "data": steps}), encoding="utf-8")
        (trace,) = read_capacity_traces(file)
    again = [left for left, seconds in zip(trace.left, trace.seconds, strict=True) for _ in range(round(seconds / gap))]
    assert again == [step / max(steps) for step in steps]
    assert all(one != other for one, other in zip(trace.left, trace.left[1:], strict=False))


def test_the_example_is_what_its_tool_writes() -> None:
    """Made up by rules that are here to read, and said to be."""
    from tools.make_spot_example import FILE, example

    assert json.loads(FILE.read_text(encoding="utf-8")) == json.loads(json.dumps(example()))
    assert "nothing in it was measured" in FILE.read_text(encoding="utf-8")


def test_the_catalogue_follows_the_example() -> None:
    """Four weeks of it; two weeks of a trial begin anywhere; twice as hard leaves never more."""
    scenario = next(each for each in shipped() if each.id == "spot-trace")
    (trace,) = scenario.strikes[0].traces
    assert sum(trace.seconds) == 28 * 86_400.0
    ground = tried(FRAGILE).ground
    once, twice = (
        faults_of(scenario, {**usual(scenario), "times": times}, ground, Streams(0, 4)) for times in (1.0, 2.0)
    )
    assert once

    def gone_s(faults: object) -> float:
        return sum((each.until_s - each.at_s) * (1.0 - each.size) for each in faults)  # type: ignore[attr-defined]  # faults

    assert gone_s(once) < gone_s(twice) <= 2.0 * gone_s(once) + 1e-6


@pytest.mark.no_cover
def test_real_spot_traces_are_read_and_followed() -> None:
    """SkyPilot's zones of 2023: twenty series, availability as its compilers counted it."""
    pytest.importorskip("duckdb", reason="the extra `demand` is not installed")
    file = real_file("skypilot_spot_traces/spot_traces_shared.parquet")
    found = read_capacity_traces(file)
    assert len(found) == 20
    (best,) = (each for each in found if {"us-west-2b", "availability"} <= set(each.name.split()))
    up = sum(s for s, left in zip(best.seconds, best.left, strict=True) if left == 1.0) / sum(best.seconds)
    assert up == pytest.approx(0.905, abs=5e-4)
    assert sum(best.seconds) == 20_158 * 195.0
    zones = read_capacity_traces(file, "availability,v100")
    shares = [sum(s * left for s, left in zip(z.seconds, z.left, strict=True)) / sum(z.seconds) for z in zones]
    assert (len(zones), round(min(shares), 2), round(max(shares), 2)) == (9, 0.17, 0.90)
