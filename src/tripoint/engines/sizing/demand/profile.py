"""What a log says about demand: turns an aggregated trace into a `DemandProfile`.

Rate is arrivals over the length of the window. Burstiness is the superposition of the trace's spells by the
asymptotic method for renewal processes (Albin 1984; Whitt 1982): variances of counts add, so the squared
coefficient of variation of the whole is the arrival-weighted mean of the squared coefficients of the parts. A
log's spells are its hours, which keeps the daily cycle out of the burstiness; a log of an hour or less is one
spell, and the figure is then simply the coefficient of variation of its inter-arrival times. The peak is the
busiest minute. An hour-of-week shape needs a day.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tripoint.domain.demand import CurveBlock, DemandProfile
from tripoint.domain.units import HOURS_PER_DAY, HOURS_PER_WEEK, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_WEEK
from tripoint.engines.sizing.demand.curve import DEFAULT_BLOCKS, load_duration_curve
from tripoint.engines.sizing.demand.trace import Arrivals, JobTrace, RequestTrace, Spell

FEWEST_ARRIVALS = 30
"""A spell with fewer arrivals says nothing about burstiness; it is left out when busier ones exist."""
THURSDAY_H = 72
"""1970-01-01 00:00 UTC was a Thursday: hour 72 from Monday."""

Floats = NDArray[np.float64]


def profile_of_requests(trace: RequestTrace, blocks: int = DEFAULT_BLOCKS) -> DemandProfile:
    """Profile of a request log."""
    header, arrivals = trace.header, trace.arrivals
    shape, curve = hour_of_week(arrivals), load_curve(arrivals, blocks)
    return DemandProfile(
        name=header.name,
        kind="requests",
        source=header.source,
        window_s=arrivals.window_s,
        rows=header.rows,
        requests_per_s=mean_rate(arrivals),
        input_tokens=trace.input_tokens,
        output_tokens=trace.output_tokens,
        burstiness_cv=superposed_cv(arrivals.spells),
        peak_to_mean=peak_to_mean(arrivals),
        hour_of_week=shape,
        curve=curve,
        cacheable_share=trace.repeated_blocks / trace.prefix_blocks if trace.prefix_blocks else None,
        tenants=trace.tenants,
        dropped=dict(header.dropped),
        notes=(*header.notes, *shape_notes(arrivals)),
    )


def profile_of_jobs(trace: JobTrace, blocks: int = DEFAULT_BLOCKS) -> DemandProfile:
    """Profile of an accelerator-job log; its curve and hour-of-week shape follow accelerators in use."""
    header, arrivals = trace.header, trace.arrivals
    return DemandProfile(
        name=header.name,
        kind="gpu_jobs",
        source=header.source,
        window_s=arrivals.window_s,
        rows=header.rows,
        requests_per_s=mean_rate(arrivals),
        burstiness_cv=superposed_cv(arrivals.spells),
        peak_to_mean=peak_to_mean(arrivals),
        hour_of_week=hour_of_week(arrivals),
        curve=load_curve(arrivals, blocks),
        tenants=trace.tenants,
        gpu_hours=trace.gpu_hours,
        gang_gpus=trace.gang_gpus,
        job_hours=trace.job_hours,
        dropped=dict(header.dropped),
        notes=(*header.notes, *shape_notes(arrivals)),
    )


def mean_rate(arrivals: Arrivals) -> float:
    """Arrivals per second over the window."""
    return arrivals.amount / arrivals.window_s


def peak_to_mean(arrivals: Arrivals) -> float:
    """Highest one-minute rate over the mean; never below 1."""
    return max(1.0, arrivals.peak_per_s / mean_rate(arrivals))


def superposed_cv(spells: tuple[Spell, ...]) -> float | None:
    """Root of the arrival-weighted mean of the spells' squared coefficients; `None` without any."""
    telling = tuple(spell for spell in spells if spell.weight >= FEWEST_ARRIVALS) or spells
    weight = sum(spell.weight for spell in telling)
    if weight <= 0:
        return None
    return sqrt(sum(spell.weight * spell.cv**2 for spell in telling) / weight)


def load_curve(arrivals: Arrivals, blocks: int = DEFAULT_BLOCKS) -> tuple[CurveBlock, ...]:
    """Load-duration curve over the trace's bins; an end bin less than half covered joins its neighbour."""
    amounts, covered = _bins(arrivals)
    for end, neighbour in ((0, 1), (-1, -2)):
        if amounts.size > 1 and covered[end] < arrivals.load.width_s / 2:
            amounts[neighbour] += amounts[end]
            covered[neighbour] += covered[end]
            amounts, covered = _without(amounts, end), _without(covered, end)
    return load_duration_curve(amounts / np.maximum(covered, 1e-9), covered, blocks)


def hour_of_week(arrivals: Arrivals) -> tuple[float, ...] | None:
    """168 weights of mean 1 from Monday 00:00 UTC (from the trace's start when it has no calendar).

    From a day to a week of trace the hours of the day are averaged and repeated; below a day there is no
    shape.
    """
    if arrivals.window_s < SECONDS_PER_DAY or arrivals.load.width_s > SECONDS_PER_HOUR:
        return None
    amounts, covered = _bins(arrivals)
    slots = _first_hour(arrivals) + np.arange(amounts.size)
    cycle = HOURS_PER_WEEK if arrivals.window_s >= SECONDS_PER_WEEK else HOURS_PER_DAY
    load = np.bincount(slots % cycle, weights=amounts, minlength=cycle)
    seconds = np.bincount(slots % cycle, weights=covered, minlength=cycle)
    rates = np.tile(load / np.maximum(seconds, 1e-9), HOURS_PER_WEEK // cycle)
    return tuple(float(rate) for rate in rates / rates.mean()) if rates.mean() > 0 else None


def shape_notes(arrivals: Arrivals) -> tuple[str, ...]:
    """How the shape and the curve were come by, for the reader of the profile."""
    window_h = arrivals.window_s / SECONDS_PER_HOUR
    notes = []
    if arrivals.window_s < SECONDS_PER_DAY:
        notes.append(
            f"trace covers {window_h:.2f} h: too short for an hour-of-week shape, which needs 24 h; "
            f"the load-duration curve is over bins of {arrivals.load.width_s:g} s"
        )
    elif arrivals.window_s < SECONDS_PER_WEEK:
        notes.append(
            f"trace covers {window_h:.1f} h, less than the 168 h of a week: "
            "hours of the day were averaged and repeated for each weekday"
        )
    if arrivals.window_s >= SECONDS_PER_DAY and not arrivals.has_calendar:
        notes.append("timestamps count from the start of the trace: its start was taken as Monday 00:00 UTC")
    return tuple(notes)


def _bins(arrivals: Arrivals) -> tuple[Floats, Floats]:
    """Dense amounts per bin from the first to the last bin of the window, and the seconds of each that it
    covers.
    """
    width, origin = arrivals.load.width_s, arrivals.load.origin_s
    first = int((arrivals.first_s - origin) // width)
    last = max(first, int(np.ceil((arrivals.last_s - origin) / width)) - 1)
    amounts = np.zeros(last - first + 1)
    for index, amount in arrivals.load.amounts:
        amounts[min(max(index, first), last) - first] += amount
    starts = origin + width * np.arange(first, last + 1)
    covered = np.minimum(starts + width, arrivals.last_s) - np.maximum(starts, arrivals.first_s)
    return amounts, np.maximum(covered, 0.0)


def _first_hour(arrivals: Arrivals) -> int:
    """Hour of the week (not reduced) of the first bin."""
    origin_s = arrivals.load.origin_s
    hour = int(origin_s // SECONDS_PER_HOUR) + int((arrivals.first_s - origin_s) // SECONDS_PER_HOUR)
    return hour + THURSDAY_H if arrivals.has_calendar else hour


def _without(values: Floats, index: int) -> Floats:
    """The array less its first or last entry."""
    return values[1:] if index == 0 else values[:-1]
