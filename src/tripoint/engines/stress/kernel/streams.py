"""Which draw belongs to this arrival? Random numbers by name, trial and index, whoever asks and in whatever order.

A stream is the Philox generator (Salmon et al., SC 2011) keyed by the digest of seed, trial and name; draw `i` is a
function of key and `i` alone. So a request meets the same service time and the same luck in every plan it is tried on
(common random numbers), and differences between plans are the plans' own.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from tripoint.engines.stress.kernel.arithmetic import Floats, exponential, natural_log, normal_quantile

BLOCK = 1024
"""Draws made at once when they are asked for singly."""
FIRST = 64
"""As many of the first ones: most streams are asked for a few draws only."""
_PER_COUNT = 4
"""Philox 4x64 makes so many numbers for each value of its counter."""
_RESOLUTION = 2.0**-52

_Block = tuple[int, list[float]]
"""Index of the first of some draws, and the draws."""
_NONE: _Block = (0, [])


class Stream:
    """Draws of one name in one trial, each known by its index from 0."""

    __slots__ = ("_exponentials", "_key", "_uniforms")

    def __init__(self, key: NDArray[np.uint64]) -> None:
        self._key = key
        self._uniforms = _NONE
        self._exponentials = _NONE

    def uniforms(self, start: int, count: int) -> Floats:
        """Draws `start` to `start + count - 1`, uniform between 0 and 1, both excluded."""
        skipped = start % _PER_COUNT
        bits = np.random.Philox(key=self._key, counter=start // _PER_COUNT).random_raw(count + skipped)[skipped:]
        return ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * _RESOLUTION

    def exponentials(self, start: int, count: int) -> Floats:
        """Likewise, exponential with mean 1."""
        return -natural_log(self.uniforms(start, count))

    def normals(self, start: int, count: int) -> Floats:
        """Likewise, standard normal."""
        return normal_quantile(self.uniforms(start, count))

    def uniform(self, index: int) -> float:
        """Draw `index`, uniform between 0 and 1, both excluded."""
        start, known = self._uniforms
        if not start <= index < start + len(known):
            start, count = _around(index)
            known = self.uniforms(start, count).tolist()
            self._uniforms = (start, known)
        return known[index - start]

    def exponential(self, index: int) -> float:
        """Draw `index`, exponential with mean 1."""
        start, known = self._exponentials
        if not start <= index < start + len(known):
            start, count = _around(index)
            known = self.exponentials(start, count).tolist()
            self._exponentials = (start, known)
        return known[index - start]


def _around(index: int) -> tuple[int, int]:
    """First and number of the draws made when one is asked for."""
    return (0, FIRST) if index < FIRST else (index - index % BLOCK, BLOCK)


class Streams:
    """All streams of one trial."""

    __slots__ = ("_by_name", "_seed", "_trial")

    def __init__(self, seed: int, trial: int) -> None:
        self._seed, self._trial = seed, trial
        self._by_name: dict[str, Stream] = {}

    def named(self, name: str) -> Stream:
        """The stream of a name, e.g. `service/chat`; the same one each time."""
        stream = self._by_name.get(name)
        if stream is None:
            digest = hashlib.sha256(f"{self._seed}/{self._trial}/{name}".encode()).digest()
            stream = self._by_name[name] = Stream(np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64))
        return stream


def lognormals(stream: Stream, start: int, count: int, *, mean: float, cv: float) -> Floats:
    """Lognormal draws of this mean and coefficient of variation (both positive), e.g. token counts."""
    variance = natural_log(np.array([1.0 + cv * cv]))[0]
    centre = natural_log(np.array([mean]))[0] - variance / 2.0
    return exponential(centre + np.sqrt(variance) * stream.normals(start, count))
