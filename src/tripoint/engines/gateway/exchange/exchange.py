"""One request from its last byte in to its last byte out: attempts, failover, hedges, cuts.

    waiting --first token (stream) or whole answer (unary)--> relaying or over
    waiting --failure, retry budget left, another permitted candidate--> waiting
    relaying --upstream lost--> resumed elsewhere, or a typed error event; never a silent end

Failover happens only before the first byte was passed on; of a stream none is before its first token. A unary answer
is held until it is whole, so that it can be had elsewhere; one longer than `Core.hold_bytes` is passed on as it comes.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from tripoint.domain.record import Ending, Failure, Reason, Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.dialects.translation import TranslationError
from tripoint.engines.gateway.exchange.course import Course
from tripoint.engines.gateway.exchange.effects import Attempt, Effects
from tripoint.engines.gateway.exchange.lanes import prepared
from tripoint.engines.gateway.exchange.metering import NO_USAGE, Outcome, usage_of
from tripoint.engines.gateway.exchange.recovery.resume import Replay, replay_after
from tripoint.engines.gateway.exchange.recovery.verdict import GONE
from tripoint.engines.gateway.routing.query import Choice, Shed
from tripoint.engines.gateway.routing.spill import NONE_LEFT
from tripoint.engines.gateway.wire.ask import Malformed
from tripoint.engines.gateway.wire.usage import estimated_usage, read_usage

if TYPE_CHECKING:
    from tripoint.domain.table import Route
    from tripoint.engines.gateway.dialects.translation import StreamTranslation
    from tripoint.engines.gateway.entry.admission import Stay
    from tripoint.engines.gateway.entry.said import Said
    from tripoint.engines.gateway.exchange.core import Core
    from tripoint.engines.gateway.wire.ask import Ask

_LATE: Final = "the request's deadline passed before its answer was complete"
_LOST: Final = "the upstream was lost in the middle of the answer; what came before this event is all there is"
_MARKED: Final[tuple[Api, ...]] = (Api.CHAT, Api.COMPLETIONS)
_ERROR_BYTES: Final = 1 << 16
_TAIL_BYTES: Final = 1 << 13
_GONE: Final = Outcome(499, Ending.CANCELLED, "client_closed")
_DONE: Final = Outcome(200, Ending.OK, "")
_CUT: Final = Outcome(200, Ending.CUT, "upstream_lost")


class Exchange(Course):
    """The machine of one request; it is driven by the shell's reports and commands it through `Effects`."""

    __slots__ = ("_given", "_has_begun", "_hedge_at", "_live", "_replay", "_stream", "_winner")

    def __init__(self, core: Core, ask: Ask, route: Route, said: Said, effects: Effects, now: float) -> None:
        Course.__init__(self, core, ask, route, said, effects, now)
        self._live: list[Attempt] = []
        self._winner: Attempt | None = None
        self._given: Attempt | None = None  # one that was lost midway, until another goes on where it ended
        self._has_begun = False
        self._hedge_at = inf
        self._stream: StreamTranslation | None = None
        self._replay: Replay | None = None

    def begin_with(self, choice: Choice | Shed, now: float) -> None:
        """Sends the first attempt to the place that was taken for it, or refuses."""
        if isinstance(choice, Shed):
            ending = Ending.SHED if choice.status in (429, 503) else Ending.REFUSED
            self.refuse(Outcome(choice.status, ending, choice.code), choice.message, choice.retry_after_s, now)
            return
        self._send(choice, now)
        if self.core.router.is_hedged:
            wait = self.core.router.hedge_after_s(choice, now)
            if wait is not None:
                self._hedge_at = now + wait
                self._set_due()

    def on_answer(
        self, attempt: Attempt, status: int, kind: bytes, retry_after: bytes, body: bytes, now: float
    ) -> None:
        """A whole answer came in one piece: head, data and end in one call, for most of what is not streamed."""
        lane = attempt.lane
        if status == 200 and not self.is_stream and lane.translation is None and body[:1] == b"{" and body[-1:] == b"}":
            attempt.status = 200
            self._answer(attempt, body, None, now)
            return
        self.on_head(attempt, status, kind, retry_after, now)
        if body:
            self.on_data(attempt, body, now)
        if attempt in self._live:
            self.on_end(attempt, now)

    def on_data(self, attempt: Attempt, data: bytes, now: float) -> None:
        """A piece of the answer's body came."""
        reader = attempt.reader
        if reader is None:
            self._hold(attempt, data, now)
            return
        events = reader.feed(data)
        if reader.error or reader.too_long:
            # What it says is about the upstream: another one is asked, or the caller gets the gateway's own words.
            self.effects.drop(attempt)
            self._failed(attempt, Failure.ANSWER, now)
            return
        if attempt is not self._winner:
            events = reader.opening(events, now - attempt.began_at)
            if not events:
                return
            self._win(attempt, now)
        self.last_at = now
        self.due = min(now + self.core.stall_s, self.deadline)
        if events and self._has_begun and self._stream is None and self._replay is None:
            self.effects.write(events)  # nearly all events of nearly all streams
        elif events:
            self._pass_on(attempt, events, now)

    def on_end(self, attempt: Attempt, now: float) -> None:
        """The answer's body is complete."""
        reader = attempt.reader
        if reader is None:
            self._unary_end(attempt, now)
            return
        events = reader.flush()
        if attempt is not self._winner and (events := reader.opening(events, inf)):
            self._win(attempt, now)
        if attempt is not self._winner or not (reader.is_done or reader.is_finished):
            self._failed(attempt, Failure.LOST if attempt is self._winner else Failure.ANSWER, now)
            return
        if events:
            self._pass_on(attempt, events, now)
        if not self.is_over:
            rest = b"" if self._stream is None else self._stream.flush()
            if not reader.is_done and self._stream is None and self.api in _MARKED:
                rest = b"data: [DONE]\n\n"  # it said it had finished and ended well, but left out the mark
            if rest:
                self.effects.write(rest)
            self._complete(attempt, now)

    def on_lost(self, attempt: Attempt, failure: Failure, now: float, *, was_reused: bool = False) -> None:
        """It ended without a whole answer; `was_reused` when a kept connection died before the first byte."""
        is_stale = was_reused and not attempt.is_fresh and attempt.status == 0
        if is_stale and not self.is_outdated and now < self.deadline:
            # The upstream closed an idle connection while we were writing: nobody's fault, and nothing was begun.
            attempt.is_fresh = True
            self.effects.dial(attempt)
            return
        self._failed(attempt, failure, now)

    def on_client_gone(self, now: float) -> None:
        """The caller hung up: stop paying for an answer nobody reads, and record what there was."""
        if self.is_over:
            return
        winner = self._drop_all(Failure.CANCELLED, now)
        self.finish(winner, NO_USAGE if winner is None else usage_of(self.ask, winner), _GONE, now)

    def on_timer(self, now: float) -> None:
        """The moment in `due` has come."""
        if self.is_over or now < self.due:
            return
        winner = self._winner
        if self.stay is not None and self.stay.is_parked:
            self.unpark(self.stay, now)
        elif now >= self.deadline:
            self._expire(now)
        elif winner is not None:
            self.effects.drop(winner)
            self._failed(winner, Failure.STALL, now)
        elif now >= self._hedge_at:
            self._hedge(now)
        else:
            for attempt in [each for each in self._live if each.expires_at <= now]:
                self._overdue(attempt, now)
        if not self.is_over and self.due <= now:
            self._set_due()

    def _send(self, choice: Choice, now: float) -> None:
        try:
            attempt = prepared(self, choice, now)
        except Malformed as fault:
            self._skip(choice, fault, now)
            return
        self.tried.append(choice.index)
        self._live.append(attempt)
        self.dial(attempt)
        attempt.expires_at = now + self.core.router.first_byte_timeout_s(choice, now)
        self.due = min(attempt.expires_at, self.due)

    def _skip(self, choice: Choice, fault: Malformed, now: float) -> None:
        """The upstream's interface cannot carry the request: another one may, and the caller hears if none can."""
        self.core.router.ended(choice, None, now)
        self.tried.append(choice.target.slot)
        following = self.sought(choice.reason, now)
        if isinstance(following, Choice):
            self._send(following, now)
        elif not self._live:
            self.refuse(Outcome(fault.status, Ending.REFUSED, fault.code), fault.message, 0.0, now, param=fault.param)

    def _close(self, attempt: Attempt, failure: Failure | None, now: float, tokens_out: int = 0) -> None:
        """Gives the attempt's place back and records how it went."""
        self._live.remove(attempt)
        self.note(attempt, failure, now)
        stream_s = self.last_at - self.first_at if attempt is self._winner else 0.0
        self.core.router.ended(
            attempt.choice, failure, now, tokens_out=tokens_out, stream_s=stream_s, retry_after_s=attempt.retry_after_s
        )

    def _failed(self, attempt: Attempt, failure: Failure, now: float) -> None:
        if self.stay is not None and self.stay.is_parked:
            self.core.admission.cease(self.stay)
        self._close(attempt, failure, now)
        if attempt is not self._winner or not self._has_begun:
            self.fell_short(attempt, failure)
        if self._has_begun:
            self._lost_midway(attempt, failure, now)
        elif not self._live:
            self._failover(attempt, failure, now)

    def _failover(self, attempt: Attempt, failure: Failure, now: float, *, is_due: bool = False) -> None:
        found = self.following(attempt, failure, now, is_due=is_due)
        if isinstance(found, Choice):
            self._winner = None
            self._send(found, now)
            self._set_due()
        elif found is not None or not self.awaits((attempt, failure), now):
            self.give_up(attempt, failure, found, now)

    def _overdue(self, attempt: Attempt, now: float) -> None:
        """Its first byte is late: somebody else is asked. Where nobody can be, it is waited for a while longer."""
        found = self.elsewhere(attempt, now) if len(self._live) == 1 else NONE_LEFT
        if found is None and self.awaits(None, now):
            attempt.expires_at, self._hedge_at = self.due, inf
            return
        choice = found if isinstance(found, Choice) else None
        last = attempt.began_at + self.core.router.first_byte_timeout_s(attempt.choice, now, is_last=True)
        if choice is None and len(self._live) == 1 and now < last:
            attempt.expires_at = last
            return
        self.effects.drop(attempt)
        if choice is None:
            self._failed(attempt, Failure.TIMEOUT, now)
            return
        self._close(attempt, Failure.TIMEOUT, now)
        self.fell_short(attempt, Failure.TIMEOUT)
        self._send(choice, now)

    def go_on(self, stay: Stay, now: float) -> None:
        """It has waited for money: what that was for happens now, or it ends as its last attempt did."""
        lost, stay.lost = stay.lost, None
        if now >= self.deadline:
            self._expire(now)
        elif not self.tried:
            self.begin(now)
        elif lost is None:
            self._overdue(self._live[0], now)
        elif self._has_begun:
            self._lost_midway(*lost, now, is_due=True)
        else:
            self._failover(*lost, now, is_due=True)

    def _hedge(self, now: float) -> None:
        self._hedge_at = inf
        if len(self._live) == 1 and self.core.router.may_hedge(now):
            found = self.sought(Reason.HEDGE, now, self._live[0])
            if isinstance(found, Choice):
                self._send(found, now)

    def _win(self, attempt: Attempt, now: float) -> None:
        """The first piece of an answer to be passed on: whoever else was asked is let go."""
        if self.stay is not None and self.stay.is_parked:
            self.core.admission.cease(self.stay)
        if self._given is not None:
            self.bill(self._given, usage_of(self.ask, self._given))
            self._given = None
        self._winner = attempt
        if not self.first_at:
            self.first_at = now
        self.last_at = now
        self.core.router.answered(attempt.choice, now - attempt.began_at, now)
        if len(self._live) > 1:
            for other in [each for each in self._live if each is not attempt]:
                self.effects.drop(other)
                self.let_go(other)
                self._close(other, Failure.CANCELLED, now)
        translation = attempt.lane.translation
        if translation is not None and attempt.reader is not None:
            self._stream = translation.stream(self.ask, created=int(now + self.core.epoch))

    def _drop_all(self, failure: Failure, now: float) -> Attempt | None:
        """Stops whatever is under way; the attempt whose words the caller has, `None` when it has none."""
        for attempt in tuple(self._live):
            self.effects.drop(attempt)
            if attempt is not self._winner or not self._has_begun:
                self.let_go(attempt)
            self._close(attempt, failure, now)
        return self._winner or self._given if self._has_begun else None

    def _set_due(self) -> None:
        due = min(self.deadline, self._hedge_at)
        for attempt in self._live:
            is_relayed = attempt is self._winner
            due = min(due, self.last_at + self.core.stall_s if is_relayed else attempt.expires_at)
        self.due = due

    def _pass_on(self, attempt: Attempt, events: bytes, now: float) -> None:
        if self._replay is not None:
            events = self._replay.trim(events)
            if self._replay.differs:
                self.effects.drop(attempt)
                self._close(attempt, Failure.ANSWER, now)
                self.break_off(attempt, _CUT, _LOST, now)
                return
        if self._stream is not None:
            try:
                events = self._stream.feed(events)
            except TranslationError:
                self.effects.drop(attempt)
                self._failed(attempt, Failure.ANSWER, now)
                return
        if not events:
            return
        if not self._has_begun:
            self._begin(attempt.lane.stream_head)
        self.effects.write(events)

    def _begin(self, head: bytes) -> None:
        self._has_begun = True
        self.effects.begin(200, b"%bx-request-id: %b\r\n" % (head, self.shown))

    def _hold(self, attempt: Attempt, data: bytes, now: float) -> None:
        attempt.size += len(data)
        if attempt is self._winner:  # long, and passed on already
            attempt.parts[0] = (attempt.parts[0] + data)[-_TAIL_BYTES:]
            self.last_at = now
            self.due = min(now + self.core.stall_s, self.deadline)
            self.effects.write(data)
            return
        is_good = attempt.status == 200 and not self.ask.is_stream
        if is_good or attempt.size <= _ERROR_BYTES:
            attempt.parts.append(data)
        if is_good and attempt.size > self.core.hold_bytes and attempt.lane.translation is None:
            self._win(attempt, now)
            self._begin(attempt.lane.document_head)
            body = b"".join(attempt.parts)
            attempt.parts = [body[-_TAIL_BYTES:]]
            self.effects.write(body)
            self._set_due()

    def _unary_end(self, attempt: Attempt, now: float) -> None:
        if attempt is self._winner:
            self._complete(attempt, now)
            return
        failure, body, usage = self.read_whole(attempt, now)
        if failure is not None:
            self._failed(attempt, failure, now)
        else:
            self._answer(attempt, body, usage, now)

    def _answer(self, attempt: Attempt, body: bytes, usage: Usage | None, now: float) -> None:
        """A whole answer, or a refusal that is the caller's to read; it leaves before anything of it is noted."""
        lane, status = attempt.lane, attempt.status
        outcome = _DONE if status == 200 else Outcome(status, Ending.REFUSED, "upstream_refused")
        if status != 200 and lane.translation is not None:
            body = lane.translation.error(status, body)
        self.reply(status, b"%bx-request-id: %b\r\n" % (lane.document_head, self.shown), body)
        if usage is None:
            usage = read_usage(lane.served, body) or estimated_usage(self.ask, 0, len(body))
        self._win(attempt, now)
        self._close(attempt, None, now, usage.tokens_out)
        self.finish(attempt, usage, outcome, now)
        self._winner = None  # it refers back to us, and nobody should have to collect that

    def _complete(self, attempt: Attempt, now: float) -> None:
        """The last byte of a relayed answer was passed on."""
        usage = usage_of(self.ask, attempt)
        self._close(attempt, None, now, usage.tokens_out)
        self.effects.finish()
        self.finish(attempt, usage, _DONE, now)
        self._winner = None

    def _lost_midway(self, attempt: Attempt, failure: Failure, now: float, *, is_due: bool = False) -> None:
        """The caller has a part: go on elsewhere where that is the same text, or say what happened."""
        replay = replay_after(self.ask, attempt, self._replay)
        is_due = is_due or (failure in GONE and self._replay is None)
        if replay is not None and now < self.deadline and (is_due or self.core.router.may_retry(now)):
            self.must_reproduce = True
            found = self.sought(Reason.RESUME, now, self._winner or self._given or attempt)
            if isinstance(found, Choice):
                self._given, self._replay, self._winner = self._winner or self._given, replay, None
                self._send(found, now)
                self._set_due()
                return
            if found is None and self.awaits((attempt, failure), now):
                return
        self.break_off(self._winner or self._given or attempt, _CUT, _LOST, now)

    def _expire(self, now: float) -> None:
        begun = self._drop_all(Failure.TIMEOUT, now)
        if begun is not None:
            self.break_off(begun, Outcome(200, Ending.CUT, "deadline_exceeded"), _LATE, now)
        else:
            self.refuse(Outcome(504, Ending.FAILED, "deadline_exceeded"), _LATE, 0.0, now)
