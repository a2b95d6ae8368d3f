"""The body of a request as it arrives: counted or chunked, never held beyond its limit.

Chunked bodies are read by a grammar of our own, narrower than the standard: a size in up to eight hexadecimal
digits and no extensions. Trailers are read and forgotten where they are few and proper, and refused where they speak
of framing: nothing that models are asked needs more, and smuggling needs exactly those.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from tripoint.apps.gateway.http.heads import CHUNKED, Refusal

_HEXADECIMAL: Final = frozenset(b"0123456789abcdefABCDEF")
_SIZE_DIGITS: Final = 8
_MAX_TRAILERS: Final = 4_096
_TRAILER: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}:[\t\x20-\x7e\x80-\xff]*")
_FRAMING: Final[tuple[bytes, ...]] = (
    b"content-length",
    b"transfer-encoding",
    b"host",
    b"trailer",
    b"authorization",
    b"content-encoding",
)
_TOO_LARGE: Final = Refusal(413, "request_too_large", "the body is larger than this gateway takes")
_BAD_CHUNK: Final = Refusal(400, "bad_request", "the body's chunked encoding is invalid")


class _Want(Enum):
    SIZE = 0
    CONTENT = 1
    CONTENT_END = 2
    TRAILER = 3


class Body:
    """Collects one body. Feed it until `is_whole` or a refusal; `rest` is what came after it."""

    __slots__ = (
        "_is_chunked",
        "_left",
        "_limit",
        "_parts",
        "_pending",
        "_trailers",
        "_want",
        "is_whole",
        "rest",
        "size",
    )

    def __init__(self, length: int, limit: int) -> None:
        self._is_chunked = length == CHUNKED
        self._left = 0 if self._is_chunked else length
        self._limit = limit
        self._parts: list[bytes | memoryview] = []
        self._pending = b""
        self._want = _Want.SIZE
        self._trailers = 0
        self.is_whole = length == 0
        self.rest = b""
        self.size = 0
        """Bytes collected so far."""

    def feed(self, part: bytes, start: int = 0) -> Refusal | None:
        """Takes the next bytes from the connection, from `start` on."""
        if self._is_chunked:
            return self._chunked(part[start:] if start else part)
        return self._counted(part, start)

    def content(self) -> bytes:
        """The body, once whole."""
        first = self._parts[0] if self._parts else b""
        return first if len(self._parts) == 1 and isinstance(first, bytes) else b"".join(self._parts)

    def _counted(self, part: bytes, start: int) -> Refusal | None:
        left = self._left
        if left > self._limit:
            return _TOO_LARGE
        size = len(part) - start
        if size > left:
            self.rest = part[start + left :]
            self._parts.append(part[start : start + left])
            size = left
        else:
            # What follows a head is copied once, when the body is joined.
            self._parts.append(memoryview(part)[start:] if start else part)
        self.size += size
        self._left = left - size
        self.is_whole = self._left == 0
        return None

    def _chunked(self, part: bytes) -> Refusal | None:
        buffer = self._pending + part if self._pending else part
        at = 0
        while not self.is_whole:
            if self._want is _Want.CONTENT:
                piece = buffer[at : at + self._left]
                if not piece:
                    break
                self._parts.append(piece)
                self.size += len(piece)
                self._left -= len(piece)
                at += len(piece)
                if not self._left:
                    self._want = _Want.CONTENT_END
                continue
            step = self._line(buffer, at)
            if isinstance(step, Refusal):
                return step
            if step == at:
                break
            at = step
        if self.is_whole:
            self.rest, self._pending = buffer[at:], b""
        else:
            self._pending = buffer[at:]
        return None

    def _line(self, buffer: bytes, at: int) -> int | Refusal:
        """Reads a size line or the end of a chunk; returns where to go on, `at` itself when bytes are missing."""
        if self._want is _Want.TRAILER:
            return self._trailer(buffer, at)
        if self._want is _Want.CONTENT_END:
            end = buffer[at : at + 2]
            if end != b"\r\n"[: len(end)]:
                return _BAD_CHUNK
            if len(end) < 2:
                return at
            self._want = _Want.SIZE
            return at + 2
        stop = buffer.find(b"\r\n", at, at + _SIZE_DIGITS + 2)
        digits = buffer[at:stop] if stop >= 0 else buffer[at : at + _SIZE_DIGITS + 2].removesuffix(b"\r")
        if len(digits) > _SIZE_DIGITS or not _HEXADECIMAL.issuperset(digits):
            return _BAD_CHUNK
        if stop < 0:
            return at
        if not digits:
            return _BAD_CHUNK
        self._left = int(digits, 16)
        if self.size + self._left > self._limit:
            return _TOO_LARGE
        self._want = _Want.CONTENT if self._left else _Want.TRAILER
        return stop + 2

    def _trailer(self, buffer: bytes, at: int) -> int | Refusal:
        """Reads one line after the last chunk; the empty one ends the body."""
        stop = buffer.find(b"\r\n", at)
        if stop < 0:
            return _BAD_CHUNK if len(buffer) - at > _MAX_TRAILERS or b"\n" in buffer[at:] else at
        line = buffer[at:stop]
        if not line:
            self.is_whole = True
            return stop + 2
        self._trailers += len(line)
        is_proper = _TRAILER.fullmatch(line) is not None and line.partition(b":")[0].lower() not in _FRAMING
        return stop + 2 if is_proper and self._trailers <= _MAX_TRAILERS else _BAD_CHUNK
