"""The shortest way out: events of a stream that are like the one before go to the caller's socket, past the transport.

With a hundred streams open nothing of one is left in the nearest cache when its next event comes. Handing that event to
the loop's transport touches the transport, its handle and its list of what waits; writing it by its descriptor touches
none of them. Whatever is not as usual goes to the transport, which deals with it as ever.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tripoint.engines.gateway.exchange.relay import Relay

if TYPE_CHECKING:
    from tripoint.engines.gateway.exchange.effects import Attempt
    from tripoint.engines.gateway.exchange.exchange import Exchange
    from tripoint.engines.gateway.wire.sse import StreamReader

NO_DESCRIPTOR: Final = -1
_write: Final = os.write  # compiled, a name that was imported is looked up at each use


class Spout(Relay):
    """A relay that writes by itself as long as the transport has nothing left to write.

    It must be told after all that the transport was given (`settle`), and before the connection is gone (`close`): a
    descriptor is the next connection's as soon as it is closed.
    """

    __slots__ = ("_descriptor", "_is_clear")

    def __init__(
        self, exchange: Exchange, attempt: Attempt, reader: StreamReader, write: Callable[[bytes], object]
    ) -> None:
        super().__init__(exchange, attempt, reader, write)
        self._descriptor = NO_DESCRIPTOR
        self._is_clear = False

    def settle(self, transport: asyncio.Transport, descriptor: int) -> None:
        """The transport was given something: only once nothing of it waits may anything be written past it."""
        self._descriptor = descriptor
        self._is_clear = descriptor >= 0 and not transport.get_write_buffer_size()

    def close(self) -> None:
        """The connection goes: from now on there is only the transport, which says so."""
        self._descriptor = NO_DESCRIPTOR
        self._is_clear = False

    def send(self, chunk: bytes) -> None:
        """See `Relay`."""
        if self._is_clear:
            try:
                sent = _write(self._descriptor, chunk)
            except OSError:  # its buffer is full, or the caller has left: the transport finds the same
                sent = 0
            if sent == len(chunk):
                return
            self._is_clear = False
            chunk = chunk[sent:]
        self._write(chunk)


def descriptor_of(transport: asyncio.Transport) -> int:
    """The socket under a transport, where bytes may pass by it; `NO_DESCRIPTOR` where they may not.

    Encrypted connections have transports that change what passes; other loops may close a socket before they tell.
    """
    if not type(transport).__module__.startswith("uvloop") or transport.get_extra_info("sslcontext") is not None:
        return NO_DESCRIPTOR
    descriptor = int(transport.get_extra_info("socket").fileno())
    return NO_DESCRIPTOR if os.get_blocking(descriptor) else descriptor
