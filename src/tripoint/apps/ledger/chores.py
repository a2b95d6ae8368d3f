"""What the ledger process does by the clock, beside loading: prices kept, segments removed, figures told, old days
dropped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tripoint.apps import stores
from tripoint.apps.ledger.figures import (
    Figure,
    anomaly_figures,
    budget_figures,
    snapshot_of,
    spend_figures,
    standing_figures,
)
from tripoint.engines.governance.cost.idle import HOUR_S
from tripoint.engines.governance.ledger.days import DAY_S, day_of
from tripoint.usecases.idle import enter_idle, finished_hours, keep_price_lists

if TYPE_CHECKING:
    from tripoint.adapters.segment_tail import SegmentTail
    from tripoint.apps.ledger.launch import LedgerLaunch
    from tripoint.apps.ledger.leases.counter import Counter
    from tripoint.apps.ledger.loader import Loader
    from tripoint.ports import Ledger

_TOLD_EVERY_S: Final = 1.0
_SPEND_EVERY_S: Final = 2.0
_PRICES_EVERY_S: Final = 2.0
_IDLE_EVERY_S: Final = 30.0
_HOURS_BACK: Final = 26
"""Hours whose idle rows are looked at again: records come late when a store was gone."""
_MOST_HOURS_BACK: Final = 31 * 24
"""The same, now and then: a store can be gone for days."""
_ALL_IDLE_EVERY_S: Final = 6 * 3600.0
_ANOMALIES_EVERY_S: Final = 60.0
_PRUNE_EVERY_S: Final = 3600.0


class Chores:
    """All of them; those that need the store run in the loader's thread, between two rounds."""

    def __init__(
        self, launch: LedgerLaunch, url: str, write: Callable[[bytes], None], note: Callable[[str], None]
    ) -> None:
        self._launch = launch
        self._url = url
        self._write = write
        self._note = note
        self._due: dict[str, float] = {}
        self._spend: list[Figure] = []
        self._anomalies: list[Figure] = []
        self._damaged = 0
        self._waiting = 0
        self._lists = 0
        self._run_dir = Path(launch.run_dir)
        self.loader: Loader | None = None
        """Whose figures are told."""
        self.counter: Counter | None = None
        """Who knows where budgets stand."""

    async def tell(self) -> None:
        """Writes the figures every second."""
        while True:
            await asyncio.sleep(_TOLD_EVERY_S)
            await asyncio.to_thread(self.write)

    def write(self) -> None:
        """Writes the figures as they are."""
        if self.loader is not None:
            standing = standing_figures(self.loader, self._waiting, self._damaged, time.time())
            with suppress(OSError):  # a disk that takes no figures is told by their age
                budgets = [] if self.counter is None else budget_figures(self.counter.standing)
                self._write(snapshot_of([*standing, *self._spend, *self._anomalies, *budgets]))

    def between_rounds(self, ledger: Ledger, tail: SegmentTail) -> None:
        """Does what is due. Raises `StoreError` and `OSError`."""
        now = time.time()
        self._waiting = tail.waiting()
        if self._is_due("spend", _SPEND_EVERY_S):
            self._spend = spend_figures(ledger, now)
            self._damaged = len(ledger.damage())
        if self._is_due("prices", _PRICES_EVERY_S):
            self._price(ledger, now)
        if self._is_due("anomalies", _ANOMALIES_EVERY_S):
            self._anomalies = anomaly_figures(ledger, now)
        if self._is_due("tidy", self._launch.tidy_s):
            removed = tail.finished(now, self._launch.keep_s)
            if removed:
                ledger.forget_segments(removed)
        if self._launch.retain_days > 0 and self._is_due("prune", _PRUNE_EVERY_S):
            dropped = ledger.prune(day_of(now - self._launch.retain_days * DAY_S))
            if dropped:
                self._note(f"{dropped} entries older than {self._launch.retain_days} days were dropped; sums are kept")

    def hasten(self) -> None:
        """Before the end: price lists of the last seconds are not left for a next run, which may never come."""
        self._due.pop("prices", None)

    def _price(self, ledger: Ledger, now: float) -> None:
        """Keeps price lists that are new, and enters what was idle in the hours that are over."""
        lists, odd = stores.read_prices(self._run_dir / "prices")
        keep_price_lists(ledger, lists[self._lists :], now)
        if odd and len(lists) != self._lists:
            self._note(f"{len(odd)} price lists cannot be read, the first is `{odd[0].name}`")
        self._lists = len(lists)
        if not lists or not self._is_due("idle", _IDLE_EVERY_S):
            return
        is_all = self._is_due("all idle", _ALL_IDLE_EVERY_S)
        enter_idle(ledger, lists, finished_hours(now, _MOST_HOURS_BACK if is_all else _HOURS_BACK))
        # The ledger has their rows for good; only hours that are looked at again need the lists themselves.
        if is_all and stores.drop_prices(self._run_dir / "prices", now - 2 * _MOST_HOURS_BACK * HOUR_S):
            self._lists = 0

    def _is_due(self, chore: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(chore, 0.0):
            return False
        self._due[chore] = now + every_s
        return True
