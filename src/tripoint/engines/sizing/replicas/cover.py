"""A straight line over a staircase: nodes needed as a fixed part and a part per request per second.

Nodes needed grow in steps of one replica. The program reads the steps themselves (`stairs`), at the rates it plans
for; who asks how cost moves with demand wants its trend, `fixed + slope x rate`. The cover is the line of least area
above every step, so that it never buys too little at any rate up to the largest. The staircase's outer corners are
(largest rate c replicas carry, nodes c + 1 replicas take): a line above all of them is above the staircase. Least area
over [0, R] means least height at R / 2, and that is the edge of the corners' upper hull over the midpoint. Economies
of scale make the corners bend downwards until the utilisation cap binds; from there on they lie on one straight line,
so the first corners and the last one are enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from tripoint.engines.sizing.replicas.queueing import capacity_of
from tripoint.engines.sizing.replicas.stairs import Stairs, reaches_cap

SPACING = 1.04
"""Corners beyond those found one by one are so far apart, and each gap is covered by its higher end."""

Corner = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """A line above the nodes needed at every rate up to the largest."""

    fixed: float
    """Nodes held at any rate, even a tiny one."""
    slope: float
    """Nodes per request per second."""

    def at(self, rate: float) -> float:
        """Nodes at a rate."""
        return self.fixed + self.slope * rate


def cover(stairs: Stairs, sites: int = 1) -> Cover:
    """Line of least area above the nodes `sites` identical sites need, total, when they split a rate evenly."""
    per_site = line_over(corners(stairs))
    return Cover(fixed=per_site.fixed * sites, slope=per_site.slope)


def corners(stairs: Stairs) -> list[Corner]:
    """Outer corners of the staircase from 0 to its largest rate, rates ascending; the last is its end."""
    fleet, largest = stairs.fleet, stairs.largest_rate
    last = max(stairs.replicas(largest), 1)
    found: list[Corner] = [(0.0, fleet.nodes_of(1))]
    found += [
        (min(rate, largest), fleet.nodes_of(replicas + 1))
        for replicas, rate in enumerate(stairs.capacities[: last - 1], start=1)
    ]
    found += [(min(rate, largest), fleet.nodes_of(replicas)) for rate, replicas in _distant(stairs, last)]
    found.append((largest, fleet.nodes_of(last)))
    return found


def _distant(stairs: Stairs, last: int) -> Iterator[tuple[float, int]]:
    """(largest rate so many replicas carry, replicas the next corner takes) beyond the steps known one by one."""
    target, replicas = stairs.fleet.target, len(stairs.capacities) + 1
    while replicas < last and not stairs.is_capped:
        following = min(int(replicas * SPACING) + 1, last)
        rate = capacity_of(target, replicas)
        if reaches_cap(target, replicas, rate):
            replicas += 1
            yield rate, replicas
            break
        yield rate, following
        replicas = following
    if replicas < last:
        yield capacity_of(target, last - 1), last


def line_over(points: list[Corner]) -> Cover:
    """Line above all points with the least area over [0, rate of the last one]."""
    hull = _upper_hull(points)
    middle = points[-1][0] / 2
    if len(hull) == 1 or middle <= 0:
        return Cover(fixed=max(height for _, height in points), slope=0.0)
    edges = list(pairwise(hull))
    (x1, y1), (x2, y2) = next((e for e in edges if e[0][0] <= middle <= e[1][0]), edges[-1])
    slope = max(0.0, (y2 - y1) / (x2 - x1))
    line = Cover(fixed=y1 - slope * x1, slope=slope)
    lift = max(height - line.at(rate) for rate, height in points)
    return Cover(fixed=line.fixed + max(0.0, lift), slope=slope)


def _upper_hull(points: list[Corner]) -> list[Corner]:
    """Upper convex hull, rates ascending (Andrew's monotone chain)."""
    highest: dict[float, float] = {}
    for rate, height in points:
        highest[rate] = max(height, highest.get(rate, height))
    hull: list[Corner] = []
    for point in sorted(highest.items()):
        while len(hull) >= 2 and not _turns_right(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _turns_right(one: Corner, two: Corner, three: Corner) -> bool:
    return (two[0] - one[0]) * (three[1] - one[1]) - (two[1] - one[1]) * (three[0] - one[0]) < 0
