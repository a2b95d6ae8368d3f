"""The search for where objectives break finds it, asks little, and asks for all of them at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.stress.search.distance import distance

RESOLUTION = 1 / 64


@given(st.dictionaries(st.sampled_from("abcdef"), st.floats(-0.2, 1.2), min_size=1))
def test_every_edge_is_found_to_the_resolution(edges: dict[str, float]) -> None:
    """An objective met below its edge and not from there on: the answer is the least position known to break it."""
    search = distance(edges, RESOLUTION)
    asked: list[float] = []
    while positions := search.asks():
        for position in positions:
            asked.append(position)
            search = search.told(position, {key: position < edge for key, edge in edges.items()})
    assert len(set(asked)) == len(asked) <= 2 + 6 * len(edges)
    for key, edge in edges.items():
        found = search.breaks_at(key)
        if edge > 1.0:
            assert found is None
        else:
            assert found is not None
            assert max(edge, 0.0) <= found <= max(edge, 0.0) + RESOLUTION


@given(st.lists(st.booleans(), min_size=64, max_size=64))
def test_it_ends_whatever_the_answers_are(answers: list[bool]) -> None:
    """Answers that contradict one another (more is better here and there) end the search all the same."""
    search, left = distance("a", RESOLUTION), list(answers)
    rounds = 0
    while positions := search.asks():
        rounds += 1
        assert rounds < 40
        for position in positions:
            search = search.told(position, {"a": left.pop() if left else True})


def test_a_known_answer_saves_a_question() -> None:
    """What a plain run told narrows the search before it begins."""
    search = distance("a", RESOLUTION).told(0.25, {"a": False})
    assert search.asks() == (0.0,)
    assert search.breaks_at("a") == 0.25


@given(st.dictionaries(st.sampled_from("abc"), st.floats(-0.2, 1.2), min_size=1), st.floats(0.0, 1.0))
def test_an_answer_that_says_nothing_new_changes_nothing(edges: dict[str, float], position: float) -> None:
    """Where an objective is known to hold or to break already, that it does is no news: no trial need be played."""
    search = distance(edges, RESOLUTION)
    while positions := search.asks():
        for asked in positions:
            search = search.told(asked, {key: asked < edge for key, edge in edges.items()})
    told = {key: position < edge for key, edge in edges.items() if key not in search.open_at(position)}
    assert search.told(position, told) == search
