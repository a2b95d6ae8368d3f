"""What workers and the ledger process tell each other: frames of MessagePack over a socket in the run folder.

Every message can be lost with its connection, and none is missed: after connecting anew each side tells all it knows.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import msgspec

from tripoint.domain.budget import Grant, Wish
from tripoint.domain.tenancy import Accounts

SOCKET: Final = "ledger.sock"
"""Name of the socket in the run folder."""
CACHE: Final = "accounts.cache"
"""The accounts as last told, for workers that start while the store is gone."""
_MOST: Final = 256 << 20
_LONGEST_PATH: Final = 100


class Hello(msgspec.Struct, tag=True, array_like=True):
    """A worker's first word."""

    holder: str
    """Its incarnation."""
    is_new: bool = False
    """True when it has leased nothing yet: then it may be told of accounts before the store was asked about it."""


class Wishes(msgspec.Struct, tag=True, array_like=True):
    """What a worker has to tell of its leases."""

    wishes: list[Wish]


class News(msgspec.Struct, tag=True, array_like=True):
    """The accounts as they are now."""

    accounts: Accounts


class Grants(msgspec.Struct, tag=True, array_like=True):
    """Answers to wishes."""

    grants: list[Grant]


class Recall(msgspec.Struct, tag=True, array_like=True):
    """Others wait (or no longer wait) for what is not used of a budget."""

    budget: str
    window: str
    is_on: bool


ToLedger = Hello | Wishes
ToWorker = News | Grants | Recall
_encode = msgspec.msgpack.Encoder().encode
_to_ledger = msgspec.msgpack.Decoder(ToLedger)
_to_worker = msgspec.msgpack.Decoder(ToWorker)
_accounts = msgspec.msgpack.Decoder(Accounts)


class Frames(asyncio.Protocol):
    """One end of a connection; what comes is handed on frame by frame, what cannot be read ends it."""

    def __init__(self, received: Callable[[Frames, bytes], None], ended: Callable[[Frames], None]) -> None:
        self._received = received
        self._ended = ended
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport to send on."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Takes frames apart: four bytes of length, then MessagePack."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= 4:
            size = int.from_bytes(buffer[:4], "big")
            if size > _MOST:
                self.close()
                return
            if len(buffer) < 4 + size:
                return
            frame = bytes(buffer[4 : 4 + size])
            del buffer[: 4 + size]
            try:
                self._received(self, frame)
            except msgspec.MsgspecError:
                self.close()
                return

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side is gone."""
        self._transport = None
        self._ended(self)

    def send(self, message: ToLedger | ToWorker) -> None:
        """Sends a message; into the void when the other side is gone."""
        if self._transport is not None and not self._transport.is_closing():
            frame = _encode(message)
            self._transport.write(len(frame).to_bytes(4, "big") + frame)

    def close(self) -> None:
        """Ends the conversation."""
        if self._transport is not None:
            self._transport.close()


def heard_by_ledger(frame: bytes) -> ToLedger:
    """A worker's message; raises `MsgspecError`."""
    found: ToLedger = _to_ledger.decode(frame)
    return found


def heard_by_worker(frame: bytes) -> ToWorker:
    """The ledger's message; raises `MsgspecError`."""
    found: ToWorker = _to_worker.decode(frame)
    return found


def keep_accounts(run_dir: Path, accounts: Accounts) -> None:
    """Leaves the accounts in the run folder, for this user only; raises `OSError`."""
    part = run_dir / f".{CACHE}.part"
    part.unlink(missing_ok=True)
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(_encode(accounts))
    part.replace(run_dir / CACHE)


def kept_accounts(run_dir: Path) -> Accounts | None:
    """The accounts as last left there; `None` when there are none that can be read."""
    try:
        found: Accounts = _accounts.decode((run_dir / CACHE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None
    return found


@contextmanager
def socket_path(run_dir: Path) -> Iterator[str]:
    """A path of the socket that is short enough for the system, valid within the block."""
    path = str(run_dir / SOCKET)
    if len(os.fsencode(path)) <= _LONGEST_PATH or not os.path.isdir("/proc/self/fd"):
        yield path
        return
    folder = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)
