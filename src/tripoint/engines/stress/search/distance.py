"""Distance to failure by bisection: which positions of a magnitude to try next, and what each answer says.

Every position is tried with the same trials (common random numbers), so that what differs is the magnitude. More of it
is taken to be no better: an objective that breaks at a position counts as broken beyond it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

Key = TypeVar("Key")

MILD, SEVERE = 0.0, 1.0
"""Ends of a magnitude's range, as positions."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """Where one objective breaks, as far as it is known."""

    met: float | None = None
    """Highest position known to meet it; `None` before any."""
    broken: float | None = None
    """Lowest position known not to; `None` before any."""

    @property
    def holds(self) -> bool:
        """True where even the severe end meets it."""
        return self.met == SEVERE

    def next(self, resolution: float) -> float | None:
        """The position whose answer says most; `None` where the place is known as well as asked."""
        if self.holds:
            return None
        if self.broken is None:
            return SEVERE
        if self.met is None:
            return None if self.broken == MILD else MILD
        return None if self.broken - self.met <= resolution else (self.met + self.broken) / 2.0

    def is_open_at(self, position: float) -> bool:
        """True between what is known to meet it and what is known not to."""
        return (self.met is None or position > self.met) and (self.broken is None or position < self.broken)

    def told(self, position: float, *, is_met: bool) -> Bracket:
        """With one more answer."""
        if is_met:
            known = self.broken is None or position < self.broken
            return replace(self, met=position if self.met is None else max(self.met, position)) if known else self
        broken = position if self.broken is None else min(self.broken, position)
        met = self.met if self.met is None or self.met < broken else None
        return Bracket(met=met, broken=broken)


@dataclass(frozen=True, slots=True)
class Distance(Generic[Key]):
    """All objectives of one scenario, searched together: one answer serves all of them."""

    brackets: Mapping[Key, Bracket]
    """By objective."""
    resolution: float
    """How well the place is wanted, as a share of the range."""

    def asks(self) -> tuple[float, ...]:
        """Positions to try now, ascending; none when all is known."""
        wanted = {bracket.next(self.resolution) for bracket in self.brackets.values()}
        return tuple(sorted(position for position in wanted if position is not None))

    def open_at(self, position: float) -> tuple[Key, ...]:
        """Objectives of which an answer at a position would say something new."""
        return tuple(key for key, bracket in self.brackets.items() if bracket.is_open_at(position))

    def told(self, position: float, met: Mapping[Key, bool]) -> Distance[Key]:
        """With the answer at one position: which objectives were met there."""
        brackets = {
            key: bracket.told(position, is_met=met[key]) if key in met else bracket
            for key, bracket in self.brackets.items()
        }
        return Distance(brackets, self.resolution)

    def breaks_at(self, key: Key) -> float | None:
        """Lowest position known to break it; `None` where it holds over the whole range."""
        bracket = self.brackets.get(key)
        return None if bracket is None or bracket.holds else bracket.broken


def distance(keys: Iterable[Key], resolution: float) -> Distance[Key]:
    """A search that knows nothing yet."""
    return Distance(dict.fromkeys(keys, Bracket()), resolution)
