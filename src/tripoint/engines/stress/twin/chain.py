"""The chain of stations without an event list: the same answers as `queues.chain`, request for request.

A request goes only to later stations than its first, so stations are done one after the other, each with all requests
that come to it. Between two changes a station is a queue in order of arrival:

- one server, endless queue: Lindley's recursion end = max(arrival, end before) + service, for all requests at once,
  end = S + max over earlier ones of (arrival - S before), S the running sum of service times (whole numbers, so exact);
- a stretch in which nobody waits: everybody begins on arrival, and counting ends among the sorted ones proves it;
- else one pass with a heap of the moments at which servers are free (Kiefer and Wolfowitz, 1955).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from heapq import heapify, heapreplace
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripoint.engines.stress.queues.chain import NOWHERE, Change, Station

Ints = NDArray[np.int64]
_STRETCH: Final = 4096
"""Requests tried at once on having nobody wait."""
_PATIENCE: Final = 8
"""A trial that gets less far than one in so many of its requests is not repeated for so many stretches."""
_NEVER: Final = (1 << 63) - 1


class Answers(NamedTuple):
    """What became of each request, in order of arrival; as in `queues.chain.Served`."""

    station: Ints
    """Index of the station that took it in; `NOWHERE` when none did."""
    start: Ints
    """When its service began, ns; `NOWHERE` when it never did."""
    end: Ints
    """When it was answered, ns; `NOWHERE` when it never was."""


def answers(arrivals: Ints, first: Ints, services: Sequence[Ints], stations: Sequence[Station]) -> Answers:
    """All requests at once: arrival times ascending, first station of each, service times [station][request], ns."""
    found = Answers(*(np.full(arrivals.size, NOWHERE, dtype=np.int64) for _ in range(3)))
    for number, station in enumerate(stations):
        coming = np.flatnonzero((found.station == NOWHERE) & (first <= number))
        taken, start, end = _at(station, arrivals[coming], services[number][coming])
        chosen = coming[taken]
        found.station[chosen] = number
        found.start[chosen], found.end[chosen] = start[taken], end[taken]
    return found


class _Kept(NamedTuple):
    """What a station holds at a moment."""

    busy: Ints
    """Requests in service."""
    waiting: Ints
    """Requests that wait, in order."""


def _at(station: Station, arrivals: Ints, services: Ints) -> tuple[NDArray[np.bool_], Ints, Ints]:
    """One station: who is taken in, begins and ends when."""
    start = np.full(arrivals.size, NOWHERE, dtype=np.int64)
    end, taken = start.copy(), np.zeros(arrivals.size, dtype=bool)
    nobody = start[:0]
    kept = _Kept(nobody, nobody)
    moments = [Change(0, station.servers), *station.changes, Change(_NEVER, 0)]
    for now, following in pairwise(moments):
        kept = _Kept(kept.busy[end[kept.busy] > now.at], kept.waiting)
        # Who waits begins when other servers let it, if any ever do.
        end[kept.waiting] = start[kept.waiting] = NOWHERE
        if now.loses:
            end[kept.busy] = NOWHERE
            kept = _Kept(nobody, nobody)
        if now.servers == 0:
            continue
        # Those who arrive at the instant of a change find it made.
        first, last = (int(each) for each in np.searchsorted(arrivals, [now.at, following.at]))
        who = np.concatenate((kept.waiting, np.arange(first, last)))
        at = np.concatenate((np.full(kept.waiting.size, now.at), arrivals[first:last]))
        got, begins = _queue(at, services[who], _free_at(end[kept.busy], now), (station.room, kept.waiting.size))
        chosen = who[got]
        taken[chosen] = True
        start[chosen], end[chosen] = begins, begins + services[chosen]
        there = np.concatenate((kept.busy, chosen))
        there = there[end[there] > following.at]
        # Who begins at the instant of a change takes the place of one who finished, before the change.
        is_waiting = start[there] > following.at
        kept = _Kept(there[~is_waiting], there[is_waiting])
    return taken, start, end


def _free_at(ends: Ints, now: Change) -> Ints:
    """When each server is free: servers that are taken away are those that are free first."""
    free = np.full(max(now.servers, ends.size), now.at, dtype=np.int64)
    free[: ends.size] = ends
    free.sort()
    return free[free.size - now.servers :]


def _queue(at: Ints, services: Ints, free: Ints, queue: tuple[int, int]) -> tuple[Ints, Ints]:
    """Requests of a queue in order of arrival: which are taken in, and when they begin.

    `queue` is how many may wait, and how many of the first wait already and have their places.
    """
    room, held = queue
    if free.size == 1 and at.size and room >= at.size:
        run = np.cumsum(services)
        begins = run - services + np.maximum(free[0], np.maximum.accumulate(at - (run - services)))
        return np.arange(at.size), begins
    line = _Line(free.tolist(), room)
    pieces: list[tuple[Ints, Ints]] = [(at[:0], at[:0])]
    position = skip = 0
    while position < at.size:
        stop = held if position < held else min(position + _STRETCH, at.size)
        skip -= 1
        if position >= held and skip < 0 and line.is_empty(int(at[position])):
            alone = line.undelayed(at[position:stop], services[position:stop])
            # Where a trial shows a busy station, the next ones would too.
            skip = _PATIENCE if alone < (stop - position) // _PATIENCE else 0
            pieces.append((np.arange(position, position + alone), at[position : position + alone]))
            position += alone
        if position < stop:
            got, begins = line.one_by_one(at[position:stop].tolist(), services[position:stop].tolist(), stop <= held)
            pieces.append((np.array(got, dtype=np.int64) + position, np.array(begins, dtype=np.int64)))
        position = stop
    return np.concatenate([got for got, _ in pieces]), np.concatenate([begins for _, begins in pieces])


class _Line:
    """Servers and queue of a station as they are now."""

    __slots__ = ("_begins", "_free", "_room")

    def __init__(self, free: list[int], room: int) -> None:
        self._free, self._room = free, room
        self._begins: deque[int] = deque()
        """When those taken in begin, of the ones that may still wait."""

    def is_empty(self, now: int) -> bool:
        """True when nobody waits."""
        return not self._begins or self._begins[-1] <= now

    def undelayed(self, at: Ints, services: Ints) -> int:
        """How many of the first requests find a server free on arrival; they are taken in."""
        free, ends = np.sort(np.array(self._free, dtype=np.int64)), at + services
        is_sorted = bool((ends[1:] >= ends[:-1]).all())
        finished = np.searchsorted(ends if is_sorted else np.sort(ends), at, side="right")
        busy = (free.size - np.searchsorted(free, at, side="right")) + (np.arange(at.size) - finished)
        full = np.flatnonzero(busy >= free.size)
        count = int(full[0]) if full.size else at.size
        later = np.concatenate((free, ends[:count]))
        self._free = np.partition(later, later.size - free.size)[later.size - free.size :].tolist()
        heapify(self._free)
        self._begins.clear()
        return count

    def one_by_one(self, at: list[int], services: list[int], has_place: bool) -> tuple[list[int], list[int]]:
        """The first so many requests in turn: which are taken in, and when they begin."""
        free, begins, room = self._free, self._begins, len(at) if has_place else self._room
        got: list[int] = []
        starts: list[int] = []
        if not has_place and room >= len(at) + len(begins):
            for now, service in zip(at, services, strict=True):
                soonest = free[0]
                start = now if soonest <= now else soonest
                heapreplace(free, start + service)
                starts.append(start)
            begins.extend(starts[bisect_right(starts, at[-1]) :])
            return list(range(len(at))), starts
        for index, (now, service) in enumerate(zip(at, services, strict=True)):
            start = free[0]
            if start <= now:
                start = now
            else:
                while begins and begins[0] <= now:
                    begins.popleft()
                if len(begins) >= room:
                    continue
                begins.append(start)
            heapreplace(free, start + service)
            got.append(index)
            starts.append(start)
        return got, starts
