"""All cut sets of one and two, against trying each set by itself."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.resilience.cuts.graph import Gate, Graph, all_of, at_least, knots, layers
from tripoint.engines.resilience.cuts.search import CutSets, down_in, search


def graph_of(needs: dict[str, list[Gate]], tops: list[str], never_fail: tuple[str, ...] = ()) -> Graph:
    """A graph of named nodes; gates speak of positions in the order of `needs`."""
    ids = tuple(needs)
    return Graph(
        ids=ids,
        gates=tuple(tuple(gates) for gates in needs.values()),
        events=tuple(n for n, name in enumerate(ids) if name not in never_fail and name not in tops),
        tops=tuple(ids.index(name) for name in tops),
    )


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Small graphs with gates of every sort, circles included."""
    count = draw(st.integers(2, 9))
    nodes = st.integers(0, count - 1)

    @st.composite
    def gates(draw: st.DrawFn) -> Gate:
        parts = tuple(draw(st.lists(nodes, min_size=1, max_size=5, unique=True)))
        weights = tuple(draw(st.lists(st.integers(1, 9), min_size=len(parts), max_size=len(parts))))
        return Gate(parts, weights, draw(st.integers(0, sum(weights) + 1)))

    return Graph(
        ids=tuple(f"n{n}" for n in range(count)),
        gates=tuple(tuple(draw(st.lists(gates(), max_size=2))) for _ in range(count)),
        events=tuple(sorted(draw(st.sets(nodes, max_size=count)))),
        tops=tuple(draw(st.lists(nodes, min_size=1, max_size=3, unique=True))),
    )


def is_down(graph: Graph, failed: frozenset[int], top: int) -> bool:
    """The definition, one set at a time: whatever fails or lacks a need is down, until nothing changes."""
    down = set(failed)
    while True:
        more = {
            node
            for node, gates in enumerate(graph.gates)
            for gate in gates
            if sum(weight for part, weight in zip(gate.parts, gate.weights, strict=True) if part not in down)
            < gate.least
        }
        if more <= down:
            return top in down
        down |= more


def brute(graph: Graph, top: int) -> CutSets:
    """Every set of one and two tried by itself, the minimal ones kept."""
    singles = tuple(event for event in graph.events if is_down(graph, frozenset({event}), top))
    rest = [event for event in graph.events if event not in singles]
    pairs = tuple(pair for pair in combinations(rest, 2) if is_down(graph, frozenset(pair), top))
    return CutSets(top=top, singles=singles, pairs=pairs)


@given(graph=graphs(), bits=st.sampled_from([1, 7, 64, 1 << 17]))
def test_search_finds_what_trying_every_set_finds(graph: Graph, bits: int) -> None:
    """Exactly the minimal sets of one and two, whatever the size of a block."""
    assert search(graph, bits) == tuple(brute(graph, top) for top in graph.tops)


@given(graph=graphs(), trials=st.lists(st.sets(st.integers(0, 8)), min_size=1, max_size=5))
def test_trials_side_by_side_are_the_definition_for_any_number_of_failures(
    graph: Graph, trials: list[set[int]]
) -> None:
    """What `down_in` says of a trial does not depend on those beside it."""
    present = [frozenset(node for node in failed if node < len(graph.ids)) for failed in trials]
    down = down_in(graph, [sorted(failed) for failed in present])
    for number, failed in enumerate(present):
        found = {node for node, bits in enumerate(down) if bits >> number & 1}
        assert found == {n for n in range(len(graph.ids)) if is_down(graph, failed, n)}


def test_two_links_in_one_duct_are_not_two() -> None:
    """The classic: a redundant pair whose members share a conduit is one cut set of one."""
    graph = graph_of(
        {"duct": [], "east": [all_of([0])], "west": [all_of([0])], "app": [at_least(1, [1, 2])]}, tops=["app"]
    )
    (found,) = search(graph)
    assert [graph.ids[n] for n in found.singles] == ["duct"]
    assert [tuple(graph.ids[n] for n in pair) for pair in found.pairs] == [("east", "west")]


def test_shares_of_capacity_decide() -> None:
    """With 60 % wanted, the place of half may be lost alone but not with another."""
    graph = graph_of({"a": [], "b": [], "c": [], "app": [Gate((0, 1, 2), (50, 40, 30), 60)]}, tops=["app"])
    (found,) = search(graph)
    assert found.singles == ()
    assert found.pairs == ((0, 1), (0, 2), (1, 2))


def test_a_circle_is_up_until_something_in_it_fails_and_is_told() -> None:
    """Names need a site and the site needs names: neither is down by itself, and nobody could start first."""
    graph = graph_of({"dns": [all_of([1])], "site": [all_of([0])], "app": [all_of([1])]}, tops=["app"])
    (found,) = search(graph)
    assert found.singles == (0, 1)
    assert knots(graph) == (("dns", "site"),)


@given(graph=graphs())
def test_layers_come_after_what_they_need(graph: Graph) -> None:
    """Each node is in one layer, and needs only nodes of its own or earlier ones."""
    groups = layers(graph)
    place = {node: number for number, group in enumerate(groups) for node in group}
    assert sorted(place) == list(range(len(graph.ids)))
    for node, gates in enumerate(graph.gates):
        assert all(place[part] <= place[node] for gate in gates for part in gate.parts)
