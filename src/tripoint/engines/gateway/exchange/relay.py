"""The short way of an event that is like the one before: recognised in the chunk it came in, and passed on in it.

Nearly all events of nearly all streams go this way. It is no second machine: it changes what `Exchange.on_data` and
`StreamReader.feed` change for such an event, and leaves every other event to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tripoint.engines.gateway.wire.shapes.frames import content_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from tripoint.engines.gateway.exchange.effects import Attempt
    from tripoint.engines.gateway.exchange.exchange import Exchange
    from tripoint.engines.gateway.wire.sse import StreamReader


class Relay:
    """Of one attempt whose events are passed on; it holds while that attempt is under way."""

    __slots__ = ("_exchange", "_reader", "_write", "attempt")

    def __init__(
        self, exchange: Exchange, attempt: Attempt, reader: StreamReader, write: Callable[[bytes], object]
    ) -> None:
        self.attempt = attempt
        self._reader = reader
        self._exchange = exchange
        self._write = write

    def passes(self, chunk: bytes, now: float) -> bool:
        """Passes on a chunk with one event that is like the one before, or several such chunks.

        False for anything else, and nothing is done.
        """
        start = content_at(chunk)
        if not (self._reader.repeats(chunk, start, len(chunk) - 2) if start else self._reader.repeats_all(chunk)):
            return False
        exchange = self._exchange
        exchange.last_at = now
        due = now + exchange.core.stall_s
        exchange.due = due if due < exchange.deadline else exchange.deadline
        self.send(chunk)
        return True

    def send(self, chunk: bytes) -> None:
        """Sends to the caller."""
        self._write(chunk)


def passing_reader(exchange: Exchange, attempt: Attempt) -> StreamReader | None:
    """What reads the stream of an attempt whose answer is passed on, where it leaves unchanged; else `None`."""
    reader = attempt.reader
    if reader is None or attempt is not exchange._winner or not exchange._has_begun:
        return None
    return reader if exchange._stream is None and exchange._replay is None else None


def relay_of(exchange: Exchange, attempt: Attempt, write: Callable[[bytes], object]) -> Relay | None:
    """The relay of the attempt whose answer is passed on, where it leaves unchanged; `write` sends to the caller."""
    reader = passing_reader(exchange, attempt)
    return None if reader is None else Relay(exchange, attempt, reader, write)
