"""An upstream that says exactly what a test scripts, byte for byte, and a sink that notes what is reported."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.factories.serving import target

from tripoint.adapters.upstream_http.line import Line, Reports
from tripoint.adapters.upstream_http.pool import PoolOptions, Upstreams
from tripoint.domain.record import Failure
from tripoint.domain.table import Target
from tripoint.engines.gateway.exchange.effects import Outgoing

CUT = b"<cut>"
"""In a script: close the connection."""


def parcel(body: bytes = b"{}", *, is_fresh: bool = False) -> Outgoing:
    """Something to be sent."""
    made = Outgoing(b"/v1/chat/completions", b"x-request-id: r\r\n", body)
    made.is_fresh = is_fresh
    return made


class Noted:
    """The machine and its sink in one: notes everything."""

    def __init__(self, again: Callable[[Outgoing], Line] | None = None) -> None:
        self.exchange: Reports | None = self
        self.status = 0
        self.kind = b""
        self.body = b""
        self.pieces = 0
        self.ending = ""
        self.was_reused = False
        self.flushes = 0
        self.over = asyncio.Event()
        self.begun = asyncio.Event()
        self._again = again

    def on_head(self, attempt: Outgoing, status: int, kind: bytes, retry_after: bytes, now: float) -> None:
        """See `Reports`."""
        assert not self.ending
        self.status, self.kind = status, kind
        self.begun.set()

    def on_answer(
        self, attempt: Outgoing, status: int, kind: bytes, retry_after: bytes, body: bytes, now: float
    ) -> None:
        """See `Reports`."""
        assert not self.ending
        self.status, self.kind, self.body, self.ending = status, kind, body, "end"
        self.over.set()

    def on_data(self, attempt: Outgoing, data: bytes, now: float) -> None:
        """See `Reports`."""
        assert not self.ending
        self.body += data
        self.pieces += 1

    def on_end(self, attempt: Outgoing, now: float) -> None:
        """See `Reports`."""
        assert not self.ending
        self.ending = "end"
        self.over.set()

    def on_lost(self, attempt: Outgoing, failure: Failure, now: float, *, was_reused: bool = False) -> None:
        """See `Reports`."""
        assert not self.ending
        if was_reused and self._again is not None:
            attempt.is_fresh = True
            self._again(attempt)
            return
        self.ending, self.was_reused = failure.value, was_reused
        self.over.set()

    def flush(self) -> None:
        """See `Sink`."""
        self.flushes += 1

    async def wait(self) -> Noted:
        """Itself, once it is over."""
        await asyncio.wait_for(self.over.wait(), 10)
        return self


@dataclass
class Scripted:
    """The upstream."""

    target: Target
    upstreams: Upstreams
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def send(self, *, is_fresh: bool = False, body: bytes = b"{}") -> Noted:
        """Sends something and returns who is told."""
        noted = Noted()
        self.upstreams.send(self.target, parcel(body, is_fresh=is_fresh), noted)
        return noted

    async def ask(self, *, is_fresh: bool = False) -> Noted:
        """Sends something and waits until it is over."""
        return await self.send(is_fresh=is_fresh).wait()


@asynccontextmanager
async def scripted(
    answers: Sequence[Sequence[bytes | float]],
    *,
    options: PoolOptions | None = None,
    tls: ssl.SSLContext | None = None,
    **fields: Any,
) -> AsyncIterator[Scripted]:
    """An upstream whose nth request gets the nth answer: bytes to send, seconds to wait, `CUT` to close."""
    upstreams = Upstreams(options)
    found = Scripted(target("a"), upstreams)
    writers: list[asyncio.StreamWriter] = []

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
                found.requests.append(head + await reader.readexactly(length))
                if not await _play(answers[len(found.requests) - 1], writer):
                    break
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=tls)
    found.target = target("a", port=server.sockets[0].getsockname()[1], **fields)
    try:
        yield found
    finally:
        upstreams.close()
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


async def _play(answer: Sequence[bytes | float], writer: asyncio.StreamWriter) -> bool:
    for part in answer:
        if part == CUT:
            await writer.drain()
            writer.close()
            return False
        if isinstance(part, bytes):
            writer.write(part)
            await writer.drain()
        else:
            await asyncio.sleep(part)
    return True


def play(test: Callable[[], Awaitable[None]]) -> None:
    """Runs a test on a loop like a worker's."""
    import uvloop

    async def run() -> None:
        await asyncio.wait_for(test(), 30)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def answer(body: bytes = b'{"ok":1}', *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole answer with a length."""
    head = [b"HTTP/1.1 " + status, b"content-type: application/json", b"content-length: %d" % len(body), *lines]
    return b"\r\n".join([*head, b"", b""]) + body


def chunk(content: bytes) -> bytes:
    """One chunk."""
    return b"%x\r\n%b\r\n" % (len(content), content)


EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
