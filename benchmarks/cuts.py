"""How long does it take to try all pairs of things that may fail, against trying each pair by itself?

The peer is the definition: for each pair what has failed spreads over the graph until nothing changes, in plain Python.
Both run in turn on the same graphs, drawn from a seed, and must find the same sets. A second table goes on to sizes the
peer is not asked for.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from itertools import combinations

from benchmarks.measure import alternated, ratio, short, start, table, timed
from tripoint.engines.resilience.cuts.graph import Gate, Graph, all_of, at_least, layers
from tripoint.engines.resilience.cuts.search import CutSets, search

NODES = 200
TARGET_S = 3.0
LARGER = (200, 500, 1000, 2000)


def drawn(nodes: int, seed: int = 1) -> Graph:
    """A graph like an estate's: roots that need nothing, and above them needs of all, of some, and by share."""
    rng = random.Random(seed)  # a benchmark's own draws
    roots = nodes // 10
    gates: list[tuple[Gate, ...]] = []
    for node in range(nodes):
        if node < roots:
            gates.append(())
            continue
        parts = rng.sample(range(node), rng.randint(2, 4))
        sort = rng.random()
        if sort < 0.3:
            gates.append((all_of(parts),))
        elif sort < 0.8:
            gates.append((at_least(rng.randint(1, len(parts) - 1), parts),))
        else:
            weights = tuple(rng.randint(1000, 9000) for _ in parts)
            gates.append((Gate(tuple(parts), weights, sum(weights) * 6 // 10),))
    tops = tuple(range(nodes - nodes // 10, nodes))
    return Graph(
        ids=tuple(f"n{node}" for node in range(nodes)), gates=tuple(gates), events=tuple(range(nodes)), tops=tops
    )


def one_by_one(graph: Graph) -> tuple[CutSets, ...]:
    """The same sets, each pair by itself."""
    order = [node for group in layers(graph) for node in group]

    def down(failed: frozenset[int]) -> set[int]:
        found = set(failed)
        for node in order:
            for gate in graph.gates[node]:
                up = sum(weight for part, weight in zip(gate.parts, gate.weights, strict=True) if part not in found)
                if up < gate.least:
                    found.add(node)
        return found

    alone = {event: down(frozenset({event})) for event in graph.events}
    together = {pair: down(frozenset(pair)) for pair in combinations(graph.events, 2)}
    return tuple(
        CutSets(
            top=top,
            singles=tuple(event for event in graph.events if top in alone[event]),
            pairs=tuple(
                pair
                for pair, found in together.items()
                if top in found and not any(top in alone[each] for each in pair)
            ),
        )
        for top in graph.tops
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Time both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.cuts")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each")
    options = parser.parse_args(arguments)
    start("Cut sets of one and two")
    graph = drawn(NODES)
    pairs = NODES * (NODES - 1) // 2
    if search(graph) != one_by_one(graph):
        raise SystemExit("the two find different sets")
    ours, theirs = alternated([lambda: search(graph), lambda: one_by_one(graph)], options.repeat)
    table(
        (
            f"{NODES} things, {pairs:,} pairs, {len(graph.tops)} workloads",
            "seconds",
            "pairs a second",
            "time",
            "target",
        ),
        [
            ("each pair by itself", str(theirs), short(pairs / theirs.median), "1x", ""),
            ("`search`", str(ours), short(pairs / ours.median), ratio(theirs.median, ours.median), f"{TARGET_S:g} s"),
        ],
    )
    rows = []
    for nodes in LARGER:
        found, times = timed(lambda size=nodes: search(drawn(size)), 1)  # type: ignore[misc]  # mypy: lambda default
        tried = nodes * (nodes - 1) // 2
        sets = sum(len(each.pairs) for each in found)
        rows.append((f"{nodes:,}", f"{tried:,}", str(times), short(tried / times.median), f"{sets:,}"))
    table(("things", "pairs", "seconds", "pairs a second", "cut sets of two"), rows)


if __name__ == "__main__":
    main()
