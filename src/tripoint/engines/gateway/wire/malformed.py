"""What is wrong with a body that cannot be read, in words for its author?"""

from __future__ import annotations

from typing import Final

import msgspec

_KINDS: Final = {b"{": "an object", b"[": "an array", b'"': "a string", b"t": "true", b"f": "false", b"n": "null"}
_SHOWN_CHARS: Final = 24


class Malformed(Exception):  # noqa: N818  it is an answer to the caller, not a failure of ours
    """A request that cannot be understood; says what was found."""

    def __init__(self, code: str, message: str, param: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status of the answer."""
        self.code = code
        """Stable code, e.g. `missing_model`."""
        self.message = message
        """What was found, for the caller."""
        self.param = param
        """Member at fault, `None` when it is the body as a whole."""


def kind_of(raw: bytes) -> str:
    """What a JSON value is, in words; a number is told itself."""
    kind = _KINDS.get(raw[:1])
    if kind is not None:
        return kind
    return raw.decode("ascii", "replace") if len(raw) <= _SHOWN_CHARS else "a number of many digits"


def unreadable(body: bytes, error: Exception) -> Malformed:
    """Why a body is not a JSON object in UTF-8."""
    if isinstance(error, UnicodeDecodeError):
        at, found = error.start, body[error.start] if error.start < len(body) else 0
        return Malformed("invalid_utf8", f"the body is not UTF-8: byte {at} is 0x{found:02x}")
    if isinstance(error, RecursionError):
        return Malformed("invalid_json", "the body is nested too deeply")
    if isinstance(error, msgspec.ValidationError):
        return Malformed("invalid_json", f"the body must be a JSON object, not {kind_of(body.strip())}")
    if not body:
        return Malformed("invalid_json", "the body is empty")
    return Malformed("invalid_json", f"the body is not JSON: {error}")
