"""Heads: what is accepted is what the C parser reads, and what could be read in two ways is refused."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tripoint.apps.gateway.http.heads import CHUNKED, Head, KnownHead, Refusal, looks_bad, read_head

POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n"


def head_of(*lines: bytes, first: bytes = b"POST /v1/chat/completions HTTP/1.1", host: bytes = b"Host: a") -> bytes:
    """A head of these lines."""
    return b"\r\n".join([first, *([host] if host else []), *lines, b"", b""])


def read(*lines: bytes, first: bytes = b"POST /v1/chat/completions HTTP/1.1", host: bytes = b"Host: a") -> Head:
    """A head that must be accepted."""
    found = read_head(head_of(*lines, first=first, host=host))
    assert isinstance(found, Head), found
    return found


REFUSED: dict[str, tuple[bytes, int]] = {
    "length and coding": (head_of(b"Content-Length: 3", b"Transfer-Encoding: chunked"), 400),
    "two lengths": (head_of(b"Content-Length: 3", b"Content-Length: 3"), 400),
    "a list of lengths": (head_of(b"Content-Length: 3, 3"), 400),
    "a signed length": (head_of(b"Content-Length: +3"), 400),
    "a long length": (head_of(b"Content-Length: " + b"9" * 16), 400),
    "another coding": (head_of(b"Transfer-Encoding: gzip, chunked"), 400),
    "two codings": (head_of(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400),
    "chunked in 1.0": (head_of(b"Transfer-Encoding: chunked", first=b"POST /v1/completions HTTP/1.0"), 400),
    "bare LF": (b"POST /v1/completions HTTP/1.1\nHost: a\n\n", 400),
    "one bare LF": (POST + b"a: b\n\r\n", 400),
    "bare CR": (POST + b"a: b\rc\r\n\r\n", 400),
    "folded": (POST + b"a: b\r\n c\r\n\r\n", 400),
    "blank before colon": (head_of(b"a : b"), 400),
    "no colon": (head_of(b"abc"), 400),
    "empty name": (head_of(b": b"), 400),
    "bad name": (head_of(b"a(b: c"), 400),
    "NUL in value": (head_of(b"a: b\x00c"), 400),
    "control in value": (head_of(b"a: b\x01c"), 400),
    "no host": (head_of(host=b""), 400),
    "two hosts": (head_of(b"Host: b"), 400),
    "host with a path": (head_of(host=b"Host: a/b"), 400),
    "host with a user": (head_of(host=b"Host: u@a"), 400),
    "two authorizations": (head_of(b"Authorization: a", b"Authorization: b"), 400),
    "absolute form": (head_of(first=b"POST http://a/v1/completions HTTP/1.1"), 400),
    "authority form": (head_of(first=b"CONNECT a:80 HTTP/1.1"), 400),
    "asterisk": (head_of(first=b"OPTIONS * HTTP/1.1"), 400),
    "two blanks": (head_of(first=b"POST  /v1/completions HTTP/1.1"), 400),
    "tab": (head_of(first=b"POST\t/v1/completions HTTP/1.1"), 400),
    "small letters": (head_of(first=b"post /v1/completions HTTP/1.1"), 400),
    "version 2": (head_of(first=b"POST /v1/completions HTTP/2.0"), 400),
    "version 1.2": (head_of(first=b"POST /v1/completions HTTP/1.2"), 400),
    "path beyond ASCII": (head_of(first=b"POST /v1/\xc3\xa9 HTTP/1.1"), 400),
    "an empty line first": (b"\r\n" + head_of(), 400),
    "129 headers": (head_of(*[b"a%d: b" % each for each in range(129)]), 400),
    "expects something": (head_of(b"Expect: 200-ok", b"Content-Length: 3"), 417),
    "compressed": (head_of(b"Content-Encoding: gzip", b"Content-Length: 3"), 415),
    "GET with a body": (head_of(b"Content-Length: 3", first=b"GET /v1/models HTTP/1.1"), 400),
    "unknown path": (head_of(first=b"POST /v1/files HTTP/1.1"), 404),
    "path escaped": (head_of(first=b"POST /v1/chat%2fcompletions HTTP/1.1"), 404),
    "dots": (head_of(first=b"GET /v1/../metrics HTTP/1.1"), 404),
    "wrong method": (head_of(first=b"DELETE /v1/models HTTP/1.1"), 405),
    "HEAD of a POST": (head_of(first=b"HEAD /v1/completions HTTP/1.1"), 405),
}


@pytest.mark.parametrize("name", REFUSED)
def test_doubtful_heads_are_refused(name: str) -> None:
    """Each with the status that says why."""
    block, status = REFUSED[name]
    found = read_head(block)
    assert isinstance(found, Refusal)
    assert found.status == status


def test_a_proper_head_is_understood() -> None:
    """Names in any case, values trimmed, the last of a repeated one."""
    found = read(b"content-LENGTH:  12 ", b"X-A: 1", b"x-a: 2", b"AUTHORIZATION: Bearer k")
    assert found.length == 12
    assert found.headers[b"x-a"] == b"2"
    assert found.headers[b"authorization"] == b"Bearer k"
    assert found.keeps
    assert not found.expects


@pytest.mark.parametrize(
    ("lines", "first", "keeps"),
    [
        ([], b"GET /healthz HTTP/1.1", True),
        ([b"Connection: close"], b"GET /healthz HTTP/1.1", False),
        ([b"Connection: Keep-Alive, Close"], b"GET /healthz HTTP/1.1", False),
        ([], b"GET /healthz HTTP/1.0", False),
        ([b"Connection: keep-alive"], b"GET /healthz HTTP/1.0", True),
    ],
)
def test_who_keeps_the_connection(lines: list[bytes], first: bytes, keeps: bool) -> None:
    """As the version and the header say."""
    assert read(*lines, first=first).keeps is keeps


def test_a_wish_to_speak_something_else_is_passed_over() -> None:
    """An upgrade is not taken: the request is an ordinary one."""
    found = read(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk",
                 first=b"GET /v1/models HTTP/1.1")  # fmt: skip
    assert found.length == 0
    assert found.keeps


@pytest.mark.parametrize("shown", [b"a b", b"x" * 65, b"a\xffb", b"a,b", b""])
def test_request_ids_that_could_not_be_written_down_are_forgotten(shown: bytes) -> None:
    """Only plain, short ids are taken over."""
    assert b"x-request-id" not in read(b"X-Request-Id: " + shown).headers
    assert read(b"X-Request-Id: abc-1._").headers[b"x-request-id"] == b"abc-1._"


@pytest.mark.parametrize(
    ("lines", "host", "is_foreign"),
    [
        ([], b"Host: localhost:8080", False),
        ([], b"Host: 127.0.0.1", False),
        ([], b"Host: [::1]:8080", False),
        ([], b"Host: evil.example", True),
        ([], b"Host: localhost.evil.example", True),
        ([b"Origin: http://localhost:3000"], b"Host: localhost", False),
        ([b"Origin: https://evil.example"], b"Host: localhost", True),
        ([b"Origin: null"], b"Host: localhost", True),
    ],
)
def test_names_and_pages_from_elsewhere_are_known(lines: list[bytes], host: bytes, is_foreign: bool) -> None:
    """A rebound name or another origin's page is told apart."""
    assert read(*lines, host=host).is_foreign is is_foreign


class _Seen:
    def __init__(self) -> None:
        self.url = b""
        self.fields: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))


PIECES = st.sampled_from(
    [b"POST ", b"GET ", b"/v1/models", b"/v1/chat/completions", b" HTTP/1.1", b"\r\n", b"\n", b"\r", b"Host: a",
     b"Content-Length: 3", b"Content-Length: 0", b"Transfer-Encoding: chunked", b"X: y", b":", b" ", b"\t", b"\x00",
     b"chunked", b",", b"\xff", b"\x0b", b"Connection: close", b"Expect: 100-continue"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map(b"".join), st.booleans())
@example(head_of(b"Content-Length: 3"), False)
@example(head_of(b"Transfer-Encoding: chunked", b"Connection: close"), False)
def test_what_is_accepted_is_what_the_c_parser_reads(block: bytes, is_ended: bool) -> None:
    """No head gets through that llhttp would refuse or understand in another way; nothing raises."""
    block = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" * is_ended + block + b"\r\n\r\n" * is_ended
    found = read_head(block)
    if isinstance(found, Refusal):
        assert 400 <= found.status < 500
        return
    seen = _Seen()
    parser = httptools.HttpRequestParser(seen)
    parser.feed_data(block)
    names = {name.lower() for name, _ in seen.fields}
    assert set(found.headers) | {b"x-request-id", b"content-length"} >= names
    lengths = [int(value) for name, value in seen.fields if name.lower() == b"content-length"]
    assert found.length == (CHUNKED if b"transfer-encoding" in names else sum(lengths[:1]))
    assert (found.length == CHUNKED) == (b"transfer-encoding" in names)
    assert not (b"transfer-encoding" in names and b"content-length" in names)
    assert sum(name.lower() == b"host" for name, _ in seen.fields) == 1 or found.is_old
    assert parser.should_keep_alive() == found.keeps or b"connection" in names


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(block: bytes) -> None:
    """Random bytes are refused, whole or in part."""
    assert isinstance(read_head(block), Refusal)
    looks_bad(block)


@given(st.integers(0, 60))
def test_the_beginning_of_a_proper_head_never_looks_bad(length: int) -> None:
    """However it is cut."""
    block = head_of(b"Content-Length: 3", b"X-Tab: a\tb")
    assert not looks_bad(block[:length])
    assert not looks_bad(block)


@pytest.mark.parametrize("part", [b"GET / HTTP/1.1\n", b"GET /\x00", b"a: b\r\n c", b"a\rb"])
def test_what_cannot_become_proper_is_seen_early(part: bytes) -> None:
    """A caller is not waited for once its head is beyond repair."""
    assert looks_bad(part)


KNOWN = head_of(b"Authorization: Bearer k", b"Content-Length: 30", b"X-After: 1")


@given(st.one_of(
    st.binary(max_size=20), st.from_regex(rb"[0-9]{1,17}", fullmatch=True),
    st.sampled_from([b"30", b"0", b"00", b"07", b"+3", b" 3", b"3 ", b"3\r\nX: y", b"3\r\nA: 4", b"3,4", b""]),
), st.binary(max_size=12), st.integers(0, 3))  # fmt: skip
def test_a_known_head_is_recognised_exactly_where_reading_it_says_the_same(
    digits: bytes, after: bytes, cut: int
) -> None:
    """Whatever stands in place of the length, and whatever follows."""
    known = KnownHead(KNOWN, read(b"Authorization: Bearer k", b"Content-Length: 30", b"X-After: 1"))
    block = KNOWN.replace(b"30", digits)
    data = block[: len(block) - cut] + (b"" if cut else after)
    size = known.size_in(data)
    if size:
        assert data[:size] == block
        assert read_head(block) == known.head
        assert known.head.length == int(digits)
        assert known.size_in(data) == size
    else:
        found = read_head(block)
        assert cut or isinstance(found, Refusal) or found.length == 0 or not digits.isdigit()


def test_a_known_head_without_a_length_is_recognised_to_the_byte() -> None:
    """And nothing that only begins like it."""
    block = head_of(first=b"GET /v1/models HTTP/1.1")
    known = KnownHead(block, read(first=b"GET /v1/models HTTP/1.1"))
    assert known.size_in(block + b"rest") == len(block)
    assert known.size_in(block[:-2] + b"X: 1\r\n\r\n") == 0
    assert known.size_in(block[:-1]) == 0
