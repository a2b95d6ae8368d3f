"""How long things take lately: a histogram that forgets, cheap enough to note every request."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import frexp
from typing import Final

_frexp: Final = frexp
_PARTS: Final = 16
"""Buckets an octave: a bucket is 3 to 6 % wide."""
_LOWEST: Final = -14
"""Exponent of the first octave: everything below 31 microseconds is told as that."""
_OCTAVES: Final = 25
"""Up to 1024 s; what is longer is told as that."""
_BUCKETS: Final = _PARTS * _OCTAVES
_LONGEST_S: Final = 1024.0
_STEPS: Final = 16
"""Steps of forgetting in a half-life."""
_TOO_HEAVY: Final = 2.0**40
_TOPS: Final = tuple(
    2.0 ** (octave + _LOWEST) * (0.5 + (part + 1) / (2 * _PARTS))
    for octave in range(_OCTAVES)
    for part in range(_PARTS)
)
"""Upper edges of the buckets, s."""
_WIDTH: Final = 8
"""Bytes of a cell."""
_ZERO: Final = b"\0"
_NOTHING: Final = _ZERO * (_WIDTH * _BUCKETS)
_LEAST: Final = 5e-324
"""Of weights: the first sum that is not below it is the first that is not 0."""


class LatencyWindow:
    """Times in buckets of equal ratio; a sample counts half as much after every half-life.

    Instead of shrinking what is old, what is new weighs more: adding costs one cell, whatever the clock says.
    """

    __slots__ = ("_cells", "_high", "_low", "_step_s", "_total", "_unit", "changes", "turn_at")

    def __init__(self, *, now: float, half_life_s: float = 30.0) -> None:
        self._step_s = half_life_s / _STEPS
        self.turn_at = now + self._step_s
        """When what is there has lost some more of its weight, s; until then only new samples change anything."""
        self._cells = array("d", bytes(8 * _BUCKETS))
        self._total = 0.0
        self._unit = 1.0
        self._low = self._high = 0
        self.changes = 0
        """How many samples were ever added, for whoever keeps quantiles."""

    def add(self, now: float, s: float) -> None:
        """Notes that something took `s` seconds; a negative or undefined time is none and is left out."""
        if now >= self.turn_at:
            self._turn(now)
        if not s >= 0.0:
            return
        part, exponent = _frexp(s)
        if part < 0.5 or s > _LONGEST_S:  # nothing, or endless
            cell = 0 if part < 0.5 else _BUCKETS - 1
        else:
            cell = max(0, (exponent - _LOWEST) * _PARTS + int((part - 0.5) * _PARTS * 2))
        self._cells[cell] += self._unit
        self._total += self._unit
        self.changes += 1

    def clear(self) -> None:
        """Forgets everything."""
        self._cells = array("d", bytes(8 * _BUCKETS))
        self._total, self._unit = 0.0, 1.0

    def weight(self, now: float) -> float:
        """Samples remembered, older ones in part."""
        if now >= self.turn_at:
            self._turn(now)
        return self._total / self._unit

    def quantile(self, now: float, q: float) -> float:
        """Time that a share `q` of the samples did not exceed, s, to the width of a bucket; 0 without samples."""
        return self.quantiles(now, (q,))[0]

    def quantiles(self, now: float, qs: Sequence[float]) -> list[float]:
        """Several quantiles in one pass, in the order asked."""
        if now >= self.turn_at:
            self._turn(now)
        found = [0.0] * len(qs)
        if self._total <= 0.0:
            return found
        # Trials ask thousands of times: what is known to be empty is compared as a whole, the rest summed in C.
        raw = self._cells.tobytes()
        low, high = self._low, self._high
        if not (_NOTHING.startswith(raw[: low * _WIDTH]) and _NOTHING.startswith(raw[high * _WIDTH :])):
            low = self._low = (len(raw) - len(raw.lstrip(_ZERO))) // _WIDTH
            high = self._high = (len(raw.rstrip(_ZERO)) + _WIDTH - 1) // _WIDTH
        sums = list(accumulate(self._cells[low:high]))
        most = sums[-1]  # the total may have been rounded up beyond it
        for place, q in enumerate(qs):
            found[place] = _TOPS[low + bisect_left(sums, min(q * self._total, most) or _LEAST)]
        return found

    def _turn(self, now: float) -> None:
        """Makes new samples weigh more by the steps passed; a clock that runs backwards changes nothing."""
        steps = int((now - self.turn_at) / self._step_s) + 1
        self.turn_at += steps * self._step_s
        if steps > _STEPS * 60:
            self.clear()
            return
        self._unit *= 2.0 ** (steps / _STEPS)
        if self._unit > _TOO_HEAVY:
            self._cells = array("d", [weight / self._unit for weight in self._cells])
            self._total = sum(self._cells)
            self._unit = 1.0
