"""GPU-job logs: hours, gangs, durations, accelerators in use."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.adapters.demand_files.logs import START, csv_text, fit, iso, written

from tripoint.adapters.demand_files import read_trace
from tripoint.domain.errors import OptionError
from tripoint.engines.sizing.demand.trace import JobTrace
from tripoint.usecases.demand import FitOptions

pytest.importorskip("duckdb", reason="the extra `demand` is not installed")

HELIOS = "job_id,user,vc,gpu_num,submit_time,start_time,end_time,duration,state"


def cluster_log(jobs: int = 400, seed: int = 5) -> list[tuple[object, ...]]:
    """A cluster's jobs over about ten days, with queueing and a CPU job every tenth row."""
    draw, at, rows = random.Random(seed), START, []
    for number in range(jobs):
        at += draw.expovariate(1 / 2000)
        start, run = at + draw.uniform(0, 300), round(draw.lognormvariate(7, 1.5))
        gpus = 0 if number % 10 == 0 else draw.choice((1, 1, 2, 4, 8, 8, 64))
        times = [iso(moment, "%Y-%m-%d %H:%M:%S") for moment in (at, start, start + run)]
        rows.append((number, f"u{number % 17}", f"vc{number % 3}", gpus, *times, run, "COMPLETED"))
    return rows


def used(rows: list[tuple[object, ...]]) -> list[tuple[int, int]]:
    """GPUs and seconds of the jobs that use GPUs."""
    return [(int(str(row[3])), int(str(row[7]))) for row in rows if row[3] != 0]


def test_a_cluster_log_gives_hours_gangs_and_durations(tmp_path: Path) -> None:
    """Figures agree with sums over the rows; CPU jobs are set aside and counted."""
    rows = cluster_log()
    profile = fit(written(tmp_path, csv_text(rows, HELIOS)))
    jobs = used(rows)
    assert (profile.kind, profile.rows, profile.dropped) == ("gpu_jobs", 360, {"no GPUs": 40})
    assert profile.gpu_hours == pytest.approx(sum(gpus * run for gpus, run in jobs) / 3600)
    assert profile.gang_gpus == sorted(gpus for gpus, _ in jobs)[int(0.95 * len(jobs)) - 1]
    assert profile.job_hours is not None
    assert profile.job_hours.mean == pytest.approx(sum(run for _, run in jobs) / len(jobs) / 3600)
    assert profile.input_tokens is None
    assert profile.tenants == 3


def test_duration_and_end_tell_the_same(tmp_path: Path) -> None:
    """Dropping either column changes nothing but the note."""
    rows = cluster_log()
    whole = fit(written(tmp_path, csv_text(rows, HELIOS)))
    ends = fit(
        written(tmp_path, csv_text([(*row[:7], row[8]) for row in rows], HELIOS.replace(",duration", "")), "e.csv")
    )
    runs = fit(
        written(tmp_path, csv_text([(*row[:6], *row[7:]) for row in rows], HELIOS.replace(",end_time", "")), "d.csv")
    )
    assert whole.gpu_hours == pytest.approx(ends.gpu_hours)
    assert whole.gpu_hours == pytest.approx(runs.gpu_hours)
    assert any("end minus start" in note for note in ends.notes)
    assert any("seconds (assumed, as its name does not say)" in note for note in runs.notes)


def test_accelerators_in_use_are_exact_per_hour(tmp_path: Path) -> None:
    """One 8-GPU job from 00:30 to 02:15 fills half, all and a quarter of three hours."""
    rows = [(START + 1800, 6300, 8), (START + 86_400 * 2, 3600, 1)]
    trace = read_trace(written(tmp_path, csv_text(rows, "start,duration_s,gpus")), FitOptions())
    assert isinstance(trace, JobTrace)
    hour = int(START // 3600)
    in_use = {at - hour: seconds / 3600 for at, seconds in trace.arrivals.load.amounts if seconds}
    assert in_use == pytest.approx({0: 4.0, 1: 8.0, 2: 2.0})


def test_a_minute_by_minute_count_agrees_with_the_curve(tmp_path: Path) -> None:
    """GPU-seconds per bin equal a count over the jobs themselves."""
    draw = random.Random(11)
    rows = [(START + draw.randint(0, 7000), draw.randint(1, 4000), draw.randint(1, 8)) for _ in range(60)]
    trace = read_trace(written(tmp_path, csv_text(rows, "start,duration_s,gpus")), FitOptions())
    assert isinstance(trace, JobTrace)
    first, last = trace.arrivals.first_s, trace.arrivals.last_s
    for at, seconds in trace.arrivals.load.amounts:
        low = trace.arrivals.load.origin_s + at * 60
        overlaps = [
            gpus * max(0.0, min(start + run, low + 60, last) - max(start, low, first)) for start, run, gpus in rows
        ]
        assert seconds == pytest.approx(sum(overlaps), abs=1e-6)


def test_clock_durations_are_read(tmp_path: Path) -> None:
    """Batch systems write `1-02:03:04`."""
    rows = [(START, "1-02:03:04", 2), (START + 60, "00:30:00", 4)]
    profile = fit(written(tmp_path, csv_text(rows, "start,elapsed,alloc_gpus")))
    assert profile.gpu_hours == pytest.approx(2 * (26 + 3 / 60 + 4 / 3600) + 4 * 0.5)


def test_a_duration_unit_can_be_given(tmp_path: Path) -> None:
    """Milliseconds by flag."""
    rows = [(START, 7_200_000, 2), (START + 60, 3_600_000, 1)]
    path = written(tmp_path, csv_text(rows, "start,runtime,gpus"))
    assert fit(path, FitOptions(duration_unit="ms")).gpu_hours == pytest.approx(5)


def test_bad_jobs_are_counted_for_their_reason(tmp_path: Path) -> None:
    """Ends before starts, missing ends, absurd counts and times."""
    good = [(START + 100 * k, START + 100 * k + 50, 1) for k in range(20)]
    bad = [
        (START, START - 5, 1),
        (START, "", 1),
        (START, START + 5, "many"),
        (START, START + 5, -1),
        ("soon", START, 1),
    ]
    profile = fit(written(tmp_path, csv_text([*good, *bad], "start,end,gpus")))
    assert profile.rows == 20
    assert profile.dropped == {
        "bad GPU count": 2, "bad timestamp": 1, "ends before it starts": 1, "no end or duration": 1,
    }  # fmt: skip


def test_clocks_that_disagree_are_a_question(tmp_path: Path) -> None:
    """Starts since 1970 and ends since the start of the trace cannot be subtracted."""
    rows = [(START + k, 10 + k, 1) for k in range(20)]
    with pytest.raises(OptionError, match="the time columns disagree"):
        fit(written(tmp_path, csv_text(rows, "start,end_s,gpus")))


def test_a_job_log_without_gpus_names_what_is_missing(tmp_path: Path) -> None:
    """Kind can be forced; then the missing roles are those of jobs."""
    path = written(tmp_path, csv_text([(START, 5), (START + 1, 5)], "start,duration"))
    with pytest.raises(OptionError, match="no column known as gpus"):
        fit(path, FitOptions(kind="gpu_jobs"))
