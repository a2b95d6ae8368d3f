"""Hours of the week cut into runs that look alike.

Hours are sorted by the load of the whole estate and cut into runs. Within a run, capacity must carry every workload's
busiest hour at once, for as long as the run lasts; the cuts minimise that planned capacity, exactly, by dynamic
programming over the sorted hours (the segmentation of Fisher, 1958, with planned capacity in place of squared
deviation). The first run is kept short even where a longer one would plan a little less: whether a peak is worth owning
or renting depends on how few hours it lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

TOP_BLOCK_HOURS = 17
"""Longest busiest block, hours: one in ten of the week, unless all its hours are one level."""
LEVEL_DIGITS = 9
"""Hours whose loads all agree to so many digits are one level and never cut apart."""

Floats = NDArray[np.float64]
Level = tuple[Floats, list[int]]


def runs_of_hours(loads: Sequence[Sequence[float]], blocks: int) -> list[list[int]]:
    """At most `blocks` runs of hours, busiest first; `loads` holds each workload's load in all hours."""
    levels = _levels(np.array(loads, dtype=np.float64).T)
    cost = _planned_capacity(levels)
    if blocks > 1 and len(levels) > 1:
        cost = _with_short_top(levels, cost)
    cuts = _cheapest_cuts(cost, min(blocks, len(levels)))
    runs = [levels[start:stop] for start, stop in pairwise(cuts)]
    return [[hour for _, hours in run for hour in hours] for run in runs]


def _levels(loads: Floats) -> list[Level]:
    """(loads, its hours), highest total first; ties by hour, so that the answer is the same every time."""
    scale = float(loads.sum(axis=1).max()) or 1.0
    hours_by_loads: dict[tuple[float, ...], list[int]] = {}
    for hour, row in enumerate(np.round(loads / scale, LEVEL_DIGITS)):
        hours_by_loads.setdefault(tuple(row.tolist()), []).append(hour)
    found = [(np.array(row), hours) for row, hours in hours_by_loads.items()]
    return sorted(found, key=lambda level: (-float(level[0].sum()), level[1][0]))


def _planned_capacity(levels: list[Level]) -> Floats:
    """[start, stop]: hours of levels start..stop-1 times the sum over workloads of their busiest hour in them."""
    rows = np.array([row for row, _ in levels])
    counts = np.array([len(hours) for _, hours in levels], dtype=np.float64)
    cost = np.full((len(levels), len(levels) + 1), np.inf)
    for start in range(len(levels)):
        busiest = np.maximum.accumulate(rows[start:], axis=0).sum(axis=1)
        cost[start, start + 1 :] = busiest * np.cumsum(counts[start:])
    return cost


def _with_short_top(levels: list[Level], cost: Floats) -> Floats:
    """The cost with first runs that last too long ruled out; a first run of one level is always allowed."""
    hours = np.cumsum([len(hours) for _, hours in levels])
    is_too_long = (hours > TOP_BLOCK_HOURS) & (np.arange(len(levels)) > 0)
    limited = cost.copy()
    limited[0, 1:][is_too_long] = np.inf
    return limited


def _cheapest_cuts(cost: Floats, runs: int) -> list[int]:
    """Positions 0 = c0 < c1 < ... = size of least total cost; `best[j]` cuts the first j levels into so many runs."""
    size = cost.shape[0]
    best = np.full(size + 1, np.inf)
    best[0] = 0.0
    backs: list[NDArray[np.int64]] = []
    for _ in range(runs):
        totals = best[:size, None] + cost
        backs.append(totals.argmin(axis=0))
        best = totals.min(axis=0)
    cuts = [size]
    for back in reversed(backs):
        cuts.append(int(back[cuts[-1]]))
    return cuts[::-1]
