"""A worker process: `python -m tripoint.apps.gateway.worker.main LAUNCH`, started by the supervisor only.

It inherits the listening sockets, the shared board and one end of a channel; the routing table comes over the channel,
so that a worker needs no disk to begin. When the channel ends, so does the worker: none outlives its supervisor.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from tripoint.apps import stores, wiring
from tripoint.apps.gateway.control import Channel, Launch, Message
from tripoint.apps.gateway.credentials import complaints, resolve, without
from tripoint.apps.gateway.http.connection import Connection
from tripoint.apps.gateway.http.lobby import Lobby
from tripoint.apps.gateway.limits import callers_within
from tripoint.apps.gateway.worker.chores import Chores
from tripoint.apps.gateway.worker.doors import Doors
from tripoint.apps.gateway.worker.pages import Pages
from tripoint.apps.gateway.worker.recorder import Recorder
from tripoint.apps.gateway.worker.seal import Seal
from tripoint.apps.gateway.worker.teller import Teller
from tripoint.domain.errors import TripointError
from tripoint.domain.money import usd
from tripoint.engines.gateway.exchange.gateway import Gateway

if TYPE_CHECKING:
    from tripoint.domain.table import RoutingTable
    from tripoint.domain.tenancy import Accounts

_LEAST_S, _LAST_S = 1.5, 1.0
"""For the last records where requests took the whole time of the drain, and for the last try to write them, s."""
_log = logging.getLogger("tripoint.gateway")


class Worker:
    """Everything of one worker process."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._ended = asyncio.Event()
        self._channel = Channel(self._told, self._ended.set)
        self._lobby: Lobby | None = None
        self._doors: Doors | None = None
        self._upstreams = wiring.open_upstreams()
        self._recorder = Recorder(
            Path(launch.run_dir),
            launch.access_log,
            worker=launch.worker,
            incarnation=launch.incarnation,
            convention=launch.convention,
        )
        self._chores: Chores | None = None
        self._pages: Pages | None = None
        self._teller: Teller | None = None
        self._starting: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serves until told to drain, or until the supervisor is gone."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._ended.set)
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # a terminal sends it to all; the supervisor decides
        control = socket.socket(fileno=self._launch.control_fd)
        control.setblocking(False)
        await loop.create_connection(lambda: self._channel, sock=control)
        stores.load_for_serving()
        _settle()
        _be_called("tripoint-waits")
        await self._ended.wait()
        await self._drain()

    def _told(self, message: Message) -> None:
        if message.kind == "drain":
            self._ended.set()
        elif message.kind == "cover":
            if self._doors is not None and not self._ended.is_set():
                self._doors.only((self._launch.worker, *message.places))
        elif message.kind == "table":
            try:
                table = wiring.read_routing_table(message.text)
            except TripointError as error:
                self._recorder.metrics.event("reload:refused")
                self._channel.send(Message("refused", str(error)))
                return
            if self._lobby is None:
                self._starting = asyncio.get_running_loop().create_task(self._start(table))
                self._starting.add_done_callback(self._started)
                return
            try:
                self._adopt(table, self._lobby)
            except Exception as error:  # whatever it is, the old table is to serve on
                _log.exception("a table could not be taken")
                self._channel.send(Message("refused", f"{type(error).__name__} in a worker, see above"))

    def _started(self, task: asyncio.Task[None]) -> None:
        """A worker that cannot start ends, so that somebody notices."""
        if not task.cancelled() and task.exception() is not None:
            _log.error("the worker cannot start", exc_info=task.exception())
            self._ended.set()

    async def _start(self, table: RoutingTable) -> None:
        launch, now = self._launch, time.monotonic()
        found = resolve(table)
        gateway = Gateway(
            without(table, found.missing),
            found.secrets,
            board=wiring.open_board(launch.board_fd, launch.worker, launch.workers),
            record=self._recorder.record,
            seed=int.from_bytes(os.urandom(7), "big"),
            now=now,
            epoch=time.time() - now,
        )
        if launch.is_public:
            gateway.guard()
        self._recorder.learn(table)
        upstreams = self._upstreams
        self._chores = chores = Chores(gateway, self._recorder, upstreams.ask, upstreams.expire)
        chores.secrets = found.secrets
        self._pages = pages = Pages(gateway, self._recorder, chores, launch)
        pages.missing = complaints(table, found.missing)
        lobby = Lobby(gateway, upstreams, launch.limits, pages.show, self._recorder.metrics.event)
        if launch.is_durable:
            lobby.seal = Seal(self._recorder, under_way=lobby.active).hold
        if launch.pepper_file:
            await self._tell(gateway, lobby, chores, pages)
        lobby.swept = chores.drain
        lobby.start()
        chores.start()
        tls = wiring.server_tls(launch.tls_cert, launch.tls_key or None) if launch.tls_cert else None
        self._doors = Doors(
            launch.listen_fds,
            lambda: cast("asyncio.Protocol", Connection(lobby)),
            tls=tls,
            handshake_s=launch.limits.head_s,
        )
        await self._doors.open(launch.worker)
        self._lobby = lobby
        _settle()
        _be_called("tripoint-serves")
        waits_for = (self._teller.told(),) if self._teller is not None and gateway.is_waiting else ()
        self._channel.send(Message("ready", degraded=(*pages.missing, *waits_for)))

    async def _tell(self, gateway: Gateway, lobby: Lobby, chores: Chores, pages: Pages) -> None:
        """Begins the conversation with the ledger process."""
        launch = self._launch

        def changed(accounts: Accounts) -> None:
            self._recorder.know(tenant.id for tenant in accounts.tenants)
            lobby.reloaded()

        gateway.admission.rates = stores.open_rates(launch.board_fd, launch.worker, launch.workers)
        place = Path(launch.run_dir), launch.incarnation, launch.pepper_file
        self._teller = pages.teller = teller = Teller(gateway, self._recorder, changed, place)
        chores.drained = teller.drained
        await teller.start()

    def _adopt(self, table: RoutingTable, lobby: Lobby) -> None:
        """Another table from now on; requests under way end by the one they began with."""
        assert self._pages is not None  # made together with the lobby
        assert self._chores is not None
        found = resolve(table)
        lobby.gateway.reload(without(table, found.missing), found.secrets, time.monotonic())
        lobby.reloaded()
        self._recorder.learn(table)
        self._recorder.metrics.event("reload:ok")
        self._chores.secrets = found.secrets
        self._pages.missing = complaints(table, found.missing)
        self._upstreams.keep_only(table.targets)
        self._channel.send(Message("adopted", degraded=self._pages.missing))

    async def _drain(self) -> None:
        """Takes no more connections, finishes what is under way, and ends within its time."""
        until = time.monotonic() + self._launch.drain_s
        self._channel.send(Message("draining"))
        if self._doors is not None:
            self._doors.close()
        lobby = self._lobby
        if lobby is not None and self._pages is not None and self._chores is not None:
            self._pages.is_draining = True
            lobby.drain()
            while lobby.connections and time.monotonic() < until:
                await asyncio.sleep(0.02)
            for connection in tuple(lobby.connections):
                connection.abort()
            await asyncio.sleep(0.02)  # for what is cut to be recorded
            self._chores.stop()
            lobby.stop()
        if self._teller is not None:
            self._teller.stop()
        self._upstreams.close()
        await self._write_out(until)
        if self._teller is not None:
            self._teller.close()
        self._channel.close()
        await asyncio.sleep(0)  # lets the aborted transports say goodbye

    async def _write_out(self, until: float) -> None:
        """Waits for a disk that takes no records as long as the drain may take, and tells what it did not take."""
        recorder = self._recorder
        recorder.drain()
        recorder.push()
        until = max(until, time.monotonic() + _LEAST_S)
        while recorder.is_waiting and time.monotonic() < until:
            recorder.drain()
            recorder.look()
            await asyncio.sleep(0.01)
        left = recorder.close(_LAST_S)
        if left.records and self._channel.is_open:
            self._channel.send(Message("unwritten", left.reason, records=left.records, nano=left.nano))
        elif left.records:  # the supervisor has gone: nobody else can say it
            money = f"{usd(left.nano).normalize():f} USD"
            _log.error(
                "%d usage records of %s could not be written to `%s`: %s; the requests were answered, no bill has them",
                left.records, money, Path(self._launch.run_dir) / "usage", left.reason,
            )  # fmt: skip


def _settle() -> None:
    """What is there now stays: the collector is not to look through it again, neither now and then nor at the start."""
    gc.collect()
    gc.freeze()


def _be_called(name: str) -> None:
    """How `ps` and `top` call the process, 15 bytes at most: one that serves is told from one that waits."""
    with suppress(OSError):  # not every system has this
        Path("/proc/self/comm").write_text(name, encoding="ascii")


def main(arguments: list[str]) -> None:
    """Runs one worker."""
    launch = msgspec.json.decode(arguments[0], type=Launch)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY:  # the supervisor says so where that leaves fewer
        room = min(launch.limits.max_connections, callers_within(hard))
        launch.limits = replace(launch.limits, max_connections=room)
    gc.set_threshold(50_000, 50, 50)

    async def run() -> None:
        await Worker(launch).run()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run())


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not to be had everywhere; everything works without, slower
        return None
    return uvloop.Loop


if __name__ == "__main__":
    main(sys.argv[1:])
