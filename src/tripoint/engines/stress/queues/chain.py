"""Requests at a chain of stations, event by event: the plainest model on which two simulators must agree exactly.

A station has servers, a queue in order of arrival with so many places, and moments at which the number of its servers
changes. A request tries its first station and then the later ones until one has room; what finds none is shed. Time is
counted in whole nanoseconds, so that answers are equal to the last digit. At one instant requests finish first, then
stations change, then requests arrive.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import inf
from typing import Final, NamedTuple

from tripoint.engines.stress.kernel.events import EventList

NOWHERE: Final = -1
"""Station of a request that was shed, and end of one that was lost."""
_FINISH, _CHANGE, _ARRIVE = range(3)
_KINDS: Final = 3


class Change(NamedTuple):
    """A station has another number of servers from now on."""

    at: int
    """When, ns."""
    servers: int
    """How many from then on; without any, requests are refused."""
    loses: bool = False
    """True when all that is there is lost: the station went down. Else those in service finish."""


class Station(NamedTuple):
    """A place where requests are served."""

    servers: int
    """At the start."""
    room: int
    """Requests that may wait."""
    changes: tuple[Change, ...] = ()
    """In order of time."""


class Served(NamedTuple):
    """What became of each request, in order of arrival."""

    station: list[int]
    """Index of the station that took it in; `NOWHERE` when none did."""
    start: list[int]
    """When its service began, ns; `NOWHERE` when it never did."""
    end: list[int]
    """When it was answered, ns; `NOWHERE` when it never was."""


def play_chain(
    arrivals: Sequence[int], first: Sequence[int], services: Sequence[Sequence[int]], stations: Sequence[Station]
) -> Served:
    """Plays all requests: arrival times ascending, first station of each, service times [station][request], ns.

    Service times are at least 1 ns.
    """
    run = _Run(services, stations, len(arrivals))
    events = run.events
    for number, (at, home) in enumerate(zip(arrivals, first, strict=True)):
        instant = at * _KINDS + _ARRIVE
        for when, what in events.before(instant):
            run.happen(what, when)
        run.arrive(number, home, at)
    for when, what in events.before(inf):
        run.happen(what, when)
    return run.served


class _Place:
    """A station as it is now."""

    __slots__ = ("busy", "room", "servers", "services", "waiting")

    def __init__(self, station: Station, services: Sequence[int]) -> None:
        self.servers, self.room, self.services = station.servers, station.room, services
        self.busy = 0
        """Requests in service."""
        self.waiting: deque[int] = deque()


class _Run:
    """All stations as they are now, and what became of requests so far."""

    __slots__ = ("_changes", "_end", "_places", "_start", "_station", "events", "served")

    def __init__(self, services: Sequence[Sequence[int]], stations: Sequence[Station], count: int) -> None:
        self.events: EventList[int] = EventList()
        """Numbers of requests that finish; of changes, as negative numbers."""
        self._station, self._start, self._end = ([NOWHERE] * count for _ in range(3))
        self.served = Served(self._station, self._start, self._end)
        self._places = [_Place(station, each) for station, each in zip(stations, services, strict=True)]
        self._changes = [
            (place, each) for place, its in zip(self._places, stations, strict=True) for each in its.changes
        ]
        for number, (_, change) in enumerate(self._changes):
            self.events.push(change.at * _KINDS + _CHANGE, -1 - number)

    def arrive(self, request: int, first: int, now: int) -> None:
        """A request tries its stations."""
        for number in range(first, len(self._places)):
            place = self._places[number]
            if place.busy < place.servers:
                self._station[request] = number
                self._begin(place, request, now)
                return
            if place.servers and len(place.waiting) < place.room:
                self._station[request] = number
                place.waiting.append(request)
                return

    def happen(self, what: int, when: float) -> None:
        """A request finishes and the next one begins, or a station changes."""
        now = int(when) // _KINDS
        if what < 0:
            self._change(*self._changes[-1 - what], now)
        elif self._end[what] == now:
            place = self._places[self._station[what]]
            place.busy -= 1
            if place.waiting and place.busy < place.servers:
                self._begin(place, place.waiting.popleft(), now)

    def _begin(self, place: _Place, request: int, now: int) -> None:
        place.busy += 1
        self._start[request] = now
        self._end[request] = end = now + place.services[request]
        self.events.push(end * _KINDS + _FINISH, request)

    def _change(self, place: _Place, change: Change, now: int) -> None:
        """Those who were in service where all is lost have no end any more, so their last event finds nothing to do."""
        place.servers = change.servers
        if change.loses:
            for request, end in enumerate(self._end):
                if end > now and self._places[self._station[request]] is place:
                    self._end[request] = NOWHERE
            place.busy = 0
            place.waiting.clear()
        while place.waiting and place.busy < place.servers:
            self._begin(place, place.waiting.popleft(), now)
