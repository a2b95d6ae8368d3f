"""How many tokens did a request take? As the upstream reports it, or counted here when it does not."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Final

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.ask import BYTES_PER_TOKEN, Ask
from tripoint.engines.gateway.wire.shapes.reports import UNREADABLE, decode_answer, decode_report
from tripoint.engines.gateway.wire.shapes.tally import ABSENT, Tally, tally_at, usage_at

if TYPE_CHECKING:
    import msgspec

    from tripoint.engines.gateway.wire.shapes.reports import Report

MAX_REPORTED: Final = 1_000_000_000
MAX_BODY = 64 * 1024 * 1024
_MESSAGES: Final = Api.MESSAGES
_EMBEDDINGS: Final = Api.EMBEDDINGS
_decode: Final = decode_answer
_PAYS: Final[bool] = not isinstance(tally_at, FunctionType)
"""True where this is compiled: in Python itself a decoder written in C is faster."""
_MEMBER: Final = b'"usage":'
_BACKSLASH: Final = ord("\\")
_new: Final = tuple.__new__
_USAGE: Final = Usage  # compiled, a name that was imported is looked up at each use


def read_usage(api: Api, body: bytes) -> Usage | None:
    """Usage that a whole answer reports; `None` when it reports none that can be believed.

    Most answers end with it. What begins with that member and is a whole document once a brace is put before it, is the
    end of the outermost object: were it further within, there would be too many braces, and a quote within a string has
    a backslash before it. Then the rest, which is the answer's text, need not be read.
    """
    if len(body) > MAX_BODY:
        return None
    start = usage_at(body) if _PAYS else -1
    if start < 0:
        start = body.rfind(_MEMBER)
    try:
        if start > 0 and body[start - 1] != _BACKSLASH:
            if _PAYS and api is not _MESSAGES and (tally := tally_at(body, start + len(_MEMBER))) is not None:
                return _of_tally(tally)
            try:
                report = _decode(b"{" + body[start:]).usage
            except UNREADABLE:
                report = _decode(body).usage
        else:
            report = _decode(body).usage
    except UNREADABLE:
        return None
    return usage_of(api, report) if report is not None else None


def _of_tally(tally: Tally) -> Usage | None:
    """As `usage_of`, of nothing but these counts."""
    tokens_in, tokens_out, total = tally
    if tokens_in == ABSENT:
        return None
    if tokens_out == ABSENT:
        tokens_out = (total if total > 0 else tokens_in) - tokens_in
    return checked(tokens_in, tokens_out, 0, 0)


def report_of(raw: msgspec.Raw) -> Report | None:
    """The counts of a `usage` member; `None` when it is absent, null or odd."""
    if not raw:
        return None
    try:
        return decode_report(raw)
    except UNREADABLE:
        return None


def usage_of(api: Api, report: Report) -> Usage | None:
    """Usage of a report; `None` when a count is missing, negative or absurd."""
    if api is _MESSAGES:
        return _of_messages(report)
    tokens_in = report.prompt_tokens
    if tokens_in is not None:
        tokens_out = report.completion_tokens
        if tokens_out is None:
            # Embeddings generate nothing and report no output; of others the total tells.
            tokens_out = (report.total_tokens or tokens_in) - tokens_in
        details, made = report.prompt_tokens_details, report.completion_tokens_details
        read = None if details is None else details.cached_tokens
        thought = None if made is None else made.reasoning_tokens
        return checked(tokens_in, tokens_out, read or report.prompt_cache_hit_tokens or 0, thought or 0)
    if report.input_tokens is not None:
        cached = report.input_tokens_details and report.input_tokens_details.cached_tokens
        reasoning = report.output_tokens_details and report.output_tokens_details.reasoning_tokens
        return checked(report.input_tokens, report.output_tokens or 0, cached or 0, reasoning or 0)
    return None


def checked(tokens_in: int, tokens_out: int, cached: int, reasoning: int) -> Usage | None:
    """Usage with these counts; `None` when one is negative or absurd."""
    if not (0 <= tokens_in <= MAX_REPORTED and 0 <= tokens_out <= MAX_REPORTED and cached >= 0 and reasoning >= 0):
        return None
    # The plain way to a named tuple goes through code of Python, even where this module is compiled.
    if cached > tokens_in:
        cached = tokens_in
    if reasoning > tokens_out:
        reasoning = tokens_out
    return _new(_USAGE, (tokens_in, tokens_out, cached, reasoning, False))


def estimated_usage(ask: Ask, events: int, body_len: int) -> Usage:
    """Usage counted here: input as estimated from the request; output one token per event, or per four bytes.

    `events` are content events delivered, `body_len` bytes of a whole answer (0 for a stream): never more than the
    caller's limit allows, and none for embeddings.
    """
    counted = 0 if ask.api is _EMBEDDINGS else body_len // BYTES_PER_TOKEN
    if ask.tokens_out:
        counted = min(counted, ask.tokens_out * ask.choices)
    return Usage(ask.tokens_in, max(events, counted), is_estimated=True)


def _of_messages(report: Report) -> Usage | None:
    """Anthropic counts cached tokens beside the input, not in it."""
    if report.input_tokens is None:
        return None
    read, created = report.cache_read_input_tokens or 0, report.cache_creation_input_tokens or 0
    if min(report.input_tokens, read, created) < 0:
        return None
    thought = report.output_tokens_details and report.output_tokens_details.thinking_tokens
    return checked(report.input_tokens + read + created, report.output_tokens or 0, read, thought or 0)
