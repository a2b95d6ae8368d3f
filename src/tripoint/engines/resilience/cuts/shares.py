"""Which share of what a workload serves is gone when these things fail?"""

from __future__ import annotations

from collections.abc import Sequence

from tripoint.engines.resilience.cuts.derive.draft import Derived
from tripoint.engines.resilience.cuts.derive.estate import PARTS
from tripoint.engines.resilience.cuts.graph import Gate
from tripoint.engines.resilience.cuts.search import down_in


def lost_shares(derived: Derived, trials: Sequence[Sequence[int]]) -> list[list[float]]:
    """[top][trial] share lost, 0 to 1: the worst of its gates that count shares, all of it where another is not met.

    Capacity beyond what is asked does not count as served.
    """
    graph = derived.graph
    down = down_in(graph, trials)
    found: list[list[float]] = []
    for top in graph.tops:
        shares = derived.shares.get(top, ())
        others = [gate for gate in graph.gates[top] if gate not in shares]
        found.append(
            [
                1.0 if _fails(others, down, trial) else max((_lost(gate, down, trial) for gate in shares), default=0.0)
                for trial in range(len(trials))
            ]
        )
    return found


def _up(gate: Gate, down: list[int], trial: int) -> int:
    return sum(weight for part, weight in zip(gate.parts, gate.weights, strict=True) if not down[part] >> trial & 1)


def _fails(gates: Sequence[Gate], down: list[int], trial: int) -> bool:
    return any(_up(gate, down, trial) < gate.least for gate in gates)


def _lost(gate: Gate, down: list[int], trial: int) -> float:
    """Share of what is asked that was served and is not any more."""
    served = min(sum(gate.weights), PARTS)
    left = min(_up(gate, down, trial), PARTS)
    return (served - left) / served if served else 0.0
