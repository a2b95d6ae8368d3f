"""Quotas of several worker processes: buckets and places in the board's shared memory, exact among all of them.

A quota is found by a hash of its id, in a place that whoever needs it first takes. Each bucket is one number that is
moved under a lock on its place; the kernel frees the lock of a worker that was killed. Places at once are counted in
one column a worker, so that those of a dead one can be given back.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
from collections.abc import Iterator
from contextlib import contextmanager

from tripoint.adapters.board_mmap.board import board_bytes
from tripoint.engines.gateway.entry.quotas import LocalRates, drawn

QUOTAS = 4_096
"""Quotas that can be kept, all told since the fleet began; what is more each worker keeps for itself."""
_LOCKS = 1 << 20
"""Locks of quotas are beyond those of upstreams."""
_WHOLE = -1
"""Lock on which quota is where."""
_BUCKETS = 2


def rates_bytes(workers: int) -> int:
    """Bytes of shared memory that quotas take."""
    return QUOTAS * (8 + 8 * _BUCKETS + 4 * workers)


class MmapRates:
    """One worker's hand on the shared quotas; see `Rates` for what the methods promise."""

    def __init__(self, descriptor: int, worker: int, workers: int) -> None:
        self._descriptor = descriptor
        start = board_bytes(workers)
        self._memory = mmap.mmap(descriptor, start + rates_bytes(workers))
        view = memoryview(self._memory)
        names = start + 8 * QUOTAS
        buckets = names + 8 * _BUCKETS * QUOTAS
        self._names = view[start:names].cast("Q")
        self._full_at = view[names:buckets].cast("d")
        self._held = view[buckets : buckets + 4 * workers * QUOTAS].cast("i")
        self._worker = worker
        self._workers = workers
        self._slots: dict[str, int] = {}
        self._own = LocalRates()

    def slot(self, quota: str) -> int:
        """See `Rates`; from `QUOTAS` on for those there was no room for."""
        slot = self._slots.get(quota)
        if slot is None:
            slot = self._slots[quota] = self._find(quota)
        return slot

    def draw(self, slot: int, bucket: int, seconds: float, now: float) -> float:
        """See `Rates`."""
        if slot >= QUOTAS:
            return self._own.draw(slot - QUOTAS, bucket, seconds, now)
        place = slot * _BUCKETS + bucket
        with self._locked(slot):
            self._full_at[place], wait = drawn(self._full_at[place], seconds, now)
        return wait

    def put_back(self, slot: int, bucket: int, seconds: float) -> None:
        """See `Rates`."""
        if slot >= QUOTAS:
            self._own.put_back(slot - QUOTAS, bucket, seconds)
            return
        with self._locked(slot):
            self._full_at[slot * _BUCKETS + bucket] -= seconds

    def enter(self, slot: int, limit: int) -> bool:
        """See `Rates`."""
        if slot >= QUOTAS:
            return self._own.enter(slot - QUOTAS, limit)
        start = slot * self._workers
        with self._locked(slot):
            if sum(self._held[start : start + self._workers]) >= limit:
                return False
            self._held[start + self._worker] += 1
        return True

    def leave(self, slot: int) -> None:
        """See `Rates`."""
        if slot >= QUOTAS:
            self._own.leave(slot - QUOTAS)
            return
        with self._locked(slot):
            self._held[slot * self._workers + self._worker] -= 1

    def forget_worker(self, worker: int) -> int:
        """Frees every place a dead worker held; to be called once it is reaped. Returns how many there were."""
        freed = 0
        for place in range(worker, QUOTAS * self._workers, self._workers):
            if self._held[place]:
                freed += self._held[place]
                self._held[place] = 0
        return freed

    def _find(self, quota: str) -> int:
        """The quota's place, taken now if it has none."""
        name = int.from_bytes(hashlib.blake2b(quota.encode(), digest_size=8).digest(), "little") or 1
        with self._locked(_WHOLE):
            for step in range(QUOTAS):
                place = (name + step) % QUOTAS
                if self._names[place] in (0, name):
                    self._names[place] = name
                    return place
        return QUOTAS + self._own.slot(quota)

    @contextmanager
    def _locked(self, slot: int) -> Iterator[None]:
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, _LOCKS + slot)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _LOCKS + slot)
