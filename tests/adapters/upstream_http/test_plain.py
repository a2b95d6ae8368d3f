"""Heads that are recognised: what a pattern accepts, the parser reads as the same; what frames answers is parsed."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.upstream_http.plain import PlainHeads

HEAD = (
    b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\nX-Request-Id: r1\r\n\r\n"
)
NAMES = [b"Date", b"x-request-id", b"content-type", b"Content-Length", b"Server", b"connection"]
VALUES = [b"2", b"02", b"close", b"application/json", b"r\r\nX: y", b"a\nb"]


class Parsed:
    """What the C parser makes of an answer."""

    def __init__(self, data: bytes) -> None:
        self.kind = self.body = b""
        self.status = 0
        self.is_whole = self.keeps = self.is_broken = False
        self._parser = httptools.HttpResponseParser(self)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.is_broken = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps the content type."""
        if name.lower() == b"content-type":
            self.kind = value

    def on_body(self, data: bytes) -> None:
        """Keeps the body."""
        self.body += data

    def on_message_complete(self) -> None:
        """Asks what can only be asked now."""
        self.is_whole = True
        self.status = self._parser.get_status_code()
        self.keeps = self._parser.should_keep_alive()


def learnt(*heads: bytes) -> PlainHeads:
    """What was learnt from answers with these heads."""
    found = PlainHeads()
    for head in heads:
        found.learn(head + b"{}")
    return found


@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.binary(max_size=12) | st.sampled_from(VALUES),
        ),
        max_size=5,
    ),
    st.sampled_from([b"{}", b"", b"{}{", b"{}HTTP/1.1 200 OK\r\n\r\n"]),
)  # fmt: skip
def test_what_is_recognised_is_what_the_parser_reads(lines: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Values of any bytes in a head of the same shape, and of any other."""
    named = dict(lines)
    kept = b"".join(
        line.partition(b":")[0] + b": " + named.get(line.partition(b":")[0], line.partition(b":")[2].strip()) + b"\r\n"
        for line in HEAD.split(b"\r\n")[1:-2]
    )
    free = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
    for head in (b"HTTP/1.1 200 OK\r\n" + kept + b"\r\n", b"HTTP/1.1 200 OK\r\n" + free + b"\r\n"):
        data = head + body
        found = learnt(HEAD).find(data)
        if found is not None and found.length == len(data) - found.size:
            parsed = Parsed(data)
            assert parsed.is_whole
            assert not parsed.is_broken
            assert parsed.keeps
            assert (parsed.status, parsed.kind, parsed.body) == (found.status, found.kind, data[found.size :])


def test_another_date_id_and_length_are_the_same_head() -> None:
    """What differs from one answer to the next does not matter."""
    found = learnt(HEAD).find(HEAD.replace(b"r1", b"r-22").replace(b": 2\r", b": 171\r").replace(b"Sun", b"Mon"))
    assert found is not None
    assert (found.status, found.kind, found.length) == (200, b"application/json", 171)


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        HEAD.replace(b"X-Request-Id: r1", b"Connection: close"),
        HEAD.replace(b"X-Request-Id: r1", b"Retry-After: 1"),
        HEAD.replace(b"X-Request-Id: r1", b"Content-Length: 2"),
        HEAD.replace(b"X-Request-Id: r1", b"Upgrade: h2c"),
        HEAD.replace(b"X-Request-Id: r1", b"X-Odd: \xff"),
        HEAD.replace(b"application/json", b"text/event-stream"),
        HEAD.replace(b"HTTP/1.1", b"HTTP/1.0"),
        HEAD.replace(b"200 OK", b"204 No Content"),
        HEAD.replace(b"Content-Length: 2\r\n", b""),
        HEAD[:-4],
    ],
)
def test_what_frames_an_answer_is_never_learnt(head: bytes) -> None:
    """Nor what has no length, ends with the connection, or says when to come again."""
    assert learnt(head).find(head + b"{}") is None


def test_no_more_kinds_are_kept_than_pay() -> None:
    """An upstream whose heads always differ in shape is read by the parser, and costs no memory."""
    heads = [HEAD.replace(b"X-Request-Id", b"X-%d" % number) for number in range(20)]
    found = learnt(*heads)
    met = [found.find(head + b"{}") is not None for head in heads]
    assert met == [True] * 8 + [False] * 12
