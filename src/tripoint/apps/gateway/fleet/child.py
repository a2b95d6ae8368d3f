"""One place in the fleet: the worker process in it now, and the next one when that dies.

A process takes most of a second to start. Where other workers take the connections meanwhile nobody notices; where
there is only one, the next is started while that serves, and waits for its table until it is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from tripoint.apps.gateway.control import Message
from tripoint.apps.gateway.fleet.options import ServeOptions
from tripoint.apps.gateway.fleet.started import Inherited, Started, started

_WORKER = "tripoint.apps.gateway.worker.main"
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S, _HEALTHY_S = 0.1, 5.0, 10.0
_GRACE_S = 6.0
"""Longest a worker may take beyond the drain: for its last records, counters and log lines, s."""


class Child:
    """Keeps one worker running."""

    def __init__(
        self,
        index: int,
        options: ServeOptions,
        inherited: Inherited,
        died: Callable[[int, int], None],
        changed: Callable[[], None],
    ) -> None:
        self._index = index
        self._options = options
        self._inherited = inherited
        self._died = died
        """Called with the place's number and the exit code once a worker is reaped."""
        self._changed = changed
        """Called when a worker begins to take connections and when it does so no more."""
        self._table = self._given = ""
        self._present: Started | None = None
        self._spare: Started | None = None
        """The next one, where it waits already."""
        self._preparing: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[Started] | None = None
        """The process started last."""
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
        return self._present.process.pid if self._present is not None else 0

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
        if self._present is not None:
            self._give(self._present)

    async def ready(self) -> None:
        """Returns once the present worker serves."""
        await self._ready.wait()

    async def adopt(self, table: str) -> Message:
        """Has the worker serve by another table; returns what it said, also when it died on it."""
        self._table = table
        if self._present is None or not self._ready.is_set():
            return Message("adopted")  # the worker that is coming up gets it then, the next one begins with it
        self._heard = asyncio.get_running_loop().create_future()
        self._give(self._present)
        return await self._heard

    def cover(self, places: tuple[int, ...]) -> None:
        """Has the worker take the connections of these places too, and of no others."""
        if self._present is not None and places != self._covered:
            self._covered = places
            self._present.channel.send(Message("cover", places=places))

    async def end(self) -> None:
        """Drains the worker; kills it when it takes longer than it may."""
        self._is_ending = True
        if self._starting is not None:
            with suppress(OSError):
                newest = await self._starting
                if newest is not self._present:
                    await newest.kill()  # it has nothing under way
        present = self._present
        if present is None:
            return
        present.channel.send(Message("drain"))
        try:
            await asyncio.wait_for(present.process.wait(), self._options.drain_s + _GRACE_S)
        except TimeoutError:
            await present.kill()
            self.was_killed = True

    async def _run_one(self) -> int:
        if self._preparing is not None:
            await self._preparing
        spare, self._spare = self._spare, None
        self._present = present = spare if spare is not None and spare.is_alive else await self._started()
        self.incarnation = present.incarnation
        self.starts += 1
        self._covered = ()
        if self._is_ending:
            present.channel.send(Message("drain"))
        elif self._table:
            self._give(present)
        code = await present.process.wait()
        present.channel.close()
        self._present = None
        self._ready.clear()
        self._lost(present)
        self._changed()
        return code

    def _give(self, worker: Started) -> None:
        self._given = self._table
        worker.channel.send(Message("table", self._table))

    async def _started(self) -> Started:
        coming = started(_WORKER, self._index, self._options, self._inherited, self._told, self._lost)
        self._starting = asyncio.get_running_loop().create_task(coming)
        return await self._starting

    def _prepare_next(self) -> None:
        """Has the next worker wait, where nobody else takes the connections meanwhile."""
        if self._options.workers == 1 and self._spare is None and self.is_serving and not self._is_ending:
            self._preparing = asyncio.get_running_loop().create_task(self._prepare())

    async def _prepare(self) -> None:
        with suppress(OSError):  # no process to be had now: the next worker is started when it is needed
            made = await self._started()
            if self._is_ending:
                await made.kill()
            else:
                self._spare = made

    def _told(self, sender: Started, message: Message) -> None:
        if sender is not self._present:  # one that waits has nothing to say, and one that has ended nothing more
            return
        if message.kind == "ready":
            self.degraded = message.degraded
            self.has_served = True
            if self._given != self._table:  # another one came while it was coming up by the one before
                self._give(sender)
            self._ready.set()
            self._changed()
            self._prepare_next()
        elif message.kind == "draining":  # of its own accord, or told to end by somebody else
            self._ready.clear()
            self._changed()
        elif message.kind == "unwritten":
            self.unwritten.append(message)
        elif self._heard is not None and not self._heard.done():
            self.degraded = message.degraded
            self._heard.set_result(message)

    def _lost(self, sender: Started) -> None:
        if sender is self._spare and not self._is_ending:
            self._spare = None
            asyncio.get_running_loop().call_later(_LONGEST_PAUSE_S, self._prepare_next)
        is_present = sender is self._present or self._present is None
        if is_present and self._heard is not None and not self._heard.done():
            self._heard.set_result(Message("refused", "the worker ended"))
