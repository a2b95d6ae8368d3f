"""The shared board keeps the promises of every board, also when its workers are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest

from tripoint.adapters.board_mmap.board import BoardFullError, MmapBoard, make_board_file
from tripoint.engines.gateway.health.board import Board, LocalBoard
from tripoint.testing.board_conformance import BoardConformance

WORKER = """
import sys, time
from tripoint.adapters.board_mmap.board import MmapBoard
descriptor, worker, workers, limit, rounds = (int(each) for each in sys.argv[1:])
board = MmapBoard(descriptor, worker, workers)
refused = taken = 0
print("up", flush=True)
sys.stdin.readline()
for number in range(rounds):
    if board.acquire(9, limit):
        taken += 1
        # The second slot counts who is inside, each worker by itself: its sum may never pass the limit.
        assert board.acquire(10, 10**6)
        if board.held(10) > limit:
            print("exceeded", board.held(10), flush=True)
        board.release(10)
        board.release(9)
    else:
        refused += 1
print("done", taken, refused, flush=True)
if rounds < 10:
    board.acquire(9, limit)
    board.acquire(9, limit)
    print("holding", flush=True)
    time.sleep(60)
"""


class TestLocalBoard(BoardConformance):
    """The board of one process."""

    def make_boards(self, count: int) -> Sequence[Board]:
        """All hands are one."""
        return [LocalBoard()] * count


class TestMmapBoard(BoardConformance):
    """The board over shared memory."""

    def make_boards(self, count: int) -> Sequence[Board]:
        """One hand per worker."""
        descriptor = make_board_file(count)
        self._descriptors.append(descriptor)
        return [MmapBoard(descriptor, worker, count) for worker in range(count)]

    @pytest.fixture(autouse=True)
    def _closed(self) -> Iterator[None]:
        self._descriptors: list[int] = []
        yield
        for descriptor in self._descriptors:
            os.close(descriptor)


def started(descriptor: int, worker: int, workers: int, limit: int, rounds: int) -> subprocess.Popen[str]:
    """A worker process that takes and gives back places."""
    command = [sys.executable, "-c", WORKER, *(str(each) for each in (descriptor, worker, workers, limit, rounds))]
    return subprocess.Popen(command, pass_fds=(descriptor,), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line it prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: subprocess.Popen[str]) -> None:
    """Lets it begin."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def end(process: subprocess.Popen[str]) -> None:
    """Ends it whatever it does."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def test_four_processes_never_hold_more_than_the_limit() -> None:
    """Under contention for two places no process ever sees three inside, and every place comes back."""
    descriptor = make_board_file(4)
    workers = [started(descriptor, worker, 4, 2, 8_000) for worker in range(4)]
    try:
        assert [line_of(worker) for worker in workers] == ["up"] * 4
        for worker in workers:
            go(worker)
        words = [line_of(worker) for worker in workers]
        assert all(each.startswith("done") for each in words), words
        assert sum(int(each.split()[1]) for each in words) > 0
        board = MmapBoard(descriptor, 0, 4)
        assert (board.held(9), board.held(10)) == (0, 0)
    finally:
        for worker in workers:
            end(worker)
        os.close(descriptor)


def test_a_killed_worker_leaves_its_places_to_the_others() -> None:
    """After `kill -9` its places are freed, and only its own."""
    descriptor = make_board_file(2)
    worker = started(descriptor, 1, 2, 3, 1)
    try:
        board = MmapBoard(descriptor, 0, 2)
        assert board.acquire(9, 3)
        assert line_of(worker) == "up"
        go(worker)
        assert line_of(worker).startswith("done")
        assert line_of(worker) == "holding"
        assert board.held(9) == 3
        assert not board.acquire(9, 3)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        assert board.forget_worker(1) == 2
        assert board.held(9) == 1
        assert board.acquire(9, 3)
    finally:
        end(worker)
        os.close(descriptor)


def test_a_lock_left_by_a_killed_worker_is_gone() -> None:
    """The kernel gives a dead process's locks back, so that nobody waits for it."""
    descriptor = make_board_file(2)
    script = (
        "import fcntl, sys, time\n"
        "fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX, 1, 9)\nprint('locked', flush=True)\ntime.sleep(60)"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", script, str(descriptor)],
        pass_fds=(descriptor,), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert line_of(worker) == "locked"
        worker.kill()
        worker.wait()
        board = MmapBoard(descriptor, 0, 2)
        assert board.claim(9, 1.0, 5.0)
    finally:
        end(worker)
        os.close(descriptor)


@pytest.mark.parametrize("workers", [0, 65])
def test_a_board_has_room_for_so_many(workers: int) -> None:
    """A number of workers it has no room for is refused."""
    with pytest.raises(BoardFullError):
        make_board_file(workers)


def test_a_worker_outside_its_columns_is_refused() -> None:
    """Nobody writes into a column that is not there."""
    descriptor = make_board_file(2)
    try:
        with pytest.raises(BoardFullError):
            MmapBoard(descriptor, 2, 2)
    finally:
        os.close(descriptor)
