"""When do requests arrive? Gaps of a given burstiness, stretched so that they follow a rate that changes over time.

Arrivals are drawn in the time of a process of rate 1 and carried over to the clock by the integral of the rate (time
change; Çinlar, Introduction to Stochastic Processes, 1975). Request `i` of a workload is therefore the same request
whatever the plan, and a burst moves its arrivals together instead of drawing others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tripoint.engines.stress.kernel.arithmetic import Floats
from tripoint.engines.stress.kernel.streams import Stream, Streams

_LARGEST_CHUNK = 65_536
_POISSON = 1.0


def unit_gaps(streams: Streams, name: str, start: int, count: int, cv: float = _POISSON) -> Floats:
    """Gaps with mean 1 and coefficient of variation `cv`: `start` to `start + count - 1` of the stream `name`.

    Exponential for 1; above it hyperexponential with balanced means (Whitt, Bell System Technical Journal 61, 1982);
    below it a fixed part and an exponential rest.
    """
    drawn = streams.named(name).exponentials(start, count)
    if cv == _POISSON:
        return drawn
    if cv < _POISSON:
        return (1.0 - cv) + cv * drawn
    squared = cv * cv
    often = 0.5 * (1.0 + float(np.sqrt((squared - 1.0) / (squared + 1.0))))
    is_short = streams.named(f"{name}/phase").uniforms(start, count) < often
    return drawn / np.where(is_short, 2.0 * often, 2.0 * (1.0 - often))


def arrivals_until(streams: Streams, name: str, edges_s: Floats, rates: Floats, cv: float = _POISSON) -> Floats:
    """Arrival times in seconds, ascending, between the first and the last edge.

    `rates` holds requests per second, one for each stretch between neighbouring edges (ascending seconds).
    """
    passed = np.concatenate(([0.0], np.cumsum(np.diff(edges_s) * rates)))
    pieces: list[Floats] = []
    start, reached = 0, 0.0
    while reached < passed[-1]:
        # However they are cut, the sum runs in one order, so the times are the same to the last bit.
        count = min(_LARGEST_CHUNK, int((passed[-1] - reached) * 1.1) + 64)
        moments = np.cumsum(np.concatenate(([reached], unit_gaps(streams, name, start, count, cv))))[1:]
        pieces.append(moments)
        start, reached = start + count, float(moments[-1])
    if not pieces:
        return np.zeros(0)
    moments = np.concatenate(pieces)
    return clock_times(moments[moments < passed[-1]], edges_s, passed)


def clock_times(moments: Floats, edges_s: Floats, passed: Floats) -> Floats:
    """Seconds at which the expected number of arrivals reaches `moments`; `passed` is that number at each edge."""
    stretch = np.clip(np.searchsorted(passed, moments, side="right") - 1, 0, edges_s.size - 2)
    expected = passed[stretch + 1] - passed[stretch]
    share = (moments - passed[stretch]) / np.where(expected > 0.0, expected, 1.0)
    return edges_s[stretch] + share * (edges_s[stretch + 1] - edges_s[stretch])


def chosen(draws: Stream, start: int, count: int, shares: Floats) -> NDArray[np.int64]:
    """Index of the choice each of `count` draws makes among `shares`, which need not sum to 1."""
    borders = np.cumsum(shares)
    picked = np.searchsorted(borders, draws.uniforms(start, count) * borders[-1], side="right")
    indexes: NDArray[np.int64] = np.minimum(picked, shares.size - 1)
    return indexes
