"""Trace context: what the recommendation calls valid goes on, everything else begins anew, nothing can be injected."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tripoint.engines.gateway.telemetry.trace import TraceSource, is_tracestate, trace_context

TRACE, SPAN = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"
GOOD = b"00-%b-%b-01" % (TRACE, SPAN)
HEAD = re.compile(rb"traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\r\n(?:tracestate: [\x20-\x7e\t]+\r\n)?")


def source() -> random.Random:
    """The same ids every time."""
    return random.Random(7)


def test_a_callers_trace_goes_on_with_a_span_of_ours() -> None:
    """Same trace, same flags, same state; the caller's span is our parent, ours the upstream's."""
    trace = trace_context(GOOD, b"congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", source())
    assert trace.trace_id.encode() == TRACE
    assert trace.parent_id.encode() == SPAN
    assert trace.span_id not in ("", trace.parent_id)
    assert trace.head == (
        b"traceparent: 00-%b-%b-01\r\ntracestate: congo=t61rcWkgMzE,rojo=00f067aa0ba902b7\r\n"
        % (TRACE, trace.span_id.encode())
    )
    assert trace == trace_context(GOOD, b"congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", source())


def test_without_a_trace_one_begins() -> None:
    """Sampled, with no parent, and never the same twice."""
    ids = source()
    first, second = trace_context(None, b"congo=1", ids), trace_context(None, None, ids)
    assert first.parent_id == ""
    assert first.head == b"traceparent: 00-%b-%b-01\r\n" % (first.trace_id.encode(), first.span_id.encode())
    assert first.trace_id != second.trace_id
    assert first.span_id != second.span_id


@pytest.mark.parametrize(
    "header",
    [
        b"", b"00", GOOD.upper(), GOOD + b"-", GOOD + b"-00", GOOD + b" ", b" " + GOOD, GOOD + b"\n", GOOD[:-1],
        b"ff" + GOOD[2:], b"0g" + GOOD[2:], GOOD.replace(b"-", b"_"), b"00-%b-%b-01" % (b"0" * 32, SPAN),
        b"00-%b-%b-01" % (TRACE, b"0" * 16), b"00-%b-%b-0x" % (TRACE, SPAN), b"01-%b-%b-01." % (TRACE, SPAN),
        GOOD + b"," + GOOD,
    ],
)  # fmt: skip
def test_what_is_not_valid_begins_anew(header: bytes) -> None:
    """Upper case, zeros, the forbidden version, something behind: a new trace, and the state is dropped."""
    trace = trace_context(header, b"congo=1", source())
    assert trace.parent_id == ""
    assert trace.trace_id.encode() != TRACE
    assert b"tracestate" not in trace.head


@pytest.mark.parametrize("more", [b"", b"-", b"-what-the-future-will-be-like"])
def test_a_later_version_is_read_as_far_as_we_know_it(more: bytes) -> None:
    """Ids and the sampled flag are taken; what we send on is version 00."""
    trace = trace_context(b"cc-%b-%b-ff" % (TRACE, SPAN) + more, None, source())
    assert trace.parent_id.encode() == SPAN
    assert trace.head == b"traceparent: 00-%b-%b-01\r\n" % (TRACE, trace.span_id.encode())


@pytest.mark.parametrize(
    "state",
    [
        b"a=1", b"a=1,b=2", b" a=1 ,\tb=2", b"a=1,,b=2", b"tenant@system=x y", b"0vendor=1", b"a=" + b"x" * 256,
        b",".join(b"k%d=v" % number for number in range(32)),
    ],
)  # fmt: skip
def test_a_state_by_the_grammar_is_passed_on(state: bytes) -> None:
    """Spaces, empty members, tenants, 32 members."""
    assert is_tracestate(state)
    assert b"tracestate: %b\r\n" % state in trace_context(GOOD, state, source()).head


@pytest.mark.parametrize(
    "state",
    [
        b"", b",", b"a", b"a=", b"=1", b"A=1", b"a=1,a=2", b"a=1=2", b"a=\xc3\xa9", b"a=1\r\nx: y", b"a=1\x00",
        b"a=" + b"x" * 257, b"k" * 257 + b"=1", b"a@=1", b"a@B=1", b"a=1;b=2,c", b"a=" + b"x" * 600,
        b",".join(b"k%d=v" % number for number in range(33)),
    ],
)  # fmt: skip
def test_any_other_state_is_dropped_and_the_trace_goes_on(state: bytes) -> None:
    """Members without value, twice the same key, controls, too many, too long."""
    assert not is_tracestate(state)
    trace = trace_context(GOOD, state, source())
    assert trace.parent_id.encode() == SPAN
    assert b"tracestate" not in trace.head


@given(st.binary(max_size=80) | st.just(GOOD), st.binary(max_size=80))
@example(GOOD, b"a=1\r\nevil: 1")
@example(b"01-%b-%b-01-\r\nevil: 1" % (TRACE, SPAN), b"")
def test_no_header_of_a_caller_adds_a_line(parent: bytes, state: bytes) -> None:
    """Whatever comes, what goes out are one or two header lines of the grammar."""
    assert HEAD.fullmatch(trace_context(parent, state, source()).head)


def test_traces_begun_one_after_the_other_all_differ() -> None:
    """Also beyond those that are drawn at once; each header line carries its id, a span of ours, and is sampled."""
    traces = TraceSource(source())
    begun = [traces.begun() for _ in range(50)]
    assert len({trace_id for trace_id, _ in begun}) == 50
    for trace_id, head in begun:
        found = trace_context(head[13:-2], None, source())
        assert (found.trace_id, head[-5:]) == (trace_id, b"-01\r\n")
