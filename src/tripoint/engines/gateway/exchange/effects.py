"""What one request's machine asks of the world; the live shell and the simulator are the two that answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tripoint.domain.table import Target
    from tripoint.engines.gateway.exchange.exchange import Exchange
    from tripoint.engines.gateway.exchange.lanes import Lane
    from tripoint.engines.gateway.routing.query import Choice
    from tripoint.engines.gateway.wire.sse import StreamReader


class Outgoing:
    """What is sent to an upstream: an exchange's attempt, or an errand of the worker's own."""

    __slots__ = ("body", "head", "is_fresh", "path", "pieces", "sent_at")

    def __init__(self, path: bytes, head: bytes, body: bytes) -> None:
        self.path = path
        self.head = head
        """Header lines beyond host, content-type and content-length, each ended by CRLF."""
        self.body = body
        self.pieces: Sequence[bytes | memoryview] = ()
        """The body of one that is long, in pieces; `body` is empty then."""
        self.is_fresh = False
        """True when it must not use a kept connection (the last one was stale)."""
        self.sent_at = 0.0
        """When its bytes were handed to a connection; set by the shell."""


class Attempt(Outgoing):
    """One attempt at one upstream, ready to be sent; mutable, since it is the identity the shell reports on."""

    __slots__ = (
        "began_at", "choice", "expires_at", "lane", "parts", "reader", "retry_after_s", "size", "status", "target",
    )  # fmt: skip

    def __init__(self, choice: Choice, lane: Lane, now: float) -> None:
        # The fields of `Outgoing`, set here to spare every request a call.
        self.path = lane.path
        self.head = self.body = b""
        self.pieces = ()
        self.is_fresh = False
        self.sent_at = 0.0
        self.choice = choice
        self.lane = lane
        self.target: Target = choice.target
        self.began_at = now
        self.expires_at = 0.0
        """When it is given up without an answer."""
        self.status = 0
        self.retry_after_s = 0.0
        self.reader: StreamReader | None = None
        """Reads the events of a streamed answer."""
        self.parts: list[bytes] = []
        """Pieces of an answer that is held until it is whole."""
        self.size = 0
        """Bytes of the answer so far."""


class Effects(Protocol):
    """Commands of an exchange. After `dial`, the shell reports head, data and exactly one of end or lost."""

    def dial(self, attempt: Attempt) -> None:
        """Send the attempt to its target."""
        ...

    def drop(self, attempt: Attempt) -> None:
        """Stop an attempt; nothing more may be reported of it."""
        ...

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        """Send a whole answer; `head` is header lines, each ended by CRLF, without length or framing."""
        ...

    def begin(self, status: int, head: bytes) -> None:
        """Begin an answer of unknown length."""
        ...

    def write(self, data: bytes) -> None:
        """Pass on a piece of it."""
        ...

    def finish(self) -> None:
        """End it as complete."""
        ...

    def cut(self) -> None:
        """End it as visibly incomplete: the connection closes without the end of the body."""
        ...


class Shell:
    """The live shell: as `Effects`, by descent, so that compiled code knows where its functions are.

    Here is what every request asks of it; what is asked more rarely goes by `Effects` as in any other shell.
    """

    __slots__ = ("exchange",)

    def __init__(self) -> None:
        self.exchange: Exchange | None = None
        """The exchange under way."""

    def dial(self, attempt: Attempt) -> None:
        """See `Effects`."""
        raise AssertionError("the shell says how")

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        """See `Effects`."""
        raise AssertionError("the shell says how")

    def flush(self) -> None:
        """Called once after the exchange was told of one piece: what it commanded is written."""
        raise AssertionError("the shell says how")
