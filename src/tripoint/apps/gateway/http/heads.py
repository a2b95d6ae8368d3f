"""The head of a request: one grammar, stricter than the C parser's, and both must agree before a byte is believed.

A head is refused rather than repaired: whatever two servers in a row could read differently ends here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import httptools

from tripoint.apps.gateway.http.endpoints import BY_PATH, Endpoint

if TYPE_CHECKING:
    from tripoint.engines.gateway.entry.said import Said

_HEAD: Final = re.compile(
    rb"[A-Z]{1,20} /[!-~]* HTTP/1\.[01]\r\n"
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}:[\t\x20-\x7e\x80-\xff]*\r\n){0,128}\r\n"
)
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._\-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_LOCAL: Final = re.compile(rb"(?i:localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])(?::[0-9]{1,5})?")
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
_LENGTH_DIGITS: Final = 15
_ZERO: Final = ord("0")
_LENGTH: Final = re.compile(rb"[0-9]{1,%d}" % _LENGTH_DIGITS)
_LENGTH_LINE: Final = re.compile(rb"\r\n(?i:content-length):[ \t]*([0-9]+)[ \t]*\r\n")
_BAD_SO_FAR: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n|$)|\n[ \t]")
_ONCE: Final = frozenset(
    (b"host", b"content-length", b"transfer-encoding", b"authorization", b"x-api-key", b"api-key", b"expect",
     b"content-type", b"content-encoding", b"x-request-id", b"traceparent", b"x-tripoint-classification",
     b"x-tripoint-workload", b"x-tripoint-timeout-ms")
)  # fmt: skip

CHUNKED: Final = -1
"""`Head.length` of a chunked body."""


class Refusal(NamedTuple):
    """Why a request cannot be read; the connection closes after the answer."""

    status: int
    """HTTP status."""
    code: str
    """Error code."""
    message: str
    """One sentence."""
    head: bytes = b""
    """Lines of the answer's head that belong to it, each with its end."""


class Head(NamedTuple):
    """What a head says."""

    endpoint: Endpoint
    """What is asked."""
    headers: dict[bytes, bytes]
    """Values by lower-case name, the last one where a name repeats, without the length; to be read, never changed."""
    length: int
    """Length of the body, bytes; `CHUNKED` when chunked."""
    keeps: bool
    """True when the connection may carry another request."""
    expects: bool
    """True when the caller waits for `100 Continue`."""
    is_head: bool
    """True for HEAD: the answer has no body."""
    is_old: bool
    """True for HTTP/1.0: no chunked answers."""
    is_foreign: bool
    """True when it names another host than this machine, or comes from a page of another origin."""


class KnownHead:
    """A head read before: the same one again, whatever its content length, need not be read again."""

    __slots__ = ("_before_size", "_told", "after", "api", "before", "is_foreign", "keeps", "length", "said")

    def __init__(self, block: bytes, head: Head) -> None:
        self._told = head
        self.said: Said | None = None
        """What the machines understand of it, for requests that go through them."""
        found = _LENGTH_LINE.search(block) if head.length > 0 else None
        self.before = block[: found.start(1)] if found else block
        """What comes before the length; the whole head where it has none."""
        self.after = block[found.end(1) :] if found else b""
        """What comes after the length."""
        self.length = head.length
        """Length of the body by the head that was recognised last, bytes, as in `Head`."""
        # The rest of what every request asks of a head, kept here: reaching into a named tuple costs more.
        self.api = head.endpoint.api
        self.keeps = head.keeps
        self.is_foreign = head.is_foreign
        self._before_size = len(self.before)

    @property
    def head(self) -> Head:
        """What the head that was recognised last says."""
        return self._told._replace(length=self.length)

    @property
    def told(self) -> Head:
        """The same, with any length."""
        return self._told

    def size_in(self, data: bytes) -> int:
        """Length of this head where `data` begins with it, and then `length` is what it tells; 0 where it does not."""
        at = self._before_size
        if not data.startswith(self.before):
            return 0
        after = self.after
        if not after:
            return at
        # What lies between may only be a length: anything else, a line break above all, is read as a whole.
        length, last = 0, min(len(data), at + _LENGTH_DIGITS)
        while at < last:
            digit = data[at] - _ZERO
            if not 0 <= digit <= 9:
                break
            length = 10 * length + digit
            at += 1
        end = at + len(after)
        if length == 0 or data[at:end] != after:
            return 0
        self.length = length
        return end


class _Fields:
    """Collects what the C parser sees."""

    __slots__ = ("fields", "is_complete", "url")

    def __init__(self) -> None:
        self.url = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.is_complete = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.strip()))  # the C parser leaves blanks at the end

    def on_headers_complete(self) -> None:
        self.is_complete = True


def asks_head(data: bytes) -> bool:
    """True for what begins as HEAD does, readable or not: no answer to it has a body, or it would be the next one."""
    return data.startswith(b"HEAD ")


def looks_bad(part: bytes) -> bool:
    """True when the beginning of a head can no longer become a proper one."""
    return _BAD_SO_FAR.search(part) is not None


def read_head(block: bytes) -> Head | Refusal:
    """Reads a whole head, its empty line included."""
    if _HEAD.fullmatch(block) is None:
        return Refusal(400, "bad_request", "the request's headers are not valid HTTP/1.1")
    fields = _Fields()
    parser = httptools.HttpRequestParser(fields)
    try:
        parser.feed_data(block)
    except httptools.HttpParserUpgrade:
        pass  # asked to speak something else: we stay with HTTP/1.1, as we may
    except httptools.HttpParserError:
        return Refusal(400, "bad_request", "the request's headers are not valid HTTP/1.1")
    if not fields.is_complete:
        return Refusal(400, "bad_request", "the request's headers are not valid HTTP/1.1")
    headers = dict(fields.fields)
    if len(headers) < len(fields.fields) and _repeats(fields.fields):
        return Refusal(400, "bad_request", "a header that may appear once is repeated")
    if _REQUEST_ID.fullmatch(headers.get(b"x-request-id", b"-")) is None:
        del headers[b"x-request-id"]  # it would be sent on and written down
    return _meaning(block, fields.url, headers)


def _repeats(fields: list[tuple[bytes, bytes]]) -> bool:
    names = [name for name, _ in fields if name in _ONCE]
    return len(names) > len(set(names))


def _meaning(block: bytes, url: bytes, headers: dict[bytes, bytes]) -> Head | Refusal:
    line = block[: block.index(b"\r\n")]
    is_old = line.endswith(b"1.0")
    host = headers.get(b"host")
    if host is None if not is_old else False:
        return Refusal(400, "bad_request", "there is no host header")
    if host is not None and _HOST.fullmatch(host) is None:
        return Refusal(400, "bad_request", "the host header is not a host name")
    length = _length(headers, is_old=is_old)
    if isinstance(length, Refusal):
        return length
    headers.pop(b"content-length", None)  # it is told once, so that heads of other lengths can share the rest
    expect = headers.get(b"expect")
    if expect is not None and expect.lower() != b"100-continue":
        return Refusal(417, "expectation_failed", "`expect` may only be `100-continue`")
    endpoint = BY_PATH.get(url.partition(b"?")[0])
    if endpoint is None:
        return Refusal(404, "not_found", "there is no such path")
    method = line[: line.index(b" ")]
    is_head = method == b"HEAD" and endpoint.method == b"GET"
    if method != endpoint.method and not is_head:
        taken = b"GET, HEAD" if endpoint.method == b"GET" else endpoint.method
        message = f"this path takes {taken.decode().replace(', ', ' and ')} only"
        return Refusal(405, "method_not_allowed", message, b"allow: %b\r\n" % taken)
    if endpoint.method == b"GET" and length:
        return Refusal(400, "bad_request", "a request without a body was expected")
    asked = headers.get(b"connection", b"").lower()
    keeps = b"keep-alive" in asked if is_old else b"close" not in asked
    expects = expect is not None and length != 0 and not is_old
    return Head(endpoint, headers, length, keeps, expects, is_head, is_old, _is_foreign(host, headers.get(b"origin")))


def _is_foreign(host: bytes | None, origin: bytes | None) -> bool:
    """Names that lead elsewhere come here by rebinding, and other origins by a page somebody was lured to."""
    return (host is not None and _LOCAL.fullmatch(host) is None) or (
        origin is not None and _LOCAL.fullmatch(origin.partition(b"://")[2]) is None
    )


def _length(headers: dict[bytes, bytes], *, is_old: bool) -> int | Refusal:
    coding, length = headers.get(b"transfer-encoding"), headers.get(b"content-length")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        return Refusal(415, "unsupported_encoding", "compressed bodies are not accepted")
    if coding is not None:
        if length is not None or is_old or coding.lower() != b"chunked":
            return Refusal(400, "bad_request", "the length of the body is ambiguous")
        return CHUNKED
    if length is None:
        return 0
    if _LENGTH.fullmatch(length) is None:
        return Refusal(400, "bad_request", "the content length is not a number")
    return int(length)
