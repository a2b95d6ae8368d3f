"""One request of a caller, with its retries: what the exchange commands goes to the network, and its end is counted."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING, Final

from tripoint.domain.record import Ending, UsageRecord
from tripoint.engines.stress.trial.places.servers import Job
from tripoint.engines.stress.trial.script import Begun

if TYPE_CHECKING:
    from tripoint.engines.gateway.exchange.effects import Attempt
    from tripoint.engines.gateway.exchange.exchange import Exchange
    from tripoint.engines.gateway.routing.query import Choice
    from tripoint.engines.stress.kernel.events import Row
    from tripoint.engines.stress.trial.stage import Stage

_PER_REQUEST: Final = 64
"""Draws set aside for each request of a workload: its attempts and retries."""


class Call:
    """A request from its first arrival to its last end; the effects of the exchange that is under way.

    Nearly all requests are sent once and answered: of these the router is told what an exchange would tell it, and
    no exchange is made. Whatever else happens to one, it gets its exchange then, is told in order what was so far, and
    the exchange decides; so no decision is made here.
    """

    __slots__ = (
        "_armed", "_choice", "_jobs", "_tries", "arrived_at", "began_at", "caller", "draws", "due", "exchange",
        "is_stream", "number", "sendings", "stage", "tokens_in", "tokens_out", "workload",
    )  # fmt: skip

    def __init__(self, stage: Stage, row: Row, is_stream: bool) -> None:
        """A request as a row of `Arrivals` tells it: of its workload, by number, and of the workload's callers."""
        self.stage = stage
        self.arrived_at, self.workload, self.number, self.tokens_in, self.tokens_out, self.caller = row
        self.is_stream = is_stream
        self.began_at = self.arrived_at
        """When it was asked last."""
        self.exchange: Exchange | None = None
        """The exchange under way; `None` on the plain way, between tries and after the end."""
        self.due = inf
        """On the plain way: when an exchange would have to act."""
        self.draws = 0
        """Draws it has used up."""
        self.sendings = 0
        """Attempts sent so far."""
        self._choice: Choice | None = None
        self._jobs: list[Job] = []
        self._armed = inf
        self._tries = 0

    # --- the plain way ----------------------------------------------------------------------------------------------

    def sent(self, choice: Choice, now: float) -> None:
        """It was sent to the place chosen for it."""
        stage = self.stage
        self._choice = choice
        self._armed = inf
        wait_s, limit_s = stage.router.first_byte_timeout_s(choice, now), stage.limit_s
        due = self.due = now + (wait_s if wait_s < limit_s else limit_s)
        job = stage.sent(self, choice, now)
        self._jobs.append(job)
        if job.next_at > due:
            self._arm(due)

    def first(self, job: Job, now: float) -> None:
        """Its first token came."""
        stage = self.stage
        job.first_at = now
        stage.router.answered(job.choice, now - self.began_at, now)
        self.due = self.began_at + stage.limit_s
        if job.next_at > self.due:
            self._arm(self.due)

    def answered(self, job: Job, now: float) -> None:
        """Its answer came whole."""
        stage, choice = self.stage, job.choice
        router, tokens_out = stage.router, self.tokens_out
        self._jobs.clear()
        self._choice = None
        self.due = self._armed = inf
        first_at = job.first_at
        if not self.is_stream:
            first_at = now
            router.answered(choice, now - self.began_at, now)
        router.ended(choice, None, now, tokens_out=tokens_out, stream_s=now - first_at)
        nano = stage.spends[self.workload, choice.target.id, choice.candidate.model].nano(self.tokens_in, tokens_out)
        stage.tally.answered(self, choice.target.id, nano, first_at - self.began_at)
        stage.open_calls -= 1

    def is_sure(self, job: Job, now: float) -> bool:
        """True when a job at work will be its answer, whole and in time, if nothing befalls its place."""
        if self.exchange is not None or job.is_over or job.is_cut or job.is_away or job.heard is not None:
            return False
        if self.is_stream and job.first_at > now:
            return job.first_at <= self.due and job.first_at + job.rest_s <= self.began_at + self.stage.limit_s
        return job.next_at <= self.due

    def _promote(self) -> Exchange:
        """An exchange for a request that goes no plain way any more, told what happened so far."""
        choice, stage = self._choice, self.stage
        assert choice is not None  # it was sent
        self.exchange = exchange = stage.made(self)
        stage.call = self
        exchange.begin_with(choice, self.began_at)
        self._choice = None
        job = self._jobs[0]
        if choice.is_answered:
            job.bring_first(exchange, job.first_at)
        elif job.attempt is not None:  # its patience is what it was when it was sent
            job.attempt.expires_at = exchange.due = self.due
        return exchange

    # --- effects ----------------------------------------------------------------------------------------------------

    def dial(self, attempt: Attempt) -> None:
        """See `Effects`."""
        if self._choice is attempt.choice:
            attempt.sent_at = self.began_at
            self._jobs[0].attempt = attempt
            return
        now = self.stage.now
        attempt.sent_at = now
        job = self.stage.sent(self, attempt.choice, now)
        job.attempt = attempt
        if isinstance(job.heard, Begun):
            attempt.status = 200
        self._jobs.append(job)

    def drop(self, attempt: Attempt) -> None:
        """See `Effects`."""
        for job in self._jobs:
            if job.attempt is attempt:
                job.leave(self.stage.now)
                return

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        """See `Effects`: the record tells how it ended."""

    def begin(self, status: int, head: bytes) -> None:
        """See `Effects`."""

    def write(self, data: bytes) -> None:
        """See `Effects`."""

    def finish(self) -> None:
        """See `Effects`."""

    def cut(self) -> None:
        """See `Effects`."""

    # --- reports ----------------------------------------------------------------------------------------------------

    def entered(self) -> Exchange:
        """The exchange, about to be told something; until `left` its record is this call's."""
        exchange = self.exchange
        if exchange is None:
            exchange = self._promote()
        self.stage.call = self
        return exchange

    def left(self, now: float) -> None:
        """It was told; wakes it in time where it may have to act before it is told again."""
        exchange = self.exchange
        if exchange is None and self._choice is None:
            return
        if exchange is not None and exchange.stay is not None and exchange.stay.is_parked:
            self.stage.park(self)
            return
        due = self.due if exchange is None else exchange.due
        if due >= self._armed:
            return
        for job in self._jobs:
            if job.next_at <= due:
                return
        self._arm(max(due, now))

    def forget(self, job: Job) -> None:
        """Nothing more comes of one of its attempts."""
        self._jobs.remove(job)

    def wake(self, now: float) -> None:
        """The exchange's time may have come."""
        if now < self._armed:
            return
        self._armed = inf
        if self.exchange is None and (self._choice is None or self.due > now):
            return
        exchange = self.entered()
        if exchange.due <= now:
            is_flowing = exchange.deadline > now and any([job.flow(exchange, now) for job in self._jobs])  # noqa: C419 - all are to flow
            if not is_flowing:
                exchange.on_timer(now)
        self.left(now)

    def look(self, now: float) -> bool:
        """Asks whether a request that waits for money may go on; True while it waits."""
        exchange = self.exchange
        if exchange is None or exchange.stay is None or not exchange.stay.is_parked:
            return False
        if exchange.due > now:
            return True
        self.entered().on_timer(now)
        self.left(now)
        return False  # where it still waits it has said so

    def hushed(self, job: Job, now: float) -> None:
        """Its place says no more; until now it did."""
        if self.exchange is None:
            if job.choice.is_answered:
                self.due = min(self.due, now + self.stage.stall_s)
        elif job.attempt is not None and job.attempt.reader is not None:
            job.bring_more(self.entered(), now)
        self.left(now)

    def give_up(self, now: float) -> None:
        """The caller's patience is over, unless an answer has begun."""
        if self.exchange is None and self._choice is None:
            return
        if now - self.began_at < self.stage.patience_s - 1e-9 or (self._choice and self._choice.is_answered):
            return
        exchange = self.entered()
        if not exchange.first_at:
            exchange.on_client_gone(now)

    def again(self, now: float) -> None:
        """The caller tries once more."""
        self.stage.open(self, now)

    def ended(self, record: UsageRecord, now: float) -> None:
        """This try has its record: the caller tries again, or it is counted."""
        self.exchange = None
        self._armed = inf
        stage = self.stage
        if record.ending != Ending.OK and self._tries < stage.tries[self.workload]:
            self._tries += 1
            wait_s = stage.wait_s(self._tries) * (0.5 + self.chance("backoff"))
            stage.events.push(now + wait_s, self.again)
            stage.tally.paid(self.workload, record)
            return
        stage.tally.counted(self, record)
        stage.open_calls -= 1

    def chance(self, name: str) -> float:
        """A number between 0 and 1 that belongs to this request and how often it was asked."""
        index = self.number * _PER_REQUEST + self.draws % _PER_REQUEST
        self.draws += 1
        return self.stage.drawn(name, self.workload, index)

    def _arm(self, due: float) -> None:
        """Wakes it at the first sweep from `due` on."""
        if not isfinite(due):
            return
        at = self.stage.sweep_from(due)
        self._armed = at
        self.stage.events.push(at, self.wake)
