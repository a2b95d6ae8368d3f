"""One connection to an upstream: carries one attempt at a time and reports what becomes of it.

It trusts nothing it reads: a second answer nobody asked for, a switch of protocols, a body longer than promised or
shorter, a head without end: each ends the connection, and the attempt on it where it was not complete.
"""

from __future__ import annotations

import asyncio
import time
from math import inf
from typing import TYPE_CHECKING, Final, Protocol, cast

import httptools

from tripoint.domain.record import Failure
from tripoint.engines.gateway.exchange.effects import Outgoing, Shell
from tripoint.engines.gateway.wire.shapes.frames import content_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tripoint.adapters.upstream_http.pool import Pool
    from tripoint.engines.gateway.exchange.effects import Attempt
    from tripoint.engines.gateway.exchange.relay import Relay

_monotonic: Final = time.monotonic  # compiled, a name that was imported is looked up at each use
_MAX_HEAD: Final = 64 * 1024
_FRAMING: Final[tuple[bytes, ...]] = (b"content-length", b"transfer-encoding")
_JOINED: Final = 16 * 1024
"""Bodies up to this size are copied behind the head rather than written beside it."""


class Reports(Protocol):
    """Who is told what becomes of it: an exchange, or an errand."""

    def on_head(self, attempt: Outgoing, status: int, kind: bytes, retry_after: bytes, now: float) -> None:
        """Status came, with the values of `content-type` and `retry-after`."""
        ...

    def on_answer(
        self, attempt: Outgoing, status: int, kind: bytes, retry_after: bytes, body: bytes, now: float
    ) -> None:
        """A whole answer came in one piece."""
        ...

    def on_data(self, attempt: Outgoing, data: bytes, now: float) -> None:
        """A piece of the body came."""
        ...

    def on_end(self, attempt: Outgoing, now: float) -> None:
        """The body is complete."""
        ...

    def on_lost(self, attempt: Outgoing, failure: Failure, now: float, *, was_reused: bool = False) -> None:
        """There will be no (more) answer."""
        ...


class Sink(Protocol):
    """Who holds the machine that is told, and writes out what it commands."""

    exchange: Reports | None

    def flush(self) -> None:
        """Called once after the machine was told of one piece."""
        ...


class Line:
    """One connection; no `asyncio.Protocol` by descent, so that compiling makes a native class of it."""

    __slots__ = (
        "_body_size", "_has_head", "_has_length", "_head_size", "_is_between", "_is_broken", "_is_complete",
        "_is_interim", "_is_paused", "_is_told", "_keeps", "_kind", "_limit", "_parser", "_parts", "_retry_after",
        "_status", "_transport", "_uses", "attempt", "chunk", "idle_since", "lead", "piece", "pool", "relay",
        "sink",
    )  # fmt: skip

    def __init__(self, pool: Pool) -> None:
        # Compiled, fields lie in this order: what every event of a stream asks for, in one line of the cache.
        self.relay: Relay | None
        """The short way of events that are like the one before, once there is one."""
        self.attempt: Outgoing | None = None
        self.sink: Sink | None = None
        self._is_between = False
        self.pool = pool
        self.lead = b""
        """Request line and fixed headers of what it carries."""
        self.idle_since = 0.0
        self.piece = self.chunk = b""
        """What is being reported, and the chunk it came in: where it leaves as it is, so can that."""
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._uses = 0
        self._is_paused = self._is_broken = self._keeps = False
        self._limit = 0.0
        self._status = 0
        self._reset()

    def _reset(self) -> None:
        self._head_size = 0
        self._body_size = 0
        self._kind = self._retry_after = b""
        self._has_head = self._has_length = self._is_told = self._is_complete = self._is_interim = False
        self._is_between = False
        self.relay = None

    # --- commands --------------------------------------------------------------------------------------------------

    def carry(self, attempt: Outgoing, sink: Sink, lead: bytes) -> None:
        """Sends an attempt, now or as soon as the connection stands."""
        self.attempt, self.sink, self.lead = attempt, sink, lead
        transport = self._transport
        if transport is not None:
            self._send(attempt, transport)

    def drop(self) -> None:
        """Forgets its attempt; the connection is of no more use unless the answer was complete or never begun."""
        self.attempt = self.sink = self.relay = None
        if self._transport is not None and not self._is_complete:
            self._is_broken = True
            self._transport.abort()

    def close(self) -> None:
        """Ends an idle connection."""
        if self._transport is not None:
            self._transport.close()

    def pause(self) -> None:
        """Reads no more until `resume`: the caller is slower than the upstream."""
        if self._transport is not None and not self._is_paused and not self._transport.is_closing():
            self._is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Reads on."""
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def failed(self, failure: Failure) -> None:
        """Reports that its attempt is lost, where it has one."""
        attempt, sink = self.attempt, self.sink
        self.attempt = self.sink = None
        if attempt is None or sink is None or sink.exchange is None:
            return
        was_reused = self._uses > 1 and not self._head_size
        sink.exchange.on_lost(attempt, failure, _monotonic(), was_reused=was_reused)
        sink.flush()

    def _send(self, attempt: Outgoing, transport: asyncio.Transport) -> None:
        body = attempt.body
        size = len(body)
        self._uses += 1
        attempt.sent_at = _monotonic()
        if 0 < size <= _JOINED:
            transport.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (self.lead, attempt.head, size, body))
            return
        pieces: Sequence[bytes | memoryview] = (body,) if size else attempt.pieces
        if not size:
            size = sum([len(piece) for piece in pieces])
        transport.writelines((b"%b%bcontent-length: %d\r\n\r\n" % (self.lead, attempt.head, size), *pieces))

    # --- what the transport says -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends what waits for the connection."""
        self._transport = stream = cast("asyncio.Transport", transport)
        if self.attempt is not None:
            self._send(self.attempt, stream)
        else:
            self.pool.put_back(self, _monotonic())

    def connection_lost(self, exc: Exception | None) -> None:
        """The answer ends with the connection where it has no other end; else the attempt is lost."""
        self._transport = None
        self.pool.forget(self)
        attempt, sink = self.attempt, self.sink
        if attempt is None or sink is None:
            return
        if exc is None and self._ends_by_closing() and not self._is_broken:
            self.attempt = self.sink = None
            if sink.exchange is not None:
                sink.exchange.on_end(attempt, _monotonic())
                sink.flush()
            return
        self.failed(Failure.LOST if self._has_head else Failure.RESET)

    def eof_received(self) -> bool:
        """An upstream that sends no more is done: the connection closes."""
        return False

    def pause_writing(self) -> None:
        """An upstream may take a request as slowly as its time allows."""

    def resume_writing(self) -> None:
        """See `pause_writing`."""

    def data_received(self, data: bytes) -> None:
        """Parses a piece and reports it."""
        attempt, sink = self.attempt, self.sink
        if attempt is None or sink is None:
            self._break()  # an answer nobody asked for
            return
        if self._is_between:
            relay = self.relay
            if relay is not None and relay.attempt is attempt and relay.passes(data, _monotonic()):
                return
            # Most of a stream comes as one whole chunk a read: the parser stands between two chunks and stays there.
            start, exchange = content_at(data), sink.exchange
            if start and exchange is not None:
                self.piece = piece = data[start:-2]
                self.chunk = data
                exchange.on_data(attempt, piece, _monotonic())
                sink.flush()
                self.piece = self.chunk = b""
                return
        if not self._has_head:
            if not self._head_size and self._took_plain(attempt, sink, data):
                return
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._is_broken = True
        now = _monotonic()
        exchange = sink.exchange
        if exchange is None:  # the caller has left and the machine has said so already
            self._break()
            return
        if self._is_complete and not self._is_told and not self._is_broken:
            if self._keeps and self._head_size == len(data):
                self.pool.heads.learn(data)
            self._answer(attempt, exchange, now)
        else:
            self._report(attempt, exchange, now)
        sink.flush()  # in any case: the machine may have dropped the attempt and told its caller why

    def _took_plain(self, attempt: Outgoing, sink: Sink, data: bytes) -> bool:
        """Reports a whole answer whose head is of a kind this upstream has shown before; False where it is not."""
        pool, transport = self.pool, self._transport
        head = pool.heads.find(data)
        if head is None or head.length != len(data) - head.size or head.length > pool.max_answer:
            return False
        held: object = sink  # the live shell is called as what it is, others by name: compiled, that is dearer
        shell = held if isinstance(held, Shell) else None
        exchange = sink.exchange if shell is None else None
        machine = None if shell is None else shell.exchange
        if (exchange is None and machine is None) or transport is None or self._is_paused or transport.is_closing():
            return False
        now = _monotonic()
        self.attempt = self.sink = None
        pool.put_back(self, now)
        body = data[head.size :]
        if shell is not None and machine is not None:
            machine.on_answer(cast("Attempt", attempt), head.status, head.kind, b"", body, now)
            shell.flush()
        elif exchange is not None:
            exchange.on_answer(attempt, head.status, head.kind, b"", body, now)
            sink.flush()
        return True

    def _answer(self, attempt: Outgoing, exchange: Reports, now: float) -> None:
        """Reports an answer that came whole in one read, as most do that are not streamed."""
        parts, status, kind, retry_after = self._parts, self._status, self._kind, self._retry_after
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        if len(body) > self._limit:
            self.failed(Failure.ANSWER)
            self._break()
            return
        transport = self._transport
        if self._keeps and transport is not None and not self._is_paused and not transport.is_closing():
            self.attempt = self.sink = None
            self._head_size = 0
            self._has_head = self._has_length = self._is_complete = False
            self._kind = self._retry_after = b""
            self.pool.put_back(self, now)
        else:
            self._release(now)
        exchange.on_answer(attempt, status, kind, retry_after, body, now)

    def _report(self, attempt: Outgoing, exchange: Reports, now: float) -> None:
        """Reports a piece of an answer: head, one piece of body and end, each at most once."""
        if self._has_head and not self._is_told:
            self._is_told = True
            exchange.on_head(attempt, self._status, self._kind, self._retry_after, now)
        parts = self._parts
        if parts and self.attempt is attempt:
            piece = parts[0] if len(parts) == 1 else b"".join(parts)
            parts.clear()
            self._body_size += len(piece)
            if self._body_size > self._limit:
                self._is_broken = True
            else:
                exchange.on_data(attempt, piece, now)
        if self._is_complete and not self._is_broken:
            is_wanted = self.attempt is attempt
            self._release(now)
            if is_wanted:
                exchange.on_end(attempt, now)
        elif self._is_broken or (not self._has_head and self._head_size > _MAX_HEAD):
            self.failed(Failure.ANSWER)
            self._break()

    # --- what the parser says --------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the answer; four are of interest, and their lengths tell them from most others."""
        size = len(name)
        if size == 12:
            if name.lower() == b"content-type":
                self._kind = value
        elif size == 14 or size == 17:
            if name.lower() in _FRAMING:
                self._has_length = True
        elif size == 11 and name.lower() == b"retry-after":
            self._retry_after = value

    def on_headers_complete(self) -> None:
        """The head is complete: one of an interim answer is passed over, and none switches protocols."""
        status = self._parser.get_status_code()
        if self._is_complete or status == 101:
            self._is_broken = True
        elif status < 200:
            self._is_interim = True
            self._kind = self._retry_after = b""
            self._has_length = False
        else:
            self._status = status
            self._has_head = True
            # A stream is bounded by its deadline and the length of its lines instead.
            self._limit = inf if self._kind[:17].lower() == b"text/event-stream" else self.pool.max_answer

    def on_body(self, data: bytes) -> None:
        """A piece of the body; of an answer nobody asked for it is forgotten."""
        if not self._is_complete:
            self._parts.append(data)

    def on_chunk_header(self) -> None:
        """A chunk begins."""
        self._is_between = False

    def on_chunk_complete(self) -> None:
        """A chunk has ended."""
        self._is_between = self._is_told and self._limit == inf

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._is_interim:
            self._is_interim = False
        else:
            self._is_complete = True
            # To be asked here: once the parser has left the message it no longer knows.
            self._keeps = self._parser.should_keep_alive()

    # --- ends ------------------------------------------------------------------------------------------------------

    def _ends_by_closing(self) -> bool:
        return self._has_head and not self._has_length and self._status not in (204, 304)

    def _release(self, now: float) -> None:
        """The answer is complete: the connection is free, or of no more use."""
        self.attempt = self.sink = None
        transport = self._transport
        if transport is None or not self._keeps or transport.is_closing():
            self._break()
            return
        if self._is_paused:
            self.resume()
        self._reset()
        self.pool.put_back(self, now)

    def _break(self) -> None:
        self._is_broken = True
        if self._transport is not None:
            self._transport.abort()
