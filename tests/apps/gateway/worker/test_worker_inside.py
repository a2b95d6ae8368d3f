"""A worker run in this process: table over the channel, requests, pages, chores, a refused table, and its end."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from pathlib import Path

import pytest
from tests.factories.serving import candidate, route, table, target
from tests.factories.shell import Answer, chat, get, post, read_answer

from tripoint.apps import wiring
from tripoint.apps.gateway.control import Channel, Launch, Message
from tripoint.apps.gateway.limits import callers_within
from tripoint.apps.gateway.worker import chores, teller
from tripoint.apps.gateway.worker.main import Worker
from tripoint.domain.serving import Probe
from tripoint.domain.table import KeyEntry, RoutingTable
from tripoint.testing.model_server import Behaviour, ModelServer, serving

pytestmark = pytest.mark.enable_socket

AUTH = "Authorization: Bearer sk-test"


def served_by(port: int, dead: int) -> RoutingTable:
    """One route over a server that answers and one that is not there, which is cheaper and so tried first."""
    live = target("live", slot=0, port=port, metrics_path="/metrics")
    gone = target("gone", slot=1, port=dead, probe=Probe.GENERATE)
    keys = [KeyEntry(id="k", tenant="t", secret="env:TRIPOINT_TEST_KEY", workloads=(), sites=None)]
    lost = KeyEntry(id="lost", tenant="t", secret="env:TRIPOINT_TEST_ABSENT", workloads=(), sites=None)
    return table([live, gone], [route(candidate(0, usd=3.0), candidate(1, share=1.0))], keys=[*keys, lost])


class Inside:
    """The worker, its supervisor's end of the channel, and a caller."""

    def __init__(self, folder: Path, *, pepper_file: str = "") -> None:
        self.folder = folder
        self.heard: asyncio.Queue[Message] = asyncio.Queue()
        self.offered = 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.beside = socket.create_server(("127.0.0.1", 0))
        """The socket of another place, which has no worker."""
        self._ours, theirs = socket.socketpair()
        self._board = wiring.make_board(2)
        inherited = tuple(os.dup(each.fileno()) for each in (self.listening, self.beside))
        launch = Launch(
            worker=0, workers=2, incarnation="one", listen_fds=inherited,
            control_fd=theirs.detach(), board_fd=self._board, run_dir=str(folder), access_log=str(folder / "access"),
            drain_s=2.0, pepper_file=pepper_file,
        )  # fmt: skip
        self.worker = Worker(launch)
        self.channel = Channel(self.heard.put_nowait, lambda: None)

    async def __aenter__(self) -> Inside:
        """Starts it."""
        self._running = asyncio.create_task(self.worker.run())
        await asyncio.get_running_loop().create_connection(lambda: self.channel, sock=self._ours)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Drains it."""
        self.channel.send(Message("drain"))
        await asyncio.wait_for(self._running, 20)
        self.channel.close()
        self.listening.close()
        self.beside.close()
        os.close(self._board)
        await asyncio.sleep(0)

    async def tell(self, served: RoutingTable) -> Message:
        """Gives it a table and waits for its word."""
        self.channel.send(Message("table", wiring.routing_table_json(served).decode()))
        return await asyncio.wait_for(self.heard.get(), 20)

    async def ask(self, request: bytes) -> Answer:
        """The answer to one request; those for a model are counted."""
        self.offered += request.startswith(b"POST")

        def call() -> Answer:
            with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
                connection.sendall(request)
                return read_answer(connection)

        return await asyncio.to_thread(call)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_worker_serves_watches_and_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its first table to its last record, with an upstream that is not there."""
    monkeypatch.setenv("TRIPOINT_TEST_KEY", "sk-test")

    async def play(server: ModelServer) -> None:
        served = served_by(server.port, free_port())
        async with Inside(tmp_path) as inside:
            ready = await inside.tell(served)
            assert ready.kind == "ready"
            assert "lost" in " ".join(ready.degraded)
            for stream in (False, True):
                answer = await inside.ask(post(chat(stream), AUTH))
                assert answer.status == 200
            assert (await inside.ask(post(chat(), "Authorization: Bearer no"))).status == 401
            said = json.loads((await inside.ask(get("/readyz"))).body)
            assert said["status"] == "degraded"
            assert {"secrets", "upstreams"} & set(said["degraded"])
            page = (await inside.ask(get("/metrics"))).body.decode()
            assert 'upstream="live",status="2xx"' in page
            assert 'failure="connect"' in page
            assert (await inside.ask(get("/healthz"))).status == 200
            assert b'"chat"' in (await inside.ask(get("/v1/models", AUTH))).body
            await until_shut(inside)
            refused = await refusal(inside)
            assert refused.kind == "refused"
            assert (await inside.tell(served)).kind == "adopted"
            assert (await inside.ask(post(chat(), AUTH))).status == 200
        assert wiring.count_usage_records(tmp_path) == inside.offered
        lines = (tmp_path / "access").read_text(encoding="ascii").splitlines()
        assert len(lines) == inside.offered
        assert all("sk-test" not in line for line in lines)

    with serving(ModelServer(models=("llama",), behaviour=Behaviour())) as server:
        asyncio.run(play(server))


async def until_shut(inside: Inside) -> None:
    """The dead upstream's breaker opens, and the page for operators says so."""
    for _ in range(8):
        assert (await inside.ask(post(chat(), AUTH, "x-tripoint-timeout-ms: 5000"))).status == 200
        said = json.loads((await inside.ask(get("/readyz"))).body)
        if "gone" in said["degraded"].get("upstreams", ""):
            return
    raise AssertionError("the breaker never opened")


async def refusal(inside: Inside) -> Message:
    """What it says to a table that is none."""
    inside.channel.send(Message("table", '{"schema": "something/else"}'))
    return await asyncio.wait_for(inside.heard.get(), 20)


def test_a_worker_that_knows_no_accounts_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger process has not come up: every request is refused, so nobody is to be sent here yet."""
    monkeypatch.setenv("TRIPOINT_TEST_KEY", "sk-test")
    monkeypatch.setattr(teller, "_PATIENCE_S", 0.2)

    async def play(server: ModelServer) -> None:
        async with Inside(tmp_path, pepper_file=str(tmp_path / "pepper")) as inside:
            ready = await inside.tell(served_by(server.port, free_port()))
            assert "ledger process cannot be reached" in " ".join(ready.degraded)
            page = await inside.ask(get("/readyz"))
            assert (page.status, json.loads(page.body)["status"]) == (503, "waiting")
            assert "ledger" in json.loads(page.body)["degraded"]
            assert (await inside.ask(get("/healthz"))).status == 200
            refused = await inside.ask(post(chat(), AUTH))
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")

    with serving(ModelServer(models=("llama",), behaviour=Behaviour())) as server:
        asyncio.run(play(server))


def test_a_clock_put_right_is_gone_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that slept, or whose clock was wrong when the worker began: records are dated by the clock as it is."""
    monkeypatch.setenv("TRIPOINT_TEST_KEY", "sk-test")
    moved_s = 7_200.0

    def dates() -> list[float]:
        return [json.loads(line)["at"] for line in (tmp_path / "access").read_text().splitlines()]

    async def play(server: ModelServer) -> None:
        async with Inside(tmp_path) as inside:
            await inside.tell(served_by(server.port, free_port()))
            began = time.time()
            monkeypatch.setattr(chores, "time", lambda: time.time() + moved_s)
            async with asyncio.timeout(20):
                while True:
                    assert (await inside.ask(post(chat(), AUTH))).status == 200
                    await asyncio.sleep(0.1)
                    if dates() and dates()[-1] > began + moved_s - 60:
                        return

    with serving(ModelServer(models=("llama",))) as server:
        asyncio.run(play(server))


def test_it_takes_connections_of_a_place_without_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From when it is told to until it is told otherwise; its own stay its own, and those it took it keeps."""
    monkeypatch.setenv("TRIPOINT_TEST_KEY", "sk-test")

    async def play(server: ModelServer) -> None:
        async with Inside(tmp_path) as inside:
            await inside.tell(served_by(server.port, free_port()))
            theirs = await asyncio.open_connection(*inside.beside.getsockname())
            theirs[1].write(get("/healthz"))  # waits in the queue of the one who died
            inside.channel.send(Message("cover", places=(1,)))
            assert b"200 OK" in await asyncio.wait_for(theirs[0].readline(), 20)
            assert (await inside.ask(get("/healthz"))).status == 200
            inside.channel.send(Message("cover"))
            inside.channel.send(Message("cover", places=(1,)))  # again at once, and not again
            inside.channel.send(Message("cover"))
            assert (await inside.ask(get("/healthz"))).status == 200
            await theirs[0].readuntil(b"}")
            theirs[1].write(get("/healthz"))
            assert b"200 OK" in await asyncio.wait_for(theirs[0].readline(), 20)
            theirs[1].close()
            inside.beside.setblocking(False)
            later = await asyncio.open_connection(*inside.beside.getsockname())
            waiting = asyncio.get_running_loop().sock_accept(inside.beside)  # nobody else takes it
            accepted, _ = await asyncio.wait_for(waiting, 20)
            accepted.close()
            later[1].close()

    with serving(ModelServer(models=("llama",))) as server:
        asyncio.run(play(server))


@pytest.mark.parametrize("files", [64, 1_024, 4_096, 12_000, 20_000, 65_536, 1_048_576])
def test_callers_leave_files_for_upstreams(files: int) -> None:
    """Each may need a connection to an upstream while as many are kept to another; what a worker opens itself fits.

    So it is for some thousands of requests under way; more callers than that may only be idle.
    """
    room = callers_within(files)
    assert room >= 1
    assert 3 * min(room, 4_096) + 30 <= files
    assert files - room >= min(2 * room, 8_192) + 30
    assert callers_within(0) == 1


def test_ten_thousand_idle_callers_find_room_where_twenty_thousand_files_may_be_open() -> None:
    """Idle ones need no file but their own."""
    assert callers_within(20_000) > 10_000
