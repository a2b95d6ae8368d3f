"""How supervisor and worker talk: frames of JSON over a socket pair that ends when either of them does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import msgspec

from tripoint.apps.gateway.limits import Limits

MAX_FRAME = 256 * 2**20


class Launch(msgspec.Struct, kw_only=True):
    """What a worker is started with; no secret is in it, since command lines can be read by others."""

    worker: int
    workers: int
    incarnation: str
    listen_fds: tuple[int, ...]
    """The listening sockets of all places, that of this worker's own place at `worker`."""
    control_fd: int
    board_fd: int
    run_dir: str
    is_public: bool = False
    """True where others than this machine can call."""
    pepper_file: str = ""
    """Where the pepper of the store's keys is; empty where there is no store and so no ledger process."""
    is_durable: bool = False
    access_log: str = ""
    convention: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    drain_s: float = 30.0
    limits: Limits = msgspec.field(default_factory=Limits)


class Message(msgspec.Struct):
    """One frame."""

    kind: str
    """To a worker: `table`, `cover` or `drain`. From it: `ready`, `adopted`, `refused`, `draining` or `unwritten`."""
    text: str = ""
    """The table as JSON, or words for a person."""
    degraded: tuple[str, ...] = ()
    """With `ready` and `adopted`: what is missing."""
    places: tuple[int, ...] = ()
    """With `cover`: the places, beside its own, whose connections the worker takes from now on."""
    records: int = 0
    """With `unwritten`: usage records the disk did not take before the worker ended; `text` says why."""
    nano: int = 0
    """What those cost, nano-dollars."""


class Channel(asyncio.Protocol):
    """One end; `received` is called with every message and `ended` once, when the other side is gone."""

    def __init__(self, received: Callable[[Message], None], ended: Callable[[], None]) -> None:
        self._received = received
        self._ended = ended
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._decoder = msgspec.json.Decoder(Message)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport to send on."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Takes frames apart: four bytes of length, then JSON."""
        self._buffer += data
        while len(self._buffer) >= 4:
            size = int.from_bytes(self._buffer[:4], "big")
            if size > MAX_FRAME:
                self.close()
                return
            if len(self._buffer) < 4 + size:
                return
            frame = bytes(self._buffer[4 : 4 + size])
            del self._buffer[: 4 + size]
            self._received(self._decoder.decode(frame))

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side is gone."""
        self._transport = None
        self._ended()

    @property
    def is_open(self) -> bool:
        """True while the other side can be told something."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, message: Message) -> None:
        """Sends a message; into the void when the other side is gone, which `ended` tells."""
        if self._transport is not None and not self._transport.is_closing():
            frame = msgspec.json.encode(message)
            self._transport.write(len(frame).to_bytes(4, "big") + frame)

    def close(self) -> None:
        """Ends the conversation."""
        if self._transport is not None:
            self._transport.close()
