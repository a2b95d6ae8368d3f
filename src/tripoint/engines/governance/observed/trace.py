"""From sums by hour and single requests to what a fit of demand begins with.

Rates, volumes and the hourly curve come from the sums and are exact. Token shapes and burstiness come from single
requests: all of them, or as many of each hour as a sample allows, in proportion to its traffic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import ceil, sqrt
from typing import Final, NamedTuple

from tripoint.domain.demand import Distribution
from tripoint.domain.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from tripoint.engines.sizing.demand.trace import (
    Arrivals,
    LoadSeries,
    RequestTrace,
    Spell,
    TraceHeader,
    load_bin_s,
)


class Bin(NamedTuple):
    """What a workload was asked in an hour (in a day, of a bill by days)."""

    at: float
    """When it begins, seconds since 1970."""
    requests: int
    """Requests that an upstream answered."""
    tokens_in: int
    """Their input tokens, cached ones included."""
    cached: int
    """Input tokens read from a cache."""
    tokens_out: int
    """Their output tokens."""


class Sighting(NamedTuple):
    """One request."""

    at: float
    """When it began, seconds since 1970."""
    tokens_in: int
    """Input tokens, cached ones included."""
    tokens_out: int
    """Output tokens."""


class Observation(NamedTuple):
    """Everything seen of a workload."""

    workload: str
    """Its id."""
    bins: tuple[Bin, ...]
    """By time, ascending; those without requests left out."""
    width_s: float
    """Length of a bin, s."""
    sightings: tuple[Sighting, ...]
    """Single requests, those of each hour together; none where only sums are known."""
    is_whole: bool
    """True where every request was sighted."""
    unanswered: int
    """Requests that no upstream answered: refused, shed or failed."""
    tenants: int
    """Tenants that asked."""


class Window(NamedTuple):
    """The time observed, the same for all workloads; seconds since 1970."""

    first_s: float
    """Its first moment."""
    last_s: float
    """Its last."""
    step_s: float = 0.0
    """By which steps its ends are known, s: 0 where to the request, an hour or a day where only sums of those are."""


_FEWEST: Final = 2


def trace_of(seen: Observation, window: Window, source: str) -> RequestTrace | None:
    """What a fit begins with; `None` where fewer than two requests were answered, or no time passed between them."""
    requests = sum(each.requests for each in seen.bins)
    if requests < _FEWEST or window.last_s <= window.first_s:
        return None
    tokens_in = sum(each.tokens_in for each in seen.bins)
    tokens_out = sum(each.tokens_out for each in seen.bins)
    return RequestTrace(
        header=TraceHeader(
            name=seen.workload,
            source=source,
            rows=requests,
            dropped={"answered by no upstream": seen.unanswered} if seen.unanswered else {},
            notes=_notes(seen, requests),
        ),
        arrivals=_arrivals(seen, window, requests),
        input_tokens=_distribution([each.tokens_in for each in seen.sightings], tokens_in / requests),
        output_tokens=_distribution([each.tokens_out for each in seen.sightings], tokens_out / requests),
        prefix_blocks=tokens_in,
        repeated_blocks=sum(each.cached for each in seen.bins),
        tenants=seen.tenants,
    )


def sample_sizes(requests: Sequence[int], most: int) -> tuple[int, ...]:
    """How many requests of each hour to look at: in proportion, at least one of each, all where they are few enough."""
    total = sum(requests)
    if total <= most:
        return tuple(requests)
    return tuple(min(count, ceil(most * count / total)) for count in requests)


def _notes(seen: Observation, requests: int) -> tuple[str, ...]:
    if seen.is_whole:
        return ()
    if not seen.sightings:
        return ("only sums are known: token counts are means, and burstiness and peak minute are not known",)
    return (
        f"token shapes and burstiness are of {len(seen.sightings):,} requests out of {requests:,},"
        " taken from every hour in proportion; the peak is the busiest hour",
    )


def _arrivals(seen: Observation, window: Window, requests: int) -> Arrivals:
    """As a fit of the requests' own log has it, where every request was sighted."""
    times = sorted(each.at for each in seen.sightings) if seen.is_whole else []
    width = load_bin_s(window.last_s - window.first_s) if seen.is_whole else seen.width_s
    origin = window.first_s if width < SECONDS_PER_HOUR else 0.0
    load: Counter[int] = Counter(int((at - origin) // width) for at in times)
    if not seen.is_whole:
        for each in seen.bins:
            load[int((each.at - origin) // width)] += each.requests
    return Arrivals(
        amount=requests,
        first_s=window.first_s,
        last_s=window.last_s,
        has_calendar=True,
        peak_per_s=_peak_per_s(times, window) if times else _peak_of_bins(seen, window),
        spells=_spells(times, window.first_s) if times else _sampled_spells(seen),
        load=LoadSeries(width_s=width, origin_s=origin, amounts=tuple(sorted(load.items()))),
    )


def _peak_per_s(times: Sequence[float], window: Window) -> float:
    """Rate of the busiest minute, minutes counted from the window's first moment."""
    minutes = Counter(int((at - window.first_s) // SECONDS_PER_MINUTE) for at in times)
    return max(minutes.values()) / min(SECONDS_PER_MINUTE, window.last_s - window.first_s)


def _peak_of_bins(seen: Observation, window: Window) -> float:
    """Rate of the busiest bin over the part of it that was observed, a minute at least where the window has one."""
    least_s = min(SECONDS_PER_MINUTE, window.last_s - window.first_s)

    def observed_s(each: Bin) -> float:
        return max(least_s, min(each.at + seen.width_s, window.last_s) - max(each.at, window.first_s))

    return max(each.requests / observed_s(each) for each in seen.bins)


def _spells(times: Sequence[float], first_s: float) -> tuple[Spell, ...]:
    """Burstiness of each hour from the first moment; the time since the last request belongs to the later one."""
    gaps: dict[int, list[float]] = {}
    for earlier, later in pairwise(times):
        gaps.setdefault(int((later - first_s) // SECONDS_PER_HOUR), []).append(later - earlier)
    found = ((len(each), _variation(each)) for each in gaps.values())
    return tuple(Spell(weight=count, cv=cv) for count, cv in found if cv is not None)


def _sampled_spells(seen: Observation) -> tuple[Spell, ...]:
    """Burstiness within the requests taken from each hour, weighted by all of that hour."""
    times: dict[int, list[float]] = {}
    for each in seen.sightings:
        times.setdefault(int(each.at // SECONDS_PER_HOUR), []).append(each.at)
    spells = []
    for each_bin in seen.bins:
        found = sorted(times.get(int(each_bin.at // SECONDS_PER_HOUR), ()))
        cv = _variation([later - earlier for earlier, later in pairwise(found)])
        if cv is not None:
            spells.append(Spell(weight=each_bin.requests, cv=cv))
    return tuple(spells)


def _variation(gaps: Sequence[float]) -> float | None:
    """Sample standard deviation over the mean; `None` where there is none."""
    if len(gaps) < _FEWEST or sum(gaps) <= 0:
        return None
    mean = sum(gaps) / len(gaps)
    return sqrt(sum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1)) / mean


def _distribution(values: list[int], mean: float) -> Distribution:
    """Quantiles are the smallest value at or below which the asked share lies."""
    if not values:
        return Distribution(mean=mean, p50=mean, p95=mean, p99=mean)
    values.sort()
    p50, p95, p99 = (float(values[max(0, ceil(share * len(values)) - 1)]) for share in (0.5, 0.95, 0.99))
    return Distribution(mean=sum(values) / len(values), p50=p50, p95=p95, p99=p99)
