"""Chunks of HTTP/1.1 that are whole and framed as we frame them: told by their length, without a parser."""

from __future__ import annotations

from typing import Final

_SIZE_DIGITS: Final = 8
"""Most digits of a chunk's size that are looked at."""
_FRAMING: Final = 4
"""Bytes of a frame beside the digits: two line ends."""


def _head_of(size: int) -> bytes:
    """How a chunk of `size` bytes, its frame included, begins; empty where none has so many."""
    for digits in range(1, _SIZE_DIGITS + 1):
        content = size - _FRAMING - digits
        head = b"%x\r\n" % max(content, 0)
        if content > 0 and len(head) == digits + 2:
            return head
    return b""


_HEADS: Final[tuple[bytes, ...]] = tuple([_head_of(size) for size in range(1_024)])


def content_at(data: bytes) -> int:
    """Where the content begins in data that are one whole chunk, framed as we frame them too; 0 where they are not."""
    size = len(data)
    head = _HEADS[size] if size < len(_HEADS) else _head_of(size)
    return len(head) if head and data.startswith(head) and data.endswith(b"\r\n") else 0
