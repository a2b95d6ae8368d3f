"""One request of a caller, with its retries: what the exchange commands goes to the network, and its end is counted."""

from __future__ import annotations

from math import ceil, inf, isfinite
from typing import TYPE_CHECKING, Final

from tripoint.domain.record import Ending, UsageRecord
from tripoint.engines.stress.trial.servers import Job

if TYPE_CHECKING:
    from tripoint.engines.gateway.exchange.effects import Attempt
    from tripoint.engines.gateway.exchange.exchange import Exchange
    from tripoint.engines.stress.trial.play import Stage

_PER_REQUEST: Final = 64
"""Draws set aside for each request of a workload: its attempts and retries."""
_SWEEPS_PER_S: Final = 50
"""How often the live gateway looks whose time has come: every 20 ms."""


class Call:
    """A request from its first arrival to its last end; the effects of the exchange that is under way."""

    __slots__ = (
        "_armed", "_jobs", "_tries", "arrived_at", "began_at", "caller", "draws", "exchange", "is_stream", "number",
        "stage", "tokens_in", "tokens_out", "workload",
    )  # fmt: skip

    def __init__(self, stage: Stage, workload: int, number: int, tokens: tuple[int, int], now: float) -> None:
        self.stage = stage
        self.workload = workload
        """Index into the world's `demanded`."""
        self.number = number
        """Among the requests of its workload."""
        self.tokens_in, self.tokens_out = tokens
        self.is_stream = False
        self.caller = 0
        """Index into the workload's callers."""
        self.arrived_at = now
        """When it was first asked."""
        self.began_at = now
        """When it was asked last."""
        self.exchange: Exchange | None = None
        """The exchange under way; `None` between tries and after the end."""
        self.draws = 0
        """Draws it has used up."""
        self._jobs: list[Job] = []
        self._armed = inf
        self._tries = 0

    # --- effects ----------------------------------------------------------------------------------------------------

    def dial(self, attempt: Attempt) -> None:
        """See `Effects`."""
        now = self.stage.now
        attempt.sent_at = now
        self._jobs.append(self.stage.sent(self, attempt, now))

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
        assert exchange is not None  # nothing is reported of a request that is over
        self.stage.call = self
        return exchange

    def left(self, now: float) -> None:
        """It was told; wakes it in time where it may have to act before it is told again."""
        exchange = self.exchange
        if exchange is None:
            return
        due = exchange.due
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
        self._armed = inf
        exchange = self.exchange
        if exchange is None:
            return
        if exchange.due <= now:
            self.stage.call = self
            exchange.on_timer(now)
        self.left(now)

    def give_up(self, now: float) -> None:
        """The caller's patience is over, unless an answer has begun."""
        exchange = self.exchange
        if exchange is not None and not exchange.first_at and now - self.began_at >= self.stage.patience_s - 1e-9:
            self.stage.call = self
            exchange.on_client_gone(now)

    def again(self, now: float) -> None:
        """The caller tries once more."""
        self.stage.open(self, now)

    def ended(self, record: UsageRecord, now: float) -> None:
        """This try has its record: the caller tries again, or it is counted."""
        self.exchange = None
        self._armed = inf
        stage = self.stage
        if record.ending != Ending.OK and self._tries < stage.tries:
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
        at = ceil(due * _SWEEPS_PER_S) / _SWEEPS_PER_S
        if at < due:
            at = (ceil(due * _SWEEPS_PER_S) + 1) / _SWEEPS_PER_S
        self._armed = at
        self.stage.events.push(at, self.wake)
