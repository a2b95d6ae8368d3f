"""The errand: options are checked before anything is read, and the right profile is made of what was read."""

from __future__ import annotations

import pytest

from tripoint.domain.demand import Distribution
from tripoint.domain.errors import OptionError
from tripoint.engines.sizing.demand.trace import Arrivals, JobTrace, LoadSeries, RequestTrace, Spell, TraceHeader
from tripoint.usecases.demand import FitOptions, fit_demand, parse_map

HEADER = TraceHeader(name="log", source="log.csv", rows=600, dropped={"bad timestamp": 2}, notes=("read as UTC",))
ARRIVALS = Arrivals(
    amount=600.0,
    first_s=0.0,
    last_s=3600.0,
    has_calendar=False,
    peak_per_s=0.5,
    spells=(Spell(weight=599, cv=1.2),),
    load=LoadSeries(width_s=60.0, origin_s=0.0, amounts=tuple((at, 10.0 + at % 3) for at in range(60))),
)


def unread(path: str, options: FitOptions) -> RequestTrace:
    """A reader that must not be reached."""
    raise AssertionError(f"{path} was read with {options}")


def test_a_request_trace_becomes_a_request_profile_with_its_losses() -> None:
    """Rate, burstiness, blocks, dropped rows and notes arrive."""
    asked: list[tuple[str, FitOptions]] = []

    def reader(path: str, options: FitOptions) -> RequestTrace:
        asked.append((path, options))
        return RequestTrace(header=HEADER, arrivals=ARRIVALS, input_tokens=None, output_tokens=None)

    profile = fit_demand(reader, "log.csv", FitOptions(blocks=2))
    assert asked == [("log.csv", FitOptions(blocks=2))]
    assert (profile.kind, profile.rows, profile.dropped) == ("requests", 600, {"bad timestamp": 2})
    assert profile.requests_per_s == pytest.approx(1 / 6)
    assert profile.peak_to_mean == pytest.approx(3)
    assert profile.burstiness_cv == pytest.approx(1.2)
    assert len(profile.curve) == 2
    assert profile.notes[0] == "read as UTC"


def test_a_job_trace_becomes_a_job_profile() -> None:
    """Hours, gangs and durations instead of tokens."""
    hours = Distribution(mean=2.0, p50=1.0, p95=6.0, p99=9.0)
    jobs = JobTrace(header=HEADER, arrivals=ARRIVALS, gpu_hours=4800.0, gang_gpus=8, job_hours=hours, tenants=4)
    profile = fit_demand(lambda path, options: jobs, "jobs.csv")
    assert (profile.kind, profile.gpu_hours, profile.gang_gpus) == ("gpu_jobs", 4800.0, 8)
    assert (profile.job_hours, profile.tenants, profile.input_tokens) == (hours, 4, None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (FitOptions(blocks=0), "0 blocks asked for"),
        (FitOptions(blocks=25), "25 blocks asked for"),
        (FitOptions(memory_mb=10), "10 MB of memory"),
        (FitOptions(kind="trains"), "no kind `trains`"),
        (FitOptions(unit="min"), "no unit `min`"),
        (FitOptions(duration_unit="days"), "no duration unit `days`"),
        (FitOptions(columns={"colour": "c"}), "mapped to `colour`"),
    ],
)
def test_options_that_cannot_be_used_are_told_before_reading(options: FitOptions, said: str) -> None:
    """Each names what was given and what is possible."""
    with pytest.raises(OptionError) as told:
        fit_demand(unread, "log.csv", options)
    assert said in told.value.message
    assert told.value.hint


def test_maps_are_pairs_of_role_and_column() -> None:
    """Commas and repeated flags both separate; blanks do not matter; a column may hold an equals sign."""
    assert parse_map(["timestamp=t, input = a", "output=b=c"]) == {"timestamp": "t", "input": "a", "output": "b=c"}
    assert parse_map([]) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timestamp", "maps nothing"),
        ("=x", "maps nothing"),
        ("colour=x", "mapped to `colour`"),
        ("input=a,input=b", "twice"),
    ],
)
def test_maps_that_say_nothing_are_refused(text: str, said: str) -> None:
    """A missing part, an unknown role, a role twice."""
    with pytest.raises(OptionError, match=said):
        parse_map([text])
