"""What every board must keep: run these on your own by subclassing and giving `make_board`."""

from __future__ import annotations

from collections.abc import Sequence

from tripoint.engines.gateway.health.board import Board


class BoardConformance:
    """The promises of `Board`, as tests; `make_boards` gives the hands of `count` workers on one board."""

    def make_boards(self, count: int) -> Sequence[Board]:
        """Hands on one fresh board; fewer where the board has room for one worker only."""
        raise AssertionError("a conformance test must say how its boards are made")

    def test_no_more_places_are_taken_than_there_are(self) -> None:
        """The limit holds over all hands together, and exactly."""
        boards = self.make_boards(3)
        taken = [board.acquire(4, 5) for _ in range(4) for board in boards]
        assert sum(taken) == min(5, len(taken))
        assert all(board.held(4) == sum(taken) for board in boards)

    def test_a_place_given_back_can_be_taken_by_another(self) -> None:
        """Releasing makes room, whoever asks next."""
        boards = self.make_boards(2)
        assert boards[0].acquire(0, 1)
        assert not boards[-1].acquire(0, 1)
        boards[0].release(0)
        assert boards[-1].acquire(0, 1)
        assert boards[0].held(0) == 1

    def test_slots_do_not_touch_each_other(self) -> None:
        """What happens to one upstream is nothing to the next."""
        board = self.make_boards(1)[0]
        assert board.acquire(7, 1)
        board.open(7, 50.0)
        assert board.claim(7, 1.0, 10.0)
        assert (board.held(6), board.held(8)) == (0, 0)
        assert board.opened_until(8) == 0.0
        assert board.acquire(8, 1)
        assert board.claim(8, 1.0, 10.0)

    def test_no_place_where_there_is_no_room(self) -> None:
        """A limit of nothing grants nothing, and a lowered limit takes nobody's place away."""
        board = self.make_boards(1)[0]
        assert not board.acquire(0, 0)
        assert board.acquire(0, 2)
        assert board.acquire(0, 2)
        assert not board.acquire(0, 1)
        assert board.held(0) == 2

    def test_a_breaker_opened_by_one_is_open_for_all(self) -> None:
        """The longest shut counts, until somebody closes it."""
        boards = self.make_boards(2)
        boards[0].open(3, 20.0)
        boards[-1].open(3, 10.0)
        assert [board.opened_until(3) for board in boards] == [20.0] * len(boards)
        boards[-1].close(3)
        assert boards[0].opened_until(3) == 0.0

    def test_one_holds_the_probe_and_it_lapses(self) -> None:
        """The right to the one probe is nobody else's until it is given back or its time is over."""
        boards = self.make_boards(2)
        assert boards[0].claim(1, 100.0, 5.0)
        assert not boards[-1].claim(1, 104.9, 5.0)
        assert boards[-1].claim(1, 105.0, 5.0)
        assert not boards[0].claim(1, 106.0, 5.0)
        boards[-1].unclaim(1)
        assert boards[0].claim(1, 106.0, 5.0)
