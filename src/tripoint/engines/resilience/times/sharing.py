"""When does each copy arrive, if many are on their way at once? Max-min fair sharing of what they cross.

Every copy gets an equal share of its tightest resource, and what one cannot use goes to the others (progressive
filling; Bertsekas and Gallager, Data Networks, 1992, section 6.5.2). Rates change only when a copy starts or ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_TINY = 1e-9


class Copy(NamedTuple):
    """Bytes on their way."""

    gb: float
    """Volume, GB."""
    resources: tuple[str, ...]
    """What they cross; each is a key of the capacities."""
    start_s: float
    """When they set out."""


def arrivals(copies: Sequence[Copy], gb_per_s: Mapping[str, float]) -> tuple[float, ...]:
    """[copies] when each has arrived, s; infinite where it crosses something without capacity."""
    left = [max(each.gb, 0.0) for each in copies]
    done = [each.start_s if each.gb <= 0.0 else math.inf for each in copies]
    now = min((each.start_s for each in copies), default=0.0)
    while True:
        active = [n for n, each in enumerate(copies) if left[n] > 0.0 and each.start_s <= now + _TINY]
        later = [each.start_s for n, each in enumerate(copies) if left[n] > 0.0 and each.start_s > now + _TINY]
        rates = fair_rates([copies[n].resources for n in active], gb_per_s)
        ends = [left[n] / rate for n, rate in zip(active, rates, strict=True) if rate > 0.0]
        step = min((*ends, *(start - now for start in later)), default=math.inf)
        if math.isinf(step):
            return tuple(done)
        now += step
        for n, rate in zip(active, rates, strict=True):
            left[n] -= rate * step
            if left[n] <= _TINY * max(1.0, copies[n].gb):
                left[n], done[n] = 0.0, now


def fair_rates(crossed: Sequence[tuple[str, ...]], gb_per_s: Mapping[str, float]) -> tuple[float, ...]:
    """[copies] GB/s of each, no resource beyond its capacity, and nobody can have more without taking from a slower."""
    rates = [math.inf if not each else 0.0 for each in crossed]
    open_ = [n for n, each in enumerate(crossed) if each]
    room = {name: gb_per_s[name] for each in crossed for name in each}
    while open_:
        users = {name: sum(crossed[n].count(name) for n in open_) for name in room}
        fill = {name: room[name] / users[name] for name in room if users[name]}
        tightest = min(fill, key=lambda name: (fill[name], name))
        share = max(fill[tightest], 0.0)
        for n in [n for n in open_ if tightest in crossed[n]]:
            rates[n] = share
            open_.remove(n)
            for name in crossed[n]:
                room[name] -= share
    return tuple(rates)
