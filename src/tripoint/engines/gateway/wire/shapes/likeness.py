"""Events that differ from one another in their text alone: the first of them is read, the others are recognised."""

from __future__ import annotations

from typing import Final

_LONGEST_TEXT: Final = 256
"""Texts beyond are rare, and cost less read than looked through here, bytes."""
_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
_SPACE: Final = ord(" ")


class Likeness:
    """What stands before and after the text of one event of mere content."""

    __slots__ = ("_after", "_after_size", "_before", "_before_size")

    def __init__(self, before: bytes, after: bytes) -> None:
        self._before = before
        self._after = after
        self._before_size = len(before)
        self._after_size = len(after)

    def holds(self, chunk: bytes) -> bool:
        """True for one whole event that is the same but for its text, which is some and ends no string nor line."""
        return self.stands(chunk, 0, len(chunk))

    def stands(self, chunk: bytes, start: int, stop: int) -> bool:
        """The same of what stands between two places."""
        at, end = start + self._before_size, stop - self._after_size
        if not at < end <= at + _LONGEST_TEXT:
            return False
        # Compiled, a slice costs a third of a search that is told where to begin.
        if chunk[end:stop] != self._after or chunk[start:at] != self._before:
            return False
        while at < end:
            sign = chunk[at]
            if sign == _BACKSLASH:
                at += 1
                if at == end or chunk[at] < _SPACE:
                    return False
            elif sign == _QUOTE or sign < _SPACE:
                return False
            at += 1
        return True


def likeness_of(raw: bytes, text: str) -> Likeness | None:
    """The likeness of an event that carries `text` and nothing else of note; `None` where its place is not certain."""
    if (
        not text.isascii()
        or not text.isprintable()
        or b"\\" in raw
        or b"\r" in raw
        or raw.find(b"\n\n") != len(raw) - 2
    ):
        return None
    # Nothing is escaped, so the text stands there in quotes; where such a string stands once, it is the text.
    quoted = b'"%b"' % text.encode()
    start = raw.find(quoted) + 1
    if not text or not start or raw.count(quoted) != 1:
        return None
    return Likeness(raw[:start], raw[start + len(text) :])
