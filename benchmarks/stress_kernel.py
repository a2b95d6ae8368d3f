"""How many events a second? Our event list beside SimPy on the same queue, and the exact twin without events.

The model is a station of several servers with a queue in order of arrival, Poisson arrivals and exponential service,
drawn beforehand: every engine plays the same requests and must give the same begins and ends, which is checked. An
event is what changes the model: an arrival or an end of service, two for each request; SimPy schedules more inside,
and both counts are told. The limit is a heap that entries are pushed on and popped from, with no model at all.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np
import simpy

from benchmarks.measure import Times, alternated, ratio, say, short, start, table
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.queues.chain import Station, play_chain
from tripoint.engines.stress.twin.chain import Ints, answers

SERVICE_NS = 50_000_000
_EVENTS = 2
"""Of each request."""


def drawn(requests: int, servers: int, load: float) -> tuple[Ints, Ints]:
    """Arrivals and service times, whole nanoseconds; the same ones every time."""
    streams = Streams(2026, 0)
    gaps = streams.named("gaps").exponentials(0, requests) * (SERVICE_NS / servers / load)
    services = streams.named("services").exponentials(0, requests) * SERVICE_NS
    return np.cumsum(gaps).astype(np.int64), np.maximum(1, services).astype(np.int64)


def by_simpy(arrivals: Sequence[int], services: Sequence[int], servers: int) -> tuple[list[int], int]:
    """Ends of all requests in SimPy, and the events it scheduled."""
    world = simpy.Environment()
    desk = simpy.Resource(world, capacity=servers)
    ends = [0] * len(arrivals)

    def request(number: int) -> Generator[simpy.Event, Any, None]:
        with desk.request() as turn:
            yield turn
            yield world.timeout(services[number])
        ends[number] = int(world.now)

    def source() -> Generator[simpy.Event, Any, None]:
        before = 0
        for number, at in enumerate(arrivals):
            yield world.timeout(at - before)
            before = at
            world.process(request(number))

    world.process(source())
    world.run()
    return ends, next(world._eid)


def bare(requests: int) -> int:
    """The limit: as many pushes and pops on a heap as the model has events, nothing else."""
    heap: list[tuple[int, int, tuple[int, int]]] = []
    taken = 0
    for number in range(requests):
        heappush(heap, (number * 7 % 1009 + number, number, (0, number)))
        heappush(heap, (number * 13 % 2003 + number, number, (1, number)))
        if number >= 8:
            heappop(heap)
            heappop(heap)
            taken += 2
    return taken


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the same requests with each engine in turn."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.stress_kernel")
    parser.add_argument("--requests", type=int, default=200_000, help="requests")
    parser.add_argument("--servers", type=int, default=16, help="servers of the station")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each")
    options = parser.parse_args(arguments)
    start("Event kernel")
    for load in (0.6, 0.95):
        measure(options.requests, options.servers, load, options.repeat)


def measure(requests: int, servers: int, load: float, repeat: int) -> None:
    """One load: check that all agree, then time them."""
    arrivals, services = drawn(requests, servers, load)
    listed, lasting = arrivals.tolist(), services.tolist()
    first, stations = np.zeros(requests, dtype=np.int64), [Station(servers, requests)]
    homes = first.tolist()
    peer_ends, peer_events = by_simpy(listed, lasting, servers)
    ours = play_chain(listed, homes, [lasting], stations)
    twin = answers(arrivals, first, [services], stations)
    if not (peer_ends == ours.end == twin.end.tolist() and ours.start == twin.start.tolist()):
        raise SystemExit("the engines disagree: no speed is worth printing")
    say(f"{requests:,} requests, {servers} servers, load {load:.0%}: all ends are equal.\n")
    runs: dict[str, Callable[[], object]] = {
        "heap alone (limit)": lambda: bare(requests),
        "SimPy": lambda: by_simpy(listed, lasting, servers),
        "event list": lambda: play_chain(listed, homes, [lasting], stations),
        "exact twin": lambda: answers(arrivals, first, [services], stations),
    }
    took: dict[str, Times] = dict(zip(runs, alternated(list(runs.values()), repeat), strict=True))
    peer = took["SimPy"].median
    table(
        ("engine", "median (spread)", "requests per second", "events per second", "of SimPy's speed", "goal"),
        [
            (
                name,
                str(each),
                short(requests / each.median),
                short(_EVENTS * requests / each.median)
                + (f" ({short(peer_events / each.median)} scheduled inside)" if name == "SimPy" else ""),
                ratio(peer, each.median),
                {"event list": "2x", "exact twin": "1,000,000 requests/s"}.get(name, ""),
            )
            for name, each in took.items()
        ],
    )


if __name__ == "__main__":
    main()
