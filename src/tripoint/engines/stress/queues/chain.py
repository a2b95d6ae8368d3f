"""Requests at a chain of stations, event by event: the plainest model on which two simulators must agree exactly.

A station has servers, a queue in order of arrival with so many places, and moments at which the number of its servers
changes. A request tries its first station and then the later ones until one has room; what finds none is shed. Time is
counted in whole nanoseconds, so that answers are equal to the last digit. At one instant requests finish first, then
stations change, then requests arrive.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
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
    for number, (_, change) in enumerate(run.changes):
        run.events.push(change.at * _KINDS + _CHANGE, (_CHANGE, number))
    if arrivals:
        run.events.push(arrivals[0] * _KINDS + _ARRIVE, (_ARRIVE, 0))
    while len(run.events):
        at, (kind, number) = run.events.pop()
        now = int(at) // _KINDS
        if kind == _FINISH:
            run.finish(number, now)
        elif kind == _CHANGE:
            run.change(number, now)
        else:
            run.arrive(number, first[number], now)
            if number + 1 < len(arrivals):
                run.events.push(arrivals[number + 1] * _KINDS + _ARRIVE, (_ARRIVE, number + 1))
    return run.served


class _Place:
    """A station as it is now."""

    __slots__ = ("busy", "room", "servers", "waiting")

    def __init__(self, station: Station) -> None:
        self.servers, self.room = station.servers, station.room
        self.busy: dict[int, int] = {}
        """Request in service -> number of the event that ends it."""
        self.waiting: deque[int] = deque()


class _Run:
    """All stations as they are now, and what became of requests so far."""

    def __init__(self, services: Sequence[Sequence[int]], stations: Sequence[Station], count: int) -> None:
        self.events: EventList[tuple[int, int]] = EventList()
        self.served = Served([NOWHERE] * count, [NOWHERE] * count, [NOWHERE] * count)
        self.changes = [(number, change) for number, station in enumerate(stations) for change in station.changes]
        self._places = [_Place(station) for station in stations]
        self._services = services

    def arrive(self, request: int, first: int, now: int) -> None:
        """A request tries its stations."""
        for number in range(first, len(self._places)):
            place = self._places[number]
            if len(place.busy) < place.servers:
                self.served.station[request] = number
                self._begin(number, request, now)
                return
            if place.servers and len(place.waiting) < place.room:
                self.served.station[request] = number
                place.waiting.append(request)
                return

    def finish(self, request: int, now: int) -> None:
        """A request is answered; the next one begins."""
        number = self.served.station[request]
        del self._places[number].busy[request]
        self._fill_up(number, now)

    def change(self, which: int, now: int) -> None:
        """A station has another number of servers."""
        number, change = self.changes[which]
        place = self._places[number]
        place.servers = change.servers
        if change.loses:
            for request, event in place.busy.items():
                self.events.cancel(event)
                self.served.end[request] = NOWHERE
            place.busy.clear()
            place.waiting.clear()
        self._fill_up(number, now)

    def _begin(self, number: int, request: int, now: int) -> None:
        self.served.start[request] = now
        self.served.end[request] = end = now + self._services[number][request]
        self._places[number].busy[request] = self.events.push(end * _KINDS + _FINISH, (_FINISH, request))

    def _fill_up(self, number: int, now: int) -> None:
        place = self._places[number]
        while place.waiting and len(place.busy) < place.servers:
            self._begin(number, place.waiting.popleft(), now)
