"""Which single failures and which pairs take a workload down? All of them are tried, many at once.

A trial is one bit. Every node carries one integer whose bit t says whether the node is down in trial t, so that one
pass over the graph decides as many trials as there are bits: AND and OR become `&` and `|` of whole integers, and
gates that count weights become adders over bit planes. Pairs are tried in blocks of rows, to bound memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tripoint.engines.resilience.cuts.graph import Gate, Graph, layers

_BITS = 1 << 17
"""Trials decided at once: 16 kB per node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutSets:
    """Minimal cut sets of one node, of size one and two."""

    top: int
    """Node asked about."""
    singles: tuple[int, ...]
    """Events that take it down alone, ascending."""
    pairs: tuple[tuple[int, int], ...]
    """Events that take it down together and neither alone, ascending."""


def search(graph: Graph, bits: int = _BITS) -> tuple[CutSets, ...]:
    """Minimal cut sets of size one and two of every top, in the order of `graph.tops`."""
    groups = layers(graph)
    count = len(graph.events)
    alone = _down(graph, groups, {event: 1 << row for row, event in enumerate(graph.events)}, (1 << count) - 1)
    singles = [[row for row in range(count) if alone[top] >> row & 1] for top in graph.tops]
    pairs: list[list[tuple[int, int]]] = [[] for _ in graph.tops]
    rows = max(1, bits // max(1, count))
    for first in range(0, count, rows):
        block = range(first, min(first + rows, count))
        down = _down(graph, groups, _trials(graph, block), (1 << (len(block) * count)) - 1)
        for number, top in enumerate(graph.tops):
            pairs[number] += _pairs(down[top], block, count, singles[number])
    return tuple(
        CutSets(
            top=top,
            singles=tuple(graph.events[row] for row in singles[number]),
            pairs=tuple((graph.events[one], graph.events[other]) for one, other in pairs[number]),
        )
        for number, top in enumerate(graph.tops)
    )


def down_in(graph: Graph, trials: Sequence[Sequence[int]]) -> list[int]:
    """[node] the trials in which it is down, as bits; a trial is the events that fail in it."""
    failing: dict[int, int] = {}
    for number, events in enumerate(trials):
        for event in events:
            failing[event] = failing.get(event, 0) | 1 << number
    return _down(graph, layers(graph), failing, (1 << len(trials)) - 1)


def _trials(graph: Graph, block: range) -> dict[int, int]:
    """Per event the trials in which it fails: bit `(row - block.start) * count + column`."""
    count = len(graph.events)
    every_row = sum(1 << (number * count) for number in range(len(block)))
    whole_row = (1 << count) - 1
    failing = {event: every_row << column for column, event in enumerate(graph.events)}
    for number, row in enumerate(block):
        failing[graph.events[row]] |= whole_row << (number * count)
    return failing


def _pairs(down: int, block: range, count: int, singles: list[int]) -> Iterator[tuple[int, int]]:
    """Pairs of a block that are cut sets and minimal: neither member takes the top down alone."""
    alone = sum(1 << row for row in singles)
    whole_row = (1 << count) - 1
    for number, row in enumerate(block):
        if alone >> row & 1:
            continue
        found = (down >> (number * count)) & whole_row & ~alone
        found >>= row + 1
        column = row + 1
        while found:
            skipped = (found & -found).bit_length()
            column += skipped
            found >>= skipped
            yield row, column - 1


def _down(graph: Graph, groups: tuple[tuple[int, ...], ...], failing: dict[int, int], every: int) -> list[int]:
    """[node] trials in which it is down."""
    down = [failing.get(node, 0) for node in range(len(graph.ids))]
    for group in groups:
        is_settled = False
        while not is_settled:
            is_settled = True
            for node in group:
                was = now = down[node]
                for gate in graph.gates[node]:
                    now |= _unsatisfied(gate, down, every)
                down[node] = now
                # Only a circle needs another round: what it takes down may take down more of it.
                is_settled = is_settled and (now == was or len(group) == 1)
    return down


def _unsatisfied(gate: Gate, down: list[int], every: int) -> int:
    """Trials in which too little of a gate's parts is up."""
    total = sum(gate.weights)
    spare = total - gate.least
    if spare < 0:
        return every
    if gate.least <= 0:
        return 0
    if spare < min(gate.weights):
        return _any(gate, down)
    if all(total - weight < gate.least for weight in gate.weights):
        return _any(gate, down)
    if gate.least <= min(gate.weights):
        lost = every
        for part in gate.parts:
            lost &= down[part]
        return lost
    return _exceeds(_summed(gate, down), spare, every)


def _any(gate: Gate, down: list[int]) -> int:
    lost = 0
    for part in gate.parts:
        lost |= down[part]
    return lost


def _summed(gate: Gate, down: list[int]) -> list[int]:
    """Weight lost per trial, as bit planes, least significant first."""
    planes: list[int] = []
    for part, weight in zip(gate.parts, gate.weights, strict=True):
        mask = down[part]
        if not mask:
            continue
        carry = 0
        place = 0
        while weight >> place or carry:
            if place == len(planes):
                planes.append(0)
            added = mask if weight >> place & 1 else 0
            was = planes[place]
            planes[place] = was ^ added ^ carry
            carry = (was & added) | (was & carry) | (added & carry)
            place += 1
    return planes


def _exceeds(planes: list[int], bound: int, every: int) -> int:
    """Trials whose sum is more than `bound`: compared from the most significant plane down."""
    more = 0
    equal = every
    for place in range(max(len(planes), bound.bit_length()) - 1, -1, -1):
        plane = planes[place] if place < len(planes) else 0
        if bound >> place & 1:
            equal &= plane
        else:
            more |= equal & plane
            equal &= ~plane
    return more
