"""What one request is and what has come of it so far: the ground under its exchange.

One object a request, in three layers that read one after the other: what routing asks of it (`Query`), its course
(here: identity, places tried, account) and its exchange (what happens to it). Layers rather than parts, because a
request of some twenty microseconds cannot afford five objects.
"""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING, Final

from tripoint.domain.record import AttemptRecord, Bill, Ending, Failure, Reason, Usage
from tripoint.engines.gateway.dialects.translation import TranslationError
from tripoint.engines.gateway.exchange.effects import Shell
from tripoint.engines.gateway.exchange.metering import (
    NO_USAGE,
    Outcome,
    answered_record,
    bill_of,
    generated,
    plain,
    unanswered_record,
    usage_of,
)
from tripoint.engines.gateway.exchange.recovery.resume import may_resume
from tripoint.engines.gateway.exchange.recovery.verdict import (
    GONE,
    REPEATABLE,
    failure_of,
    is_whole,
    retry_after_of,
    status_for,
)
from tripoint.engines.gateway.routing.query import Choice, Query, Shed
from tripoint.engines.gateway.routing.spill import NONE_LEFT
from tripoint.engines.gateway.wire.refusal import error_body, error_event
from tripoint.engines.gateway.wire.sse import StreamReader
from tripoint.engines.gateway.wire.usage import estimated_usage, read_usage

if TYPE_CHECKING:
    from tripoint.domain.table import Route
    from tripoint.engines.gateway.entry.admission import Stay
    from tripoint.engines.gateway.entry.said import Said
    from tripoint.engines.gateway.exchange.core import Core
    from tripoint.engines.gateway.exchange.effects import Attempt, Effects
    from tripoint.engines.gateway.wire.ask import Ask

MAX_ATTEMPTS: Final = 6
"""Attempts after which a request is tried nowhere else."""
_new: Final = tuple.__new__
_RECORD: Final = AttemptRecord  # compiled, a name that was imported is looked up at each use
_REFUSAL: Final = b"content-type: application/json\r\ncache-control: no-store\r\n%bx-request-id: %b\r\n"
_GONE: Final = Shed(404, "model_not_found", "what was asked for is not served to this key any more", 0.0)


class Course(Query):
    """A request: who asks, what for, where it was sent, what it came to, how it ends; settled once, by its record."""

    __slots__ = (
        "ask", "attempts", "began_at", "billed", "core", "deadline", "due", "effects", "first_at", "generation", "id",
        "is_over", "last_at", "own_s", "principal", "shell", "shown", "stay", "trace_head", "trace_id", "tried",
    )  # fmt: skip

    def __init__(self, core: Core, ask: Ask, route: Route, said: Said, effects: Effects, now: float) -> None:
        # The fields of `Query`, set here to spare every request a call.
        self.route = route
        self.workload = route.workload
        self.sites = said.sites
        self.label = said.label
        self.api = ask.api
        self.tokens_in = ask.tokens_in
        self.tokens_out = ask.tokens_out
        self.prefix = ask.prefix
        self.is_stream = ask.is_stream
        self.must_reproduce = False
        # Compiled, fields lie in this order: what every event of a stream changes, in one line of the cache.
        self.core = core
        self.deadline = now + said.limit_s
        """When it is given up."""
        self.due = self.deadline
        """When `on_timer` must be called."""
        self.last_at = 0.0
        """When the answer's latest piece came."""
        self.effects = effects
        self.shell: Shell | None = effects if isinstance(effects, Shell) else None
        """The same, where it is the live one."""
        self.ask = ask
        self.principal = said.principal
        self.id = ""
        """Id of its record."""
        self.shown = b""
        """Id told to the caller and to upstreams: the caller's own where it has one."""
        self.trace_id = ""
        """W3C trace id, 32 hexadecimal digits."""
        self.trace_head = b""
        """Trace headers for upstreams."""
        self.began_at = now
        """When its last byte had come."""
        self.is_over = False
        """True once nothing more will be commanded."""
        self.generation = core.generation
        """Table it was last brought up to."""
        self.tried: list[int] = []
        """Upstreams it was sent to, by slot, which outlives a reload."""
        self.attempts: tuple[AttemptRecord, ...] = ()
        """Attempts that ended."""
        self.stay: Stay | None = None
        """What it has taken of quotas and budgets; `None` where it falls under none, and once it is settled."""
        self.own_s = 0.0
        """Time spent here before the first attempt was sent."""
        self.first_at = 0.0
        """When the answer's first piece came, 0 when none did."""
        self.billed: tuple[Bill, ...] = ()
        """What other attempts than the answering one cost."""

    # --- how it begins ---------------------------------------------------------------------------------------------

    def start(self, trace: tuple[str, bytes], request_id: str, shown: bytes, now: float) -> None:
        """Begins, waits or refuses; `trace` is its id and its headers for upstreams, `shown` the caller's own id, empty
        when none.
        """
        self.id = request_id
        self.shown = shown or request_id.encode()
        self.trace_id, self.trace_head = trace
        stay = self.stay
        if stay is None:
            self.begin(now)
            return
        refusal = self.core.admission.enter(stay, now)
        if refusal is not None:
            self._turn_away(refusal, now)
        elif not stay.is_parked:
            self.begin(now)

    def begin(self, now: float) -> None:
        """Chooses where the first attempt goes."""
        self.begin_with(self.core.router.choose(self, self.tried, now), now)

    def begin_with(self, choice: Choice | Shed, now: float) -> None:
        """Sends the first attempt to the place that was taken for it, or refuses."""
        raise AssertionError("the exchange says how")

    def go_on(self, stay: Stay, now: float) -> None:
        """It has waited for money: what that was for happens now, or it ends as its last attempt did."""
        raise AssertionError("the exchange says how")

    def unpark(self, stay: Stay, now: float) -> None:
        """It has waited: for money that is there now, in vain, or not long enough yet."""
        refusal = self.core.admission.resume(stay, now)
        if stay.is_parked:
            return
        if not self.tried:  # it was about to enter
            if refusal is None and not self._is_current():
                refusal = _GONE
            if refusal is not None:
                self._turn_away(refusal, now)
                return
            self.due = self.deadline
        self.go_on(stay, now)

    def _turn_away(self, refusal: Shed, now: float) -> None:
        outcome = Outcome(refusal.status, Ending.REFUSED, refusal.code)
        self.refuse(outcome, refusal.message, refusal.retry_after_s, now)

    def dial(self, attempt: Attempt) -> None:
        """Has an attempt sent."""
        shell = self.shell
        if shell is None:
            self.effects.dial(attempt)
        else:
            shell.dial(attempt)

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        """Has a whole answer sent."""
        shell = self.shell
        if shell is None:
            self.effects.reply(status, head, body)
        else:
            shell.reply(status, head, body)

    # --- where to go -----------------------------------------------------------------------------------------------

    @property
    def is_outdated(self) -> bool:
        """True when a table came meanwhile: what was permitted may not be any more."""
        return self.generation != self.core.generation

    def sought(self, why: Reason, now: float, beside: Attempt | None = None) -> Choice | Shed | None:
        """A place at an upstream not tried yet, or why there is none; `None` where only the money for it is missing.

        `beside` is an attempt that will be billed as well, and is not yet.
        """
        return self._covered(self.tried, why, now, beside)

    def following(self, attempt: Attempt, failure: Failure, now: float, *, is_due: bool) -> Choice | Shed | None:
        """As `sought` where to go after an attempt that failed; `is_due` where that asks no credit."""
        is_due = is_due or (failure in GONE and len(self.tried) == 1)
        if now >= self.deadline or len(self.tried) >= MAX_ATTEMPTS or not (is_due or self.core.router.may_retry(now)):
            return NONE_LEFT
        found = self.sought(Reason.FAILOVER, now)
        slot = attempt.choice.target.slot
        if not isinstance(found, Shed) or failure not in REPEATABLE or self.tried.count(slot) > 1:
            return found
        others = [tried for tried in self.tried if tried != slot]
        again = self._covered(others, Reason.RETRY, now, None)
        return found if isinstance(again, Shed) else again

    def elsewhere(self, late: Attempt, now: float) -> Choice | Shed | None:
        """As `sought` a place at another upstream than the late one, with the credit for it."""
        if len(self.tried) >= MAX_ATTEMPTS:
            return NONE_LEFT
        is_billed = not late.target.held_nano_per_hour  # both are then, so both must be reserved
        found = self.sought(Reason.FAILOVER, now, late if is_billed else None)
        if not isinstance(found, Choice) or self.core.router.may_retry(now):
            return found
        self.core.router.ended(found, None, now)
        return NONE_LEFT

    def awaits(self, lost: tuple[Attempt, Failure] | None, now: float) -> bool:
        """True where it waits from now on for another attempt to be covered; see `Stay.lost`."""
        stay = self.stay
        if stay is None or not self.core.admission.awaits(stay, now):
            return False
        stay.lost = lost
        return True

    def _covered(self, tried: list[int], why: Reason, now: float, beside: Attempt | None) -> Choice | Shed | None:
        """A place, what it can cost reserved; one that cannot be paid for is given back."""
        is_outdated = self.is_outdated
        if not self._is_current():
            return _GONE
        core, stay = self.core, self.stay
        found = core.router.choose(self, tried, now, why=why)
        if stay is None or isinstance(found, Shed):
            return found
        candidates = [found.candidate] if beside is None else [found.candidate, beside.choice.candidate]
        if core.admission.affords(stay, candidates, is_outdated=is_outdated):
            return found
        core.router.ended(found, None, now)
        return None

    def _is_current(self) -> bool:
        """True when it may still be served, after it was brought up to a table that came meanwhile.

        An attempt under way ends as it began; what is tried next must be permitted now.
        """
        core = self.core
        if self.generation == core.generation:
            return True
        route = core.names.by_workload.get(self.route.workload)
        principal = core.keyring.by_id(self.principal.key)
        if route is None or principal is None or not principal.may_call(route.workload):
            return False
        self.route, self.sites, self.generation = route, principal.sites, core.generation
        return True

    # --- what it came to -------------------------------------------------------------------------------------------

    def on_head(self, attempt: Attempt, status: int, kind: bytes, retry_after: bytes, now: float) -> None:
        """Status came, with the values of `content-type` and `retry-after` (empty when absent)."""
        del now
        attempt.status = status
        if retry_after:
            attempt.retry_after_s = retry_after_of(retry_after)
        ask = self.ask
        if status == 200 and ask.is_stream and kind[:17].lower() == b"text/event-stream":
            attempt.reader = StreamReader(
                attempt.lane.served,
                strip_usage=not ask.wants_usage and attempt.lane.translation is None,
                keep_text=ask.is_reproducible and may_resume(ask, attempt),
            )

    def note(self, attempt: Attempt, failure: Failure | None, now: float) -> None:
        """An attempt ended."""
        lane, began_at = attempt.lane, self.began_at
        if attempt.sent_at and not self.attempts:
            self.own_s = attempt.sent_at - began_at
        record = _new(
            _RECORD,
            (
                lane.upstream,
                lane.site,
                lane.model,
                plain(attempt.choice.reason),
                attempt.began_at - began_at,
                now - attempt.began_at,
                attempt.status,
                failure or "",
            ),
        )
        self.attempts = (*self.attempts, record) if self.attempts else (record,)

    def bill(self, attempt: Attempt, usage: Usage) -> None:
        """What an attempt other than the answering one had delivered is paid for."""
        self.billed = (*self.billed, bill_of(attempt, usage))

    def let_go(self, attempt: Attempt) -> None:
        """An attempt that was well and is not needed any more: what it was sent and what came of it is paid for."""
        if attempt.sent_at and attempt.status in (0, 200):
            self.bill(attempt, usage_of(self.ask, attempt))

    def fell_short(self, attempt: Attempt, failure: Failure) -> None:
        """An attempt that failed and gave no answer: what it had generated by then is paid for.

        One that was given up since its first byte was late may be at work still. A token API asks for its input then;
        nodes that are paid by the hour cost nothing more.
        """
        usage = generated(self.ask, attempt, failure)
        if usage is not None:
            self.bill(attempt, usage)
        elif failure is Failure.TIMEOUT and not attempt.target.held_nano_per_hour:
            self.let_go(attempt)

    def read_whole(self, attempt: Attempt, now: float) -> tuple[Failure | None, bytes, Usage]:
        """What is wrong with a whole answer, its body in the caller's words, and its usage."""
        failure = failure_of(attempt.status, attempt.retry_after_s)
        body = b"".join(attempt.parts)
        if failure is None and attempt.status == 200 and (self.ask.is_stream or not is_whole(body)):
            failure = Failure.ANSWER
        usage = NO_USAGE
        if failure is None and attempt.status == 200:
            ask, lane = self.ask, attempt.lane
            usage = read_usage(lane.served, body) or estimated_usage(ask, 0, len(body))
            if lane.translation is not None:
                try:
                    body = lane.translation.answer(body, created=int(now + self.core.epoch))
                except TranslationError:
                    failure = Failure.ANSWER
        return failure, body, usage

    # --- how it ends -----------------------------------------------------------------------------------------------

    def refuse(
        self, outcome: Outcome, message: str, retry_after_s: float, now: float, *, param: str | None = None
    ) -> None:
        """Answers with an error of the gateway's own and ends; `retry_after_s` is told where asking again may help."""
        status = outcome.status
        wait = b"retry-after: %d\r\n" % max(ceil(retry_after_s), 1) if status in (429, 502, 503, 504) else b""
        body = error_body(self.ask.api, status, outcome.code, message, param)
        self.effects.reply(status, _REFUSAL % (wait, self.shown), body)
        self.finish(None, NO_USAGE, outcome, now)

    def give_up(self, attempt: Attempt, failure: Failure, found: Choice | Shed | None, now: float) -> None:
        """Refuses after the last attempt failed; a survivor without room is a limit, and told as one."""
        if isinstance(found, Shed) and found.code == "no_capacity":
            self.refuse(Outcome(found.status, Ending.SHED, found.code), found.message, found.retry_after_s, now)
            return
        status, code, message = status_for(failure)
        self.refuse(Outcome(status, Ending.FAILED, code), message, attempt.retry_after_s, now)

    def break_off(self, attempt: Attempt, outcome: Outcome, message: str, now: float) -> None:
        """Ends a begun stream with an error event callers' libraries raise on; an answer in one piece is cut."""
        ask, effects = self.ask, self.effects
        usage = usage_of(ask, attempt)
        if ask.is_stream:
            delivered = max([usage.tokens_out, *(bill.usage.tokens_out for bill in self.billed)])
            told = {"request_id": self.shown.decode("latin-1"), "tokens_delivered": delivered}
            effects.write(error_event(ask.api, outcome.code, message, **told))
            effects.finish()
        else:
            effects.cut()
        self.finish(attempt, usage, outcome, now)

    def finish(self, attempt: Attempt | None, usage: Usage, outcome: Outcome, now: float) -> None:
        """Ends with the record: of `attempt`'s answer, or of none."""
        self.is_over = True
        self.due = inf
        core = self.core
        if attempt is None:
            record = unanswered_record(self, outcome, now)
        else:
            record = answered_record(self, attempt, usage, outcome, now)
        stay = self.stay
        if stay is not None:
            core.admission.settle(stay, record.nano, usage.tokens_in + usage.tokens_out)
            self.stay = None  # each holds the other: the collector would find them, long after and at a price
        core.record(record)
