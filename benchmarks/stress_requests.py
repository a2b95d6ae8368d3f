"""How fast are trials request by request, through the very machines that serve?

The peer to beat is the fleet simulator of vLLM's semantic-router, whose own figure is 14,600 requests a second without
any such machine. The limit beside it is the event list alone with as many events. Times are of the processor, since
other work on the machine must not count. Dead objects are looked for as seldom as in the processes that play trials.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from benchmarks.measure import ratio, say, short, start, table
from benchmarks.stress_worlds import wide_world
from tripoint.adapters.trials_process import look_seldom
from tripoint.domain.fault import Fault, FaultKind
from tripoint.engines.stress.kernel.events import EventList
from tripoint.engines.stress.kernel.events import play as run_events
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.trial.arrivals import Arrivals, arrivals_of
from tripoint.engines.stress.trial.play import Played, Rules, play
from tripoint.engines.stress.world import World

SECONDS = 200.0
Answer = TypeVar("Answer")


def world_of(sites: int, rate: float, *, is_stream: bool) -> World:
    """One workload at all sites, which hold it all with a third to spare."""
    made = wide_world(sites, 1)
    asked = [
        replace(each, requests_per_s=rate, hour_of_week=(1.0,) * 168, is_interactive=is_stream, tokens_out_cv=0.5)
        for each in made.demanded
    ]
    slots = int(rate * 8.0 / sites) + 64  # a request stays four seconds
    places = tuple(replace(place, slots=slots) for place in made.places)
    targets = tuple(replace(target, max_concurrency=slots) for target in made.table.targets)
    routing = replace(made.table, targets=targets, first_byte_s=60.0)
    return replace(made, places=places, demanded=tuple(asked), table=routing)


def bare(events: int) -> None:
    """The limit: an event list with as many events, that do nothing."""
    future: EventList[Callable[[float], None]] = EventList()

    def step(now: float) -> None:
        if future.entered < events:
            future.push(now + 1.0, step)

    for number in range(min(events, 256)):
        future.push(float(number) / 256, step)
    run_events(future, float("inf"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the trials, print requests and events per second."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.stress_requests")
    parser.add_argument("--rate", type=float, default=250.0, help="requests per second of the workload")
    parser.add_argument("--sites", type=int, default=4, help="sites")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; the best counts")
    options = parser.parse_args(arguments)
    start("Trials request by request")
    look_seldom()
    down = (Fault(kind=FaultKind.DOWN, on=("site-00",), at_s=20.0, until_s=40.0),)
    jobs: list[tuple[str, World, tuple[Fault, ...], Rules]] = []
    for name, is_stream in (("whole answers", False), ("streams", True)):
        made = world_of(options.sites, options.rate, is_stream=is_stream)
        jobs.append((name, made, (), Rules()))
        jobs.append((f"{name}, a site lost for 20 s", made, down, Rules()))
        jobs.append((f"{name}, every request with its exchange", made, (), Rules(is_whole=True)))
    rows = []
    for name, made, faults, rules in jobs:
        arrivals = arrivals_of(made, start_hour=0, seconds=SECONDS, draws=Streams(1, 0))
        played, seconds = best(partial(_played, made, faults, arrivals, rules), options.repeat)
        _, limit = best(partial(bare, played.events), options.repeat)
        rows.append(
            (
                name, f"{len(arrivals):,}", f"{seconds:.2f} s", f"{len(arrivals) / seconds:,.0f}",
                f"{played.events / seconds:,.0f}", ratio(seconds, limit), "50,000",
            )
        )  # fmt: skip
    told = "processor time", "requests per second", "events per second", "time, of the limit", "goal"
    heads = ("job", "requests", *told)
    table(heads, rows)
    say(f"Best of {options.repeat}; {options.sites} sites, {short(options.rate)} requests per simulated second.")


def _played(world: World, faults: tuple[Fault, ...], arrivals: Arrivals, rules: Rules) -> Played:
    return play(world, faults, arrivals, draws=Streams(1, 0), until_s=SECONDS, rules=rules)


def best(run: Callable[[], Answer], repeat: int) -> tuple[Answer, float]:
    """The last answer and the least processor time, s."""
    seconds = []
    for _ in range(max(1, repeat)):
        began = time.process_time()
        answer = run()
        seconds.append(time.process_time() - began)
    return answer, min(seconds)


if __name__ == "__main__":
    main()
