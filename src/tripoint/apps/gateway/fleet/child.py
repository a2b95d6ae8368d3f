"""One place in the fleet: the worker process in it now, and the next one when that dies."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import Callable, Sequence
from time import monotonic

import msgspec

from tripoint.apps import stores
from tripoint.apps.gateway.control import Channel, Launch, Message
from tripoint.apps.gateway.fleet.options import ServeOptions
from tripoint.apps.gateway.fleet.sockets import is_loopback

_WORKER = "tripoint.apps.gateway.worker.main"
_MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(4 << 20), "MALLOC_TRIM_THRESHOLD_": str(8 << 20)}
"""Long prompts come and go: glibc would give their memory back to the kernel after each, and ask for it again."""
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S, _HEALTHY_S = 0.1, 5.0, 10.0
_GRACE_S = 6.0
"""Longest a worker may take beyond the drain: for its last records, counters and log lines, s."""


class Child:
    """Keeps one worker running."""

    def __init__(
        self,
        index: int,
        options: ServeOptions,
        listening: Sequence[socket.socket],
        board_fd: int,
        died: Callable[[int, int], None],
        changed: Callable[[], None],
    ) -> None:
        self._index = index
        self._options = options
        self._listening = listening
        self._board_fd = board_fd
        self._died = died
        """Called with the place's number and the exit code once a worker is reaped."""
        self._changed = changed
        """Called when a worker begins to take connections and when it does so no more."""
        self._table = ""
        self._process: asyncio.subprocess.Process | None = None
        self._channel: Channel | None = None
        self._is_ending = False
        self._ready = asyncio.Event()
        self._heard: asyncio.Future[Message] | None = None
        self._covered: tuple[int, ...] = ()
        self.has_served = False
        """True once a worker of this place has served: from then on callers are sent to its socket."""
        self.degraded: tuple[str, ...] = ()
        """What the worker said is missing."""
        self.unwritten: list[Message] = []
        """What workers of this place could not write before they ended."""
        self.was_killed = False
        """True when the last worker did not end in its time: what it had not written nobody has counted."""
        self.starts = 0
        """Workers started in this place so far."""
        self.incarnation = ""
        """Names the present worker's files."""

    @property
    def pid(self) -> int:
        """Process id of the present worker, 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    @property
    def is_serving(self) -> bool:
        """True while the present worker takes connections."""
        return self._ready.is_set()

    async def keep(self) -> None:
        """Runs workers one after the other until told to end; each serves once there is a table."""
        pause = 0.0
        while not self._is_ending:
            began = monotonic()
            code = await self._run_one()
            self._died(self._index, code)
            is_sudden = monotonic() - began > _HEALTHY_S  # after a good while: its successor is not waited for
            pause = 0.0 if is_sudden else min(max(2 * pause, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S)
            if not self._is_ending:
                await asyncio.sleep(pause)

    def begin(self, table: str) -> None:
        """Gives the first table: the worker may have been coming up meanwhile."""
        self._table = table
        if self._channel is not None:
            self._channel.send(Message("table", table))

    async def ready(self) -> None:
        """Returns once the present worker serves."""
        await self._ready.wait()

    async def adopt(self, table: str) -> Message:
        """Has the worker serve by another table; returns what it said, also when it died on it."""
        self._table = table
        if self._channel is None or not self._ready.is_set():
            return Message("adopted")  # the worker that is coming up, or the next one, begins with it
        self._heard = asyncio.get_running_loop().create_future()
        self._channel.send(Message("table", table))
        return await self._heard

    def cover(self, places: tuple[int, ...]) -> None:
        """Has the worker take the connections of these places too, and of no others."""
        if self._channel is not None and places != self._covered:
            self._covered = places
            self._channel.send(Message("cover", places=places))

    async def end(self) -> None:
        """Drains the worker; kills it when it takes longer than it may."""
        self._is_ending = True
        process = self._process
        if process is None:
            return
        if self._channel is not None:
            self._channel.send(Message("drain"))
        else:  # it has only just been started, and nobody waits for it
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._options.drain_s + _GRACE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            self.was_killed = True

    async def _run_one(self) -> int:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", _WORKER, self._launch(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(*(each.fileno() for each in self._listening), self._board_fd, theirs.fileno()),
                env=_MALLOC | os.environ,
            )  # fmt: skip
        self._process = process
        self.starts += 1
        self._covered = ()
        channel = Channel(self._told, self._lost)
        await asyncio.get_running_loop().create_connection(lambda: channel, sock=ours)
        self._channel = channel
        if self._table:
            channel.send(Message("table", self._table))
        code = await process.wait()
        channel.close()
        self._process = self._channel = None
        self._ready.clear()
        self._lost()
        self._changed()
        return code

    def _launch(self, control_fd: int) -> str:
        options = self._options
        self.incarnation = secrets.token_hex(6)
        launch = Launch(
            worker=self._index,
            workers=options.workers,
            incarnation=self.incarnation,
            listen_fds=tuple(each.fileno() for each in self._listening),
            control_fd=control_fd,
            board_fd=self._board_fd,
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
        return msgspec.json.encode(launch).decode()

    def _told(self, message: Message) -> None:
        if message.kind == "ready":
            self.degraded = message.degraded
            self.has_served = True
            self._ready.set()
            self._changed()
        elif message.kind == "draining":  # of its own accord, or told to end by somebody else
            self._ready.clear()
            self._changed()
        elif message.kind == "unwritten":
            self.unwritten.append(message)
        elif self._heard is not None and not self._heard.done():
            self.degraded = message.degraded
            self._heard.set_result(message)

    def _lost(self) -> None:
        if self._heard is not None and not self._heard.done():
            self._heard.set_result(Message("refused", "the worker ended"))
