"""A worker's shell in a thread of the test: real sockets, a real gateway, no supervisor and no files."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvloop

from tripoint.adapters.upstream_http.pool import PoolOptions, Upstreams
from tripoint.apps.gateway.http.connection import Connection
from tripoint.apps.gateway.http.endpoints import Page
from tripoint.apps.gateway.http.lobby import Lobby
from tripoint.apps.gateway.limits import Limits
from tripoint.domain.record import UsageRecord
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.exchange.gateway import Gateway
from tripoint.engines.gateway.health.board import LocalBoard


@dataclass
class Shell:
    """What a test may look at."""

    loop: asyncio.AbstractEventLoop
    """Its loop, in another thread."""
    port: int = 0
    """Where it listens."""
    records: list[UsageRecord] = field(default_factory=list)
    """Records of finished requests."""
    events: list[str] = field(default_factory=list)
    """What happened at the door."""
    lobby: Lobby | None = None

    def ask(self, call: Callable[[Lobby], Any]) -> Any:
        """Runs a call in the shell's own thread."""

        async def run() -> Any:
            assert self.lobby is not None
            return call(self.lobby)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def connect(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def wait(self, is_so: Callable[[], bool], patience_s: float = 10.0) -> None:
        """Waits for something to become true."""
        until = time.monotonic() + patience_s
        while not is_so():
            assert time.monotonic() < until, "it never came"
            time.sleep(0.005)


@contextmanager
def shell(
    table: RoutingTable,
    *,
    secrets: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    options: PoolOptions | None = None,
    tls: Any = None,
) -> Iterator[Shell]:
    """Serves a table until the block ends."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="shell", daemon=True)
    thread.start()
    running = Shell(loop)
    upstreams = Upstreams(options)

    async def start() -> Any:
        now = time.monotonic()
        gateway = Gateway(
            table, secrets or {}, board=LocalBoard(), record=running.records.append,
            seed=1, now=now, epoch=time.time() - now,
        )  # fmt: skip
        lobby = Lobby(gateway, upstreams, limits or Limits(), _page(gateway), running.events.append)
        lobby.start()
        running.lobby = lobby
        # It has a protocol's methods without being one by descent, so that compiling makes a native class of it.
        protocol: Any = Connection
        server: Any = await loop.create_server(lambda: protocol(lobby), "127.0.0.1", 0, ssl=tls, backlog=4096)
        running.port = int(server.sockets[0].getsockname()[1])
        return server

    async def stop(server: Any) -> None:
        server.close()
        assert running.lobby is not None
        running.lobby.stop()
        for connection in tuple(running.lobby.connections):
            connection.abort()
        upstreams.close()
        await asyncio.sleep(0.01)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield running
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _page(gateway: Gateway) -> Callable[[Page, Mapping[bytes, bytes], str, Callable[[int, bytes, bytes], None]], None]:
    def show(
        page: Page, headers: Mapping[bytes, bytes], peer: str, answer: Callable[[int, bytes, bytes], None]
    ) -> None:
        del peer
        if page is Page.MODELS:
            status, body = gateway.models(headers, time.monotonic())
            answer(status, b"application/json", body)
        else:
            answer(200, b"text/plain", page.value.encode())

    return show


def chat(stream: bool = False, **members: Any) -> bytes:
    """A chat request's body."""
    turn = [{"role": "user", "content": "tell me about rivers"}]
    return json.dumps({"model": "chat", "messages": turn, "stream": stream, **members}).encode()


def post(body: bytes, *lines: str, path: str = "/v1/chat/completions", host: str = "localhost") -> bytes:
    """A whole POST."""
    head = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


def get(path: str, *lines: str, method: str = "GET", host: str = "localhost") -> bytes:
    """A whole GET."""
    return ("\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *lines]) + "\r\n\r\n").encode()


@dataclass(frozen=True)
class Answer:
    """One answer, read from a socket."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool
    """False when the connection ended before the body did."""


def read_answer(connection: socket.socket, *, is_head: bool = False) -> Answer:
    """The next answer on a connection; exactly its bytes are taken."""
    stream = connection.makefile("rb", buffering=0)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.read(1)
        if not byte:
            return Answer(0, {}, head, False)
        head += byte
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    status = int(lines[0].split(" ")[1])
    if is_head or status == 100:
        return Answer(status, headers, b"", True)
    body, is_whole = _body(stream, headers)
    return Answer(status, headers, body, is_whole)


def _body(stream: Any, headers: dict[str, str]) -> tuple[bytes, bool]:
    if "content-length" in headers:
        length = int(headers["content-length"])
        body = _exactly(stream, length)
        return body, len(body) == length
    if headers.get("transfer-encoding") != "chunked":
        return _exactly(stream, 2**40), True
    body = b""
    while True:
        line = b""
        while not line.endswith(b"\r\n"):
            byte = stream.read(1)
            if not byte:
                return body, False
            line += byte
        size = int(line, 16)
        chunk = _exactly(stream, size + 2)
        if len(chunk) < size + 2:
            return body, False
        if size == 0:
            return body, True
        body += chunk[:-2]


def _exactly(stream: Any, size: int) -> bytes:
    parts, left = [], size
    while left:
        part = stream.read(min(left, 65536))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def is_closed(connection: socket.socket) -> bool:
    """True once the other side closes; waits for it, and fails where more bytes come."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
