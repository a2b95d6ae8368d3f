"""A live run of the gateway that can be played again: real sockets, model servers as processes, faults by signals.

What is recorded is what the gateway heard and when: arrivals, what came of each attempt, ticks, sweeps and probes.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.factories.shell import post

from tripoint.adapters.upstream_http.pool import Upstreams
from tripoint.apps.gateway.http.connection import Connection
from tripoint.apps.gateway.http.lobby import Lobby
from tripoint.apps.gateway.limits import Limits
from tripoint.apps.gateway.worker.chores import probe_of
from tripoint.domain.record import UsageRecord
from tripoint.domain.table import RoutingTable, Target
from tripoint.engines.gateway.exchange.exchange import Exchange
from tripoint.engines.gateway.exchange.gateway import Gateway
from tripoint.engines.gateway.exchange.recovery.verdict import failure_of
from tripoint.engines.gateway.health.board import LocalBoard

SEED = 20260
TICK_S = 0.25
_PROBE_S = 5.0


@dataclass
class Server:
    """A model server as a process, on a port of its own that it keeps when it is started again."""

    behave: dict[str, object]
    port: int = 0
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        command = [
            sys.executable, "-m", "tripoint.testing.model_server", "--port", str(self.port),
            "--behave", json.dumps(self.behave),
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        address = self.process.stdout.readline()
        self.port = int(address.rsplit(":", 1)[1].split("/")[0])

    def kill(self) -> None:
        """Ends it at once."""
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(10)
            if self.process.stdout is not None:
                self.process.stdout.close()

    def freeze(self) -> None:
        """Its connections stay and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        self._signal(signal.SIGCONT)

    def behaves(self, behave: dict[str, object]) -> None:
        """Behaves otherwise from now on."""
        address = f"http://127.0.0.1:{self.port}/_behave"
        body = json.dumps({**self.behave, **behave}).encode()
        with urllib.request.urlopen(urllib.request.Request(address, data=body, method="POST"), timeout=10) as answer:
            answer.read()

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)


@contextmanager
def servers(behaviours: Mapping[str, dict[str, object]]) -> Iterator[dict[str, Server]]:
    """A server for each name; all are ended."""
    made = {name: Server(behave) for name, behave in behaviours.items()}
    try:
        for server in made.values():
            server.start()
        yield made
    finally:
        for server in made.values():
            if server.process is not None and server.process.poll() is None:
                server.thaw()
                server.kill()


@dataclass
class Tape:
    """What the gateway heard, on its own clock."""

    began_at: float = 0.0
    opened: list[tuple[float, Exchange]] = field(default_factory=list)
    """Requests as they were opened."""
    records: list[UsageRecord] = field(default_factory=list)
    """Their records in the order they ended."""
    ticks: list[float] = field(default_factory=list)
    sweeps: list[float] = field(default_factory=list)
    probes: list[tuple[str, float, float, bool]] = field(default_factory=list)
    """Upstream, when it was asked, when it told, and what."""


class TapedGateway(Gateway):
    """The gateway, with a note of every request."""

    tape: Tape

    def exchange(self, *told: Any, **named: Any) -> Exchange:
        """See `Gateway`."""
        made = super().exchange(*told, **named)
        self.tape.opened.append((made.began_at, made))
        return made


class TapedLobby(Lobby):
    """The lobby, with a note of every sweep."""

    __slots__ = ("tape",)

    tape: Tape

    def _sweep(self) -> None:
        super()._sweep()
        self.tape.sweeps.append(self.now)


@dataclass
class Live:
    """A gateway under way."""

    gateway: TapedGateway
    upstreams: Upstreams
    tape: Tape
    port: int = 0

    async def tick(self) -> None:
        """What a worker's chores do by the clock: looks around and probes."""
        while True:
            now = time.monotonic()
            self.tape.ticks.append(now)
            self.gateway.tick(now)
            for target in self.gateway.router.probes_due(now):
                self._probe(target, now)
            await asyncio.sleep(TICK_S)

    def _probe(self, target: Target, asked_at: float) -> None:
        def told(status: int, body: bytes) -> None:
            del body
            is_well = status in (404, 405) or (status > 0 and failure_of(status, 0.0) is None)
            now = time.monotonic()
            self.tape.probes.append((target.id, asked_at, now, is_well))
            self.gateway.router.probed(target, is_well, now)

        self.upstreams.ask(target, probe_of(target, self.gateway.table, None), _PROBE_S, told)

    async def ask(self, body: bytes) -> None:
        """One request on a connection of its own; its answer is read to the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(post(body, "connection: close"))
        try:
            await reader.read()
        finally:
            writer.close()


async def record(
    table: RoutingTable, arrivals: list[tuple[float, bytes]], script: list[tuple[float, Callable[[], None]]]
) -> Tape:
    """Serves the table, asks each request at its time (s from the begin), does what the script says at its times."""
    tape, loop = Tape(), asyncio.get_running_loop()
    began = tape.began_at = time.monotonic()
    gateway = TapedGateway(table, {}, board=LocalBoard(), record=tape.records.append, seed=SEED, now=began, epoch=0.0)
    gateway.tape = tape
    upstreams = Upstreams()
    lobby = TapedLobby(gateway, upstreams, Limits(), lambda *told: None, lambda event: None)
    lobby.tape = tape
    lobby.start()
    protocol: Any = Connection
    server = await loop.create_server(lambda: protocol(lobby), "127.0.0.1", 0, backlog=4096)
    live = Live(gateway, upstreams, tape, int(server.sockets[0].getsockname()[1]))
    ticking = asyncio.create_task(live.tick())
    asked: list[asyncio.Task[None]] = []
    steps = [(at, "ask", body) for at, body in arrivals] + [(at, "do", what) for at, what in script]
    for at, kind, what in sorted(steps, key=lambda step: step[0]):
        await asyncio.sleep(max(0.0, began + at - time.monotonic()))
        if kind == "ask":
            asked.append(asyncio.create_task(live.ask(what)))  # type: ignore[arg-type]  # bytes where asked
        else:
            await asyncio.to_thread(what)  # type: ignore[arg-type]  # a call where done
    await asyncio.gather(*asked)
    ticking.cancel()
    lobby.stop()
    server.close()
    upstreams.close()
    await asyncio.sleep(0.01)
    return tape
