"""The loader's thread: rounds of loading, pauses in between, and patience with a store that is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tripoint.domain.errors import StoreError, TripointError
from tripoint.usecases.ledger import load_new

if TYPE_CHECKING:
    from tripoint.adapters.segment_tail import SegmentTail
    from tripoint.ports import Ledger

_MOST: Final = 50_000
"""Records of a round: some more bring little, and others wait for the store meanwhile."""
_PAUSE_S: Final = 1.0
"""From one round to the next where none is behind: a transaction costs as much as a thousand records in it."""
_SHORTEST_S, _LONGEST_S = 0.25, 5.0
"""Pauses after a fault, s."""

Chore = Callable[["Ledger", "SegmentTail"], None]
"""What is done beside loading, between two rounds."""


class Loader:
    """Keeps a ledger up with the segments of a run folder."""

    def __init__(
        self, open_ledger: Callable[[], Ledger], tail: SegmentTail, note: Callable[[str], None], chore: Chore
    ) -> None:
        self._open = open_ledger
        self._tail = tail
        self._note = note
        self._chore = chore
        self._ledger: Ledger | None = None
        self._stop = threading.Event()
        self._end_s = 0.0
        self._thread = threading.Thread(target=self._run, name="ledger-loader")
        self.added = 0
        """Entries added."""
        self.repeated = 0
        """Entries that came again."""
        self.fault = ""
        """Why nothing is loaded now; empty when it is."""
        self.level_at = time.time()
        """When everything on disk was loaded too, seconds since 1970."""

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def end(self, within_s: float) -> None:
        """Loads what is left, for at most that long, and ends."""
        self._end_s = within_s
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = _SHORTEST_S
        while not self._stop.is_set():
            began = time.monotonic()
            self._round()
            if self.fault:
                self._stop.wait(pause)
                pause = min(2 * pause, _LONGEST_S)
                continue
            pause = _SHORTEST_S
            if self._tail.is_level:
                self._stop.wait(max(began + _PAUSE_S - time.monotonic(), 0.0))
        until = time.monotonic() + self._end_s
        while not (self._round() and not self.fault) and time.monotonic() < until:
            if self.fault:
                time.sleep(_SHORTEST_S)
        self._close()

    def _round(self) -> bool:
        """One round; True when it left nothing behind. A fault is told once and tried again."""
        began = time.time()
        try:
            if self._ledger is None:
                self._ledger = self._open()
                self._tail.reset(self._ledger.offsets())
            done = load_new(self._tail, self._ledger, _MOST)
            if self._tail.is_level and (done.is_done or done.added or done.repeated):
                self.level_at = began
            self.added += done.added
            self.repeated += done.repeated
            for each in done.damage:
                self._note(f"segment {each.source}: {each.size} bytes at {each.offset} cannot be read: {each.reason}")
            self._chore(self._ledger, self._tail)
        except Exception as error:  # whatever it is, loading goes on and says so
            self._failed(error)
            return False
        if self.fault:
            self._note("the ledger loads again")
            self.fault = ""
        return done.is_done

    def _failed(self, error: Exception) -> None:
        told = str(error) if isinstance(error, (TripointError, OSError)) else f"{type(error).__name__}: {error}"
        if not self.fault:
            self._note(f"the ledger waits: {told}")
        self.fault = told
        if isinstance(error, StoreError):  # it may be another connection that it takes
            self._close()

    def _close(self) -> None:
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            with suppress(TripointError):
                ledger.close()
