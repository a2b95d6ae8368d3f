"""Quotas of several worker processes: buckets and places in the board's shared memory, exact among all of them.

A quota is found by a hash of its id, in a place that whoever needs it first takes. Each bucket is one number that is
moved under a lock on its place; the kernel frees the lock of a worker that was killed. What such a worker had drawn
ahead is lost to the others until it has filled up again. Places at once are counted in one column a worker, so that
those of a dead one can be given back.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tripoint.adapters.board_mmap.board import board_bytes
from tripoint.adapters.board_mmap.columns import Columns
from tripoint.engines.gateway.entry.quotas import MINUTE_S, LocalRates, Rates, drawn

QUOTAS: Final = 4_096
"""Quotas that can be kept, all told since the fleet began; what is more each worker keeps for itself."""
_LOCKS: Final = 1 << 20
"""Locks of quotas are beyond those of upstreams."""
_WHOLE: Final = -1
"""Lock on which quota is where."""
_BUCKETS: Final = 2
_PARTS: Final = 64
"""A worker draws ahead at most one part in so many times the workers of what is left."""


def rates_bytes(workers: int) -> int:
    """Bytes of shared memory that quotas take."""
    return QUOTAS * (8 + 8 * _BUCKETS + 4 * workers)


class _Ahead:
    """What one worker has drawn of one bucket and not spent."""

    __slots__ = ("left", "most")

    def __init__(self) -> None:
        self.left = 0.0
        """Seconds' worth."""
        self.most = 0.0
        """Above so much what comes back goes to all."""


class MmapRates(Rates):
    """One worker's hand on the shared quotas; see `Rates` for what the methods promise.

    While much is left of a bucket a worker draws more than it is asked for, a small part of what is left, and spends
    that without a lock; what it does not spend goes back. Near its end a bucket is drawn from exactly.
    """

    def __init__(self, descriptor: int, worker: int, workers: int) -> None:
        self._descriptor = descriptor
        start = board_bytes(workers)
        self._memory = mmap.mmap(descriptor, start + rates_bytes(workers))
        view = memoryview(self._memory)
        names = start + 8 * QUOTAS
        buckets = names + 8 * _BUCKETS * QUOTAS
        self._names = view[start:names].cast("Q")
        self._full_at = view[names:buckets].cast("d")
        held = view[buckets : buckets + 4 * workers * QUOTAS].cast("i")
        self._places = Columns(descriptor, held, worker, workers, _LOCKS)
        self._parts = _PARTS * workers
        self._margin = 2 * workers if workers > 1 else 0
        self._slots: dict[str, int] = {}
        self._own = LocalRates()
        self._ahead: list[_Ahead | None] = [None] * (_BUCKETS * QUOTAS)
        """What was drawn ahead, by place; a list: numbers as large are dear to hash."""
        self._drawn: list[int] = []
        """Places that ever drew ahead."""

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
        ahead = self._ahead[place]
        if ahead is not None and ahead.left >= seconds:
            ahead.left -= seconds
            return 0.0
        with self._locked(slot):
            full_at, wait = drawn(self._full_at[place], seconds, now)
            if not wait:
                whole = self._spare(now + MINUTE_S - full_at, seconds)
                if whole > 0.0:
                    if ahead is None:
                        ahead = self._ahead[place] = _Ahead()
                        self._drawn.append(place)
                    ahead.left += whole
                    ahead.most = 2.0 * ahead.left
                    full_at += whole
                self._full_at[place] = full_at
        if wait and ahead is not None and ahead.left > 0.0:
            self._return(place, ahead)  # what is left of it may be enough together with what is there
            return self.draw(slot, bucket, seconds, now)
        return wait

    def put_back(self, slot: int, bucket: int, seconds: float) -> None:
        """See `Rates`."""
        if slot >= QUOTAS:
            self._own.put_back(slot - QUOTAS, bucket, seconds)
            return
        place = slot * _BUCKETS + bucket
        ahead = self._ahead[place]
        if ahead is not None and 0.0 <= ahead.left + seconds <= ahead.most:
            ahead.left += seconds
            return
        with self._locked(slot):
            self._full_at[place] -= seconds

    def enter(self, slot: int, limit: int) -> bool:
        """See `Rates`."""
        if slot >= QUOTAS:
            return self._own.enter(slot - QUOTAS, limit)
        places = self._places
        if self._margin == 0 or places.held(slot) + self._margin <= limit:
            return places.acquire(slot, limit)
        with self._locked(slot):  # near the end nobody adds before it looks, so that nobody is refused in vain
            return places.held(slot) < limit and places.acquire(slot, limit)

    def leave(self, slot: int) -> None:
        """See `Rates`."""
        if slot >= QUOTAS:
            self._own.leave(slot - QUOTAS)
            return
        self._places.release(slot)

    def rest(self) -> None:
        """See `Rates`."""
        for place in self._drawn:
            ahead = self._ahead[place]
            if ahead is not None and ahead.left > 0.0:
                self._return(place, ahead)

    def forget_worker(self, worker: int) -> int:
        """Frees every place a dead worker held; to be called once it is reaped. Returns how many there were."""
        return self._places.forget_worker(worker)

    def _spare(self, left: float, seconds: float) -> float:
        """How much is drawn ahead where so much is left: as many further draws of that size as are in a small part."""
        return left / self._parts // seconds * seconds if seconds > 0.0 else 0.0

    def _return(self, place: int, ahead: _Ahead) -> None:
        with self._locked(place // _BUCKETS):
            self._full_at[place] -= ahead.left
        ahead.left = ahead.most = 0.0

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
