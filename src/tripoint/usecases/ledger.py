"""Loading: what workers recorded becomes entries of the ledger, once each."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from tripoint.domain.ledger import Damage, Piece
from tripoint.ports import Ledger


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
