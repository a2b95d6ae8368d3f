"""The record of a request: tokens, money by the one cost function's price rows, and every attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tripoint.domain.record import Bill, Ending, Usage, UsageRecord
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.usage import estimated_usage, read_usage

if TYPE_CHECKING:
    from tripoint.engines.gateway.exchange.course import Course
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


def answered_record(course: Course, attempt: Attempt, usage: Usage, outcome: Outcome, now: float) -> UsageRecord:
    """The record of a request that an upstream answered, wholly or in part."""
    choice, target, principal = attempt.choice, attempt.target, course.principal
    candidate, began_at, first_at = choice.candidate, course.began_at, course.first_at
    tokens_in, tokens_out, cached, _, _ = usage
    tariff = candidate.tariff
    nano = tariff.nano(tokens_in, tokens_out, cached)
    list_nano = candidate.list_tariff.nano(tokens_in, tokens_out, cached)
    marginal_nano = candidate.marginal.nano(tokens_in, tokens_out, cached)
    for bill in course.billed:
        nano += bill.nano
        list_nano += bill.list_nano
        marginal_nano += bill.marginal_nano
    return UsageRecord(
        course.id,
        began_at + course.core.epoch,
        principal.tenant,
        principal.key,
        course.route.workload,
        candidate.model,
        course.api,
        target.site,
        target.id,
        outcome.status,
        outcome.ending,
        outcome.code,
        course.is_stream,
        usage,
        first_at - began_at if first_at else 0.0,
        (course.last_at - first_at) / (tokens_out - 1) if course.is_stream and tokens_out > 1 else 0.0,
        now - began_at,
        course.own_s,
        choice.reason,
        nano,
        list_nano,
        marginal_nano,
        tariff.id,
        attempt.lane.prices,
        course.trace_id,
        course.attempts,
        course.billed,
    )


def bill_of(attempt: Attempt, usage: Usage) -> Bill:
    """What an attempt that does not give the answer costs all the same."""
    candidate, target = attempt.choice.candidate, attempt.target
    tokens_in, tokens_out, cached, _, _ = usage
    return Bill(
        target.id,
        target.site,
        candidate.model,
        candidate.tariff.id,
        attempt.lane.prices,
        usage,
        candidate.tariff.nano(tokens_in, tokens_out, cached),
        candidate.list_tariff.nano(tokens_in, tokens_out, cached),
        candidate.marginal.nano(tokens_in, tokens_out, cached),
    )


def unanswered_record(course: Course, outcome: Outcome, now: float) -> UsageRecord:
    """The record of a request that was understood, and that no upstream answered."""
    billed = course.billed
    return UsageRecord(
        course.id,
        course.began_at + course.core.epoch,
        course.principal.tenant,
        course.principal.key,
        course.route.workload,
        course.route.model,
        course.api,
        "",
        "",
        outcome.status,
        outcome.ending,
        outcome.code,
        course.is_stream,
        NO_USAGE,
        0.0,
        0.0,
        now - course.began_at,
        course.own_s,
        "",
        sum(bill.nano for bill in billed),
        sum(bill.list_nano for bill in billed),
        sum(bill.marginal_nano for bill in billed),
        "",
        "",
        course.trace_id,
        course.attempts,
        billed,
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
        0.0, 0.0, 0.0, 0.0, "", 0, 0, 0, "", "", "", (),
    )  # fmt: skip
