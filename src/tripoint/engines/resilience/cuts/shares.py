"""Which share of what a workload serves is gone when these things fail?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from tripoint.engines.resilience.cuts.derive.draft import Derived
from tripoint.engines.resilience.cuts.derive.estate import PARTS
from tripoint.engines.resilience.cuts.graph import Gate, Graph
from tripoint.engines.resilience.cuts.search import down_in


class Lost(NamedTuple):
    """What one workload loses in one trial."""

    share: float
    """Share of what it serves, 0 to 1."""
    is_beyond_capacity: bool
    """True where something besides places and ways is gone: no capacity elsewhere helps."""
    grace_hours: float = 0.0
    """How long it is not felt: what is lost is lost only through things that are borne without for a while, hours."""


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
    at_once = down_in(*_without_graced(derived, trials)) if derived.graces else down
    found: list[dict[int, Lost]] = []
    for top, numbers in zip(graph.tops, asked, strict=True):
        shares = derived.shares.get(top, ())
        others = [gate for gate in graph.gates[top] if gate not in shares]
        touched = 0
        for gate in graph.gates[top]:
            for part in gate.parts:
                touched |= down[part]
        later = down[top] & ~at_once[top]
        found.append(
            {
                n: _borne(derived, _lost_in(shares, others, down, n), down, n if later >> n & 1 else None)
                if touched >> n & 1
                else UNTOUCHED
                for n in numbers
            }
        )
    return found


def _without_graced(derived: Derived, trials: Sequence[Sequence[int]]) -> tuple[Graph, list[list[int]]]:
    """Graph and trials as they are at first, when nothing is missed yet that is borne without for a while."""
    gates = tuple(() if node in derived.graces else own for node, own in enumerate(derived.graph.gates))
    return replace(derived.graph, gates=gates), [[n for n in events if n not in derived.graces] for events in trials]


def _borne(derived: Derived, lost: Lost, down: list[int], trial: int | None) -> Lost:
    """The same with the time it is not felt, where it is lost only later: the shortest grace of what is down."""
    if trial is None:
        return lost
    graces = [hours for node, hours in derived.graces.items() if down[node] >> trial & 1]
    return lost._replace(grace_hours=min(graces, default=0.0))


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
