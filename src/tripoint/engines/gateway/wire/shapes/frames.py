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


def end_of_chunk(data: bytes, at: int) -> int:
    """Where the chunk ends that begins at `at`, if it is whole and framed as ours; else 0."""
    content = data.find(b"\r\n", at, at + _SIZE_DIGITS + 2) + 2
    if content < 3:
        return 0
    size = 0
    for sign in data[at : content - 2]:
        digit = sign - 48 if 48 <= sign <= 57 else sign - 87 if 97 <= sign <= 102 else -1
        if digit < 0:
            return 0
        size = 16 * size + digit
    end = content + size + 2
    return end if size and data[at] != 48 and data[end - 2 : end] == b"\r\n" else 0
