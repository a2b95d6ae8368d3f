"""How many tokens did a request take? As the upstream reports it, or counted here when it does not."""

from __future__ import annotations

import msgspec

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.ask import BYTES_PER_TOKEN, Ask

MAX_REPORTED = 1_000_000_000
MAX_BODY = 64 * 1024 * 1024
# A member that is not there: a union with `None` would refuse every other value.
ABSENT = msgspec.Raw()


class Details(msgspec.Struct):
    """Parts of a count."""

    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    thinking_tokens: int | None = None


class Report(msgspec.Struct):
    """Usage as any of the interfaces reports it; their names do not collide."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_cache_hit_tokens: int | None = None
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: Details | None = None
    output_tokens_details: Details | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Answer(msgspec.Struct):
    usage: Report | None = None


_answers = msgspec.json.Decoder(_Answer)
_reports = msgspec.json.Decoder(Report)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_usage(api: Api, body: bytes) -> Usage | None:
    """Usage that a whole answer reports; `None` when it reports none that can be believed."""
    if len(body) > MAX_BODY:
        return None
    try:
        report = _answers.decode(body).usage
    except _UNREADABLE:
        return None
    return usage_of(api, report) if report is not None else None


def report_of(raw: msgspec.Raw) -> Report | None:
    """The counts of a `usage` member; `None` when it is absent, null or odd."""
    if not raw:
        return None
    try:
        return _reports.decode(raw)
    except _UNREADABLE:
        return None


def usage_of(api: Api, report: Report) -> Usage | None:
    """Usage of a report; `None` when a count is missing, negative or absurd."""
    if api is Api.MESSAGES:
        return _of_messages(report)
    if report.prompt_tokens is not None:
        tokens_in, tokens_out = report.prompt_tokens, report.completion_tokens
        if tokens_out is None:
            # Embeddings generate nothing and report no output; of others the total tells.
            tokens_out = (report.total_tokens or tokens_in) - tokens_in
        cached = report.prompt_tokens_details and report.prompt_tokens_details.cached_tokens
        reasoning = report.completion_tokens_details and report.completion_tokens_details.reasoning_tokens
        return checked(tokens_in, tokens_out, cached or report.prompt_cache_hit_tokens or 0, reasoning or 0)
    if report.input_tokens is not None:
        cached = report.input_tokens_details and report.input_tokens_details.cached_tokens
        reasoning = report.output_tokens_details and report.output_tokens_details.reasoning_tokens
        return checked(report.input_tokens, report.output_tokens or 0, cached or 0, reasoning or 0)
    return None


def checked(tokens_in: int, tokens_out: int, cached: int, reasoning: int) -> Usage | None:
    """Usage with these counts; `None` when one is negative or absurd."""
    if not (0 <= tokens_in <= MAX_REPORTED and 0 <= tokens_out <= MAX_REPORTED and cached >= 0 and reasoning >= 0):
        return None
    return Usage(tokens_in, tokens_out, min(cached, tokens_in), min(reasoning, tokens_out))


def estimated_usage(ask: Ask, events: int, body_len: int) -> Usage:
    """Usage counted here: input as estimated from the request; output one token per event, or per four bytes.

    `events` are content events delivered, `body_len` bytes of a whole answer (0 for a stream): never more than the
    caller's limit allows, and none for embeddings.
    """
    counted = 0 if ask.api is Api.EMBEDDINGS else body_len // BYTES_PER_TOKEN
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
