"""Answers like those an upstream has given before: their head is recognised instead of parsed anew.

Every head is read by the C parser first. What it looked like becomes a pattern in which only the values that mean
nothing here may differ, and the length; a pattern accepts nothing that the parser would not, and says the same of it.
"""

from __future__ import annotations

import re
from typing import Final

_MOST: Final = 8
"""Patterns kept for one upstream; one whose heads differ more is read by the parser."""
_LONGEST_HEAD: Final = 4_096
_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\x21-\x7e]?[\t\x20-\x7e]*)")
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9]) [\x20-\x7e]*")
_VALUE_SIGNS: Final = b"\t" + bytes(range(0x20, 0x7F))
_LENGTH_DIGITS: Final = 15
_ZERO: Final = ord("0")
_LENGTH: Final = b"content-length"
_KIND: Final = b"content-type"
_FRAMING: Final = frozenset(
    (b"transfer-encoding", b"connection", b"proxy-connection", b"upgrade", b"trailer", b"te", b"retry-after",
     b"content-encoding", b"keep-alive")
)  # fmt: skip
"""What says how an answer is framed or when to ask again: such heads are always parsed."""
_WITHOUT_BODY: Final = (204, 304)


class PlainHead:
    """A kind of head: counted, kept open, in one piece; `length` and `size` are those of the one matched last."""

    __slots__ = ("_fixed", "_length_after", "kind", "length", "size", "status")

    def __init__(self, fixed: tuple[bytes, ...], length_after: int, status: int, kind: bytes) -> None:
        self._fixed = fixed
        self._length_after = length_after
        self.status = status
        self.kind = kind
        """Value of `content-type`."""
        self.length = 0
        """Length of the body, bytes."""
        self.size = 0
        """Length of the head, its empty line included."""

    def begins(self, data: bytes) -> bool:
        """True where `data` begins with a head of this kind."""
        fixed, length_after, length = self._fixed, self._length_after, 0
        first = fixed[0]
        if not data.startswith(first):
            return False
        at = len(first)
        for number in range(1, len(fixed)):
            if number == length_after:
                start, last = at, min(len(data), at + _LENGTH_DIGITS)
                while at < last:
                    digit = data[at] - _ZERO
                    if not 0 <= digit <= 9:
                        break
                    length = 10 * length + digit
                    at += 1
                if at == start:
                    return False
            else:
                end = data.find(b"\r", at)
                if end < 0 or (end > at and data[at:end].translate(None, _VALUE_SIGNS)):
                    return False
                at = end
            part = fixed[number]
            end = at + len(part)
            if data[at:end] != part:
                return False
            at = end
        self.length = length
        self.size = at
        return True


class PlainHeads:
    """Kinds of heads one upstream has shown, the one met last first."""

    __slots__ = ("_kinds", "_patterns", "latest")

    def __init__(self) -> None:
        self._kinds: list[PlainHead] = []
        self._patterns: set[tuple[tuple[bytes, ...], int]] = set()
        self.latest: PlainHead | None = None
        """The kind matched or learnt last; to be tried first."""

    def find(self, data: bytes) -> PlainHead | None:
        """The kind of head `data` begins with; `None` where it is none that was met."""
        latest = self.latest
        if latest is None or latest.begins(data):
            return latest
        for kind in self._kinds:
            if kind is not latest and kind.begins(data):
                self.latest = kind
                return kind
        return None

    def learn(self, data: bytes) -> None:
        """Takes note of an answer that the parser has read, from its first byte, as whole and kept open."""
        if len(self._kinds) >= _MOST:
            return
        stop = data.find(b"\r\n\r\n", 0, _LONGEST_HEAD)
        found = _pattern(data[:stop]) if stop > 0 else None
        if found is None or found[:2] in self._patterns:
            return
        self._patterns.add(found[:2])
        kind = PlainHead(*found)
        self._kinds.append(kind)
        self.latest = kind


def _pattern(head: bytes) -> tuple[tuple[bytes, ...], int, int, bytes] | None:
    """What heads like this one look like, with their status and their content type; `None` for one out of the plain.

    The look is what stays the same, in pieces, and the number of the piece before which the length stands; before the
    others but the first any value may stand.
    """
    first, *lines = head.split(b"\r\n")
    told = _STATUS_LINE.fullmatch(first)
    if told is None or int(told[1]) in _WITHOUT_BODY:
        return None
    fixed, part, length_after = [], first, 0
    kind = b""
    met: set[bytes] = set()
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        name = found[1].lower()
        if name in _FRAMING or (name in met and name in (_LENGTH, _KIND)):
            return None
        met.add(name)
        if name == _LENGTH:
            if not found[2].isdigit():
                return None
            fixed.append(part + b"\r\n" + line[: found.start(2)])
            part, length_after = b"", len(fixed)
        elif name == _KIND:
            kind = found[2].rstrip(b"\t ")
            if kind[:17].lower() == b"text/event-stream":
                return None
            part += b"\r\n" + line
        else:
            fixed.append(part + b"\r\n" + found[1] + b":")
            part = b""
    if _LENGTH not in met:
        return None
    fixed.append(part + b"\r\n\r\n")
    return tuple(fixed), length_after, int(told[1]), kind
