"""The board of several worker processes, in shared memory: places under way at upstreams, open breakers, probes."""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import Final

from tripoint.adapters.board_mmap.columns import Columns

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


class MmapBoard(Columns):
    """One worker's hand on the shared board; see `Board` for what the methods promise."""

    def __init__(self, descriptor: int, worker: int, workers: int) -> None:
        if not 0 <= worker < workers:
            raise BoardFullError(f"worker {worker} of {workers}")
        self._memory = mmap.mmap(descriptor, board_bytes(workers))
        view = memoryview(self._memory)
        ends = SLOTS * workers * 4
        super().__init__(descriptor, view[:ends].cast("i"), worker, workers, 0)
        self._until = view[ends : ends + SLOTS * 8].cast("d")
        self._claimed = view[ends + SLOTS * 8 : ends + SLOTS * 16].cast("d")

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
