"""A small model server for tests: speaks the OpenAI and Anthropic interfaces, answers by seed, and fails on request.

Its words depend on the seed and the prompt only, so that two servers of one seed are reproducible. Use it inside
a loop (`ModelServer`), beside one (`serving`), or as a program: `python -m tripoint.testing.model_server --port 0`,
which prints its address; there, `POST /_behave` with JSON changes how it behaves and `GET /_seen` tells what it saw.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tripoint.testing import model_answers

BIGGEST_BODY = 64 * 2**20


@dataclass(kw_only=True)
class Behaviour:
    """How a server answers from now on; counts of events are those that carry words."""

    words: int = 16
    """Words of an answer, where the caller sets no lower limit."""
    first_byte_s: float = 0.0
    """Wait before the answer's head, s."""
    between_s: float = 0.0
    """Wait before each word of a stream, s."""
    status: int = 0
    """Answer this status with an error; 0 for proper answers."""
    retry_after_s: float | None = None
    """With `status`: value of `retry-after`, s."""
    failures: int | None = None
    """With `status` or `is_reset`: so many requests fail, then all is well; all when absent."""
    is_reset: bool = False
    """Close the connection before the first byte."""
    is_garbage: bool = False
    """Answer with bytes that are no HTTP."""
    is_huge: bool = False
    """Answer with a body, or a stream line, of `huge_bytes`."""
    huge_bytes: int = 80 * 2**20
    """Size of a huge answer, bytes."""
    cut_after: int | None = None
    """Close the connection after so many events."""
    stall_after: int | None = None
    """Say nothing more after so many events."""
    bad_chunk_after: int | None = None
    """Break the chunked framing after so many events."""
    bad_event_after: int | None = None
    """Send an event that is no JSON after so many events, then go on."""
    has_usage: bool = True
    """False to report no usage."""
    has_length: bool = True
    """False to end unary answers by closing the connection, without a length."""
    closes: bool = False
    """Close every connection after its answer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived."""

    method: str
    """Method."""
    path: str
    """Path with its query."""
    headers: dict[str, str]
    """Header values by lower-case name."""
    body: bytes
    """Body."""

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class ModelServer:
    """The server; `seen`, `most_at_once` and `behaviour` may be read and set while it runs."""

    seed: int = 0
    """Decides the words."""
    models: Sequence[str] = ("tiny",)
    """Models listed and accepted; every name is accepted when empty."""
    secret: str | None = None
    """Credential asked for; none when absent."""
    fingerprint: str = ""
    """Told as `system_fingerprint` beside every word of chat and completions, so that a word's origin is known."""
    behaviour: Behaviour = field(default_factory=Behaviour)
    """How it answers."""
    keep: int = 10_000
    """Requests kept in `seen`."""
    port: int = 0
    """Port in use once started."""
    seen: list[Seen] = field(default_factory=list)
    """Requests for answers, oldest first."""
    probes: int = 0
    """Times its models were listed."""
    at_once: int = 0
    """Requests it is answering."""
    most_at_once: int = 0
    """Most it ever answered at once."""
    connections: int = 0
    """Connections ever accepted."""
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, host: str = "127.0.0.1", port: int = 0, *, tls: Any = None) -> int:
        """Begins to listen and returns the port; `tls` is a server-side `ssl.SSLContext`."""
        self._server = await asyncio.start_server(self._accepted, host, port, ssl=tls, backlog=1024)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        """Closes every connection at once and listens no more."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError, EOFError):
            pass  # either side has left: nothing more can be told
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answers one request; True when the connection may carry another."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        pairs = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, value in pairs}
        length = min(int(headers.get("content-length", "0")), BIGGEST_BODY)
        request = Seen(method, path, headers, await reader.readexactly(length) if length else b"")
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._answer(request, Reply(writer, self.behaviour))
        finally:
            self.at_once -= 1

    async def _answer(self, request: Seen, reply: Reply) -> bool:
        path = request.path.partition("?")[0]
        if path.startswith("/_") or path.rsplit("/", 1)[-1] in ("models", "health", "metrics"):
            return await self._told(request, path, reply)
        if len(self.seen) < self.keep:
            self.seen.append(request)
        if self.secret is not None and self.secret not in " ".join(request.headers.values()):
            return await reply.error(401, "wrong credential")
        behaviour = self.behaviour
        if behaviour.first_byte_s:
            await asyncio.sleep(behaviour.first_byte_s)
        if (behaviour.status or behaviour.is_reset) and self._still_fails():
            return False if behaviour.is_reset else await reply.error(behaviour.status, "as asked")
        if behaviour.is_garbage:
            return await reply.raw(b"\x00\xffthis is no HTTP\r\n\r\n")
        try:
            answer = model_answers.answer(path, json.loads(request.body), self.seed, behaviour.words)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            return await reply.error(400, f"cannot read the request: {error}")
        if answer is None:
            return await reply.error(404, f"no such path: {path}")
        if self.models and answer.model not in self.models and "/deployments/" not in path:
            return await reply.error(404, f"no such model: {answer.model}")
        answer = dataclasses.replace(answer, fingerprint=self.fingerprint)
        return await (reply.stream(answer) if answer.is_stream else reply.whole(answer))

    def _still_fails(self) -> bool:
        left = self.behaviour.failures
        if left is not None:
            self.behaviour.failures = left - 1
        return left is None or left > 0

    async def _told(self, request: Seen, path: str, reply: Reply) -> bool:
        """Everything that is no inference: lists, health, metrics and the two doors for tests."""
        if path.endswith("/_behave"):
            known = {each.name for each in dataclasses.fields(Behaviour)}
            wanted = json.loads(request.body or b"{}")
            self.behaviour = Behaviour(**{name: value for name, value in wanted.items() if name in known})
            return await reply.json(200, dataclasses.asdict(self.behaviour))
        if path.endswith("/_seen"):
            counts = {"requests": len(self.seen), "most_at_once": self.most_at_once, "at_once": self.at_once}
            return await reply.json(200, {**counts, "probes": self.probes, "connections": self.connections})
        if path.endswith("/metrics"):
            return await reply.text(model_answers.metrics(self.at_once))
        self.probes += 1
        if self.behaviour.is_reset or self.behaviour.is_garbage:
            return False
        if self.behaviour.status:
            return await reply.error(self.behaviour.status, "as asked")
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in self.models]
        return await reply.json(200, {"object": "list", "data": listed})


class Reply:
    """Writes one answer, with the faults asked for."""

    def __init__(self, writer: asyncio.StreamWriter, behaviour: Behaviour) -> None:
        self._writer = writer
        self._behaviour = behaviour

    async def raw(self, content: bytes) -> bool:
        """Sends bytes as they are and closes."""
        self._writer.write(content)
        await self._writer.drain()
        return False

    async def error(self, status: int, message: str) -> bool:
        """Sends an error in OpenAI's shape."""
        after = self._behaviour.retry_after_s
        extra = f"retry-after: {after:g}\r\n" if after is not None else ""
        return await self.json(status, {"error": {"message": message, "type": "test", "code": None}}, extra)

    async def json(self, status: int, document: Any, extra: str = "") -> bool:
        """Sends a JSON document."""
        return await self._body(status, json.dumps(document).encode(), "application/json", extra)

    async def text(self, content: str) -> bool:
        """Sends plain text."""
        return await self._body(200, content.encode(), "text/plain; version=0.0.4", "")

    async def whole(self, answer: model_answers.ModelAnswer) -> bool:
        """Sends an answer in one piece."""
        behaviour = self._behaviour
        if behaviour.is_huge:
            self._writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % behaviour.huge_bytes)
            for _ in range(behaviour.huge_bytes // 2**16):
                self._writer.write(b"x" * 2**16)
                await self._writer.drain()
            return False
        body = json.dumps(answer.whole(has_usage=behaviour.has_usage)).encode()
        if behaviour.cut_after is not None:
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            return await self.raw(head.encode() + body[: len(body) // 2])
        if behaviour.stall_after is not None:
            await asyncio.sleep(3600.0)
        if not behaviour.has_length:
            return await self.raw(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n" + body
            )
        return await self._body(200, body, "application/json", "x-internal: not for callers\r\n")

    async def stream(self, answer: model_answers.ModelAnswer) -> bool:
        """Sends an answer event by event, chunked."""
        behaviour, writer = self._behaviour, self._writer
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
        writer.write(f"{head}transfer-encoding: chunked\r\n\r\n".encode())
        number = 0
        for event in answer.events(has_usage=behaviour.has_usage):
            if event.has_word:
                if behaviour.between_s:
                    await asyncio.sleep(behaviour.between_s)
                if number == behaviour.cut_after:
                    await writer.drain()
                    return False
                if number == behaviour.bad_chunk_after:
                    return await self.raw(b"zz\r\nno chunk\r\n")
                if number == behaviour.stall_after:
                    await asyncio.sleep(3600.0)
                if number == behaviour.bad_event_after:
                    writer.write(_chunk(b'data: {"choices": [{\n\n'))
                if behaviour.is_huge and number == 1:
                    writer.write(_chunk(b"data: " + b"x" * behaviour.huge_bytes))
                number += 1
            writer.write(_chunk(event.content))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return not behaviour.closes

    async def _body(self, status: int, body: bytes, kind: str, extra: str) -> bool:
        closing = "connection: close\r\n" if self._behaviour.closes else ""
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{closing}{extra}\r\n"
        self._writer.write(head.encode() + body)
        await self._writer.drain()
        return not self._behaviour.closes


@contextmanager
def serving(server: ModelServer, *, tls: Any = None) -> Iterator[ModelServer]:
    """Runs a server in a thread of its own; its `port` is set when the block begins."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="model-server", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(tls=tls), loop).result(10)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def run_until_told(server: ModelServer, port: int, until: Callable[[], Awaitable[object]]) -> None:
    """Serves until `until` returns; prints the address first."""
    await server.start(port=port)
    sys.stdout.write(f"http://127.0.0.1:{server.port}/v1\n")
    sys.stdout.flush()
    try:
        await until()
    finally:
        await server.stop()


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs it as a program until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="A model server for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", action="append", dest="models", help="a model it lists; any name when none is given")
    parser.add_argument("--secret")
    parser.add_argument("--fingerprint", default="", help="told beside every word of chat and completions")
    parser.add_argument("--behave", default="{}", help="JSON of a Behaviour")
    options = parser.parse_args(arguments)
    behaviour = Behaviour(**json.loads(options.behave))
    server = ModelServer(
        seed=options.seed,
        models=options.models or (),
        secret=options.secret,
        fingerprint=options.fingerprint,
        behaviour=behaviour,
    )

    async def run() -> None:
        told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
        await run_until_told(server, options.port, told.wait)

    asyncio.run(run())


if __name__ == "__main__":
    main()
