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
_ANY_VALUE: Final = rb"[\t\x20-\x7e]*"
_ANY_LENGTH: Final = rb"([0-9]{1,15})"
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

    __slots__ = ("_match", "kind", "length", "size", "status")

    def __init__(self, pattern: bytes, status: int, kind: bytes) -> None:
        self._match = re.compile(pattern).match
        self.status = status
        self.kind = kind
        """Value of `content-type`."""
        self.length = 0
        """Length of the body, bytes."""
        self.size = 0
        """Length of the head, its empty line included."""

    def begins(self, data: bytes) -> bool:
        """True where `data` begins with a head of this kind."""
        found = self._match(data)
        if found is None:
            return False
        self.length = int(found[1])
        self.size = found.end()
        return True


class PlainHeads:
    """Kinds of heads one upstream has shown, the one met last first."""

    __slots__ = ("_kinds", "_patterns", "latest")

    def __init__(self) -> None:
        self._kinds: list[PlainHead] = []
        self._patterns: set[bytes] = set()
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
        if found is None or found[0] in self._patterns:
            return
        self._patterns.add(found[0])
        kind = PlainHead(*found)
        self._kinds.append(kind)
        self.latest = kind


def _pattern(head: bytes) -> tuple[bytes, int, bytes] | None:
    """What heads like this one look like, with their status and their content type; `None` for one out of the plain."""
    first, *lines = head.split(b"\r\n")
    told = _STATUS_LINE.fullmatch(first)
    if told is None or int(told[1]) in _WITHOUT_BODY:
        return None
    pattern = [re.escape(first)]
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
            pattern.append(re.escape(line[: found.start(2)]) + _ANY_LENGTH)
        elif name == _KIND:
            kind = found[2].rstrip(b"\t ")
            if kind[:17].lower() == b"text/event-stream":
                return None
            pattern.append(re.escape(line))
        else:
            pattern.append(re.escape(found[1]) + b":" + _ANY_VALUE)
    if _LENGTH not in met:
        return None
    return b"\r\n".join(pattern) + b"\r\n\r\n", int(told[1]), kind
