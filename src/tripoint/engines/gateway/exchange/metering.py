"""The record of a request: tokens, money by the one cost function's price rows, and every attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tripoint.domain.money import PICO_PER_NANO
from tripoint.domain.record import Bill, Ending, Failure, Reason, Usage, UsageRecord
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.usage import estimated_usage, read_usage

if TYPE_CHECKING:
    from tripoint.domain.money import Tariff
    from tripoint.engines.gateway.exchange.course import Course
    from tripoint.engines.gateway.exchange.effects import Attempt
    from tripoint.engines.gateway.wire.ask import Ask

NO_USAGE: Final = Usage(0, 0)
_REFUSED: Final = Ending.REFUSED
# Plain strings cost less to look up and to write than members of an enum, which are equal to them.
_WELL: Final = Ending.OK
_OK: Final = "ok"
_PLAN: Final = Reason.PLAN
_CHEAPEST: Final = Reason.CHEAPEST
_AFFINITY: Final = Reason.AFFINITY
_SHIFTED: Final = Reason.SHIFTED
_new: Final = tuple.__new__
_RECORD: Final = UsageRecord  # compiled, a name that was imported is looked up at each use
_NANO: Final[int] = PICO_PER_NANO
_HALF: Final[int] = PICO_PER_NANO // 2


class Outcome(NamedTuple):
    """How a request ended."""

    status: int
    """HTTP status sent."""
    ending: Ending
    """How it ended."""
    code: str
    """Error code sent, empty when none."""


class Rates:
    """What one candidate's three tariffs say, as plain numbers: `Tariff.nano` for all of them at once."""

    __slots__ = (
        "_cached", "_in", "_list_cached", "_list_in", "_list_out", "_list_request", "_marginal_cached",
        "_marginal_in", "_marginal_out", "_marginal_request", "_out", "_request", "tariff",
    )  # fmt: skip

    def __init__(self, tariff: Tariff, listed: Tariff, marginal: Tariff) -> None:
        self.tariff = tariff.id
        """Name of the price row."""
        self._in, self._cached, self._out, self._request = tariff[1:]
        self._list_in, self._list_cached, self._list_out, self._list_request = listed[1:]
        self._marginal_in, self._marginal_cached, self._marginal_out, self._marginal_request = marginal[1:]

    def nano(self, tokens_in: int, tokens_out: int, cached: int) -> tuple[int, int, int]:
        """Effective cost of a request, the same at list prices, and what routing compared, nano-dollars each."""
        fresh = tokens_in - cached
        effective = self._request + fresh * self._in + cached * self._cached + tokens_out * self._out
        listed = self._list_request + fresh * self._list_in + cached * self._list_cached + tokens_out * self._list_out
        marginal = (
            self._marginal_request
            + fresh * self._marginal_in
            + cached * self._marginal_cached
            + tokens_out * self._marginal_out
        )
        return (effective + _HALF) // _NANO, (listed + _HALF) // _NANO, (marginal + _HALF) // _NANO


def plain(reason: Reason) -> str:
    """The reasons of nearly all requests as plain strings; others as they are."""
    if reason is _AFFINITY:
        return "affinity"
    if reason is _PLAN:
        return "plan"
    if reason is _CHEAPEST:
        return "cheapest"
    return "shifted" if reason is _SHIFTED else reason


def answered_record(course: Course, attempt: Attempt, usage: Usage, outcome: Outcome, now: float) -> UsageRecord:
    """The record of a request that an upstream answered, wholly or in part."""
    lane, principal = attempt.lane, course.principal
    began_at, first_at, is_stream = course.began_at, course.first_at, course.is_stream
    tokens_out = usage[1]
    nano = list_nano = marginal_nano = 0
    if outcome[1] is not _REFUSED:
        nano, list_nano, marginal_nano = lane.rates.nano(usage[0], tokens_out, usage[2])
    billed = course.billed
    for bill in billed:
        nano += bill.nano
        list_nano += bill.list_nano
        marginal_nano += bill.marginal_nano
    # In the order of the fields; the plain way to a named tuple goes through code of Python, even where this module is
    # compiled.
    return _new(
        _RECORD,
        (
            course.id,
            began_at + course.core.epoch,
            principal.tenant,
            principal.key,
            course.workload,
            lane.model,
            lane.api,
            lane.site,
            lane.upstream,
            outcome[0],
            _OK if outcome[1] is _WELL else outcome[1],
            outcome[2],
            is_stream,
            usage,
            first_at - began_at if first_at else 0.0,
            (course.last_at - first_at) / (tokens_out - 1) if is_stream and tokens_out > 1 else 0.0,
            now - began_at,
            course.own_s,
            plain(attempt.choice.reason),
            nano,
            list_nano,
            marginal_nano,
            lane.rates.tariff,
            lane.prices,
            course.trace_id,
            course.attempts,
            billed,
        ),
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
    tail = b"".join(attempt.parts)
    start = tail.rfind(b'"usage"')  # an answer too long to hold tells its usage at its end
    found = read_usage(attempt.lane.served, b"{" + tail[start:]) if start >= 0 else None
    return found or estimated_usage(ask, 0, attempt.size)


def generated(ask: Ask, attempt: Attempt, failure: Failure) -> Usage | None:
    """What an attempt that failed before any of it was passed on had generated by then; `None` when nothing is known.

    Of a stream: from its first token on. Of an answer in one piece: what it reports, else by the bytes that had come
    when it was cut. What is no model's answer (an error, a page of something else) has generated nothing.
    """
    if attempt.status != 200:
        return None
    reader = attempt.reader
    if reader is not None:
        return usage_of(ask, attempt) if reader.events else None
    usage = usage_of(ask, attempt)
    is_cut = failure is not Failure.ANSWER and attempt.size > 0
    return usage if is_cut or not usage.is_estimated else None


def turned_away(request_id: str, api: Api, at: float, outcome: Outcome, payer: tuple[str, str]) -> UsageRecord:
    """The record of a request that was refused before it was understood.

    `at` is in seconds since 1970; `payer` are tenant and key id, empty when not known.
    """
    return UsageRecord(
        request_id, at, *payer, "", "", api, "", "", outcome.status, outcome.ending, outcome.code, False, NO_USAGE,
        0.0, 0.0, 0.0, 0.0, "", 0, 0, 0, "", "", "", (),
    )  # fmt: skip
