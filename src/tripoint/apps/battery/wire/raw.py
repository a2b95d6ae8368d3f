"""A conversation in raw bytes: what was sent, which answers came back, and whether the connection was closed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tripoint.apps.battery.place import Place

_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    """HTTP status."""
    headers: tuple[tuple[str, str], ...]
    """Lower-case names, in order."""
    body: bytes
    """As far as it came, without chunk framing."""
    is_whole: bool
    """True when it ended as its framing says it must."""

    def header(self, name: str) -> str:
        """The first header of that name, empty when absent."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(slots=True)
class Talk:
    """How a conversation went."""

    answers: list[Answer] = field(default_factory=list)
    """Every answer, informational ones left out."""
    is_closed: bool = False
    """True when the other side closed."""
    took_s: float = 0.0
    """From connecting to the end, s."""
    answered_s: float = 0.0
    """From connecting to the last of what was received, s; 0 where nothing was."""
    sent: int = 0
    """Bytes the other side took before it stopped reading or answered."""
    received: bytes = b""
    """Everything received."""
    error: str = ""
    """Why it could not be held, empty when it was."""

    @property
    def status(self) -> int:
        """Status of the first answer, 0 for none."""
        return self.answers[0].status if self.answers else 0


async def converse(
    place: Place, pieces: Sequence[bytes | float], *, patience_s: float = 5.0, linger_s: float = 0.4, answers: int = 1
) -> Talk:
    """Sends pieces (numbers are pauses, s) and listens.

    It ends when the other side closes, `linger_s` after that many whole answers unless the last one says that it will
    close, or `patience_s` after the last piece.
    """
    talk = Talk()
    started = time.monotonic()
    try:
        reader, writer = await _connect(place)
    except OSError as error:
        talk.error = f"{type(error).__name__}: {error}"
        return talk
    sending = asyncio.ensure_future(_send(writer, pieces, talk))
    try:
        await _listen(reader, talk, (started, sending), (patience_s, linger_s), answers)
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await sending
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    talk.took_s = time.monotonic() - started
    return talk


async def _connect(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    local = (place.source, 0) if place.source else None
    name = place.host if place.tls else None
    opening = asyncio.open_connection(place.host, place.port, ssl=place.tls, server_hostname=name, local_addr=local)
    return await asyncio.wait_for(opening, 10)


async def _send(writer: asyncio.StreamWriter, pieces: Sequence[bytes | float], talk: Talk) -> None:
    with contextlib.suppress(OSError):
        for piece in pieces:
            if isinstance(piece, bytes):
                for start in range(0, len(piece), _CHUNK):
                    writer.write(piece[start : start + _CHUNK])
                    await writer.drain()
                    talk.sent += len(piece[start : start + _CHUNK])
            else:
                await asyncio.sleep(piece)


async def _listen(
    reader: asyncio.StreamReader,
    talk: Talk,
    under_way: tuple[float, asyncio.Future[None]],
    waits: tuple[float, float],
    wanted: int,
) -> None:
    """Hears until the conversation is over; `under_way` is when it began and what is still being sent."""
    (started, sending), (patience_s, linger_s) = under_way, waits
    deadline = float("inf")
    while True:
        if sending.done() and deadline == float("inf"):
            deadline = time.monotonic() + patience_s
        has_all = sum(answer.is_whole for answer in talk.answers) >= wanted and sending.done()
        # Over TLS a server that wants its refusal read before it closes cannot say meanwhile that it sends no more.
        is_over = has_all and talk.answers[-1].header("connection").lower() != "close"
        wait = linger_s if is_over else min(0.25, max(0.0, deadline - time.monotonic()))
        try:
            received = await asyncio.wait_for(reader.read(_CHUNK), wait)
        except TimeoutError:
            if is_over or time.monotonic() >= deadline:
                return
            continue
        except OSError:
            received = b""
        if not received:
            talk.is_closed = True
            talk.answers = answers_in(talk.received, is_closed=True)
            return
        talk.received += received
        talk.answered_s = time.monotonic() - started
        talk.answers = answers_in(talk.received, is_closed=False)


def answers_in(received: bytes, *, is_closed: bool) -> list[Answer]:
    """The answers in what was received, the last of them perhaps incomplete; informational ones are left out."""
    found: list[Answer] = []
    while received:
        head, mark, rest = received.partition(b"\r\n\r\n")
        if not mark or not head.startswith(b"HTTP/"):
            break
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1]) if lines[0].split(" ")[1:2] and lines[0].split(" ")[1].isdigit() else 0
        pairs = [line.partition(":") for line in lines[1:]]
        headers = tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
        if 100 <= status < 200:
            received = rest
            continue
        body, received, is_whole = _body_of(dict(headers), status, rest, is_closed=is_closed)
        found.append(Answer(status, headers, body, is_whole))
        if not is_whole:
            break
    return found


def _body_of(headers: Mapping[str, str], status: int, rest: bytes, *, is_closed: bool) -> tuple[bytes, bytes, bool]:
    """Body, what follows it, and whether it is whole."""
    if status in (204, 304):
        return b"", rest, True
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _dechunked(rest)
    length = headers.get("content-length", "")
    if length.isdigit():
        size = int(length)
        return rest[:size], rest[size:], len(rest) >= size
    return rest, b"", is_closed


def _dechunked(rest: bytes) -> tuple[bytes, bytes, bool]:
    pieces: list[bytes] = []
    at = 0
    while True:
        end = rest.find(b"\r\n", at)
        try:
            size = int(rest[at:end].split(b";")[0], 16) if end >= 0 else -1
        except ValueError:
            size = -1
        start = end + 2
        if size < 0 or (size and len(rest) < start + size + 2):
            pieces.append(rest[start : start + max(size, 0)] if end >= 0 else b"")
            return b"".join(pieces), b"", False
        if size == 0:
            closing = rest.find(b"\r\n\r\n", end)
            return b"".join(pieces), rest[closing + 4 :] if closing >= 0 else b"", closing >= 0
        pieces.append(rest[start : start + size])
        at = start + size + 2


def request(
    place: Place,
    *,
    method: str = "POST",
    path: str = "/chat/completions",
    body: bytes | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A well-formed request as bytes: host, key, type and length are added.

    A path that starts with `/` is put behind the base path.
    """
    target = place.base_path + path if path.startswith("/") else path.removeprefix("=")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {place.authority}"]
    lines += [f"Authorization: Bearer {place.key}"] if place.key else []
    lines += ["Content-Type: application/json"] if body is not None else []
    lines += [f"Content-Length: {len(body)}"] if body is not None else []
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + (body or b"")


def chat_body(place: Place, **members: object) -> bytes:
    """A small chat request for the place's model."""
    asked = {"model": place.model, "messages": [{"role": "user", "content": "Say one word."}], "max_tokens": 2}
    return json.dumps({**asked, **members}).encode()
