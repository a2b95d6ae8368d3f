"""Errors in the words of each interface: bodies, and events in the middle of a stream on which the SDKs raise."""

from __future__ import annotations

from typing import Any

import msgspec

from tripoint.domain.serving import Api

_OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPES = {
    **_OPENAI_TYPES,
    413: "request_too_large",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_encode = msgspec.json.Encoder().encode


def error_type(api: Api, status: int) -> str:
    """Type of an error, by the interface's own names."""
    if api is Api.MESSAGES:
        return _ANTHROPIC_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return _OPENAI_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


def error_body(api: Api, status: int, code: str, message: str, param: str | None = None) -> bytes:
    """Body of an error answer."""
    kind = error_type(api, status)
    if api is Api.MESSAGES:
        # Its clients look for a code among the details.
        fault = {"type": kind, "message": message, "code": code, "details": {"error_code": code}}
        return _encode({"type": "error", "error": fault})
    return _encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def error_event(api: Api, code: str, message: str, **extras: Any) -> bytes:
    """An event that ends a stream as failed; `extras` (tokens delivered, request id) stand beside the code."""
    kind = error_type(api, 502)
    if api is Api.MESSAGES:
        details = {"error_code": code, **extras}
        refusal = {"type": kind, "message": message, "code": code, "details": details}
        return b"event: error\ndata: " + _encode({"type": "error", "error": refusal}) + b"\n\n"
    fault: dict[str, Any] = {"message": message, "type": kind, "param": None, "code": code, **extras}
    if api is Api.RESPONSES:
        # The event's own fields are for readers of the interface; the SDK raises on the member `error`.
        event = {"type": "error", "code": code, "message": message, "param": None, "sequence_number": 0, "error": fault}
        return b"event: error\ndata: " + _encode(event) + b"\n\n"
    return b"data: " + _encode({"error": fault}) + b"\n\n"
