"""Trials of one waiting line, cheap and picklable, and the ways in which playing one can go wrong."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tripoint.domain.errors import OptionError
from tripoint.domain.stress import Order, Outcome, Trial
from tripoint.engines.stress.kernel.streams import Streams


def orders(count: int, scenario: str = "burst") -> list[Order]:
    """So many trials of one scenario."""
    return [Order(scenario=scenario, number=number, magnitudes={"times": 1.5}) for number in range(count)]


@dataclass(frozen=True, slots=True)
class Line:
    """Requests through one server, Lindley's recursion; the waits depend on the seed and the number only."""

    seed: int = 7
    requests: int = 200
    pause_s: float = 0.0

    def __call__(self, order: Order) -> Trial:
        """One trial."""
        time.sleep(self.pause_s)
        streams = Streams(self.seed, order.number)
        gaps, works = streams.named("gaps"), streams.named("works")
        wait = longest = 0.0
        for each in range(self.requests):
            longest = max(longest, wait)
            wait = max(0.0, wait + works.exponential(each) * 0.9 - gaps.exponential(each))
        return Trial(
            scenario=order.scenario,
            number=order.number,
            magnitudes=order.magnitudes,
            outcomes=(outcome(longest),),
            events=self.requests,
        )


@dataclass(frozen=True, slots=True)
class Deadly:
    """Kills the process it runs in at one trial: as often as there are names left for its marks."""

    folder: Path
    at: int
    times: int
    pause_s: float = 0.0

    def __call__(self, order: Order) -> Trial:
        """One trial, or the end of the process."""
        if order.number == self.at:
            for mark in range(self.times):
                try:
                    (self.folder / f"death-{mark}").touch(exist_ok=False)
                except FileExistsError:
                    continue
                os.kill(os.getpid(), signal.SIGKILL)
        return Line(pause_s=self.pause_s)(order)


@dataclass(frozen=True, slots=True)
class Refusing:
    """Fails at one trial, with an error of ours or with a bug."""

    at: int
    is_bug: bool

    def __call__(self, order: Order) -> Trial:
        """One trial, or its error."""
        if order.number == self.at:
            if self.is_bug:
                raise ZeroDivisionError("a bug of the trial")
            raise OptionError("no such place", hint="name another")
        return Line(pause_s=0.05)(order)


class Counting:
    """Plays trials here and remembers how many."""

    def __init__(self) -> None:
        self.count = 0

    def played(
        self, play: Callable[[Order], Trial], orders: Sequence[Order], should_stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Trial]]:
        """As `ports.Trials`, last one first."""
        del should_stop
        for place in reversed(range(len(orders))):
            self.count += 1
            yield place, play(orders[place])


def outcome(wait_s: float, outage_s: float = float("inf")) -> Outcome:
    """An outcome with a figure that says which trial it is of."""
    return Outcome(
        workload="chat",
        offered=200.0,
        answered=199.0,
        late=1.0,
        shed=1.0,
        lost=0.0,
        outside=0.0,
        outage_s=outage_s,
        stale_s=0.0,
        ttft_p99_ms=0.0,
        wait_p99_ms=wait_s * 1000,
        usd=1.1,
        usual_usd=1.0,
        margin=-0.1,
        first_limit="slots of `cloud/h100`",
    )
