"""Close days: their entries leave the store for files that last, their sums stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tripoint.domain.errors import InternalError, OptionError
from tripoint.domain.ledger import Dimension, Entry, EntryQuery, SpendQuery
from tripoint.engines.governance.ledger.days import DAY_S, day_number, day_text
from tripoint.ports import Ledger


class Kept(NamedTuple):
    """What a finished file holds."""

    entries: int
    """Entries."""
    nano: int
    """Their effective cost, nano-dollars."""
    requests: int
    """Requests among them."""


class Closed(NamedTuple):
    """A day that was closed."""

    day: str
    """Day, `YYYY-MM-DD`, UTC."""
    file: str
    """Name of the file that has its entries."""
    kept: Kept
    """What is in it."""


Write = Callable[[str, Iterable[Entry]], tuple[str, Kept]]
"""Writes the entries of a day to a file of its own, for good; the file's name and what it holds once finished."""


def close_days(ledger: Ledger, before: str, today: str, write: Write) -> tuple[Closed, ...]:
    """Moves the entries of every day before that one into a file each, the oldest first.

    A day's entries are dropped only once its finished file holds all of them; what comes late for a closed day stays in
    the store until the next time, and gets a further file. Raises `OptionError` for days that are not over.
    """
    if day_number(before) > day_number(today):
        raise OptionError(f"`{before}` is after today, {today}", hint="only days that are over can be closed")
    last = day_text(day_number(before) - 1)
    closed = []
    for (day,) in (row.by for row in ledger.spend(SpendQuery(by=(Dimension.DAY,), until=last))):
        counted = _Counted(ledger, day)
        if counted.is_empty():
            continue  # closed before
        differing = ledger.audit(day, day)
        if differing:
            raise InternalError(
                f"the entries of {day} do not add up to their sums, in {len(differing)} lines; nothing was dropped",
                hint="`tripoint ledger check` lists them",
            )
        file, kept = write(day, counted)
        if kept != counted.kept:
            raise InternalError(f"`{file}` holds {kept}, not {counted.kept}; nothing was dropped")
        ledger.prune(day_text(day_number(day) + 1), day, counted.last)
        closed.append(Closed(day, file, kept))
    return tuple(closed)


class _Counted:
    """The entries of a day, counted as they pass."""

    def __init__(self, ledger: Ledger, day: str) -> None:
        since = float(day_number(day) * DAY_S)
        self._ledger = ledger
        self._query = EntryQuery(since=since, until=since + DAY_S)
        self.kept = Kept(0, 0, 0)
        """What has passed."""
        self.last = 0
        """Number of the last one."""

    def is_empty(self) -> bool:
        """True when there are none."""
        return next(iter(self._ledger.entries(self._query._replace(limit=1))), None) is None

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._ledger.entries(self._query):
            entries, nano, requests = self.kept
            self.kept = Kept(entries + 1, nano + entry.nano, requests + entry.requests)
            self.last = entry.number
            yield entry
