"""The process of the admin interface: one listening socket, uvicorn, an ordered end."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tripoint.apps import wiring
from tripoint.apps.gateway.fleet.sockets import close_all, listening_sockets
from tripoint.domain.errors import OptionError

_GRACE_S = 10
_HEAD_S = 10.0
_BACKLOG = 256
_MAX_CONNECTIONS = 512


class Door(NamedTuple):
    """Where the interface listens."""

    host: str
    """Address."""
    port: int
    """TCP port; 0 takes a free one."""
    tls_cert: str = ""
    """Certificate chain, PEM; empty without TLS."""
    tls_key: str = ""
    """Its key, PEM; empty when it is in the same file."""


def serve(app: ASGIApp, door: Door, ready: Callable[[str], None]) -> None:
    """Serves until SIGTERM or Ctrl-C, then answers what is under way; `ready` hears the address once it listens.

    Raises `OptionError` for a certificate that cannot be used, `PlatformError` for an address that cannot be had.
    """
    tls = _tls(door)
    sockets = listening_sockets(door.host, door.port, 1)
    try:
        for each in sockets:
            each.listen(_BACKLOG)
        host, port = sockets[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        config = uvicorn.Config(
            app, http=_Connection, ws="none", lifespan="on", log_config=None, access_log=False, proxy_headers=False,
            server_header=False, timeout_graceful_shutdown=_GRACE_S, limit_concurrency=_MAX_CONNECTIONS,
            ssl_context_factory=None if tls is None else lambda config, default: tls,
            ssl_certfile=door.tls_cert or None,
        )  # fmt: skip
        server = _Server(config, lambda: ready(f"{'https' if tls else 'http'}://{shown}:{port}"))
        server.run(sockets=sockets)
    finally:
        close_all(sockets)


class _Connection(HttpToolsProtocol):
    """One connection, which must say what it wants in time: a head that does not come keeps a place from others."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """See asyncio."""
        super().connection_made(transport)
        self._patience = asyncio.get_running_loop().call_later(_HEAD_S, self._drop)

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._patience.cancel()
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        """See httptools."""
        self._patience.cancel()  # of the head before, on a connection that is kept
        self._patience = asyncio.get_running_loop().call_later(_HEAD_S, self._drop)
        super().on_message_begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._patience.cancel()
        super().connection_lost(exc)

    def _drop(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    """Tells when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ends in order on SIGTERM and Ctrl-C, at once on the second; either way the process says it went well."""

        def asked() -> None:
            self.force_exit = self.should_exit
            self.should_exit = True

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, asked)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        await super().startup(sockets=sockets)
        self._ready()


def _tls(door: Door) -> ssl.SSLContext | None:
    if not door.tls_cert:
        return None
    try:
        return wiring.server_tls(door.tls_cert, door.tls_key or None)
    except OSError as error:
        raise OptionError(
            f"the certificate `{door.tls_cert}` cannot be used: {error.strerror or error}",
            hint="a PEM chain in `--tls-cert`, its key in `--tls-key`",
        ) from None
