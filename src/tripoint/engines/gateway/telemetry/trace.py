"""W3C trace context through the gateway: the caller's trace goes on, with a span of ours as the upstream's parent."""

from __future__ import annotations

import random
import re
from typing import Final, NamedTuple

# Version 00 is exactly this long; a later version may say more, after a dash.
_TRACEPARENT: Final = re.compile(
    rb"(?:00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})"
    rb"|(?!00|ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-[\x21-\x7e]*)?)"
)
_KEY: Final = rb"[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}"
_MEMBER: Final = re.compile(
    rb"[ \t]*(?:(" + _KEY + rb")=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e][ \t]*)?"
)
_NO_TRACE: Final = b"00000000000000000000000000000000"
_NO_SPAN: Final = b"0000000000000000"
_STATE_BYTES: Final = 512
_STATE_MEMBERS: Final = 32
_SAMPLED: Final = 1
_BYTES: Final = 24
"""Random bytes of a trace: 16 of its own id and 8 of our span's."""
_DIGITS: Final = 48
_AT_ONCE: Final = 16
_DRAWN: Final = _DIGITS * _AT_ONCE
_TRACE_DIGITS: Final = 32


class Trace(NamedTuple):
    """The trace one request belongs to."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """The gateway's own span, 16 hexadecimal digits: the parent that upstreams see."""
    parent_id: str
    """The caller's span, empty when the trace begins here."""
    head: bytes
    """Header lines for the upstream, each ended by CRLF."""


def trace_context(traceparent: bytes | None, tracestate: bytes | None, source: random.Random) -> Trace:
    """The trace of a request; a header that is absent or not valid begins a new one, and its state is dropped.

    `source` makes ids, so that a replay makes the same ones. A tracestate longer than 512 bytes is dropped, as the
    recommendation allows; so is one that breaks its grammar.
    """
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent is not None else None
    if found is None:
        return _begun(source)
    trace, parent, flags = found.group(1, 2, 3) if found[1] is not None else found.group(4, 5, 6)
    if trace == _NO_TRACE or parent == _NO_SPAN:
        return _begun(source)
    span = b"%016x" % (source.getrandbits(64) or 1)
    # Only flags of version 00 are ours to pass on; what later versions put beside them is not known here.
    if found[1] is None:
        flags = b"%02x" % (int(flags, 16) & _SAMPLED)
    head = b"traceparent: 00-%b-%b-%b\r\n" % (trace, span, flags)
    if tracestate and is_tracestate(tracestate):
        head += b"tracestate: %b\r\n" % tracestate
    return Trace(trace.decode(), span.decode(), parent.decode(), head)


def is_tracestate(value: bytes) -> bool:
    """True for a list of at most 32 members `key=value`, no key twice, at most 512 bytes in all."""
    if len(value) > _STATE_BYTES:
        return False
    keys: set[bytes] = set()
    for member in value.split(b","):
        found = _MEMBER.fullmatch(member)
        if found is None or found[1] in keys:
            return False
        if found[1] is not None:
            keys.add(found[1])
    return 0 < len(keys) <= _STATE_MEMBERS


class TraceSource:
    """Begins traces; ids are drawn many at once, which costs a fraction of drawing one after the other."""

    __slots__ = ("_at", "_ids", "_random", "_text")

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self._at = _DRAWN
        self._text = ""
        self._ids = b""

    def begun(self) -> tuple[str, bytes]:
        """Id of a new trace, and the header line that makes a span of ours the upstream's parent."""
        while True:
            at = self._at
            if at >= _DRAWN:
                self._text = self._random.randbytes(_BYTES * _AT_ONCE).hex()
                self._ids = self._text.encode()
                at = 0
            middle = at + _TRACE_DIGITS
            end = self._at = at + _DIGITS
            ids = self._ids
            trace, span = ids[at:middle], ids[middle:end]
            if trace != _NO_TRACE and span != _NO_SPAN:  # neither may be zero, however rarely it is drawn
                return self._text[at:middle], b"traceparent: 00-%b-%b-01\r\n" % (trace, span)


def _begun(source: random.Random) -> Trace:
    trace, span = b"%032x" % (source.getrandbits(128) or 1), b"%016x" % (source.getrandbits(64) or 1)
    return Trace(trace.decode(), span.decode(), "", b"traceparent: 00-%b-%b-01\r\n" % (trace, span))
