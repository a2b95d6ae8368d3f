"""The staircase itself: nodes so many identical replicas take, at any rate.

Nodes grow in steps of one replica, and each step is as long as the rate one more replica adds. The first steps are
found one by one, because that is where replicas gain most from waiting together; from where the utilisation cap binds
all further ones are alike, so that the need at dozens of rates is a look into a short table.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from tripoint.engines.sizing.replicas.queueing import QueueTarget, capacity_of, replicas_for

EXACT_STEPS = 31
"""Steps looked for one by one where the cap does not bind before."""
_ROUNDING = 1e-12


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

    def nodes_of(self, replicas: int) -> float:
        """Nodes that carry so many replicas and the spare ones, at least the minimum."""
        return max(replicas + self.spare_replicas, self.min_replicas) / self.replicas_per_node


@dataclass(frozen=True, slots=True, kw_only=True)
class Stairs:
    """Nodes needed at one site while present, at any rate from 0 to the largest."""

    fleet: Fleet
    """Replicas and their queue."""
    largest_rate: float
    """Requests per second at one site."""
    capacities: tuple[float, ...]
    """Largest rate 1, 2, 3, ... replicas carry, requests per second."""
    is_capped: bool
    """True where from the last of them on every replica adds as much as the utilisation cap allows."""

    def replicas(self, rate: float) -> int:
        """Fewest replicas that carry a rate; 0 for no demand."""
        if rate <= 0:
            return 0
        step = bisect_left(self.capacities, rate)
        if step < len(self.capacities):
            return step + 1
        target = self.fleet.target
        if not self.is_capped:
            return replicas_for(target, rate)
        each = target.service_rate * target.utilisation_cap
        return max(len(self.capacities), math.ceil(rate / each * (1 - _ROUNDING)))

    def nodes(self, rate: float) -> float:
        """Nodes needed while present, at a rate."""
        return self.fleet.nodes_of(self.replicas(rate))

    def table(self, rates: Sequence[Sequence[float]], sites: int = 1) -> tuple[tuple[float, ...], ...]:
        """Nodes `sites` identical sites need, total, when they split each rate evenly; none where there is none."""
        return tuple(tuple(self.nodes(rate / sites) * sites if rate > 0 else 0.0 for rate in row) for row in rates)


def stairs_of(fleet: Fleet, largest_rate: float) -> Stairs:
    """The staircase up to the largest rate at one site, requests per second."""
    capacities: list[float] = []
    is_capped = False
    while len(capacities) < EXACT_STEPS and not is_capped and (not capacities or capacities[-1] < largest_rate):
        replicas = len(capacities) + 1
        capacities.append(capacity_of(fleet.target, replicas))
        is_capped = reaches_cap(fleet.target, replicas, capacities[-1])
    return Stairs(fleet=fleet, largest_rate=largest_rate, capacities=tuple(capacities), is_capped=is_capped)


def reaches_cap(target: QueueTarget, replicas: int, rate: float) -> bool:
    """True when utilisation, not waiting, limits so many replicas, and hence any larger number of them."""
    return rate >= replicas * target.service_rate * target.utilisation_cap * (1 - _ROUNDING)
