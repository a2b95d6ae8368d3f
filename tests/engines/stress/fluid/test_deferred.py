"""Deferred work against a plain loop over pieces of time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.stress.fluid.deferred import Way, catch_up, spread_over, stopped_s

PIECES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 5)), min_size=1, max_size=30)


@given(PIECES)
def test_backlog_and_work_done_follow_the_recursion(pieces: list[tuple[int, int, int]]) -> None:
    """Piece by piece: what is there is done as far as possible, the rest is kept."""
    arriving, possible, lengths = (np.array(column, dtype=np.float64) for column in zip(*pieces, strict=True))
    course = catch_up(np.concatenate(([0.0], np.cumsum(lengths))), arriving, possible)
    left = np.cumsum(arriving - course.done)
    backlog = 0.0
    for index, (amount, room, _) in enumerate(pieces):
        done = min(backlog + amount, room)
        backlog = backlog + amount - done
        assert course.done[index] == pytest.approx(done, abs=1e-9)
        assert left[index] == pytest.approx(backlog, abs=1e-9)


@given(PIECES)
def test_waits_are_those_of_a_queue_in_order(pieces: list[tuple[int, int, int]]) -> None:
    """Work is done in the order in which it came; what is never done waits for ever."""
    arriving, possible, lengths = (np.array(column, dtype=np.float64) for column in zip(*pieces, strict=True))
    edges = np.concatenate(([0.0], np.cumsum(lengths)))
    course = catch_up(edges, arriving, possible)
    arrived = np.cumsum(arriving)
    finished = np.concatenate(([0.0], np.cumsum(course.done)))
    for index in range(len(pieces)):
        wait = course.waits_s[index]
        if arrived[index] > finished[-1] + 1e-6:
            assert wait == np.inf
        elif arrived[index] > 0:
            at = edges[index + 1] + wait
            done_then = np.interp(at, edges, finished)
            assert done_then >= arrived[index] - 1e-5 or wait == 0.0
            assert wait == 0.0 or done_then == pytest.approx(arrived[index], abs=1e-5)


def test_work_goes_to_the_first_place_first() -> None:
    """The next one gets what found no room, a place that is not allowed none; what is left shrinks."""
    free = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    ways: list[Way] = [(2, 0.25, np.array([1.0, 0.0])), (0, 0.5, None)]
    done = [(at, here.tolist()) for at, here in spread_over(np.array([5.0, 1.0]), ways, free)]
    assert done == [(2, [4.0, 0.0]), (0, [1.0, 1.0])]
    assert free.tolist() == [[0.5, 0.5], [1.0, 1.0], [0.0, 1.0]]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(1, 5)), min_size=1, max_size=30))
def test_a_stop_is_told_from_hours_in_which_nothing_is_done_anyway(pieces: list[tuple[int, int, int]]) -> None:
    """Against a plain loop: a stop begins and ends where work is usual, and goes on over hours where none is."""
    possible, usual, lengths = (np.array(column, dtype=np.float64) for column in zip(*pieces, strict=True))
    edges = np.concatenate(([0.0], np.cumsum(lengths)))
    longest, begin = 0.0, None
    for index, (room, usually, _) in enumerate(pieces):
        if usually and room:
            begin = None
        elif usually:
            begin = edges[index] if begin is None else begin
            longest = max(longest, float(edges[index + 1] - begin))
    assert stopped_s(edges, possible, usual) == pytest.approx(longest)
