"""Reading large bodies straight into memory that all connections share, in place of into objects made for each read.

The loop makes an object of every read, of a quarter of a megabyte at most, and a large body is then joined of several.
A connection that has sent one large body is read this way from then on. Where the next head is like the last, and it
mostly is, its body is read right into the object that stays: that copy costs as much as looking through the body twice.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final, cast

from tripoint.apps.gateway.http.spout import NO_DESCRIPTOR, descriptor_of

if TYPE_CHECKING:
    from tripoint.apps.gateway.http.connection import Connection
    from tripoint.apps.gateway.http.heads import KnownHead
    from tripoint.apps.gateway.http.lobby import Lobby

LARGE: Final = 128 * 1024
"""Bodies from this size on, bytes, show that others like it may follow."""
_ROOM: Final = 512 * 1024
"""Most bytes of one read into what is shared."""
_read: Final = os.read  # compiled, a name that was imported is looked up at each use
_MOST: Final = 4 * 2**20
"""Most bytes of one read into an object of its own: a system buffers hardly more."""


class Intake:
    """The face of a connection towards a loop that asks where to read to."""

    __slots__ = ("_connection", "_descriptor", "_room")

    def __init__(self, connection: Connection, room: memoryview, descriptor: int) -> None:
        self._connection = connection
        self._room = room
        self._descriptor = descriptor

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It was made long ago."""

    def get_buffer(self, size_hint: int) -> memoryview:
        """Where to read to: nothing else is read before `buffer_updated` has told what came."""
        del size_hint
        known = self._connection.expected()
        if known is not None and known.length >= LARGE:
            self._read_whole(known)
        return self._room

    def buffer_updated(self, count: int) -> None:
        """So many bytes came."""
        self._connection.received_into(self._room, count)

    def _read_whole(self, known: KnownHead) -> None:
        """Reads a head like the last one by itself, and its body into an object of its own size.

        Both are told at once, while they are in the nearest cache; the loop, which is still asking where to read to,
        finds nothing more.
        """
        connection = self._connection
        head = body = b""
        try:
            head = _read(self._descriptor, len(known.before) + len(b"%d" % known.length) + len(known.after))
            if head and known.size_in(head) == len(head) and known.length <= connection.largest:
                body = _read(self._descriptor, min(known.length, _MOST))
        except OSError:  # there was nothing, or the connection is lost: the loop finds the same
            pass
        if body and len(body) == known.length:
            connection.received_whole(known, body)
            return
        for data in (head, body):
            if data:
                connection.data_received(data)

    def eof_received(self) -> bool:
        """See `Connection`."""
        return self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `Connection`."""
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """See `Connection`."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """See `Connection`."""
        self._connection.resume_writing()


def intake_of(connection: Connection, transport: asyncio.Transport | None, lobby: Lobby) -> Intake | None:
    """Has a connection read this way from now on, where its loop can; `None` where it cannot, or not now."""
    # Encrypted connections and other loops have transports that must be told otherwise; they are read as before.
    if transport is None:
        return None
    descriptor = descriptor_of(transport)
    if descriptor == NO_DESCRIPTOR or not transport.is_reading():
        return None
    if lobby.room is None:
        lobby.room = memoryview(bytearray(_ROOM))
    intake = Intake(connection, lobby.room, descriptor)
    transport.pause_reading()  # how to read is asked when reading begins
    transport.set_protocol(cast("asyncio.BaseProtocol", intake))
    transport.resume_reading()
    return intake
