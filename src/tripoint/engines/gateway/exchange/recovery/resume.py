"""An answer that broke off goes on elsewhere, where the output is the same: replay it and skip what was delivered.

Only requests whose output is reproducible (greedy or seeded) on upstreams declared so for the same model qualify;
the text already delivered must match what the second upstream says, character by character, or the caller is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.sse import Event, split_events

if TYPE_CHECKING:
    from tripoint.engines.gateway.exchange.effects import Attempt
    from tripoint.engines.gateway.wire.ask import Ask


class _Delta(msgspec.Struct):
    content: str | None = None


class _Piece(msgspec.Struct):
    delta: _Delta | None = None
    text: str | None = None


class _Event(msgspec.Struct):
    choices: list[_Piece] = []


def may_resume(ask: Ask, attempt: Attempt) -> bool:
    """True when a cut answer could be had again word for word."""
    return (
        ask.is_reproducible
        and attempt.target.is_reproducible
        and attempt.lane.translation is None
        and ask.api in (Api.CHAT, Api.COMPLETIONS)
        and ask.choices == 1
    )


class Replay:
    """Skips the part of a repeated answer that the caller already has."""

    __slots__ = ("_seen", "delivered", "differs")

    def __init__(self, delivered: str) -> None:
        self.delivered = delivered
        """Text the caller has."""
        self._seen = 0
        self.differs = False
        """True when the repeated answer is another one."""

    def trim(self, events: bytes) -> bytes:
        """What of whole `events` the caller does not have yet."""
        if self._seen >= len(self.delivered):
            return events
        return b"".join(self._trimmed(event) for event in split_events(events))

    def _trimmed(self, event: Event) -> bytes:
        if self._seen >= len(self.delivered):
            return event.raw
        text = _text_of(event.data)
        if not text:
            return b""  # role, keep-alive: the caller had its like
        due = self.delivered[self._seen : self._seen + len(text)]
        self._seen += len(text)
        if not text.startswith(due):
            self.differs = True
            return b""
        rest = text[len(due) :]
        return _with_text(event.data, rest) if rest else b""


def replay_after(ask: Ask, attempt: Attempt, earlier: Replay | None) -> Replay | None:
    """The replay that continues after an attempt that was cut; `None` when its answer cannot be had again."""
    if not may_resume(ask, attempt):
        return None
    text = "" if attempt.reader is None else attempt.reader.text()
    if earlier is not None and len(earlier.delivered) > len(text):
        text = earlier.delivered
    return Replay(text)


def _text_of(data: bytes) -> str:
    try:
        found = msgspec.json.decode(data, type=_Event)
    except msgspec.DecodeError:
        return ""
    piece = found.choices[0] if found.choices else None
    if piece is None:
        return ""
    return piece.text or (piece.delta.content if piece.delta is not None else None) or ""


def _with_text(data: bytes, text: str) -> bytes:
    """The event with only the rest of its text, where two upstreams cut the text into pieces differently."""
    document = msgspec.json.decode(data)
    piece = document["choices"][0]
    if "text" in piece:
        piece["text"] = text
    else:
        piece["delta"]["content"] = text
    return b"data: " + msgspec.json.encode(document) + b"\n\n"
