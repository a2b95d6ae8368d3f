"""One request from its last byte in to its last byte out: attempts, failover, hedges, cuts.

    waiting --first event (stream) or whole answer (unary)--> relaying or over
    waiting --failure, retry budget left, another permitted candidate--> waiting
    relaying --upstream lost--> resumed elsewhere, or a typed error event; never a silent end

Failover happens only before the first byte has been passed on. A unary answer is held until it is whole, up to
`Core.hold_bytes`, so that one that is cut can be had elsewhere; a longer one is passed on as it comes.
"""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING

from tripoint.domain.record import Ending, Failure, Reason, Usage
from tripoint.engines.gateway.dialects.translation import TranslationError
from tripoint.engines.gateway.exchange.core import Tries
from tripoint.engines.gateway.exchange.effects import Attempt, Effects
from tripoint.engines.gateway.exchange.lanes import prepared
from tripoint.engines.gateway.exchange.metering import NO_USAGE, Account, Outcome, usage_of
from tripoint.engines.gateway.exchange.resume import Replay, may_resume, replay_after
from tripoint.engines.gateway.exchange.verdict import GONE, REPEATABLE, failure_of, is_whole, kind_and_wait, status_for
from tripoint.engines.gateway.routing.query import Shed
from tripoint.engines.gateway.wire.ask import Malformed
from tripoint.engines.gateway.wire.refusal import error_body, error_event
from tripoint.engines.gateway.wire.sse import StreamReader
from tripoint.engines.gateway.wire.usage import estimated_usage, read_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tripoint.engines.gateway.dialects.translation import StreamTranslation
    from tripoint.engines.gateway.exchange.core import Core, Opening
    from tripoint.engines.gateway.routing.query import Choice, Query

_JSON, _EVENTS = b"content-type: application/json\r\n", b"content-type: text/event-stream\r\n"
_LATE = "the request's deadline passed before its answer was complete"
_LOST = "the upstream was lost in the middle of the answer; what came before this event is all there is"
_ERROR_BYTES, _TAIL_BYTES = 1 << 16, 1 << 13
_MAX_ATTEMPTS = 6
_GONE = Outcome(499, Ending.CANCELLED, "client_closed")
_DONE = Outcome(200, Ending.OK, "")
_CUT = Outcome(200, Ending.CUT, "upstream_lost")


class Exchange:
    """The machine of one request; it is driven by the shell's reports and commands it through `Effects`."""

    __slots__ = (
        "_account", "_answer_head", "_common_head", "_core", "_effects", "_has_begun", "_hedge_at",
        "_live", "_replay", "_stream", "_tries", "_winner", "due", "is_over", "opening",
    )  # fmt: skip

    def __init__(self, core: Core, opening: Opening, query: Query, effects: Effects) -> None:
        self.opening = opening
        self.due = opening.deadline
        """When `on_timer` must be called."""
        self.is_over = False
        """True once nothing more will be commanded."""
        self._core = core
        self._tries = Tries(core, opening, query)
        self._effects = effects
        self._account = Account(core, opening)
        self._live: list[Attempt] = []
        self._winner: Attempt | None = None
        self._has_begun = False
        self._hedge_at = inf
        self._stream: StreamTranslation | None = None
        self._replay: Replay | None = None
        name = opening.id.encode()
        self._common_head = b"x-request-id: %b\r\n%b" % (name, opening.trace.head)
        self._answer_head = b"cache-control: no-store\r\nx-request-id: %b\r\n" % name

    # --- what the shell reports ------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Sends the first attempt, or refuses."""
        choice = self._tries.first(now)
        if isinstance(choice, Shed):
            ending = Ending.SHED if choice.status in (429, 503) else Ending.REFUSED
            self._reject(Outcome(choice.status, ending, choice.code), choice.message, choice.retry_after_s, now)
            return
        self._send(choice, now)
        if self._core.table.hedging is not None:
            wait = self._core.router.hedge_after_s(choice, now)
            if wait is not None:
                self._hedge_at = now + wait
                self._set_due()

    def on_head(self, attempt: Attempt, status: int, headers: Sequence[tuple[bytes, bytes]], now: float) -> None:
        """Status and headers of an answer came."""
        del now
        attempt.status = status
        kind, attempt.retry_after_s = kind_and_wait(headers)
        ask = self.opening.ask
        if status == 200 and ask.is_stream and kind[:17].lower() == b"text/event-stream":
            attempt.reader = StreamReader(
                attempt.lane.served,
                strip_usage=not ask.wants_usage and attempt.lane.translation is None,
                keep_text=ask.is_reproducible and may_resume(ask, attempt),
            )

    def on_data(self, attempt: Attempt, data: bytes, now: float) -> None:
        """A piece of the answer's body came."""
        reader = attempt.reader
        if reader is None:
            self._hold(attempt, data, now)
            return
        events = reader.feed(data)
        if reader.error or reader.too_long:
            # What it says is about the upstream: another one is asked, or the caller gets the gateway's own words.
            self._effects.drop(attempt)
            self._failed(attempt, Failure.ANSWER, now)
            return
        if attempt is not self._winner:
            if not events:
                return
            self._win(attempt, now)
        self._account.last_at = now
        self.due = min(now + self._core.table.stall_s, self.opening.deadline)
        if events:
            self._pass_on(attempt, events, now)

    def on_end(self, attempt: Attempt, now: float) -> None:
        """The answer's body is complete."""
        reader = attempt.reader
        if reader is None:
            self._unary_end(attempt, now)
            return
        events = reader.flush()
        if events and attempt is not self._winner:
            self._win(attempt, now)
        if attempt is not self._winner or not reader.is_done:
            self._failed(attempt, Failure.LOST if attempt is self._winner else Failure.ANSWER, now)
            return
        if events:
            self._pass_on(attempt, events, now)
        if not self.is_over:
            rest = b"" if self._stream is None else self._stream.flush()
            if rest:
                self._effects.write(rest)
            self._complete(attempt, now)

    def on_lost(self, attempt: Attempt, failure: Failure, now: float, *, was_reused: bool = False) -> None:
        """It ended without a whole answer; `was_reused` when a kept connection died before the first byte."""
        if was_reused and not attempt.is_fresh and attempt.status == 0 and not self._tries.is_outdated:
            # The upstream closed an idle connection while we were writing: nobody's fault, and nothing was begun.
            attempt.is_fresh = True
            self._effects.dial(attempt)
            return
        self._failed(attempt, failure, now)

    def on_client_gone(self, now: float) -> None:
        """The caller hung up: stop paying for an answer nobody reads, and record what there was."""
        if self.is_over:
            return
        winner = self._winner
        usage = NO_USAGE if winner is None else usage_of(self.opening.ask, winner)
        for attempt in tuple(self._live):
            self._effects.drop(attempt)
            self._close(attempt, Failure.CANCELLED, now)
        self._finish(winner, usage, _GONE, now)

    def on_timer(self, now: float) -> None:
        """The moment in `due` has come."""
        if self.is_over or now < self.due:
            return
        winner = self._winner
        if now >= self.opening.deadline:
            self._expire(now)
        elif winner is not None:
            self._effects.drop(winner)
            self._failed(winner, Failure.STALL, now)
        elif now >= self._hedge_at:
            self._hedge(now)
        else:
            for attempt in [each for each in self._live if each.expires_at <= now]:
                self._effects.drop(attempt)
                self._failed(attempt, Failure.TIMEOUT, now)
        if not self.is_over and self.due <= now:
            self._set_due()

    # --- attempts --------------------------------------------------------------------------------------------------

    def _send(self, choice: Choice, now: float) -> None:
        try:
            attempt = prepared(self._core, self.opening, choice, self._common_head, now)
        except Malformed as fault:  # what the upstream's interface cannot carry
            self._core.router.ended(choice, None, now)
            self._reject(Outcome(fault.status, Ending.REFUSED, fault.code), fault.message, 0.0, now)
            return
        self._tries.add(choice)
        self._live.append(attempt)
        self.due = min(attempt.expires_at, self.due)
        self._effects.dial(attempt)

    def _close(self, attempt: Attempt, failure: Failure | None, now: float, tokens_out: int = 0) -> None:
        """Gives the attempt's place back and records how it went."""
        self._live.remove(attempt)
        account = self._account
        account.add(attempt, failure, now)
        self._core.router.ended(
            attempt.choice,
            failure,
            now,
            tokens_out=tokens_out,
            stream_s=account.last_at - account.first_at if attempt is self._winner else 0.0,
            retry_after_s=attempt.retry_after_s,
        )

    def _failed(self, attempt: Attempt, failure: Failure, now: float) -> None:
        self._close(attempt, failure, now)
        if self._has_begun:
            self._lost_midway(attempt, failure, now)
        elif not self._live:
            self._failover(attempt, failure, now)

    def _failover(self, attempt: Attempt, failure: Failure, now: float) -> None:
        tries = self._tries
        is_due = failure in GONE and len(tries) == 1
        if now < self.opening.deadline and len(tries) < _MAX_ATTEMPTS and (is_due or self._core.router.may_retry(now)):
            choice = tries.another(Reason.FAILOVER, now)
            if choice is None and failure in REPEATABLE:
                choice = tries.again(attempt.choice, now)
            if choice is not None:
                self._winner = None
                self._send(choice, now)
                self._set_due()
                return
        status, code, message = status_for(failure)
        self._reject(Outcome(status, Ending.FAILED, code), message, attempt.retry_after_s, now)

    def _hedge(self, now: float) -> None:
        self._hedge_at = inf
        if len(self._live) == 1 and self._core.router.may_hedge(now):
            choice = self._tries.another(Reason.HEDGE, now)
            if choice is not None:
                self._send(choice, now)

    def _win(self, attempt: Attempt, now: float) -> None:
        """The first piece of an answer to be passed on: whoever else was asked is let go."""
        self._winner = attempt
        account = self._account
        account.first_at = account.first_at or now
        account.last_at = now
        self._core.router.answered(attempt.choice, now - attempt.began_at, now)
        if len(self._live) > 1:
            for other in [each for each in self._live if each is not attempt]:
                self._effects.drop(other)
                self._close(other, Failure.CANCELLED, now)
        translation = attempt.lane.translation
        if translation is not None and attempt.reader is not None:
            self._stream = translation.stream(self.opening.ask, created=int(now + self._core.epoch))

    def _set_due(self) -> None:
        due = min(self.opening.deadline, self._hedge_at)
        for attempt in self._live:
            is_relayed = attempt is self._winner
            due = min(due, self._account.last_at + self._core.table.stall_s if is_relayed else attempt.expires_at)
        self.due = due

    # --- answers ---------------------------------------------------------------------------------------------------

    def _pass_on(self, attempt: Attempt, events: bytes, now: float) -> None:
        if self._replay is not None:
            events = self._replay.trim(events)
            if self._replay.differs:
                self._effects.drop(attempt)
                self._close(attempt, Failure.ANSWER, now)
                self._break_off(attempt, _CUT, _LOST, now)
                return
        if self._stream is not None:
            try:
                events = self._stream.feed(events)
            except TranslationError:
                self._effects.drop(attempt)
                self._failed(attempt, Failure.ANSWER, now)
                return
        if not events:
            return
        if not self._has_begun:
            self._begin(attempt, _EVENTS)
        self._effects.write(events)

    def _begin(self, attempt: Attempt, kind: bytes) -> None:
        self._has_begun = True
        self._effects.begin(200, kind + attempt.lane.answer_head + self._answer_head)

    def _hold(self, attempt: Attempt, data: bytes, now: float) -> None:
        attempt.size += len(data)
        if attempt is self._winner:  # long, and passed on already
            attempt.parts[0] = (attempt.parts[0] + data)[-_TAIL_BYTES:]
            self._account.last_at = now
            self.due = min(now + self._core.table.stall_s, self.opening.deadline)
            self._effects.write(data)
            return
        is_good = attempt.status == 200 and not self.opening.ask.is_stream
        if is_good or attempt.size <= _ERROR_BYTES:
            attempt.parts.append(data)
        if is_good and attempt.size > self._core.hold_bytes and attempt.lane.translation is None:
            self._win(attempt, now)
            self._begin(attempt, _JSON)
            body = b"".join(attempt.parts)
            attempt.parts = [body[-_TAIL_BYTES:]]
            self._effects.write(body)
            self._set_due()

    def _unary_end(self, attempt: Attempt, now: float) -> None:
        if attempt is self._winner:
            self._complete(attempt, now)
            return
        failure = failure_of(attempt.status, attempt.retry_after_s)
        parts = attempt.parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        if failure is None and attempt.status == 200 and (self.opening.ask.is_stream or not is_whole(body)):
            failure = Failure.ANSWER
        usage = NO_USAGE
        if failure is None and attempt.status == 200:
            ask, lane = self.opening.ask, attempt.lane
            usage = read_usage(lane.served, body) or estimated_usage(ask, 0, len(body))
            if lane.translation is not None:
                try:
                    body = lane.translation.answer(body, created=int(now + self._core.epoch))
                except TranslationError:
                    failure = Failure.ANSWER
        if failure is not None:
            self._failed(attempt, failure, now)
        else:
            self._answer(attempt, body, usage, now)

    def _answer(self, attempt: Attempt, body: bytes, usage: Usage, now: float) -> None:
        """A whole answer, or a refusal that is the caller's to read."""
        lane, status = attempt.lane, attempt.status
        outcome = _DONE if status == 200 else Outcome(status, Ending.REFUSED, "upstream_refused")
        if status != 200 and lane.translation is not None:
            body = lane.translation.error(status, body)
        self._win(attempt, now)
        self._close(attempt, None, now, usage.tokens_out)
        self._effects.reply(status, _JSON + lane.answer_head + self._answer_head, body)
        self._finish(attempt, usage, outcome, now)

    def _complete(self, attempt: Attempt, now: float) -> None:
        """The last byte of a relayed answer was passed on."""
        usage = usage_of(self.opening.ask, attempt)
        self._close(attempt, None, now, usage.tokens_out)
        self._effects.finish()
        self._finish(attempt, usage, _DONE, now)

    def _lost_midway(self, attempt: Attempt, failure: Failure, now: float) -> None:
        """The caller has a part: go on elsewhere where that is the same text, or say what happened."""
        replay = replay_after(self.opening.ask, attempt, self._replay)
        is_due = failure in GONE and self._replay is None
        if replay is not None and now < self.opening.deadline and (is_due or self._core.router.may_retry(now)):
            self._tries.query.must_reproduce = True
            choice = self._tries.another(Reason.RESUME, now)
            if choice is not None:
                if attempt is self._winner:
                    self._account.bill(attempt, usage_of(self.opening.ask, attempt))
                self._replay, self._winner = replay, None
                self._send(choice, now)
                self._set_due()
                return
        self._break_off(attempt, _CUT, _LOST, now)

    def _break_off(self, attempt: Attempt, outcome: Outcome, message: str, now: float) -> None:
        """Ends a begun stream with an error event callers' libraries raise on; an answer in one piece is cut."""
        ask, effects = self.opening.ask, self._effects
        usage = usage_of(ask, attempt)
        if ask.is_stream:
            told = {"request_id": self.opening.id, "tokens_delivered": usage.tokens_out}
            effects.write(error_event(ask.api, outcome.code, message, **told))
            effects.finish()
        else:
            effects.cut()
        self._finish(attempt, usage, outcome, now)

    def _expire(self, now: float) -> None:
        last = self._winner or (self._live[-1] if self._live else None)
        for attempt in tuple(self._live):
            self._effects.drop(attempt)
            self._close(attempt, Failure.TIMEOUT, now)
        if self._has_begun and last is not None:
            self._break_off(last, Outcome(200, Ending.CUT, "deadline_exceeded"), _LATE, now)
        else:
            self._reject(Outcome(504, Ending.FAILED, "deadline_exceeded"), _LATE, 0.0, now)

    def _reject(self, outcome: Outcome, message: str, retry_after_s: float, now: float) -> None:
        status = outcome.status
        wait = b"retry-after: %d\r\n" % max(ceil(retry_after_s), 1) if status in (429, 502, 503, 504) else b""
        body = error_body(self.opening.ask.api, status, outcome.code, message)
        self._effects.reply(status, _JSON + wait + self._answer_head, body)
        self._finish(None, NO_USAGE, outcome, now)

    def _finish(self, attempt: Attempt | None, usage: Usage, outcome: Outcome, now: float) -> None:
        self.is_over = True
        self.due = inf
        self._account.settle(attempt, usage, outcome, now)
