"""Load-duration curves: how long a load is how high, in a few weighted blocks.

A curve is the least-squares segmentation of the sorted bin rates into `k` contiguous blocks (Fisher 1958, "On
grouping for maximum homogeneity"): dynamic programming over prefix sums, exact for the points given. Long
series are first thinned to `MAX_POINTS` points of equal duration (the highest and lowest bins keep points of
their own), which moves a level by less than the width of one point. Invariants: weights sum to 1, the
weighted mean level is 1, levels descend.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tripoint.domain.demand import CurveBlock

MAX_POINTS = 400
DEFAULT_BLOCKS = 5

Floats = NDArray[np.float64]


def load_duration_curve(rates: Floats, weights: Floats, blocks: int = DEFAULT_BLOCKS) -> tuple[CurveBlock, ...]:
    """Segment bin rates (any unit) lasting `weights` into at most `blocks` blocks, busiest first.

    Empty when there is no load at all; fewer blocks when there are fewer distinct rates.
    """
    kept = weights > 0
    order = np.argsort(-rates[kept], kind="stable")
    level, weight = rates[kept][order], weights[kept][order]
    total = float(np.dot(level, weight))
    if not level.size or total <= 0:
        return ()
    level, weight = _thin(*_merge_equal(level * weight.sum() / total, weight / weight.sum()))
    cuts = _segment(level, weight, min(blocks, level.size))
    return tuple(_blocks_between(level, weight, cuts))


def _merge_equal(level: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Join bins of the same rate, so that no block boundary falls between equals."""
    distinct, inverse = np.unique(-level, return_inverse=True)
    return -distinct, np.bincount(inverse, weights=weight).astype(np.float64)


def _thin(level: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Average long series into `MAX_POINTS` slices of equal duration; the two extremes stay as they are."""
    if level.size <= MAX_POINTS:
        return level, weight
    middle = np.cumsum(weight) - weight / 2
    slot = 1 + np.minimum((middle * (MAX_POINTS - 2)).astype(np.int64), MAX_POINTS - 3)
    slot[0], slot[-1] = 0, MAX_POINTS - 1
    mass = np.bincount(slot, weights=weight, minlength=MAX_POINTS).astype(np.float64)
    load = np.bincount(slot, weights=weight * level, minlength=MAX_POINTS).astype(np.float64)
    filled = mass > 0
    return load[filled] / mass[filled], mass[filled]


def _segment(level: Floats, weight: Floats, blocks: int) -> list[int]:
    """Boundaries of the `blocks` contiguous groups with the least weighted squared deviation (0 and n
    included).
    """
    mass = np.concatenate(([0.0], np.cumsum(weight)))
    load = np.concatenate(([0.0], np.cumsum(weight * level)))
    square = np.concatenate(([0.0], np.cumsum(weight * level * level)))
    span = np.maximum(mass[None, :] - mass[:, None], 1e-300)
    cost = (square[None, :] - square[:, None]) - (load[None, :] - load[:, None]) ** 2 / span
    cost[np.tril_indices(mass.size)] = np.inf
    best, origins = cost[0], []
    for _ in range(blocks - 1):
        through = best[:, None] + cost
        origins.append(np.argmin(through, axis=0))
        best = np.min(through, axis=0)
    return _walk_back(origins, level.size)


def _walk_back(origins: list[NDArray[np.int64]], end: int) -> list[int]:
    """Read the optimal boundaries off the dynamic programme's choices."""
    cuts = [end]
    for origin in reversed(origins):
        cuts.append(int(origin[cuts[-1]]))
    return [0, *reversed(cuts)]


def _blocks_between(level: Floats, weight: Floats, cuts: list[int]) -> list[CurveBlock]:
    """One block per pair of neighbouring cuts."""
    blocks = []
    for start, end in pairwise(cuts):
        mass = float(weight[start:end].sum())
        mean = float(np.dot(level[start:end], weight[start:end])) / mass
        blocks.append(CurveBlock(weight=mass, level=mean))
    return blocks
