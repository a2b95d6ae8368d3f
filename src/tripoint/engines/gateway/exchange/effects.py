"""What one request's machine asks of the world; the live shell and the simulator are the two that answer."""

from __future__ import annotations

from typing import Protocol

from tripoint.domain.table import Candidate, Target


class Attempt:
    """One attempt at one upstream, ready to be sent; mutable, since it is the identity the shell reports on."""

    __slots__ = ("body", "candidate", "head", "is_fresh", "number", "path", "sent_at", "status", "target")

    def __init__(self, number: int, candidate: Candidate, target: Target) -> None:
        self.number = number
        self.candidate = candidate
        self.target = target
        self.path = b""
        self.head = b""
        """Header lines beyond host and content-length, each ended by CRLF."""
        self.body = b""
        self.is_fresh = False
        """True when it must not use a kept connection (the last one was stale)."""
        self.sent_at = 0.0
        self.status = 0


class Effects(Protocol):
    """Commands of an exchange. After `dial`, the shell reports head, data and exactly one of end or lost."""

    def dial(self, attempt: Attempt) -> None:
        """Send the attempt to its target."""
        ...

    def drop(self, attempt: Attempt) -> None:
        """Stop an attempt; nothing more may be reported of it."""
        ...

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        """Send a whole answer; `head` is header lines, each ended by CRLF, without length or framing."""
        ...

    def begin(self, status: int, head: bytes) -> None:
        """Begin an answer of unknown length."""
        ...

    def write(self, data: bytes) -> None:
        """Pass on a piece of it."""
        ...

    def finish(self) -> None:
        """End it as complete."""
        ...

    def cut(self) -> None:
        """End it as visibly incomplete: the connection closes without the end of the body."""
        ...
