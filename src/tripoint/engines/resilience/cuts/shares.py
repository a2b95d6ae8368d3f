"""Which share of what a workload serves is gone when these things fail?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tripoint.engines.resilience.cuts.derive.draft import Derived
from tripoint.engines.resilience.cuts.derive.estate import PARTS
from tripoint.engines.resilience.cuts.graph import Gate
from tripoint.engines.resilience.cuts.search import down_in


class Lost(NamedTuple):
    """What one workload loses in one trial."""

    share: float
    """Share of what it serves, 0 to 1."""
    is_beyond_capacity: bool
    """True where something besides places and ways is gone: no capacity elsewhere helps."""


UNTOUCHED = Lost(0.0, is_beyond_capacity=False)
"""Nothing is lost."""


def lost_shares(
    derived: Derived, trials: Sequence[Sequence[int]], asked: Sequence[Iterable[int]]
) -> list[dict[int, Lost]]:
    """[top] what is lost in each of the trials asked about it, by their numbers.

    It is the worst of its gates that count shares, and all of it where another is not met. Capacity beyond what is
    asked does not count as served.
    """
    graph = derived.graph
    down = down_in(graph, trials)
    found: list[dict[int, Lost]] = []
    for top, numbers in zip(graph.tops, asked, strict=True):
        shares = derived.shares.get(top, ())
        others = [gate for gate in graph.gates[top] if gate not in shares]
        touched = 0
        for gate in graph.gates[top]:
            for part in gate.parts:
                touched |= down[part]
        found.append({n: _lost_in(shares, others, down, n) if touched >> n & 1 else UNTOUCHED for n in numbers})
    return found


def _lost_in(shares: Sequence[Gate], others: Sequence[Gate], down: list[int], trial: int) -> Lost:
    if any(_up(gate, down, trial) < gate.least for gate in others):
        return Lost(1.0, is_beyond_capacity=True)
    return Lost(max((_lost(gate, down, trial) for gate in shares), default=0.0), is_beyond_capacity=False)


def _up(gate: Gate, down: list[int], trial: int) -> int:
    return sum(weight for part, weight in zip(gate.parts, gate.weights, strict=True) if not down[part] >> trial & 1)


def _lost(gate: Gate, down: list[int], trial: int) -> float:
    """Share of what is asked that was served and is not any more."""
    served = min(sum(gate.weights), PARTS)
    left = min(_up(gate, down, trial), PARTS)
    return (served - left) / served if served else 0.0
