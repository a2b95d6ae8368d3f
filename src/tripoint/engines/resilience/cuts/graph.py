"""What needs what: nodes with gates, each gate asking for enough of its parts.

A gate is up while the weights of its parts that are up sum to `least` or more: all of them is AND, any one is OR, and
k of n or shares of capacity lie between. A node is down when it fails by itself or when one of its gates is not
satisfied. Needs may go round in a circle; such a circle is up until something in it fails (the least fixed point).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Gate(NamedTuple):
    """What a node needs: enough of these parts."""

    parts: tuple[int, ...]
    """Nodes."""
    weights: tuple[int, ...]
    """What each counts for, 1 or more."""
    least: int
    """Sum of weights that must be up; 0 asks for nothing."""


def all_of(parts: Sequence[int]) -> Gate:
    """A gate that needs every part."""
    return Gate(tuple(parts), (1,) * len(parts), len(parts))


def at_least(least: int, parts: Sequence[int]) -> Gate:
    """A gate that needs `least` of the parts."""
    return Gate(tuple(parts), (1,) * len(parts), least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """What needs what: each node with its gates, which nodes fail by themselves, and which are asked about."""

    ids: tuple[str, ...]
    """[node] names."""
    gates: tuple[tuple[Gate, ...], ...]
    """[node] what each needs; all of its gates must be satisfied."""
    events: tuple[int, ...]
    """Nodes that can fail by themselves."""
    tops: tuple[int, ...]
    """Nodes asked about: workloads."""


def layers(graph: Graph) -> tuple[tuple[int, ...], ...]:
    """Nodes grouped so that each comes after all it needs; nodes that need each other in a circle share a group.

    Strongly connected components in reverse topological order (Tarjan, 1972), without recursion.
    """
    needs = [sorted({part for gate in gates for part in gate.parts}) for gates in graph.gates]
    order = [-1] * len(needs)
    low = [0] * len(needs)
    on_path: list[int] = []
    is_on_path = [False] * len(needs)
    found: list[tuple[int, ...]] = []
    count = 0
    for root in range(len(needs)):
        if order[root] >= 0:
            continue
        work = [(root, 0)]
        while work:
            node, step = work.pop()
            if step == 0:
                order[node] = low[node] = count
                count += 1
                on_path.append(node)
                is_on_path[node] = True
            elif is_on_path[needs[node][step - 1]]:
                low[node] = min(low[node], low[needs[node][step - 1]])
            while step < len(needs[node]) and order[needs[node][step]] >= 0:
                if is_on_path[needs[node][step]]:
                    low[node] = min(low[node], order[needs[node][step]])
                step += 1
            if step < len(needs[node]):
                work.append((node, step + 1))
                work.append((needs[node][step], 0))
            elif low[node] == order[node]:
                found.append(_popped(on_path, is_on_path, node))
    return tuple(found)


def _popped(on_path: list[int], is_on_path: list[bool], node: int) -> tuple[int, ...]:
    """Takes a finished component off the path."""
    begin = on_path.index(node)
    component = tuple(sorted(on_path[begin:]))
    for member in component:
        is_on_path[member] = False
    del on_path[begin:]
    return component


def knots(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Circles: groups of two or more nodes that need each other, and nodes that need themselves."""
    return tuple(
        tuple(graph.ids[node] for node in group)
        for group in layers(graph)
        if len(group) > 1 or any(group[0] in gate.parts for gate in graph.gates[group[0]])
    )
