"""Places that several workers take in shared memory: one column of counts a worker, exact among all of them.

A worker adds itself first and looks at the sum after, so two can never both take the last place; where they meet
they settle it under a lock on the slot. A worker that was killed has its column cleared by whoever reaped it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from tripoint.engines.gateway.health.board import Board


class Columns(Board):
    """One worker's hand on the counts of `slots` slots; `cells` has a row of `workers` numbers for each."""

    def __init__(self, descriptor: int, cells: memoryview, worker: int, workers: int, first_lock: int) -> None:
        self._descriptor = descriptor
        self._cells = cells
        self._worker = worker
        self._workers = workers
        self._first_lock = first_lock
        """Byte of the file whose lock is that of slot 0."""
        self._own = [0] * (len(cells) // workers)
        """What this worker holds. Nobody else changes its column while it lives, and shared memory is dear to read."""

    def acquire(self, slot: int, limit: int) -> bool:
        """Takes one of `limit` places; False when all workers together hold that many."""
        cells, workers = self._cells, self._workers
        own = slot * workers + self._worker
        count = self._own[slot] + 1
        if workers == 1:
            if count > limit:
                return False
            self._own[slot] = cells[own] = count
            return True
        cells[own] = count
        if sum(cells[slot * workers : (slot + 1) * workers]) <= limit:
            self._own[slot] = count
            return True
        cells[own] = count - 1
        if self.held(slot) >= limit:
            return False
        with self._locked(slot):  # another worker wanted the same place at this moment: one after the other
            cells[own] = count
            if self.held(slot) <= limit:
                self._own[slot] = count
                return True
            cells[own] = count - 1
            return False

    def release(self, slot: int) -> None:
        """Gives a place back."""
        self._own[slot] = count = self._own[slot] - 1
        self._cells[slot * self._workers + self._worker] = count

    def held(self, slot: int) -> int:
        """How many all workers hold."""
        start = slot * self._workers
        return sum(self._cells[start : start + self._workers])

    def forget_worker(self, worker: int) -> int:
        """Frees every place a dead worker held; to be called once it is reaped. Returns how many there were."""
        freed = 0
        for index in range(worker, len(self._cells), self._workers):
            if self._cells[index]:
                freed += self._cells[index]
                self._cells[index] = 0
        if worker == self._worker:
            self._own = [0] * len(self._own)
        return freed

    @contextmanager
    def _locked(self, slot: int) -> Iterator[None]:
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, self._first_lock + slot)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, self._first_lock + slot)
