"""How much a failing upstream may cost: second attempts as a share of traffic, so that an outage is not fed."""

from __future__ import annotations

from typing import Final

_SPAN_S: Final = 10.0
_SLICES: Final = 10
_SLICE_S: Final = _SPAN_S / _SLICES


class RetryBudget:
    """Credits earned by traffic and spent by second attempts; both forgotten after ten seconds.

    In any ten seconds at most `floor + share x requests` credits are spent, and those granted, up to one second's
    rounding of the window.
    """

    __slots__ = ("_arrived", "_arrived_total", "_floor", "_share", "_slice", "_spent", "_spent_total")

    def __init__(self, share: float, *, now: float, floor: float = 10.0) -> None:
        self._share = share
        self._floor = floor
        self._slice = int(now / _SLICE_S)
        self._arrived = [0] * _SLICES
        self._spent = [0] * _SLICES
        self._arrived_total = 0
        self._spent_total = 0

    def arrived(self, now: float) -> None:
        """Counts a request of ordinary traffic."""
        at = int(now / _SLICE_S)
        if at != self._slice:
            self._turn(at)
        self._arrived[at % _SLICES] += 1
        self._arrived_total += 1

    def spend(self, now: float) -> bool:
        """Takes a credit for a second attempt; False when there is none."""
        at = int(now / _SLICE_S)
        if at != self._slice:
            self._turn(at)
        if self._spent_total + 1 > self._floor + self._share * self._arrived_total:
            return False
        self._spent[at % _SLICES] += 1
        self._spent_total += 1
        return True

    def grant(self, now: float) -> None:
        """Adds a credit: for a request that was at work on an upstream when that was found dead.

        Such requests fail once, together, and are as many as the upstream had places: letting them go elsewhere feeds
        no outage, and a budget by traffic would run out exactly when long requests need it.
        """
        at = int(now / _SLICE_S)
        if at != self._slice:
            self._turn(at)
        self._spent[at % _SLICES] -= 1
        self._spent_total -= 1

    def resize(self, share: float) -> None:
        """Changes the share; what was earned and spent stays."""
        self._share = share

    def _turn(self, at: int) -> None:
        """Forgets the slices that lie more than the span behind `at`; a clock that runs backwards changes nothing."""
        for passed in range(max(self._slice + 1, at - _SLICES + 1), at + 1):
            place = passed % _SLICES
            self._arrived_total -= self._arrived[place]
            self._spent_total -= self._spent[place]
            self._arrived[place] = self._spent[place] = 0
        self._slice = max(self._slice, at)
