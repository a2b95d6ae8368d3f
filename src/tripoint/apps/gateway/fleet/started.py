"""A worker process that was started, and our end of the channel to it; it serves once it is given a table."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from tripoint.apps import stores
from tripoint.apps.gateway.control import Channel, Launch, Message
from tripoint.apps.gateway.fleet.options import ServeOptions
from tripoint.apps.gateway.fleet.sockets import is_loopback

_MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(4 << 20), "MALLOC_TRIM_THRESHOLD_": str(8 << 20)}
"""Long prompts come and go: glibc would give their memory back to the kernel after each, and ask for it again."""


class Inherited(NamedTuple):
    """What every worker of a fleet inherits."""

    listening: Sequence[socket.socket]
    """The listening sockets of all places."""
    board_fd: int
    """The shared board."""


class Started:
    """One of them; `heard` is called with every message and `lost` when its channel ends, both with this object."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        incarnation: str,
        heard: Callable[[Started, Message], None],
        lost: Callable[[Started], None],
    ) -> None:
        self.process = process
        self.incarnation = incarnation
        """Names its files."""
        self.channel = Channel(lambda message: heard(self, message), lambda: lost(self))

    @property
    def is_alive(self) -> bool:
        """True until its end was seen."""
        return self.process.returncode is None

    async def kill(self) -> None:
        """Ends it at once, whatever it does."""
        if self.is_alive:
            self.process.kill()
        await self.process.wait()
        self.channel.close()


async def started(
    module: str,
    place: int,
    options: ServeOptions,
    inherited: Inherited,
    heard: Callable[[Started, Message], None],
    lost: Callable[[Started], None],
) -> Started:
    """Starts a worker for a place; raises `OSError` where this machine starts no process."""
    ours, theirs = socket.socketpair()
    incarnation = secrets.token_hex(6)
    with theirs:
        launch = _launch(place, incarnation, options, inherited, theirs.fileno())
        listening = (each.fileno() for each in inherited.listening)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, msgspec.json.encode(launch).decode(),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(*listening, inherited.board_fd, theirs.fileno()),
            env=_MALLOC | os.environ,
        )  # fmt: skip
    made = Started(process, incarnation, heard, lost)
    await asyncio.get_running_loop().create_connection(lambda: made.channel, sock=ours)
    return made


def _launch(place: int, incarnation: str, options: ServeOptions, inherited: Inherited, control_fd: int) -> Launch:
    return Launch(
        worker=place,
        workers=options.workers,
        incarnation=incarnation,
        listen_fds=tuple(each.fileno() for each in inherited.listening),
        control_fd=control_fd,
        board_fd=inherited.board_fd,
        run_dir=str(options.run_dir),
        is_public=not is_loopback(options.host),
        pepper_file=str(stores.pepper_file(options.store)) if options.store else "",
        is_durable=options.is_durable,
        access_log=options.access_log,
        convention=options.convention,
        tls_cert=options.tls_cert,
        tls_key=options.tls_key,
        drain_s=options.drain_s,
        limits=options.limits,
    )
