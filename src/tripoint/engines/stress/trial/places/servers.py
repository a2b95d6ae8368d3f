"""What stands behind an upstream, as a queueing station: slots, a queue of its own, and what faults do to both."""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING, Final

from tripoint.domain.record import Failure
from tripoint.engines.stress.stations.prompts import PromptLine
from tripoint.engines.stress.stations.timing import BatchTiming
from tripoint.engines.stress.trial.conditions import WELL, PlaceState
from tripoint.engines.stress.trial.places.answers import (
    DOCUMENT,
    EVENTS,
    FIRST,
    MALFORMED,
    PING,
    REST,
    ToldReader,
    document,
    message_events,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tripoint.engines.gateway.exchange.effects import Attempt
    from tripoint.engines.gateway.exchange.exchange import Exchange
    from tripoint.engines.gateway.routing.query import Choice
    from tripoint.engines.stress.kernel.events import EventList
    from tripoint.engines.stress.trial.calls import Call
    from tripoint.engines.stress.trial.places.network import Network
    from tripoint.engines.stress.trial.script import Heard
    from tripoint.engines.stress.world import Place

    Events = EventList[Callable[[float], None]]

_RETRY_AFTER: Final = b"1"


class Job:
    """One attempt on its way to, in and back from a place."""

    __slots__ = (
        "attempt", "call", "choice", "entered_at", "first_at", "heard", "is_away", "is_cut", "is_over", "next_at",
        "rest_s", "rtt_s", "server", "withheld",
    )  # fmt: skip

    def __init__(self, call: Call, choice: Choice, server: Server, rtt_s: float, now: float) -> None:
        self.call = call
        self.choice = choice
        self.attempt: Attempt | None = None
        """The exchange's attempt; `None` while the request goes its plain way without one."""
        self.server = server
        self.rtt_s = rtt_s
        """Round trip and whatever the network adds, s."""
        self.entered_at = now
        self.first_at = inf
        """When its first token is due at the gateway."""
        self.rest_s = 0.0
        """From that to its last."""
        self.next_at = inf
        """When the gateway is to hear of it next; endless while nobody knows."""
        self.is_over = False
        """True once nothing more may be reported of it."""
        self.is_cut = False
        """True where it will break off instead of ending, at the moment a script tells."""
        self.is_away = False
        """True while a link on its way is cut: nothing is heard of it, though its place goes on."""
        self.withheld: Callable[[float], None] | None = None
        """What would be heard now, were its way not cut."""
        self.heard: Heard | None = None
        """When it was heard of in a recorded run."""

    def first(self, now: float) -> None:
        """The first token of a stream reaches the gateway."""
        server = self.server
        if self.is_over or ((self.is_away or server.state.is_hung) and self._is_withheld(self.first, now)):
            return
        if self.is_cut:
            self.reset(now)
            return
        if server.state.wrong > 0.0 and self._is_wrong():
            self._say(200, b"", now)
            return
        call = self.call
        self.next_at = at = now + self.rest_s
        server.events.push(at, self.end)
        if call.exchange is None:
            call.first(self, now)
            return
        exchange = call.entered()
        self.bring_first(exchange, now)
        call.left(now)

    def bring_first(self, exchange: Exchange, now: float) -> None:
        """Tells the exchange of the first token."""
        call, attempt = self.call, self.attempt
        assert attempt is not None  # an exchange has its attempt
        if attempt.lane.translation is None:
            attempt.status = 200
            attempt.reader = ToldReader(call.tokens_in, call.tokens_out)
            piece = FIRST
        else:
            exchange.on_head(attempt, 200, EVENTS, b"", now)
            piece, _ = message_events(call.tokens_in, call.tokens_out)
        exchange.on_data(attempt, piece, now)

    def end(self, now: float) -> None:
        """The last token, or the whole answer, reaches the gateway; the slot is free."""
        server = self.server
        if self.is_over or ((self.is_away or server.state.is_hung) and self._is_withheld(self.end, now)):
            return
        if self.is_cut:
            self.reset(now)
            return
        call = self.call
        is_wrong = server.state.wrong > 0.0 and not call.is_stream and self._is_wrong()
        self.is_over = True
        if call.exchange is None and not is_wrong:
            server.release(self, now)
            call.answered(self, now)
            return
        exchange = call.entered()
        self.leave(now)
        attempt = self.attempt
        assert attempt is not None  # an exchange has its attempt
        reader = attempt.reader
        if reader is None:
            body = MALFORMED if is_wrong else document(attempt.lane.served, call.tokens_in, call.tokens_out)
            exchange.on_answer(attempt, 200, DOCUMENT, b"", body, now)
        elif isinstance(reader, ToldReader):
            exchange.on_data(attempt, REST, now)
            reader.is_done = True
            exchange.on_end(attempt, now)
        else:
            exchange.on_data(attempt, message_events(call.tokens_in, call.tokens_out)[1], now)
            if not exchange.is_over:
                exchange.on_end(attempt, now)
        call.left(now)

    def flow(self, exchange: Exchange, now: float) -> bool:
        """Tells that tokens have come all along; False where none did."""
        attempt = self.attempt
        if attempt is None or attempt.reader is None or self.is_away or not self.server.is_talking:
            return False
        self.bring_more(exchange, now)
        return True

    def bring_more(self, exchange: Exchange, now: float) -> None:
        """Tells the exchange that more tokens have come."""
        attempt = self.attempt
        assert attempt is not None  # an exchange has its attempt
        exchange.on_data(attempt, REST if isinstance(attempt.reader, ToldReader) else PING, now)

    def refuse(self, now: float) -> None:
        """No connection came about."""
        self._lose(Failure.CONNECT, now)

    def reset(self, now: float) -> None:
        """The connection broke: before any answer, or in the middle of one."""
        if self.is_over or (self.is_away and self._is_withheld(self.reset, now)):
            return
        self.call.entered()
        attempt = self.attempt
        assert attempt is not None  # an exchange has its attempt
        reader = attempt.reader
        if isinstance(reader, ToldReader):
            share = 1.0 if self.rest_s <= 0.0 else min(1.0, max(0.0, (now - self.first_at) / self.rest_s))
            reader.cut_at(1 + int(share * max(0, self.call.tokens_out - 1)))
        self._lose(Failure.RESET if attempt.status == 0 else Failure.LOST, now)

    def error(self, now: float) -> None:
        """It answers 500."""
        self._say(500, b"", now)

    def limit(self, now: float) -> None:
        """It answers 429, come back in a second."""
        self._say(429, _RETRY_AFTER, now)

    def leave(self, now: float) -> None:
        """Gives its slot back; the next in the queue begins."""
        self.is_over = True
        self.call.forget(self)
        self.server.release(self, now)

    def _is_withheld(self, report: Callable[[float], None], now: float) -> bool:
        """The place hangs, or the way is cut: the gateway may have to act before it hears of this again."""
        if self.is_away:
            self.withheld = report
        else:
            self.server.withhold(report)
        self.next_at = inf
        self.call.left(now)
        return True

    def _is_wrong(self) -> bool:
        return self.call.chance(f"wrong/{self.server.place.upstream}") < self.server.state.wrong

    def _lose(self, failure: Failure, now: float) -> None:
        if self.is_over:
            return
        exchange = self.call.entered()
        self.leave(now)
        attempt = self.attempt
        assert attempt is not None  # an exchange has its attempt
        exchange.on_lost(attempt, failure, now)
        self.call.left(now)

    def _say(self, status: int, retry_after: bytes, now: float) -> None:
        if self.is_over:
            return
        exchange = self.call.entered()
        self.leave(now)
        attempt = self.attempt
        assert attempt is not None  # an exchange has its attempt
        exchange.on_answer(attempt, status, DOCUMENT, retry_after, MALFORMED, now)
        self.call.left(now)


class Server:
    """One place while a trial is played."""

    __slots__ = ("_lines", "_parked", "_timings", "events", "place", "queue", "running", "slots", "state")

    def __init__(self, place: Place, events: Events) -> None:
        self.place = place
        self._timings = place.timings
        self._lines = {
            model: PromptLine(timing) for model, timing in place.timings.items() if isinstance(timing, BatchTiming)
        }
        self.events = events
        self.state: PlaceState = WELL
        self.slots = place.slots
        """Slots it has now."""
        self.queue: deque[Job] = deque()
        self.running: dict[Job, None] = {}
        """Those in slots, in the order they began."""
        self._parked: list[Callable[[float], None]] = []

    @property
    def load(self) -> int:
        """Requests in it, waiting ones included."""
        return len(self.running) + len(self.queue)

    def enter(self, job: Job, now: float) -> None:
        """Takes a slot, or waits for one."""
        if len(self.running) < self.slots:
            self.begin(job, now)
        else:
            self.queue.append(job)

    def release(self, job: Job, now: float) -> None:
        """A job is over, wherever it was; one still in the queue is passed over when its turn comes."""
        if job in self.running:
            del self.running[job]
            if self.queue:
                self._fill(now)

    def withhold(self, report: Callable[[float], None]) -> None:
        """What a place that hangs would say now, it says when it goes on."""
        self._parked.append(report)

    def reach(self, network: Network, now: float) -> None:
        """Links were cut, or are there again: what is under way over them falls silent, or is heard of again."""
        for job in (*self.running, *self.queue):
            is_away = network.is_cut(job.call, self.place.site)
            if is_away is job.is_away or job.is_over or job.heard is not None:
                continue
            job.is_away = is_away
            if is_away:
                job.call.hushed(job, now)
            elif job.withheld is not None:
                self.events.push(now, job.withheld)
                job.withheld = None

    @property
    def is_talking(self) -> bool:
        """True while what it is at work on goes on."""
        return not (self.state.is_down or self.state.is_hung)

    def change(self, state: PlaceState, now: float) -> None:
        """Other conditions from now on."""
        before, self.state = self.state, state
        self.slots = 0 if state.is_down else max(1, round(self.place.slots * state.capacity))
        for line in self._lines.values():
            line.keep(0.0 if state.is_down else state.capacity, now)
        if state.is_down and not before.is_down:
            for job in (*self.running, *self.queue):
                if job.heard is not None:
                    job.is_cut = True
                elif not job.is_over:
                    self.events.push(now, job.reset)
            self.queue.clear()
        elif state.capacity < before.capacity:
            self._lose_share(1.0 - state.capacity / before.capacity, now)
        if state.is_hung and not before.is_hung:
            for job in self.running:
                job.call.hushed(job, now)
        if before.is_hung and not state.is_hung:
            for report in self._parked:
                self.events.push(now, report)
            self._parked = []
        self._fill(now)

    def _lose_share(self, share: float, now: float) -> None:
        """Nodes went, and what they were working on with them: every so many, spread evenly over those at work."""
        lost = 0.0
        for job in tuple(self.running):
            lost += share
            if lost >= 1.0 - 1e-9:
                lost -= 1.0
                self.events.push(now, job.reset)

    def _fill(self, now: float) -> None:
        while self.queue and len(self.running) < self.slots:
            job = self.queue.popleft()
            if not job.is_over:
                self.begin(job, now)

    def begin(self, job: Job, now: float) -> None:
        """It takes a slot: how long it stays is known by who else is there."""
        call, running, state = job.call, self.running, self.state
        running[job] = None
        if now > job.entered_at:
            call.stage.tally.courses[call.workload].waits.append((now - job.entered_at) * 1e3)
        model = job.choice.candidate.model
        # A part of its nodes that is left is as full as the requests it has make it.
        sharing, slow = len(running) / state.capacity, state.slow
        line = self._lines.get(model)
        if job.heard is not None:
            first_s, rest_s = job.heard
        elif line is not None:
            first_s, rest_s = line.times(now, sharing, call.tokens_in, call.tokens_out, slow)
        else:
            first_s, rest_s = self._timings[model].times(sharing, call.tokens_in, call.tokens_out)
            first_s, rest_s = first_s * slow, rest_s * slow
        first_at = job.first_at = now + job.rtt_s + first_s
        job.rest_s = rest_s
        if call.is_stream:
            job.next_at = first_at
            self.events.push(first_at, job.first)
        else:
            job.next_at = at = first_at + rest_s
            self.events.push(at, job.end)
