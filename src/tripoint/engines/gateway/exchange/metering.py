"""The account of a request: tokens, money by the one cost function's prices, and every attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tripoint.domain.record import AttemptRecord, Ending, Failure, Usage, UsageRecord
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.usage import estimated_usage, read_usage

if TYPE_CHECKING:
    from tripoint.engines.gateway.exchange.core import Core, Opening
    from tripoint.engines.gateway.exchange.effects import Attempt
    from tripoint.engines.gateway.wire.ask import Ask

NO_USAGE = Usage(0, 0)


class Outcome(NamedTuple):
    """How a request ended."""

    status: int
    """HTTP status sent."""
    ending: Ending
    """How it ended."""
    code: str
    """Error code sent, empty when none."""


class Account:
    """What a request came to so far; settled once, by its record."""

    __slots__ = ("_attempts", "_core", "_earlier_list_usd", "_earlier_usd", "_opening", "_own_s", "first_at", "last_at")

    def __init__(self, core: Core, opening: Opening) -> None:
        self._core = core
        self._opening = opening
        self._attempts: tuple[AttemptRecord, ...] = ()
        self._own_s = 0.0
        self._earlier_usd = self._earlier_list_usd = 0.0
        self.first_at = 0.0
        """When the answer's first piece came, 0 when none did."""
        self.last_at = 0.0
        """When its latest piece came."""

    def add(self, attempt: Attempt, failure: Failure | None, now: float) -> None:
        """An attempt ended."""
        began_at, choice = self._opening.began_at, attempt.choice
        if not self._attempts and attempt.sent_at:
            self._own_s = attempt.sent_at - began_at
        record = AttemptRecord(
            attempt.target.id,
            attempt.target.site,
            choice.candidate.model,
            choice.reason,
            attempt.began_at - began_at,
            now - attempt.began_at,
            attempt.status,
            "" if failure is None else failure,
        )
        self._attempts = (*self._attempts, record)

    def bill(self, attempt: Attempt, usage: Usage) -> None:
        """What a cut attempt had delivered is paid for, beside what the one that goes on will report."""
        candidate = attempt.choice.candidate
        self._earlier_usd += candidate.price.of(usage.tokens_in, usage.tokens_out, usage.cached)
        self._earlier_list_usd += candidate.list_price.of(usage.tokens_in, usage.tokens_out, usage.cached)

    def settle(self, attempt: Attempt | None, usage: Usage, outcome: Outcome, now: float) -> None:
        """Writes the record: of `attempt`'s answer, or of none."""
        core, opening = self._core, self._opening
        record = self._unanswered(outcome, now) if attempt is None else self._answered(attempt, usage, outcome, now)
        core.admission.settle(opening.principal, record.usd, now)
        core.record(record, now)

    def _answered(self, attempt: Attempt, usage: Usage, outcome: Outcome, now: float) -> UsageRecord:
        opening, choice, target = self._opening, attempt.choice, attempt.target
        candidate, ask, began_at = choice.candidate, opening.ask, opening.began_at
        tokens, first_at = usage.tokens_out, self.first_at
        return UsageRecord(
            opening.id,
            began_at + self._core.epoch,
            opening.principal.tenant,
            opening.principal.key,
            opening.route.workload,
            candidate.model,
            ask.api,
            target.site,
            target.id,
            outcome.status,
            outcome.ending,
            outcome.code,
            ask.is_stream,
            usage,
            first_at - began_at if first_at else 0.0,
            (self.last_at - first_at) / (tokens - 1) if ask.is_stream and tokens > 1 else 0.0,
            now - began_at,
            self._own_s,
            choice.reason,
            candidate.price.of(usage.tokens_in, tokens, usage.cached) + self._earlier_usd,
            candidate.list_price.of(usage.tokens_in, tokens, usage.cached) + self._earlier_list_usd,
            candidate.basis,
            opening.trace.trace_id,
            self._attempts,
        )

    def _unanswered(self, outcome: Outcome, now: float) -> UsageRecord:
        opening = self._opening
        return UsageRecord(
            opening.id,
            opening.began_at + self._core.epoch,
            opening.principal.tenant,
            opening.principal.key,
            opening.route.workload,
            opening.route.model,
            opening.ask.api,
            "",
            "",
            outcome.status,
            outcome.ending,
            outcome.code,
            opening.ask.is_stream,
            NO_USAGE,
            0.0,
            0.0,
            now - opening.began_at,
            self._own_s,
            "",
            self._earlier_usd,
            self._earlier_list_usd,
            "",
            opening.trace.trace_id,
            self._attempts,
        )


def usage_of(ask: Ask, attempt: Attempt) -> Usage:
    """What the upstream reported, else what was counted."""
    reader = attempt.reader
    if reader is not None:
        return reader.usage or estimated_usage(ask, reader.events, 0)
    tail = attempt.parts[0] if attempt.parts else b""
    start = tail.rfind(b'"usage"')  # an answer too long to hold tells its usage at its end
    found = read_usage(attempt.lane.served, b"{" + tail[start:]) if start >= 0 else None
    return found or estimated_usage(ask, 0, attempt.size)


def turned_away(request_id: str, api: Api, at: float, outcome: Outcome, payer: tuple[str, str]) -> UsageRecord:
    """The record of a request that was refused before it was understood.

    `at` is in seconds since 1970; `payer` are tenant and key id, empty when not known.
    """
    return UsageRecord(
        request_id, at, *payer, "", "", api, "", "", outcome.status, outcome.ending, outcome.code, False, NO_USAGE,
        0.0, 0.0, 0.0, 0.0, "", 0.0, 0.0, "", "", (),
    )  # fmt: skip
