"""An upstream that says exactly what a test tells it to, piece by piece, and then ends, breaks off or falls silent."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

EVENT_STREAM = "text/event-stream"
DOCUMENT = "application/json"


class Then(Enum):
    """What follows the last piece."""

    END = "the answer ends well"
    CUT = "the connection breaks off"
    SILENCE = "nothing, until the other side leaves"


@dataclass(frozen=True)
class Script:
    """One answer."""

    pieces: Sequence[bytes] = ()
    """Sent one by one, each in a chunk of its own."""
    then: Then = Then.END
    status: int = 200
    kind: str = EVENT_STREAM
    wait_s: float = 0.0
    """Before the head."""


@dataclass
class ScriptedServer:
    """Plays one script a request, the last one again and again."""

    scripts: Sequence[Script]
    port: int = 0
    seen: list[Any] = field(default_factory=list)
    """Bodies of requests, parsed."""
    left: int = 0
    """Requests whose caller hung up before the answer was complete."""
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Begins to listen."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Closes every connection and listens no more."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller has left, or the test is over
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        length = next((int(line.split(":")[1]) for line in head if line.startswith("content-length")), 0)
        body = await reader.readexactly(length)
        script = self.scripts[min(len(self.seen), len(self.scripts) - 1)]
        self.seen.append(json.loads(body) if body else None)
        gone = asyncio.ensure_future(reader.read(1))
        try:
            await self._play(script, writer, gone)
        finally:
            if gone.done() and not gone.cancelled():
                self.left += 1
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone
        return script.then is Then.END

    async def _play(self, script: Script, writer: asyncio.StreamWriter, gone: asyncio.Future[bytes]) -> None:
        if script.wait_s:
            await asyncio.wait([gone], timeout=script.wait_s)
        head = f"HTTP/1.1 {script.status} X\r\ncontent-type: {script.kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        if script.pieces or script.then is Then.END:
            writer.write(head.encode())
        for piece in script.pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(0.002)
        if script.then is Then.SILENCE:
            await gone
        elif script.then is Then.END:
            writer.write(b"0\r\n\r\n")
            await writer.drain()


@contextmanager
def scripted(*scripts: Script) -> Iterator[ScriptedServer]:
    """Runs a scripted server in a thread of its own."""
    server = ScriptedServer(scripts)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="scripted", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
