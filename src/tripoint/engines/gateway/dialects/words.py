"""Why an answer ended, what it took and what went wrong, in the words of either interface."""

from __future__ import annotations

from typing import Any

import msgspec

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.malformed import Malformed
from tripoint.engines.gateway.wire.refusal import error_body

MAX_MESSAGE_CHARS = 2_000
MAX_OBJECTS = 100_000
FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


_encode = msgspec.json.Encoder().encode


class TranslationError(ValueError):
    """An upstream's answer that is not what its interface promises."""


class _Fault(msgspec.Struct):
    message: Any = None
    code: Any = None
    type: Any = None
    param: Any = None


class _Envelope(msgspec.Struct):
    error: _Fault | str | None = None
    message: Any = None


_envelopes = msgspec.json.Decoder(_Envelope)


def translated_error(api: Api, status: int, body: bytes) -> bytes:
    """An upstream's error answer in the shape of `api`; one that cannot be read leaves only its status."""
    try:
        envelope = _envelopes.decode(body)
    except UNREADABLE:
        envelope = _Envelope()
    fault = envelope.error
    if isinstance(fault, str):
        fault = _Fault(message=fault)
    code, message, param = fault_words(fault, envelope.message)
    return error_body(api, status, code, message or f"the upstream answered {status}", param)


def fault_words(fault: Any, message: Any = None) -> tuple[str, str, str | None]:
    """Code, message and member at fault of an error member, whatever it is."""
    if isinstance(fault, dict):
        known = {name: fault.get(name) for name in _Fault.__struct_fields__}
        fault = _Fault(**known)
    if not isinstance(fault, _Fault):
        fault = _Fault(message=fault if isinstance(fault, str) else message)
    words = fault.message or message
    code = fault.code or fault.type
    return (
        str(code) if isinstance(code, (str, int)) and code else "upstream_error",
        words[:MAX_MESSAGE_CHARS] if isinstance(words, str) else "",
        fault.param if isinstance(fault.param, str) else None,
    )


def cannot_carry(param: str, what: str) -> Malformed:
    """A request that asks for something the interface of the upstream has no word for."""
    return Malformed("unsupported_by_upstream", f"{what} cannot be passed to the upstream that serves this", param)


def bounded(body: bytes) -> bytes:
    """The body of a request to translate; raises `Malformed` where it would become too many objects."""
    if body.count(b"{") > MAX_OBJECTS:
        raise Malformed(
            "request_too_large", f"a request of more than {MAX_OBJECTS} objects is not translated", None, 413
        )
    return body


def written(request: dict[str, Any]) -> bytes:
    """The body of a translated request; raises `Malformed` where translating took it past what can be nested."""
    try:
        return _encode(request)
    except RecursionError as error:
        raise misshapen(error) from None


def told(answer: dict[str, Any]) -> bytes:
    """The body of a translated answer; raises `TranslationError` likewise."""
    try:
        return _encode(answer)
    except RecursionError:
        raise TranslationError("the upstream's answer is nested too deeply") from None


def misshapen(error: Exception) -> Malformed:
    """A request whose members are not what its interface says."""
    if isinstance(error, msgspec.ValidationError):
        return Malformed("invalid_request", f"the request cannot be translated: {error}")
    return Malformed("invalid_json", "the request cannot be translated: it is nested too deeply or not JSON")


def chat_usage(usage: Usage) -> dict[str, Any]:
    """Usage as chat tells it."""
    return {
        "prompt_tokens": usage.tokens_in,
        "completion_tokens": usage.tokens_out,
        "total_tokens": usage.tokens_in + usage.tokens_out,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def messages_usage(usage: Usage) -> dict[str, Any]:
    """Usage as Messages tells it: cached tokens stand beside the input."""
    told: dict[str, Any] = {
        "input_tokens": usage.tokens_in - usage.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.tokens_out,
    }
    if usage.reasoning:
        told["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return told


def stop_reason(finish_reason: str | None, met: Any, *, has_calls: bool) -> tuple[str, str | None]:
    """Reason and stop sequence of Messages; `met` is the stop sequence where an upstream names it."""
    if isinstance(met, str) and finish_reason == "stop":
        return "stop_sequence", met
    if has_calls and finish_reason == "stop":
        # Some servers say so when a named tool was demanded.
        return "tool_use", None
    return STOP_REASONS.get(finish_reason or "stop", "end_turn"), None
