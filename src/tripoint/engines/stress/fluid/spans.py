"""When does what hold? The faults of one trial cut into spans in which nothing changes but the hour.

What a fault does to a place is what it does in the request simulator (`trial.conditions`): it strikes the same places
with the same force, and what overlaps combines alike. A place that fails half of its answers is out, since breakers
open there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.units import SECONDS_PER_HOUR
from tripoint.engines.gateway.health.breaker import BreakerRules
from tripoint.engines.resilience.capacity.carrying import joined
from tripoint.engines.stress.fluid.layout import Flags, Layout
from tripoint.engines.stress.kernel.arithmetic import Floats
from tripoint.engines.stress.trial.conditions import force, moments, strikes

BREAKS_AT = BreakerRules().share
"""Share of failures from which a breaker keeps a place shut."""
_GONE = (FaultKind.DOWN, FaultKind.HANG, FaultKind.SERVICE_DOWN)
_FAILING = (FaultKind.ERRORS, FaultKind.WRONG)
_SCALED = (FaultKind.LIMIT, FaultKind.CAPACITY)
_LINKS = (FaultKind.LINK_DOWN, FaultKind.LINK_DELAY, FaultKind.LINK_LOSS)
_BY_SETTING = frozenset((*_LINKS, FaultKind.LEAVE, FaultKind.PRICE, FaultKind.SLOW))
_NEEDS_MORE = frozenset(
    (*_GONE, *_FAILING, *_SCALED, FaultKind.SLOW, FaultKind.LINK_DOWN, FaultKind.LEAVE, FaultKind.DEMAND)
)
_NO_ORDERS = frozenset(("registry", "control", "identity"))
"""Shared services without which no capacity can be had."""

Key = tuple[tuple[FaultKind, tuple[str, ...], float], ...]
"""What of a span cannot be told by capacity and demand alone: kind, things and force of faults, in a fixed order."""


class Spans(NamedTuple):
    """One trial; S spans."""

    edges: Floats
    """[S + 1] seconds, ascending, from 0 to the end."""
    capacity: Floats
    """[P, S] share of each place that is left."""
    demand: Floats
    """[F, S] times what is asked."""
    spare: Flags
    """[G, S] whether capacity that was asked for serves."""
    keys: tuple[Key, ...]
    """What occurs of them, see `Key`."""
    key: NDArray[np.int64]
    """[S] index into the keys."""
    is_struck: Flags
    """[S] whether anything is other than usual."""


class Struck:
    """Which places and flows a fault is about, looked up once per kind and names."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._places: dict[tuple[FaultKind, tuple[str, ...]], list[int]] = {}
        self._flows: dict[tuple[str, ...], list[int]] = {}
        self.growing: dict[tuple[float, bool], list[int]] = {}
        """Seconds until more serves, whether it is approved already -> numbers of the places where it is so."""
        for at, number in layout.growing.items():
            key = (float(layout.ready_s[at]), layout.world.places[at].is_approved)
            self.growing.setdefault(key, []).append(number)

    def places(self, fault: Fault) -> list[int]:
        """Indexes of the places it is about."""
        key = (fault.kind, fault.on)
        if key not in self._places:
            places = self._layout.world.places
            self._places[key] = [index for index, place in enumerate(places) if strikes(fault, place)]
        return self._places[key]

    def flows(self, fault: Fault) -> list[int]:
        """Indexes of flows whose workload it names."""
        if fault.on not in self._flows:
            names = [self._layout.world.demanded[number].workload for number in self._layout.workload_of]
            self._flows[fault.on] = [index for index, name in enumerate(names) if name in fault.on]
        return self._flows[fault.on]


def spans_of(layout: Layout, struck: Struck, faults: Sequence[Fault], until_s: float) -> Spans:
    """The spans of one trial of `until_s` seconds."""
    lasting = [(_moment(fault.bites_s), _moment(min(fault.until_s, until_s))) for fault in faults]
    ready = [
        (numbers, _moment(begin + after), end)
        for begin, end, delay in _waits(faults, lasting)
        for (ready_s, is_approved), numbers in struck.growing.items()
        if begin + (after := ready_s + (0.0 if is_approved else delay)) < end
    ]
    cuts = {0.0, until_s, *(begin for _, begin, _ in ready), *(at for both in lasting for at in both)}
    cuts.update(_moment(at) for at in moments([fault for fault in faults if fault.ramp_s > 0.0]))
    edges = sorted(at for at in cuts if 0.0 <= at <= until_s)
    count, width = len(edges) - 1, len(layout.world.places)
    capacity, demand = np.ones((width, count)), np.ones((len(layout.workload_of), count))
    spare, is_struck = np.zeros((len(layout.growing), count), dtype=bool), np.zeros(count, dtype=bool)
    held: dict[int, list[tuple[FaultKind, tuple[str, ...], float]]] = {}
    for numbers, begin, end in ready:
        spare[numbers, bisect_left(edges, begin) : bisect_left(edges, end)] = True
    for fault, (begin, end) in zip(faults, lasting, strict=True):
        first, last = bisect_left(edges, begin), bisect_left(edges, end)
        is_struck[first:last] = True
        for start, stop in _steps(fault, edges, first, last):
            strength = 1.0 if fault.ramp_s <= 0.0 else force(fault, (edges[start] + edges[start + 1]) / 2.0)
            size = 1.0 + (fault.size - 1.0) * strength
            if fault.kind in _BY_SETTING:
                told = (fault.kind, fault.on, _told(fault, strength, size))
                for span in range(start, stop):
                    held.setdefault(span, []).append(told)
            if fault.kind is FaultKind.DEMAND:
                demand[struck.flows(fault), start:stop] *= size
            elif fault.kind is FaultKind.SERVICE_DOWN and _NO_ORDERS.intersection(fault.on):
                spare[:, start:stop] = False
            if (left := _left(fault, strength, size)) < 1.0:
                for at in struck.places(fault):
                    capacity[at, start:stop] *= left
    number_by_key: dict[Key, int] = {(): 0}
    key = np.zeros(count, dtype=np.int64)
    for span, parts in held.items():
        key[span] = number_by_key.setdefault(tuple(sorted(parts)), len(number_by_key))
    return Spans(
        edges=np.array(edges),
        capacity=capacity,
        demand=demand,
        spare=spare,
        keys=tuple(number_by_key),
        key=key,
        is_struck=is_struck,
    )


def _steps(fault: Fault, edges: Sequence[float], first: int, last: int) -> Iterable[tuple[int, int]]:
    """Stretches of spans in which the fault has one force: all of it at once unless it ramps up."""
    if fault.ramp_s <= 0.0 or fault.kind is FaultKind.LEAVE:
        return [(first, last)] if first < last else []
    full = min(last, bisect_left(edges, _moment(fault.at_s + fault.ramp_s)))
    steps = [(span, span + 1) for span in range(first, full)]
    return [*steps, (full, last)] if full < last else steps


def _moment(at_s: float) -> float:
    """To the microsecond: what is closer together is the same moment."""
    return round(at_s, 6)


def _told(fault: Fault, strength: float, size: float) -> float:
    """Its force as a key holds it."""
    if fault.kind in (FaultKind.LINK_DELAY, FaultKind.LINK_LOSS):
        return fault.size * strength
    return size if fault.kind in (FaultKind.PRICE, FaultKind.SLOW) else 1.0


def _left(fault: Fault, strength: float, size: float) -> float:
    """Share of a struck place's capacity it leaves; `size` is its factor at this strength."""
    kind = fault.kind
    if kind in _SCALED:
        return size
    if kind in _GONE:
        return 0.0 if strength > 0.0 else 1.0
    if kind in _FAILING:
        well = 1.0 - fault.size * strength
        return 0.0 if 1.0 - well >= BREAKS_AT else well  # reckoned as conditions do, to the last bit
    return 1.0 / max(1.0, size) if kind is FaultKind.SLOW else 1.0


def _waits(faults: Sequence[Fault], lasting: Sequence[tuple[float, float]]) -> list[tuple[float, float, float]]:
    """(begin, end, delay) of stretches in which more capacity is wanted: what overlaps or touches is one of them.

    `lasting` is begin and end of each fault; `delay` is what an absent approver adds, s.
    """
    wanted = joined(both for fault, both in zip(faults, lasting, strict=True) if fault.kind in _NEEDS_MORE)
    absent = [fault for fault in faults if fault.kind is FaultKind.APPROVAL]
    return [
        (begin, end, sum(fault.size * SECONDS_PER_HOUR for fault in absent if fault.at_s <= begin < fault.until_s))
        for begin, end in wanted
    ]
