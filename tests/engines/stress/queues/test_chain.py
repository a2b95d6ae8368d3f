"""The chain of stations against simpy, event for event, and its rules one by one."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.stress.queues.chain import NOWHERE, Change, Served, Station, play_chain

Times = list[int]


def by_simpy(arrivals: Times, services: Times, servers: int) -> tuple[Times, Times]:
    """Begins and ends of a queue in order of arrival, by somebody else's simulator."""
    world = simpy.Environment()
    desk = simpy.Resource(world, capacity=servers)
    begins, ends = [NOWHERE] * len(arrivals), [NOWHERE] * len(arrivals)

    def request(number: int) -> Generator[simpy.Event, Any, None]:
        with desk.request() as turn:
            yield turn
            begins[number] = int(world.now)
            yield world.timeout(services[number])
        ends[number] = int(world.now)

    def source() -> Generator[simpy.Event, Any, None]:
        for number, at in enumerate(arrivals):
            yield world.timeout(at - int(world.now))
            world.process(request(number))

    world.process(source())
    world.run()
    return begins, ends


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 60)), min_size=1, max_size=60),
    st.integers(1, 4),
)
def test_simpy_agrees_event_for_event(gaps: list[tuple[int, int]], servers: int) -> None:
    """Every begin and every end is the same, also where several things happen at one instant."""
    arrivals, services, now = [], [], 0
    for gap, service in gaps:
        now += gap
        arrivals.append(now)
        services.append(service)
    served = play_chain(arrivals, [0] * len(gaps), [services], [Station(servers, len(gaps))])
    assert (served.start, served.end) == by_simpy(arrivals, services, servers)


def played(stations: list[Station], *requests: tuple[int, int], first: int = 0) -> Served:
    """Requests of (arrival, service) at these stations, the same service everywhere."""
    services = [service for _, service in requests]
    return play_chain([at for at, _ in requests], [first] * len(requests), [services] * len(stations), stations)


def test_what_finds_no_room_goes_on_and_is_shed_in_the_end() -> None:
    """One in service and one waiting at each of two stations; the fifth is shed."""
    served = played([Station(1, 1), Station(1, 1)], *[(number, 100) for number in range(5)])
    assert served.station == [0, 0, 1, 1, NOWHERE]
    assert served.start == [0, 100, 2, 102, NOWHERE]


def test_nobody_goes_back_to_an_earlier_station() -> None:
    """A request whose first station is the second never uses the first."""
    served = played([Station(9, 9), Station(1, 0)], (0, 10), (1, 10), first=1)
    assert served.station == [1, NOWHERE]


def test_a_station_that_goes_down_loses_what_it_holds_and_refuses_until_it_is_back() -> None:
    """In service and waiting are lost; the one that ends at that instant is answered."""
    down = Station(1, 5, (Change(10, 0, loses=True), Change(20, 1)))
    served = played([down], (0, 10), (5, 9), (6, 9), (10, 5), (19, 5), (20, 5))
    assert served.station == [0, 0, 0, NOWHERE, NOWHERE, 0]
    assert served.end == [10, NOWHERE, NOWHERE, NOWHERE, NOWHERE, 25]
    assert served.start[1:3] == [10, NOWHERE]


def test_servers_taken_away_finish_what_they_began() -> None:
    """Of two, one remains; the next begins when fewer than one is busy."""
    served = played([Station(2, 5, (Change(5, 1),))], (0, 10), (0, 20), (6, 10))
    assert served.end == [10, 20, 30]


def test_servers_that_come_take_from_the_queue_at_once() -> None:
    """At the instant of the change, in order."""
    served = played([Station(1, 5, (Change(5, 3),))], (0, 10), (1, 10), (2, 10), (3, 10))
    assert served.start == [0, 5, 5, 10]


def test_no_requests_no_events() -> None:
    """Changes alone are no work."""
    assert played([Station(1, 1, (Change(5, 2),))]) == Served([], [], [])
