"""The board of one process: places, verdicts, and the one claim."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.gateway.health.board import LocalBoard


@given(limit=st.integers(0, 5), wanted=st.integers(0, 12))
def test_no_more_places_than_the_limit(limit: int, wanted: int) -> None:
    """As many as there are, and each comes back."""
    board = LocalBoard(1)
    taken = sum(board.acquire(0, limit) for _ in range(wanted))
    assert taken == min(limit, wanted) == board.held(0)
    for _ in range(taken):
        board.release(0)
    assert board.held(0) == 0


def test_the_later_verdict_counts() -> None:
    """A worker that opened for longer is not overruled by one that opened for less; closing ends it for all."""
    board = LocalBoard(1)
    board.open(0, 9.0)
    board.open(0, 5.0)
    assert board.opened_until(0) == 9.0
    board.close(0)
    assert board.opened_until(0) == 0.0


def test_one_claim_at_a_time() -> None:
    """It lapses, and can be given back."""
    board = LocalBoard(1)
    assert board.claim(0, 1.0, 5.0)
    assert not board.claim(0, 5.9, 5.0)
    assert board.claim(0, 6.0, 5.0)
    board.unclaim(0)
    assert board.claim(0, 6.1, 5.0)
