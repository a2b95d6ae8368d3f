"""W3C trace context through the gateway: the caller's trace goes on, with a span of ours as the upstream's parent."""

from __future__ import annotations

import random
import re
from typing import NamedTuple

_TRACEPARENT = re.compile(rb"\A(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:\Z|-)")
_NO_TRACE = b"0" * 32
_NO_SPAN = b"0" * 16
_STATE_BYTES = 512


class TraceContext(NamedTuple):
    """The trace one request belongs to."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """The gateway's own span, 16 hexadecimal digits: the parent that upstreams see."""
    parent_id: str
    """The caller's span, empty when the trace begins here."""
    head: bytes
    """Header lines for the upstream, each ended by CRLF."""


def trace_context(traceparent: bytes | None, tracestate: bytes | None, source: random.Random) -> TraceContext:
    """The context of a request; a header that is absent or not valid begins a new trace.

    `source` makes ids, so that a replay makes the same ones. A tracestate longer than 512 bytes is dropped, as the
    recommendation allows.
    """
    found = _TRACEPARENT.match(traceparent) if traceparent is not None else None
    if found is None or found[1] == _NO_TRACE or found[2] == _NO_SPAN:
        bits = source.getrandbits(192) | 1 << 64 | 1
        name = b"%048x" % bits
        trace, span = name[:32], name[32:]
        head = b"traceparent: 00-%b-%b-01\r\n" % (trace, span)
        return TraceContext(trace.decode(), span.decode(), "", head)
    trace, parent, flags = found.groups()
    span = b"%016x" % (source.getrandbits(64) | 1)
    head = b"traceparent: 00-%b-%b-%b\r\n" % (trace, span, flags)
    if tracestate and len(tracestate) <= _STATE_BYTES and tracestate.isascii():
        head += b"tracestate: %b\r\n" % tracestate
    return TraceContext(trace.decode(), span.decode(), parent.decode(), head)
