"""From aggregates to a profile: rates, burstiness, peak, hours of the week, notes."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.demand import Distribution
from tripoint.domain.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_WEEK
from tripoint.engines.sizing.demand.profile import (
    hour_of_week,
    load_curve,
    peak_to_mean,
    profile_of_requests,
    superposed_cv,
)
from tripoint.engines.sizing.demand.trace import (
    Arrivals,
    LoadSeries,
    RequestTrace,
    Spell,
    TraceHeader,
    load_bin_s,
)

MONDAY = 1_767_571_200.0
"""2026-01-05 00:00 UTC."""
TOKENS = Distribution(mean=100.0, p50=80.0, p95=300.0, p99=500.0)


def hourly(rates: list[float], start_s: float = MONDAY, has_calendar: bool = True) -> Arrivals:
    """Arrivals of whole hours at these rates per second."""
    first = int(start_s // SECONDS_PER_HOUR)
    return Arrivals(
        amount=sum(rates) * SECONDS_PER_HOUR,
        first_s=start_s,
        last_s=start_s + len(rates) * SECONDS_PER_HOUR,
        has_calendar=has_calendar,
        peak_per_s=max(rates),
        spells=(Spell(weight=1000, cv=1.0),),
        load=LoadSeries(
            width_s=SECONDS_PER_HOUR,
            origin_s=0.0,
            amounts=tuple((first + at, rate * SECONDS_PER_HOUR) for at, rate in enumerate(rates)),
        ),
    )


def trace(arrivals: Arrivals) -> RequestTrace:
    """A request trace with fixed tokens."""
    return RequestTrace(
        header=TraceHeader(name="t", source="t.csv", rows=10),
        arrivals=arrivals,
        input_tokens=TOKENS,
        output_tokens=TOKENS,
    )


def test_a_week_keeps_each_hour_where_it_was() -> None:
    """168 distinct hours from a Monday come back as they are, relative to their mean."""
    rates = [1.0 + hour for hour in range(168)]
    shape = hour_of_week(hourly(rates))
    assert shape == pytest.approx([rate / np.mean(rates) for rate in rates])


@given(shift=st.integers(0, 500))
def test_the_weekday_comes_from_the_calendar(shift: int) -> None:
    """A week that starts at any hour puts its first hour on the right weekday and hour."""
    rates = [5.0] + [1.0] * 167
    shape = hour_of_week(hourly(rates, MONDAY + shift * SECONDS_PER_HOUR))
    assert shape is not None
    assert shape.index(max(shape)) == shift % 168


def test_a_few_days_are_folded_on_the_hour_of_the_day() -> None:
    """Two and a half days: each hour of the day is the mean of the days that have it, on every weekday."""
    rates = [2.0 if hour % 24 == 9 else 1.0 for hour in range(60)]
    shape = hour_of_week(hourly(rates))
    assert shape is not None
    assert shape[:24] == pytest.approx(shape[144:])
    assert shape[9] / shape[8] == pytest.approx(2)
    assert float(np.mean(shape)) == pytest.approx(1)


def test_less_than_a_day_has_no_shape() -> None:
    """23 hours leave one hour of the day unseen."""
    assert hour_of_week(hourly([1.0] * 23)) is None


def test_hours_seen_in_part_count_by_the_seconds_seen() -> None:
    """A trace from 00:30 on to 00:30 of the next day shows no dip in its first and last half hour."""
    whole = hourly([1.0] * 25)
    ends = dict(whole.load.amounts)
    first = int(MONDAY // SECONDS_PER_HOUR)
    ends[first] = ends[first + 24] = 1800.0
    cut = replace(
        whole,
        amount=SECONDS_PER_DAY,
        first_s=MONDAY + 1800,
        last_s=MONDAY + 1800 + SECONDS_PER_DAY,
        load=replace(whole.load, amounts=tuple(ends.items())),
    )
    assert hour_of_week(cut) == pytest.approx([1.0] * 168)
    (block,) = load_curve(cut)
    assert block.level == pytest.approx(1)


def test_silent_hours_belong_to_the_curve() -> None:
    """A load of one hour in four has three quarters of its time at zero."""
    rates = [4.0, 0.0, 0.0, 0.0] * 12
    arrivals = hourly(rates)
    busy = tuple((at, amount) for at, amount in arrivals.load.amounts if amount)
    curve = load_curve(replace(arrivals, load=replace(arrivals.load, amounts=busy)))
    assert [block.weight for block in curve] == pytest.approx([0.25, 0.75])
    assert [block.level for block in curve] == pytest.approx([4.0, 0.0])


def test_burstiness_is_the_weighted_root_of_squares() -> None:
    """3 parts of CV 1 and 1 part of CV 3 make sqrt(3)."""
    assert superposed_cv((Spell(weight=300, cv=1), Spell(weight=100, cv=3))) == pytest.approx(sqrt(3))


def test_nearly_empty_spells_do_not_speak_for_burstiness() -> None:
    """Two arrivals at night say nothing beside a thousand by day; alone they are all there is."""
    night, day = Spell(weight=2, cv=9.0), Spell(weight=1000, cv=1.0)
    assert superposed_cv((night, day)) == pytest.approx(1.0)
    assert superposed_cv((night,)) == pytest.approx(9.0)
    assert superposed_cv(()) is None


def test_the_peak_is_never_below_the_mean() -> None:
    """A last minute cut short cannot push it under 1."""
    assert peak_to_mean(replace(hourly([1.0] * 30), peak_per_s=0.5)) == 1.0


@given(scale=st.floats(0.1, 10), rates=st.lists(st.floats(0.1, 50), min_size=24, max_size=200))
def test_more_of_the_same_changes_the_rate_only(scale: float, rates: list[float]) -> None:
    """Twice the requests have the same shape, curve weights, peak ratio and tokens."""
    one, more = (
        profile_of_requests(trace(hourly(rates))),
        profile_of_requests(trace(hourly([scale * r for r in rates]))),
    )
    assert more.requests_per_s == pytest.approx(scale * one.requests_per_s)
    assert more.peak_to_mean == pytest.approx(one.peak_to_mean)
    assert more.hour_of_week == pytest.approx(one.hour_of_week)
    assert (more.input_tokens, more.burstiness_cv) == (one.input_tokens, one.burstiness_cv)


def test_what_was_assumed_about_the_calendar_is_said() -> None:
    """Relative time, a part of a week, and too short a trace each have their note."""
    relative = profile_of_requests(trace(hourly([1.0] * 48, 0.0, has_calendar=False)))
    assert any("taken as Monday 00:00 UTC" in note for note in relative.notes)
    assert any("48.0 h, less than the 168 h" in note for note in relative.notes)
    assert profile_of_requests(trace(hourly([1.0] * 168))).notes == ()


def test_cacheable_share_is_absent_where_no_blocks_were_seen() -> None:
    """A log without block ids says nothing about caching, which is not the same as 0."""
    plain = trace(hourly([1.0] * 24))
    assert profile_of_requests(plain).cacheable_share is None
    assert profile_of_requests(replace(plain, prefix_blocks=200, repeated_blocks=50)).cacheable_share == 0.25


def test_bins_are_as_fine_as_the_trace_is_long() -> None:
    """Seconds, minutes, hours."""
    windows = (59.0, 3600.0, SECONDS_PER_DAY, SECONDS_PER_WEEK)
    assert [load_bin_s(window) for window in windows] == [1.0, 60.0, SECONDS_PER_HOUR, SECONDS_PER_HOUR]
