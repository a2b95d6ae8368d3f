"""What goes out to a caller: the effects of one exchange, framed as HTTP/1.1 and written once per piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tripoint.apps.gateway.http.spout import Spout, descriptor_of
from tripoint.engines.gateway.exchange.effects import Shell
from tripoint.engines.gateway.exchange.relay import passing_reader
from tripoint.engines.gateway.wire.refusal import error_body, error_event

if TYPE_CHECKING:
    from tripoint.apps.gateway.http.heads import Head
    from tripoint.apps.gateway.http.lobby import Line, Lobby
    from tripoint.domain.serving import Api
    from tripoint.engines.gateway.exchange.effects import Attempt
    from tripoint.engines.gateway.exchange.exchange import Exchange

_PHRASES: Mapping[int, str] = MappingProxyType({each.value: each.phrase for each in HTTPStatus})
_STATUS_LINES: Final[tuple[bytes, ...]] = tuple(
    [b"HTTP/1.1 %d %b\r\n" % (status, _PHRASES.get(status, "").encode()) for status in range(1_000)]
)
"""First lines of answers, by status; an upstream may give statuses that have no name."""


_NOT_ASKED: Final = -2
_UNSAFE_CODE: Final = "usage_not_recorded"
_UNSAFE: Final = (
    "the answer is complete, but its usage record could not be made durable, as this gateway promises; try again"
)


class Answering(Shell):
    """The writing half of a connection; `Connection` is the reading one.

    No `asyncio.Protocol` by descent: what derives from a class of Python stays one when it is compiled.
    """

    __slots__ = (
        "_closes", "_head", "_is_answered", "_is_begun", "_is_chunked", "_is_cut", "_line", "_lobby", "_others",
        "_out", "_owed", "_socket", "_spout", "_transport",
    )  # fmt: skip

    def __init__(self, lobby: Lobby) -> None:
        super().__init__()
        self._lobby = lobby
        self._transport: asyncio.Transport | None = None
        self._head: Head | None = None
        self._line: Line | None = None
        self._others: list[Line] = []
        self._out: list[bytes] = []
        self._is_answered = self._is_chunked = self._is_cut = self._closes = False
        self._is_begun = False
        """True once a part of the answer was sent; kept in durable mode only."""
        self._spout: Spout | None = None
        """What passes events of the present stream on, past the transport, once one was made."""
        self._socket = _NOT_ASKED
        """The descriptor it writes to."""
        self._owed: tuple[Api, bool, bytes] | None = None
        """While the end of an answer waits for its record to be safe: its interface, whether it is a stream, its id.

        The exchange has ended by then and is let go: what it held lies in the nearest cache for the next request, where
        those of a whole group that waits would push each other out of it.
        """

    def dial(self, attempt: Attempt) -> None:
        """See `Effects`."""
        line = self._lobby.upstreams.send(attempt.target, attempt, self)
        if self._line is not None and self._line.sink is self:
            self._others.append(self._line)
        self._line = line

    def drop(self, attempt: Attempt) -> None:
        """See `Effects`."""
        for line in self._lines():
            if line.attempt is attempt:
                line.drop()

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        """See `Effects`."""
        last = b"connection: close\r\n" if self._closes else b""
        lobby, transport = self._lobby, self._transport
        answer = b"%b%b%b%bcontent-length: %d\r\n\r\n%b" % (
            _STATUS_LINES[status],
            head,
            lobby.stamp,
            last,
            len(body),
            body,
        )
        self._is_answered = True
        if self.exchange is not None and transport is not None and lobby.seal is None and not self._out:
            transport.write(answer)  # at once: what is still to be noted of the request keeps nobody waiting
        else:
            self._out.append(answer)

    def say(self, status: int, head: bytes, body: bytes, *, is_head: bool) -> None:
        """Answers in our own name; HEAD gets the length of what it does not get."""
        self.reply(status, head, body)
        if is_head:
            self._out[-1] = self._out[-1].removesuffix(body)
        self.flush()

    def begin(self, status: int, head: bytes) -> None:
        """See `Effects`."""
        if self._head is not None and self._head.is_old:
            self._closes = True
            framing = b"connection: close\r\n\r\n"
        else:
            self._is_chunked = True
            framing = b"transfer-encoding: chunked\r\n\r\n"
            if self._closes:
                framing = b"connection: close\r\n" + framing
        self._out.append(b"%b%b%b%b" % (_STATUS_LINES[status], head, self._lobby.stamp, framing))

    def write(self, data: bytes) -> None:
        """See `Effects`."""
        if not self._is_chunked:
            self._out.append(data)
            return
        line = self._line
        if line is None or line.piece is not data:
            self._out.append(b"%x\r\n%b\r\n" % (len(data), data))
            return
        self._out.append(line.chunk)  # what passes through unchanged keeps the frame it came in
        exchange, transport = self.exchange, self._transport
        if line.relay is None and exchange is not None and transport is not None:
            line.relay = self._spout_of(exchange, line.attempt, transport)

    def finish(self) -> None:
        """See `Effects`."""
        if self._is_chunked:
            self._out.append(b"0\r\n\r\n")
        self._is_answered = True

    def cut(self) -> None:
        """See `Effects`."""
        self._is_answered = self._is_cut = True

    def flush(self) -> None:
        """Writes what was commanded since the last piece, at once, and ends the request where it is answered."""
        out, transport = self._out, self._transport
        seal = self._lobby.seal
        if seal is not None and (self._owed is not None or (self.exchange is not None and self._waits(seal))):
            return
        if out:
            data = out.pop() if len(out) == 1 else b"".join(out)
            if out:
                out.clear()
            if transport is not None:
                transport.write(data)
                if self._spout is not None:
                    self._spout.settle(transport, self._socket)
        if self._is_answered:
            self._answered(transport)

    def release(self, is_safe: bool) -> None:
        """The record of the request is safe, or cannot be made so: its answer ends well, or says that it did not."""
        owed, self._owed = self._owed, None
        if owed is not None and not is_safe and self._transport is not None:
            api, is_stream, shown = owed
            self._out.clear()
            self._is_answered = False
            if not self._is_begun:
                self._is_chunked = False
                head = b"content-type: application/json\r\nretry-after: 1\r\nx-request-id: %b\r\n" % shown
                self.reply(503, head, error_body(api, 503, _UNSAFE_CODE, _UNSAFE))
            elif is_stream:
                self.write(error_event(api, _UNSAFE_CODE, _UNSAFE, request_id=shown.decode("latin-1")))
                self.finish()
            else:
                self.cut()
        self._is_begun = False
        self.flush()

    def _spout_of(self, exchange: Exchange, attempt: Attempt, transport: asyncio.Transport) -> Spout | None:
        """The short way of the stream under way, where there is one; it begins with what is written next."""
        reader = passing_reader(exchange, attempt)
        if reader is None:
            return None
        if self._socket == _NOT_ASKED:
            self._socket = descriptor_of(transport)
        self._shut()
        self._spout = spout = Spout(exchange, attempt, reader, transport.write)
        return spout

    def _shut(self) -> None:
        """Nothing passes the transport any more."""
        if self._spout is not None:
            self._spout.close()
            self._spout = None

    def _waits(self, seal: Callable[[Callable[[bool], None]], None]) -> bool:
        """True when nothing is to be written now: the answer's end, from its last words on, waits for its record."""
        if not self._is_answered:
            line = self._line
            if not self._out and not self._others and (line is None or line.relay is None):
                return False  # as after each that was sent: nothing is to be written, nothing could pass
            is_ending = False
            for each in self._lines():
                if each.attempt.reader is not None and each.attempt.reader.is_done:
                    is_ending = True
                    each.relay = None  # nothing may pass what is held from now on
            self._is_begun = self._is_begun or (not is_ending and bool(self._out))
            return is_ending
        if self._is_cut:
            return False
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            self._owed = exchange.api, exchange.is_stream, exchange.shown
        self._shut()
        seal(self.release)
        return True

    def _answered(self, transport: asyncio.Transport | None) -> None:
        """The answer is complete, or will never be."""
        raise AssertionError("the reading half says what comes next")

    def _lines(self) -> list[Line]:
        """Lines that carry attempts of this exchange."""
        lines = [line for line in self._others if line.sink is self]
        if self._line is not None and self._line.sink is self:
            lines.append(self._line)
        return lines
