"""Callers who do not read, and callers who leave: what they may hold of the gateway and of the upstreams behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tripoint.apps.battery.load import chats
from tripoint.apps.battery.rig.estate import UpstreamAt, estate_text
from tripoint.apps.battery.rig.gateway import GatewayProcess
from tripoint.apps.battery.verdict import Row, judged

READERS = 20
GROWTH_MIB = 64.0
TAKEN_MIB = 16.0
LEFT_S = 5.0
_MIB = 2**20
_PIECE = json.dumps({"choices": [{"index": 0, "delta": {"content": "x" * 60_000}}]}).encode()
_EVENT = b"%x\r\ndata: %b\n\n\r\n" % (len(_PIECE) + 8, _PIECE)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Flood:
    """An upstream that streams fat events for as long as they are taken."""

    def __init__(self) -> None:
        self.open = 0
        """Streams under way."""
        self.sent: list[int] = []
        """Bytes taken, by stream."""
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Begins to listen and returns the port."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Listens no more."""
        if self._server is not None:
            self._server.close()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"POST"):  # somebody asks whether it lives
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                return writer.close()
            self.open += 1
            place = len(self.sent)
            self.sent.append(0)
            try:
                writer.write(_HEAD)
                while True:
                    writer.write(_EVENT)
                    await writer.drain()
                    self.sent[place] += len(_EVENT)
            finally:
                self.open -= 1
                writer.transport.abort()
        return None


async def unread() -> list[Row]:
    """Streams without end that nobody reads, and what is left once their callers have gone."""
    async with _flooded() as (gateway, flood):
        before = gateway.memory_mib(is_total=True)
        held = await asyncio.gather(*(_begun(gateway, number) for number in range(READERS)))
        await asyncio.sleep(2.0)
        grown, open_, taken = gateway.memory_mib(is_total=True) - before, flood.open, max(flood.sent, default=0) / _MIB
        listed, _ = await gateway.get("/v1/models")
        for writer in held:
            writer.transport.abort()
        left_s = await _until_idle(flood)
    is_met = open_ == READERS and grown <= GROWTH_MIB and taken <= TAKEN_MIB and listed == 200 and left_s < LEFT_S
    seen = f"{open_} streams held open: {grown:+.0f} MiB, at most {taken:.1f} MiB taken of an upstream; "
    seen += f"others answered {listed}; upstream let go {left_s:.1f} s after the callers left"
    bar = f"at most {GROWTH_MIB:.0f} MiB more and {TAKEN_MIB:.0f} MiB a stream; upstream let go within {LEFT_S:.0f} s"
    return [
        judged("R-readers", f"{READERS} callers who never read a stream without end", bar, passed=is_met, seen=seen)
    ]


@asynccontextmanager
async def _flooded() -> AsyncIterator[tuple[GatewayProcess, Flood]]:
    flood = Flood()
    with tempfile.TemporaryDirectory(prefix="tripoint-verify-") as folder:
        gateway = GatewayProcess(Path(folder))
        try:
            port = await flood.start()
            await gateway.start(estate_text([UpstreamAt(id="dense-1", url=f"http://127.0.0.1:{port}/v1")]))
            yield gateway, flood
        finally:
            gateway.stop()
            flood.stop()


async def _begun(gateway: GatewayProcess, number: int) -> asyncio.StreamWriter:
    """A stream asked for, its first byte read and nothing more."""
    place = gateway.place()
    reader, writer = await asyncio.open_connection(place.host, place.port, limit=4096)
    writer.write(chats(place, stream=True)(number))
    await reader.readexactly(1)
    return writer


async def _until_idle(flood: Flood) -> float:
    """Seconds until the upstream streams to nobody; twice the bar at most."""
    started = time.monotonic()
    while flood.open and time.monotonic() - started < 2 * LEFT_S:
        await asyncio.sleep(0.05)
    return time.monotonic() - started
