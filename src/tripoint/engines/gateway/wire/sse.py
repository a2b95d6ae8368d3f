"""Which whole events has a stream brought, and what do they say? Bytes pass through; usage, ends and errors are read.

Only an event that is not complete yet is held back. A chunk that ends with an event, and holds nothing but text
deltas, is passed on as it is after a few searches; only events that say more are decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.events import BAD_EVENT, Reading, reading_of
from tripoint.engines.gateway.wire.shapes.frames import end_of_chunk
from tripoint.engines.gateway.wire.shapes.likeness import Likeness, likeness_of

MAX_EVENT: Final = 1024 * 1024
OPENING_BYTES: Final = 64 * 1024
OPENING_EVENTS: Final = 8
OPENING_S: Final = 15.0
"""How much of a stream without a token is held back, and how long.

More events than any interface opens with may be tokens of a kind we do not know; after so long, signs of life keep the
caller's connection open.
"""
_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
# A CRLF is one line end: its halves must not pass for two, nor may a CR be taken for the whole before what follows it
# is known. A stream of bare CRs therefore runs one event behind; nobody is known to send one.
_BLANK_LINE: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?=[^\n]))")
_DATA: Final = b"data: "
_D: Final = b"d"
_TAIL: Final = 24
_MOST_MISSES: Final = 16
"""Chunks unlike the event before, after which a stream is not looked at that way any more."""
_UNFINISHED: Final[tuple[bytes, ...]] = (b'"finish_reason":null', b'"finish_reason": null')
_NULLS: Final[tuple[bytes, ...]] = (b'"usage":null', b'"usage": null')
# The line that names an event of content; chunks of chat and completions have none and are told by what they hold.
_CONTENT_LINE: Final = {
    Api.RESPONSES: b"event: response.output_text.delta\n",
    Api.MESSAGES: b"event: content_block_delta\n",
}


class Event(NamedTuple):
    """One event of a stream."""

    raw: bytes
    """Its bytes, the blank line included."""
    name: bytes
    """Its name, empty when it has none."""
    data: bytes
    """Its data lines joined."""


def split_events(block: bytes) -> Iterator[Event]:
    """Events of a block that ends with a blank line; those of comments alone have no data."""
    if block.find(b"\n\n") == len(block) - 2 and block.find(b"\r") < 0:
        yield Event(block, *fields_of(block))  # one event, as nearly always
        return
    start = 0
    for match in _BLANK_LINE.finditer(block):
        raw = block[start : match.end()]
        start = match.end()
        name, data = fields_of(raw)
        yield Event(raw, name, data)
    if start < len(block):
        yield Event(block[start:], *fields_of(block[start:]))


def fields_of(raw: bytes) -> tuple[bytes, bytes]:
    """Name and data of one event."""
    if raw.startswith(_DATA) and raw.find(b"\n") == len(raw) - 2 and raw.endswith(b"\n\n") and raw.find(b"\r") < 0:
        return b"", raw[len(_DATA) : -2]
    name = b""
    data: list[bytes] = []
    for line in _LINE_END.split(raw):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value[1:] if value[:1] == b" " else value)
        elif field == b"event":
            name = value[1:] if value[:1] == b" " else value
    return name, b"\n".join(data)


def _mark_of(chunk: bytes) -> bytes:
    """What a chunk like this holds once and others do not: that it is not the last one, else how it ends."""
    for mark in _UNFINISHED:
        if chunk.count(mark) == 1:
            return mark
    return chunk[-_TAIL:]


class StreamReader:
    """Passes a stream on event by event and reads what it says about itself."""

    __slots__ = (
        "_held", "_holds", "_is_fresh", "_keep_text", "_learns", "_like", "_mark", "_misses", "_opening", "_reading",
        "_strip", "_text", "_told_at", "_unused", "_usage", "error", "events", "is_done", "is_finished", "too_long",
    )  # fmt: skip

    def __init__(self, api: Api, *, strip_usage: bool, keep_text: bool = False) -> None:
        # Compiled, fields lie in this order: what every event asks for, in one line of the cache.
        self._like: Likeness | None = None
        self._holds = False
        """True while an event that is not complete is held back."""
        self.events = 0
        """Events that carried content, near enough to tokens delivered."""
        self._misses = 0
        self._usage: Usage | None = None
        self._told_at = 0
        self.is_done = False
        """True once the stream said it is complete; one that ends without saying so was cut."""
        self.is_finished = False
        """True once a choice gave its reason to finish: all that upstreams which send no end mark ever say."""
        self.error = ""
        """Code of an error the upstream sent within the stream, or `invalid_event`."""
        self.too_long = False
        """True when an event exceeds what is held back; nothing more is passed on."""
        self._held = bytearray()
        self._is_fresh = True
        self._opening = b""
        self._strip = strip_usage
        self._keep_text = keep_text
        self._text: list[str] = []
        self._reading: Reading = reading_of(api)
        # What each event of mere content holds once, and how it says that it has no usage, where it says so.
        self._mark = _CONTENT_LINE.get(api, b"")
        self._unused = b""
        self._learns = not self._mark

    @property
    def usage(self) -> Usage | None:
        """Usage as reported; of a stream that was cut, with the events delivered where those are more.

        A count of zero is a count: only what came after the last report can be more than it says. Messages reports at
        the beginning, which says nothing of what follows.
        """
        usage = self._usage
        if usage is None or self.is_done or self._told_at == self.events or usage.tokens_out >= self.events:
            return usage
        return usage._replace(tokens_out=self.events, is_estimated=True)

    def feed(self, chunk: bytes) -> bytes:
        """The whole events that are complete with this chunk, as they came; empty when none is."""
        like = self._like
        if like is not None:
            if like.holds(chunk) and not self._holds:  # nearly all events of most streams
                self.events += 1
                self._misses = 0
                return chunk
            self._misses += 1
            if self._misses >= _MOST_MISSES:
                self._like = None
        if self._holds or self._is_fresh or not chunk.endswith(b"\n\n") or chunk.find(b"\r") >= 0:
            chunk = self._whole(chunk)
            if chunk.find(b"\r") >= 0:
                return self._examine(chunk)
        events = chunk.count(b"\n\n")
        if (
            chunk.count(self._mark) != events
            or chunk.count(b'"usage"') != (chunk.count(self._unused) if self._unused else 0)
            or self._keep_text
            or not events
        ):
            return self._examine(chunk)
        self.events += events
        return chunk

    def repeats(self, frame: bytes, start: int, stop: int) -> bool:
        """Takes what stands between two places, as `feed` would, where it is one event like the one before."""
        like = self._like
        if like is None or self._holds or not like.stands(frame, start, stop):
            return False
        self.events += 1
        self._misses = 0
        return True

    def repeats_all(self, frames: bytes) -> bool:
        """The same of some chunks, each with one such event; False where one of them is something else."""
        like, at, events = self._like, 0, 0
        if like is None or self._holds:
            return False
        while at < len(frames):
            stop = end_of_chunk(frames, at)
            if not stop or not like.stands(frames, frames.find(b"\n", at) + 1, stop - 2):
                return False
            at = stop
            events += 1
        self.events += events
        self._misses = 0
        return True

    def opening(self, events: bytes, waited_s: float) -> bytes:
        """What the answer begins with when `feed` has brought `events`: all so far, once a token or an end came.

        Nothing before: a role, a name or a keep-alive another upstream can say as well. `OPENING_S` bounds `waited_s`.
        """
        opening = self._opening = self._opening + events
        if not (
            self.events
            or self.is_done
            or self.is_finished
            or waited_s >= OPENING_S
            or len(opening) >= OPENING_BYTES
            or opening.count(b"data:") > OPENING_EVENTS
        ):
            return b""
        self._opening = b""
        return opening

    def flush(self) -> bytes:
        """At the end of the stream: what is held back, when it is an event that lacks only its blank line."""
        held = bytes(self._held)
        self._held.clear()
        self._holds = False
        if self.too_long or not held.strip(b"\r\n"):
            return b""
        data = fields_of(held)[1]
        if not data or self._reading.read(data).error == BAD_EVENT:
            return b""
        return self._examine(held if held.endswith(b"\r\r") else held.rstrip(b"\r\n") + b"\n\n")

    def text(self) -> str:
        """Text delivered; only kept when asked for at the start."""
        return "".join(self._text)

    def _whole(self, chunk: bytes) -> bytes:
        """The part of what is held and `chunk` that ends with the last blank line; the rest is held."""
        if self.too_long:
            return b""
        if self._is_fresh and not self._holds and chunk[:1] == _D and chunk.endswith(b"\n\n") and chunk.find(b"\r") < 0:
            self._is_fresh = False  # whole events from the first byte on, as most streams begin
            return chunk
        held = self._held
        searched = max(len(held) - 3, 0)
        held += chunk
        self._holds = bool(held)
        if self._is_fresh:
            if len(held) < len(_BOM) and _BOM.startswith(held):
                return b""
            if held.startswith(_BOM):
                del held[: len(_BOM)]
            self._is_fresh = False
        end = 0
        for match in _BLANK_LINE.finditer(held, searched):
            end = match.end()
        if len(held) - end > MAX_EVENT:
            self.too_long = True
            del held[1:]  # something stays held, so that no later chunk passes by
            return b""
        whole = bytes(held[:end])
        del held[:end]
        self._holds = bool(held)
        return whole

    def _examine(self, block: bytes) -> bytes:
        """Reads every event of a block; the block without the usage the caller did not ask for."""
        if block.find(b"\n\n") == len(block) - 2 and block.find(b"\r") < 0:  # one event, as nearly always
            data = fields_of(block)[1]
            return b"" if data and self._is_surplus(block, data) else block
        dropped = False
        kept = []
        for event in split_events(block):
            if event.data and self._is_surplus(event.raw, event.data):
                dropped = True
            else:
                kept.append(event.raw)
        return b"".join(kept) if dropped else block

    def _is_surplus(self, raw: bytes, data: bytes) -> bool:
        """Takes note of an event; True when it is the usage we asked for and the caller did not."""
        said = self._reading.read(data)
        if said.is_content:
            self.events += 1
            if self._learns and said.usage is None and raw.endswith(b"}\n\n"):
                self._mark = _mark_of(raw)
                self._unused = next((null for null in _NULLS if null in raw), b"")
            is_mere = said.usage is None and not (said.is_end or said.is_finish or said.error)
            if is_mere and said.text and not self._keep_text and self._misses < _MOST_MISSES:
                self._like = likeness_of(raw, said.text)
        told, known = said.usage, self._usage
        # Counts only grow: one that fell is no count (some send a last chunk of zeros after the real one).
        if told is not None and (known is None or sum(told[:2]) >= sum(known[:2])):
            self._usage, self._told_at = told, self.events
        self.is_done = self.is_done or said.is_end
        self.is_finished = self.is_finished or said.is_finish
        if said.error:
            self.error = said.error
        if self._keep_text and said.text:
            self._text.append(said.text)
        return self._strip and said.is_usage_only
