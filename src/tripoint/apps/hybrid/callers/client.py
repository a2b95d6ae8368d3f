"""A caller's side of HTTP: one request on one connection, judged as a caller would: whole, cut, refused or silent."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

_HEAD_LIMIT: Final = 64 * 1024
_BODY_LIMIT: Final = 16 * 1024 * 1024


class Reply(NamedTuple):
    """What came back."""

    status: int
    """HTTP status, 0 when none came."""
    site: str
    """Site that answered, as the gateway tells; empty when it does not."""
    body: bytes
    """The body, or what came of it."""
    first_s: float
    """Time to the first byte of the body, s."""
    took_s: float
    """Time to the end, s."""
    fault: str
    """What was wrong, in a few words; empty for a whole answer."""


class _CutError(Exception):
    """The answer ended before it should."""


async def ask(
    port: int, method: str, path: str, *, head: dict[str, str], body: bytes = b"", patience_s: float = 30.0
) -> Reply:
    """Sends one request to 127.0.0.1 and reads the whole answer; never raises for what the other side does."""
    started = time.monotonic()
    seen = _Seen()
    try:
        async with asyncio.timeout(patience_s):
            await _exchange(port, _request(method, path, head, body), seen)
        fault = seen.fault()
    except (_CutError, asyncio.IncompleteReadError):
        fault = "cut"
    except TimeoutError:
        fault = f"no whole answer within {patience_s:.0f} s"
    except (ConnectionError, OSError) as error:
        fault = f"connection: {error.strerror or type(error).__name__}"
    except (ValueError, IndexError, asyncio.LimitOverrunError):
        fault = "not HTTP"
    first_s = seen.first_at - started if seen.first_at else 0.0
    return Reply(seen.status, seen.site, bytes(seen.body), first_s, time.monotonic() - started, fault)


class _Seen:
    """What has come so far."""

    def __init__(self) -> None:
        self.status = 0
        self.site = ""
        self.is_stream = False
        self.first_at = 0.0
        self.body = bytearray()

    def add(self, piece: bytes) -> None:
        if piece and not self.first_at:
            self.first_at = time.monotonic()
        self.body += piece
        if len(self.body) > _BODY_LIMIT:
            raise ValueError

    def fault(self) -> str:
        """What is wrong with an answer that arrived whole."""
        if self.status != 200:
            return f"status {self.status}: {_told(self.body)}"
        if self.is_stream:
            return stream_fault(bytes(self.body))
        return ""


def stream_fault(body: bytes) -> str:
    """What is wrong with a stream of events: an error told in it, or no end to it; empty when whole.

    Chat and completions end with `[DONE]`, responses with `response.completed`, messages with `message_stop`.
    """
    last = b""
    for line in body.splitlines():
        if not line.startswith(b"data:"):
            continue
        last = line[5:].strip()
        if b'"error"' in last and _is_error(last):
            return f"error event: {_told(last)}"
    is_over = last == b"[DONE]" or b'"response.completed"' in last or b'"response.incomplete"' in last
    return "" if is_over or b'"message_stop"' in last else "stream without an end"


def _is_error(event: bytes) -> bool:
    try:
        found = json.loads(event)
    except ValueError:
        return True
    return isinstance(found, dict) and bool(found.get("error"))


def _told(body: bytes | bytearray) -> str:
    """The code of an error answer, or the beginning of whatever it is."""
    try:
        error: Any = json.loads(bytes(body))["error"]
        return str(error.get("code") or error.get("type") or error)[:80]
    except (ValueError, KeyError, TypeError, AttributeError):
        return bytes(body[:80]).decode("utf-8", "replace").replace("\n", " ")


def _request(method: str, path: str, head: dict[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", "connection: close"]
    lines += [f"{name}: {value}" for name, value in head.items()]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _exchange(port: int, request: bytes, seen: _Seen) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_HEAD_LIMIT)
    try:
        writer.write(request)
        await writer.drain()
        head = await _head(reader, seen)
        async for piece in _pieces(reader, head):
            seen.add(piece)
    finally:
        writer.transport.abort()


async def _head(reader: asyncio.StreamReader, seen: _Seen) -> dict[str, str]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    seen.status = int(lines[0].split(" ", 2)[1])
    head = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    seen.site = head.get("x-tripoint-site", "")
    seen.is_stream = head.get("content-type", "").startswith("text/event-stream")
    return head


async def _pieces(reader: asyncio.StreamReader, head: dict[str, str]) -> AsyncIterator[bytes]:
    if head.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            yield (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    elif "content-length" in head:
        left = int(head["content-length"])
        while left:
            piece = await reader.read(left)
            if not piece:
                raise _CutError
            left -= len(piece)
            yield piece
    else:
        while piece := await reader.read(65536):
            yield piece
