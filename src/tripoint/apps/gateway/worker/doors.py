"""Where a worker takes connections: the socket of its own place, and those of places that have no worker just now."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence

_BACKLOG = 4096
_log = logging.getLogger("tripoint.gateway")


class Doors:
    """The listening sockets of all places as one worker has inherited them."""

    def __init__(
        self,
        descriptors: Sequence[int],
        make: Callable[[], asyncio.Protocol],
        *,
        tls: ssl.SSLContext | None,
        handshake_s: float,
    ) -> None:
        self._descriptors = tuple(descriptors)
        self._make = make
        self._tls = tls
        self._handshake_s = handshake_s
        self._servers: dict[int, asyncio.Server] = {}
        self._wanted: frozenset[int] = frozenset()
        self._opening: set[asyncio.Task[None]] = set()

    async def open(self, place: int) -> None:
        """Takes the connections of a place from now on; raises `OSError` where that cannot be."""
        self._wanted |= {place}
        await self._open(place)

    def only(self, places: Iterable[int]) -> None:
        """Takes the connections of exactly these places; those already open stay open throughout."""
        self._wanted = frozenset(places)
        for place in [place for place in self._servers if place not in self._wanted]:
            self._servers.pop(place).close()
        for place in self._wanted - self._servers.keys():
            task = asyncio.get_running_loop().create_task(self._open(place))
            self._opening.add(task)
            task.add_done_callback(self._opened)

    def close(self) -> None:
        """Takes no more connections, and lets go of every socket."""
        self.only(())
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = ()

    async def _open(self, place: int) -> None:
        if place not in self._wanted or place in self._servers:
            return
        listening = socket.socket(fileno=os.dup(self._descriptors[place]))
        try:
            listening.setblocking(False)
            server = await asyncio.get_running_loop().create_server(
                self._make,
                sock=listening,
                ssl=self._tls,
                backlog=_BACKLOG,
                ssl_handshake_timeout=self._handshake_s if self._tls else None,
            )
        except BaseException:
            listening.close()
            raise
        if place in self._wanted and place not in self._servers:
            self._servers[place] = server
        else:  # it was given up while it opened
            server.close()

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("a place without a worker cannot be minded", exc_info=task.exception())
