"""The usual course of things hour by hour, and the pieces of time in which a trial departs from it.

Faults take up a small part of a year. What lies outside them is the usual course, summed once for all trials; only
pieces of hours in which something is struck are filled anew.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripoint.domain.units import HOURS_PER_WEEK, HOURS_PER_YEAR, SECONDS_PER_HOUR
from tripoint.engines.stress.fluid.filling import COUNTED, USD, Filled, Setting, fill
from tripoint.engines.stress.fluid.layout import Flags, Layout
from tripoint.engines.stress.fluid.spans import Spans
from tripoint.engines.stress.kernel.arithmetic import Floats, exponential, natural_log

ASKED, SERVED = range(2)
COUNTS = SERVED + 1
"""Quantities of a flow: asked, served, and from here on what is counted of what was served."""
QUANTITIES = COUNTS + COUNTED

_TOLERATED = 1e-9


class Usual(NamedTuple):
    """The course without any fault; H hours."""

    edges_s: Floats
    """[H + 1] seconds."""
    rates: Floats
    """[QUANTITIES, F, H] per second."""
    passed: Floats
    """[QUANTITIES, F, H + 1] amounts since the start."""
    filled: Filled
    """[., H]."""
    is_short: Flags
    """[W, H] less is served than the least share."""
    margin: Floats
    """[F] least margin."""


class Pieces(NamedTuple):
    """Pieces of time between neighbouring edges of spans and hours, in order."""

    start_s: Floats
    """[N] seconds."""
    length_s: Floats
    """[N] seconds."""
    hour: NDArray[np.int64]
    """[N] index of the hour it lies in."""
    span: NDArray[np.int64]
    """[N] index of the span it lies in."""

    def only(self, chosen: Flags) -> Pieces:
        """Those chosen [N]."""
        return Pieces(self.start_s[chosen], self.length_s[chosen], self.hour[chosen], self.span[chosen])


def usual(layout: Layout, setting: Setting, *, start_hour: int, hours: int) -> Usual:
    """The course of `hours` hours from an hour of the week, demand growing as declared."""
    edges: Floats = np.arange(hours + 1, dtype=np.float64) * SECONDS_PER_HOUR
    asked = _asked(layout, start_hour, hours)
    stands = np.repeat(1.0 - layout.is_cold[:, None], hours, axis=1)
    filled = fill(layout, setting, asked, stands, np.zeros((len(layout.growing), hours)))
    rates = quantities(layout, setting, asked, filled)
    passed = np.zeros((*rates.shape[:2], hours + 1))
    np.cumsum(rates * SECONDS_PER_HOUR, axis=2, out=passed[:, :, 1:])
    is_short = short(layout, asked, filled.served)
    return Usual(edges, rates, passed, filled, is_short, filled.margin.min(axis=1, initial=1.0))


def quantities(layout: Layout, setting: Setting, asked: Floats, filled: Filled) -> Floats:
    """[QUANTITIES, F, N] per second; the cost with the nodes that stand there for a flow."""
    rates = np.concatenate((asked[None], filled.served[None], filled.counted))
    rates[COUNTS + USD] += (layout.held_part * (layout.held_usd * setting.held)).sum(axis=1)[:, None]
    return rates


def short(layout: Layout, asked: Floats, served: Floats) -> Flags:
    """[W, N] moments in which a workload somebody waits for is served less than the least share of what it is asked."""
    demanded = layout.world.demanded
    both = np.zeros((2, len(demanded), asked.shape[1]))
    for flow, number in enumerate(layout.workload_of):
        both[0, number] += asked[flow]
        both[1, number] += served[flow]
    least = np.array([each.least_share if each.is_interactive else 0.0 for each in demanded])
    found: Flags = both[1] < both[0] * least[:, None] * (1.0 - _TOLERATED)
    return found


def pieces_of(spans: Spans, course: Usual) -> Pieces:
    """All pieces of a trial."""
    cuts = np.union1d(spans.edges, course.edges_s)
    span = np.searchsorted(spans.edges, cuts[:-1], side="right") - 1
    hour = np.minimum((cuts[:-1] / SECONDS_PER_HOUR).astype(np.int64), course.edges_s.size - 2)
    return Pieces(cuts[:-1], np.diff(cuts), hour, span.astype(np.int64))


def departing(pieces: Pieces, spans: Spans, course: Usual) -> Flags:
    """[N] pieces in which something is struck, or is short as it usually is: what is filled anew."""
    is_short: Flags = np.any(course.is_short, axis=0)
    found: Flags = spans.is_struck[pieces.span] | is_short[pieces.hour]
    return found


def elsewhere(pieces: Pieces, course: Usual) -> Floats:
    """[QUANTITIES, F] amounts of the usual course in all the time that is none of the pieces."""
    end_s = course.edges_s[-1]
    starts = np.concatenate(([0.0], pieces.start_s + pieces.length_s))
    ends = np.concatenate((pieces.start_s, [end_s]))
    is_gap = ends > starts
    amounts: Floats = (_passed(course, ends[is_gap]) - _passed(course, starts[is_gap])).sum(axis=2)
    return amounts


def _passed(course: Usual, at_s: Floats) -> Floats:
    """[QUANTITIES, F, N] amounts up to moments."""
    hour = np.minimum((at_s / SECONDS_PER_HOUR).astype(np.int64), course.edges_s.size - 2)
    amounts: Floats = course.passed[:, :, hour] + course.rates[:, :, hour] * (at_s - course.edges_s[hour])
    return amounts


def _asked(layout: Layout, start_hour: int, hours: int) -> Floats:
    """[F, H] requests per second in the middle of each hour of the week, grown since the start."""
    years = (np.arange(hours) + 0.5) / HOURS_PER_YEAR
    week = (start_hour + np.arange(hours)) % HOURS_PER_WEEK
    asked = np.zeros((len(layout.workload_of), hours))
    for flow, number in enumerate(layout.workload_of):
        each = layout.world.demanded[number]
        weights = np.array(each.hour_of_week)[week]
        growth = max(1e-9, 1.0 + each.growth_per_year)
        grown = exponential(natural_log(np.array([growth]))[0] * years) if growth != 1.0 else 1.0
        asked[flow] = layout.part[flow] * each.requests_per_s * weights * grown
    return asked
