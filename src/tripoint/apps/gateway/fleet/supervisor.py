"""The fleet: workers started, replaced, reloaded and drained; the one process that reads estates and signals.

It answers no request. When it dies, its end of every worker's channel closes, and they finish and end as well.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tripoint.apps import stores, wiring
from tripoint.apps.answer import plural
from tripoint.apps.gateway.credentials import complaints, resolve
from tripoint.apps.gateway.fleet.child import Child
from tripoint.apps.gateway.fleet.claim import claim
from tripoint.apps.gateway.fleet.ledger_child import LedgerChild
from tripoint.apps.gateway.fleet.options import ServeOptions
from tripoint.apps.gateway.fleet.sockets import close_all, is_loopback, listening_sockets, refuse_open_door, stand_ins
from tripoint.apps.gateway.fleet.started import Inherited
from tripoint.apps.gateway.limits import callers_within
from tripoint.domain.errors import FileError, OptionError, PlatformError, TripointError
from tripoint.domain.money import usd
from tripoint.domain.table import RoutingTable

_START_S = 30.0
_WATCH_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What serves now."""

    address: str
    """Where callers connect."""
    workers: int
    """Worker processes."""
    table: RoutingTable
    """The table."""
    degraded: tuple[str, ...]
    """What is missing."""


class Tell(NamedTuple):
    """How the fleet speaks to people."""

    ready: Callable[[Standing], None]
    """Called once when it serves."""
    note: Callable[[str], None]
    """Called with one line about something that happened."""
    refused: Callable[[BaseException], None]
    """Called with what is wrong with an estate that was not taken."""


class Fleet:
    """Runs `tripoint serve`."""

    def __init__(self, options: ServeOptions, compile_table: Callable[[RoutingTable | None], RoutingTable],
                 tell: Tell) -> None:  # fmt: skip
        self._options = options
        self._compile = compile_table
        self._tell = tell
        self._children: list[Child] = []
        self._ledger = LedgerChild(options, tell.note) if options.store else None
        self._keeping: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Event()
        self._table: RoutingTable | None = None
        self._board_fd = -1

    async def run(self) -> FileError | None:
        """Serves until SIGTERM or SIGINT; raises `TripointError` where it cannot begin.

        Returns what of the usage could not be written before the end, None where all of it is on disk.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._reloading.set)
        options = self._options
        sockets = listening_sockets(options.host, options.port, options.workers)
        claimed = None
        try:
            claimed = claim(options.run_dir)
            self._board_fd = wiring.make_board(options.workers)
            shutil.rmtree(options.run_dir / "metrics", ignore_errors=True)  # counters begin with the fleet
            self._spawn(sockets)
            table = self._table = await asyncio.to_thread(self._compile, None)  # while the workers come up
            self._check(table)
            self._tell_room()
            self._keep_copy(table)
            await self._start(table, sockets[0])
            watching = loop.create_task(self._watch()) if options.is_watching else None
            await self._serve()
            if watching is not None:
                watching.cancel()
        finally:
            self._stopping.set()
            close_all(sockets)
            await self._end()
            if claimed is not None:
                os.close(claimed)
        return self._unwritten()

    def _check(self, table: RoutingTable) -> None:
        options = self._options
        self._refuse_open_door(has_keys=self._has_keys(table))
        if not options.tls_cert:
            return
        try:
            wiring.server_tls(options.tls_cert, options.tls_key or None)
        except OSError as error:
            raise OptionError(
                f"the certificate `{options.tls_cert}` cannot be used: {error.strerror or error}"
            ) from None

    def _tell_room(self) -> None:
        """Says once, for all workers, where open files leave room for fewer connections than were asked for."""
        _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
        room = callers_within(files)
        if files != resource.RLIM_INFINITY and room < self._options.limits.max_connections:
            each = "" if self._options.workers == 1 else " in each worker"
            self._tell.note(f"room for {room} connections{each} only: this machine allows {files} open files")

    def _refuse_open_door(self, *, has_keys: bool) -> None:
        options = self._options
        has_tls, has_proxy = bool(options.tls_cert), bool(options.limits.proxies)
        refuse_open_door(options.host, has_tls=has_tls, has_keys=has_keys, has_proxy=has_proxy)

    def _has_keys(self, table: RoutingTable) -> bool:
        """True where the estate or the store has keys; raises `StoreError` where only the store could tell."""
        host, store = self._options.host, self._options.store
        return bool(table.keys) or (bool(store) and not is_loopback(host) and stores.gateway_keys(store) > 0)

    def _spawn(self, sockets: list[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        if self._ledger is not None:  # first, since workers wait for the accounts it tells
            self._keeping.append(loop.create_task(self._ledger.keep()))
        inherited = Inherited(sockets, self._board_fd)
        for index in range(len(sockets)):
            child = Child(index, self._options, inherited, self._worker_died, self._cover)
            self._children.append(child)
            self._keeping.append(loop.create_task(child.keep()))

    async def _start(self, table: RoutingTable, listening: socket.socket) -> None:
        """Gives the workers their table and tells once all of them serve."""
        text = wiring.routing_table_json(table).decode()
        loop = asyncio.get_running_loop()
        for child in self._children:
            child.begin(text)
        everybody = asyncio.gather(*(child.ready() for child in self._children))
        stopped = loop.create_task(self._stopping.wait())
        done, _ = await asyncio.wait((everybody, stopped), timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if everybody not in done:
            everybody.cancel()
            if self._stopping.is_set():
                return
            raise PlatformError(f"the workers did not come up within {_START_S:g} s", hint="see their messages above")
        host, port = listening.getsockname()[:2]
        scheme = "https" if self._options.tls_cert else "http"
        shown = f"[{host}]" if ":" in host else host
        standing = Standing(
            address=f"{scheme}://{shown}:{port}",
            workers=len(self._children),
            table=table,
            degraded=tuple(dict.fromkeys(each for child in self._children for each in child.degraded)),
        )
        self._tell.ready(standing)

    async def _serve(self) -> None:
        """Reloads when asked, until told to stop."""
        while not self._stopping.is_set():
            waiting = [asyncio.ensure_future(each.wait()) for each in (self._stopping, self._reloading)]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            if self._reloading.is_set() and not self._stopping.is_set():
                self._reloading.clear()
                await self._reload()

    async def _reload(self) -> None:
        """Takes the estate as it is now, or keeps the old one and says why."""
        previous = self._table
        try:
            table = await asyncio.to_thread(self._compile, previous)
            if not is_loopback(self._options.host) and not self._has_keys(table):
                self._refuse_open_door(has_keys=False)
        except Exception as error:  # whatever is wrong with what was asked now, the old one serves on
            self._tell.refused(error)
            return
        text = wiring.routing_table_json(table).decode()
        answers = await asyncio.gather(*(child.adopt(text) for child in self._children))
        refused = [answer.text for answer in answers if answer.kind == "refused"]
        if refused and previous is not None:  # all or none: workers must not serve by different tables
            before = wiring.routing_table_json(previous).decode()
            await asyncio.gather(*(child.adopt(before) for child in self._children))
            self._tell.refused(PlatformError(f"a worker did not take the new table: {refused[0]}"))
            return
        self._table = table
        self._keep_copy(table)
        keys = await asyncio.to_thread(_keys, table, self._options.store)
        self._tell.note(f"reloaded `{table.name}`: {_sizes(table)}, {keys}")
        for complaint in complaints(table, resolve(table).missing):
            self._tell.note(complaint)

    async def _watch(self) -> None:
        """Asks for a reload whenever a file of the estate or the plan has changed and then stayed still."""
        seen = settled = _ages(self._options)
        while True:
            await asyncio.sleep(_WATCH_S)
            now = await asyncio.to_thread(_ages, self._options)
            if now == seen and now != settled:
                settled = now
                self._reloading.set()
            seen = now

    def _worker_died(self, index: int, code: int) -> None:
        board = wiring.open_board(self._board_fd, 0, self._options.workers)
        freed = board.forget_worker(index)
        stores.open_rates(self._board_fd, 0, self._options.workers).forget_worker(index)
        if not self._stopping.is_set():
            self._tell.note(f"worker {index} ended with code {code}; {freed} places freed, a new one is started")
            # Its counters go on counting in one file for all the dead, so that restarts pile up none.
            alive = {child.incarnation for place, child in enumerate(self._children) if place != index}
            wiring.fold_past_metrics(self._options.run_dir / "metrics", alive)

    def _cover(self) -> None:
        """Has those who serve take the connections of places without a worker: the kernel goes on sending them there.

        The sockets stay open in this process, so that a connection that came just before a death is not refused.
        """
        if not self._stopping.is_set():
            serving = [child.is_serving for child in self._children]
            missed = [child.has_served and not child.is_serving for child in self._children]
            for child, places in zip(self._children, stand_ins(serving, missed), strict=True):
                child.cover(places)

    def _keep_copy(self, table: RoutingTable) -> None:
        """The table beside the records, for people and replays; workers do not need it."""
        folder = self._options.run_dir
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part = folder / ".table.json.part"
            part.write_bytes(wiring.routing_table_json(table))
            part.replace(folder / "table.json")
        except OSError as error:
            self._tell.note(f"`{folder}` cannot be written ({error.strerror}): requests are served, records wait")
        self._leave_prices(table)

    def _leave_prices(self, table: RoutingTable | None) -> None:
        """What is asked and held from now on, for the ledger: without it records are entered all the same."""
        try:
            stores.leave_prices(self._options.run_dir / "prices", table, time.time())
        except FileError as error:
            self._tell.note(f"prices could not be noted, so idle hours cannot be counted: {error}")

    async def _end(self) -> None:
        await asyncio.gather(*(child.end() for child in self._children))
        if self._table is not None:
            self._leave_prices(None)
        if self._ledger is not None:
            await self._ledger.end()  # after those who record
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        if self._board_fd >= 0:
            os.close(self._board_fd)

    def _unwritten(self) -> FileError | None:
        left = [each for child in self._children for each in child.unwritten]
        killed = sum(child.was_killed for child in self._children)
        if killed and not left:
            return FileError(
                f"{plural(killed, 'worker')} did not end in time and had to be killed: usage records not yet in "
                f"`{self._options.run_dir / 'usage'}` are lost, how many is not known",
                hint="does the disk answer?",
            )
        if not left:
            return None
        records, money = sum(each.records for each in left), usd(sum(each.nano for each in left)).normalize()
        reasons = ", ".join(dict.fromkeys(each.text for each in left))
        return FileError(
            f"{plural(records, 'usage record')} of {money:f} USD could not be written to "
            f"`{self._options.run_dir / 'usage'}`: {reasons}; the requests were answered, no bill has them",
            hint="free the disk before the gateway is told to end, or within `--drain-s` of that",
        )


def _sizes(table: RoutingTable) -> str:
    return f"{plural(len(table.targets), 'upstream')}, {plural(len(table.routes), 'workload')}"


def _keys(table: RoutingTable, store: str) -> str:
    """How many keys are accepted, and from where."""
    told = f"{plural(len(table.keys), 'key')} of the estate"
    if not store:
        return told
    try:
        return f"{told} and {stores.gateway_keys(store)} of the store"
    except TripointError:
        return f"{told} and those last known of the store"


def _ages(options: ServeOptions) -> dict[str, int]:
    """When each file was last written."""
    roots = [Path(options.estate), *([Path(options.plan)] if options.plan else [])]
    files: list[Path] = []
    for root in roots:
        files += [each for each in root.rglob("*") if each.is_file()] if root.is_dir() else [root]
    found = {}
    for file in files:
        try:
            found[str(file)] = file.stat().st_mtime_ns
        except OSError:
            continue
    return found
