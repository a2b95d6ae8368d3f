"""The board of several worker processes: counts in shared memory, one column per worker, exact without a server.

A worker adds itself first and looks at the sum after, so two can never both take the last place; where they meet
they settle it under a lock on the slot. A worker that was killed has its column cleared by whoever reaped it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SLOTS: Final = 256
_MAX_WORKERS: Final = 64


class BoardFullError(ValueError):
    """More workers or upstreams than the board has room for."""


def make_board_file(workers: int, beyond: int = 0) -> int:
    """A file descriptor of fresh shared memory for `workers`, with so many bytes beyond what the board takes.

    It has no name and vanishes with its last holder.
    """
    if not 0 < workers <= _MAX_WORKERS:
        raise BoardFullError(f"{workers} workers; a board has room for 1 to {_MAX_WORKERS}")
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("tripoint-board", os.MFD_CLOEXEC)
    else:
        descriptor, path = tempfile.mkstemp(prefix="tripoint-board-")
        os.unlink(path)
    os.ftruncate(descriptor, board_bytes(workers) + beyond)
    return descriptor


def board_bytes(workers: int) -> int:
    """Bytes of shared memory that the board takes; quotas come behind."""
    return SLOTS * (workers * 4 + 16)


class MmapBoard:
    """One worker's hand on the shared board; see `Board` for what the methods promise."""

    def __init__(self, descriptor: int, worker: int, workers: int) -> None:
        if not 0 <= worker < workers:
            raise BoardFullError(f"worker {worker} of {workers}")
        self._descriptor = descriptor
        self._memory = mmap.mmap(descriptor, board_bytes(workers))
        view = memoryview(self._memory)
        ends = SLOTS * workers * 4
        self._cells = view[:ends].cast("i")
        self._until = view[ends : ends + SLOTS * 8].cast("d")
        self._claimed = view[ends + SLOTS * 8 : ends + SLOTS * 16].cast("d")
        self._worker = worker
        self._workers = workers

    def acquire(self, slot: int, limit: int) -> bool:
        """See `Board`."""
        cells, workers = self._cells, self._workers
        own = slot * workers + self._worker
        count = cells[own] + 1
        if workers == 1:
            if count > limit:
                return False
            cells[own] = count
            return True
        cells[own] = count
        if sum(cells[slot * workers : (slot + 1) * workers]) <= limit:
            return True
        cells[own] = count - 1
        if self.held(slot) >= limit:
            return False
        with self._locked(slot):  # another worker wanted the same place at this moment: one after the other
            cells[own] = count
            if self.held(slot) <= limit:
                return True
            cells[own] = count - 1
            return False

    def release(self, slot: int) -> None:
        """See `Board`."""
        self._cells[slot * self._workers + self._worker] -= 1

    def held(self, slot: int) -> int:
        """See `Board`."""
        start = slot * self._workers
        return sum(self._cells[start : start + self._workers])

    def opened_until(self, slot: int) -> float:
        """See `Board`."""
        return self._until[slot]

    def open(self, slot: int, until: float) -> None:
        """See `Board`."""
        with self._locked(slot):
            self._until[slot] = max(self._until[slot], until)

    def close(self, slot: int) -> None:
        """See `Board`."""
        self._until[slot] = 0.0

    def claim(self, slot: int, now: float, lifetime_s: float) -> bool:
        """See `Board`."""
        with self._locked(slot):
            if self._claimed[slot] > now:
                return False
            self._claimed[slot] = now + lifetime_s
            return True

    def unclaim(self, slot: int) -> None:
        """See `Board`."""
        self._claimed[slot] = 0.0

    def forget_worker(self, worker: int) -> int:
        """Frees every place a dead worker held; to be called once it is reaped. Returns how many there were."""
        freed = 0
        for index in range(worker, SLOTS * self._workers, self._workers):
            freed += self._cells[index]
            self._cells[index] = 0
        return freed

    @contextmanager
    def _locked(self, slot: int) -> Iterator[None]:
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, slot)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, slot)
