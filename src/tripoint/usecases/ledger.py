"""Loading: what workers recorded becomes entries of the ledger, once each; and checking that it all adds up."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from tripoint.domain.ledger import Damage, Dimension, Mismatch, Piece, SpendQuery
from tripoint.engines.governance.ledger.days import day_number, day_text
from tripoint.ports import Ledger

CHECKED_AT_ONCE = 100_000
"""Requests of so many days are counted before it is told how far that is."""


class Tail(Protocol):
    """Follows the segments of a run folder."""

    def read(self, most: int) -> tuple[Piece, ...]:
        """What is new, about `most` records; the same again until `loaded` is told."""
        ...

    def loaded(self, pieces: Iterable[Piece]) -> None:
        """These are in the ledger for good."""
        ...

    def reset(self, offsets: Mapping[str, int]) -> None:
        """Takes over where the ledger stands."""
        ...

    def set_aside(self, sources: Collection[str]) -> None:
        """Keeps these segments although they are loaded: something in them could not be read."""
        ...


class Round(NamedTuple):
    """What one round brought."""

    added: int
    """Entries that were new."""
    repeated: int
    """Entries that were there already."""
    damage: tuple[Damage, ...]
    """What could not be read."""
    is_done: bool
    """True when there was nothing to load."""


def load_new(tail: Tail, ledger: Ledger, most: int) -> Round:
    """Loads what is new, about `most` records.

    Raises `StoreError` when the store takes nothing and `OSError` when segments cannot be read; nothing is lost then,
    the next round tries the same again.
    """
    with _uncollected():
        return _load(tail, ledger, most)


def _load(tail: Tail, ledger: Ledger, most: int) -> Round:
    pieces = tail.read(most)
    if not pieces:
        return Round(0, 0, (), is_done=True)
    damage = tuple(each for piece in pieces for each in piece.damage)
    if damage:
        tail.set_aside({each.source for each in damage})
    done = ledger.load(pieces)
    if done.moved:  # somebody else loads the same segments
        tail.reset(ledger.offsets())
    else:
        tail.loaded(pieces)
    return Round(done.added, done.repeated, damage, is_done=False)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nobody looks for cycles meanwhile: records have none, and looking through many of them takes longer than all
    that is done with them.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def check_sums(
    ledger: Ledger, since: str, until: str, seen: Callable[[int, int], None] | None = None
) -> tuple[Mismatch, ...]:
    """Lines of those days whose entries do not add up to their sums, some days at a time.

    `seen` hears how many requests of how many were counted. Raises `StoreError`.
    """
    days = ledger.spend(SpendQuery(by=(Dimension.DAY,), since=since, until=until))
    of_all, done, held = sum(row.requests for row in days), 0, 0
    found: list[Mismatch] = []
    for row in days:
        held += row.requests
        if held >= CHECKED_AT_ONCE:
            day = row.by[0]
            found += ledger.audit(since, day)  # from where the last ended: days without sums are counted too
            done, held, since = done + held, 0, day_text(day_number(day) + 1)
            if seen is not None:
                seen(done, of_all)
    if since <= until:
        found += ledger.audit(since, until)
    return tuple(found)
