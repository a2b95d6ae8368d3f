"""A straight line over a staircase: nodes needed as a fixed part and a part per request per second.

Nodes needed grow in steps of one replica; a linear program wants `fixed + slope x rate`. The cover is the
line of least area above every step, so the program never buys too little at any rate up to the largest. The
staircase's outer corners are (largest rate c replicas carry, nodes c + 1 replicas take): a line above all of
them is above the staircase. Least area over [0, R] means least height at R / 2, and that is the edge of the
corners' upper hull over the midpoint. Economies of scale make the corners bend downwards until the
utilisation cap binds; from there on they lie on one straight line, so the first corners and the last one are
enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from tripoint.engines.sizing.replicas.queueing import QueueTarget, capacity_of, replicas_for

EXACT_CORNERS = 32
"""Corners found one by one; beyond, they are spaced by `SPACING` and each gap is covered by its higher end."""
SPACING = 1.04

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What turns replicas into nodes at one site."""

    target: QueueTarget
    """What the queue must achieve."""
    replicas_per_node: float
    """Replicas one node carries."""
    min_replicas: int = 1
    """Least replicas while present."""
    spare_replicas: int = 0
    """Replicas beyond need, so that one may fail."""

    def nodes(self, rate: float) -> float:
        """Nodes needed while present, at a rate."""
        return self.nodes_of(replicas_for(self.target, rate))

    def nodes_of(self, replicas: int) -> float:
        """Nodes that carry so many replicas and the spare ones, at least the minimum."""
        return max(replicas + self.spare_replicas, self.min_replicas) / self.replicas_per_node


def cover(fleet: Fleet, largest_rate: float, sites: int = 1) -> Cover:
    """Line of least area above the nodes `sites` identical sites need, total, when they split a rate evenly."""
    per_site = line_over(corners(fleet, largest_rate / sites))
    return Cover(fixed=per_site.fixed * sites, slope=per_site.slope)


def corners(fleet: Fleet, largest_rate: float) -> list[Corner]:
    """Outer corners of the staircase from 0 to `largest_rate`, rates ascending; the last is its end."""
    last = max(replicas_for(fleet.target, largest_rate), 1)
    found: list[Corner] = [(0.0, fleet.nodes_of(1))]
    replicas = 1
    while replicas < last:
        following = _next(replicas, last)
        rate = capacity_of(fleet.target, replicas)
        found.append((min(rate, largest_rate), fleet.nodes_of(following)))
        if _is_capped(fleet.target, replicas, rate):
            before_last = capacity_of(fleet.target, last - 1)
            found[-1] = (min(rate, largest_rate), fleet.nodes_of(replicas + 1))
            found.append((min(before_last, largest_rate), fleet.nodes_of(last)))
            break
        replicas = following
    found.append((largest_rate, fleet.nodes_of(last)))
    return found


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


def _next(replicas: int, last: int) -> int:
    step = replicas + 1 if replicas < EXACT_CORNERS else int(replicas * SPACING) + 1
    return min(step, last)


def _is_capped(target: QueueTarget, replicas: int, rate: float) -> bool:
    """True when utilisation, not waiting, limits so many replicas, and hence any larger number of them."""
    return rate >= replicas * target.service_rate * target.utilisation_cap * (1 - 1e-12)


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
