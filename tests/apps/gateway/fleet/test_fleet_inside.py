"""The supervisor run in this process, with real workers: ready, reloaded, refused, a worker killed, and drained."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.rigs import name_of
from tests.factories.serving import candidate, route, table, target
from tests.factories.shell import chat, post, read_answer

from tripoint.apps.gateway.fleet import child
from tripoint.apps.gateway.fleet.options import ServeOptions
from tripoint.apps.gateway.fleet.supervisor import Fleet, Standing, Tell
from tripoint.apps.gateway.limits import Limits, callers_within
from tripoint.domain.errors import OptionError
from tripoint.domain.table import RoutingTable
from tripoint.testing.model_server import ModelServer, serving

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


class Heard:
    """What the fleet told people."""

    def __init__(self) -> None:
        self.ready: list[Standing] = []
        self.notes: list[str] = []
        self.refused: list[BaseException] = []
        self.tell = Tell(self.ready.append, self.notes.append, self.refused.append)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Waits for something to be told."""
        async with asyncio.timeout(30):
            while not is_so():
                await asyncio.sleep(0.02)


def served_by(port: int) -> RoutingTable:
    """One route over one server."""
    return table([target("a", slot=0, port=port)], [route(candidate(0, share=1.0))])


def status_of(port: int, body: bytes = b"") -> int:
    """Status of one request."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(post(body or chat()))
        return read_answer(connection).status


def test_a_fleet_from_ready_to_drained(tmp_path: Path) -> None:
    """Reloads good and bad, and the sudden end of a worker, between two requests that both are answered."""
    estate = tmp_path / "estate.yaml"
    estate.write_text("as it was", encoding="utf-8")
    heard = Heard()

    async def play(server: ModelServer) -> None:
        made = served_by(server.port)

        def compile_table(previous: RoutingTable | None) -> RoutingTable:
            said = estate.read_text(encoding="utf-8")
            if said == "bad":
                raise OptionError("it is bad")
            return made if previous is None else replace(made, name=said)

        options = ServeOptions(
            estate=str(estate), port=0, workers=2, run_dir=tmp_path / "run", is_watching=True, drain_s=5.0
        )
        running = asyncio.create_task(Fleet(options, compile_table, heard.tell).run())
        await heard.until(lambda: bool(heard.ready))
        standing = heard.ready[0]
        port = int(standing.address.rpartition(":")[2])
        assert standing.workers == 2
        assert await asyncio.to_thread(status_of, port) == 200
        estate.write_text("bad", encoding="utf-8")
        await heard.until(lambda: bool(heard.refused))
        estate.write_text("renamed", encoding="utf-8")
        os.kill(os.getpid(), signal.SIGHUP)
        await heard.until(lambda: any("reloaded `renamed`" in note for note in heard.notes))
        os.kill(await asyncio.to_thread(a_child), signal.SIGKILL)
        await heard.until(lambda: any("a new one is started" in note for note in heard.notes))
        assert await asyncio.to_thread(status_of, port) == 200
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 30)

    with serving(ModelServer(models=("llama",))) as server:
        asyncio.run(play(server))
    assert str(heard.refused[0]) == "it is bad"
    assert (tmp_path / "run" / "table.json").is_file()
    assert a_child() == 0


def test_a_worker_that_comes_up_during_a_reload_serves_by_the_new_table(tmp_path: Path) -> None:
    """It was given the old one when it was started; without the new one callers would meet both by chance."""
    heard = Heard()

    async def play(server: ModelServer) -> None:
        before = served_by(server.port)
        later = [route(candidate(0, share=1.0), workload=name) for name in ("chat", "later")]
        after = table([target("a", slot=0, port=server.port)], later)
        options = ServeOptions(estate="none", port=0, workers=2, run_dir=tmp_path / "run", drain_s=5.0)
        fleet = Fleet(options, lambda previous: before if previous is None else after, heard.tell)
        running = asyncio.create_task(fleet.run())
        await heard.until(lambda: bool(heard.ready))
        port = int(heard.ready[0].address.rpartition(":")[2])
        known = set(await asyncio.to_thread(children))
        os.kill(min(known), signal.SIGKILL)
        await heard.until(lambda: not known.issuperset(children()))
        os.kill(os.getpid(), signal.SIGHUP)
        await heard.until(lambda: any("reloaded" in note for note in heard.notes))
        wanted = chat(model="later")
        await heard.until(lambda: all(name_of(pid) == "tripoint-serves" for pid in children()))
        found = [await asyncio.to_thread(status_of, port, wanted) for _ in range(24)]  # each goes to either by chance
        assert found == [200] * 24
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 30)

    with serving(ModelServer(models=("llama",))) as server:
        asyncio.run(play(server))


def test_room_for_few_connections_is_told_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """However many workers there are, and by none of them."""
    heard = Heard()
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert files > 0, "this machine sets no limit"
    limits = Limits(max_connections=files)

    async def play() -> None:
        options = ServeOptions(estate="none", port=0, workers=2, run_dir=tmp_path / "run", drain_s=1.0, limits=limits)
        running = asyncio.create_task(Fleet(options, lambda _: served_by(9), heard.tell).run())
        await heard.until(lambda: bool(heard.ready))
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 30)

    asyncio.run(play())
    told = [note for note in heard.notes if "connections" in note]
    assert told == [f"room for {callers_within(files)} connections in each worker only: "
                    f"this machine allows {files} open files"]  # fmt: skip
    assert "room for" not in capfd.readouterr().err


def a_child() -> int:
    """Process id of one of our workers, 0 when there is none."""
    return next(iter(children()), 0)


def children() -> list[int]:
    """Process ids of our workers."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if parent == str(os.getpid()) and b"gateway.worker.main" in words:
                found.append(int(entry.name))
    return found


def test_a_place_without_a_worker_takes_connections_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its successor never comes up, and the kernel goes on sending it its share: the other worker takes them."""
    heard = Heard()

    async def play(server: ModelServer) -> None:
        options = ServeOptions(estate="none", port=0, workers=2, run_dir=tmp_path / "run", drain_s=5.0)
        running = asyncio.create_task(Fleet(options, lambda _: served_by(server.port), heard.tell).run())
        await heard.until(lambda: bool(heard.ready))
        port = int(heard.ready[0].address.rpartition(":")[2])
        monkeypatch.setattr(child, "_WORKER", "tripoint.no_such_module")
        os.kill(await asyncio.to_thread(a_child), signal.SIGKILL)
        await heard.until(lambda: any("code -9" in note for note in heard.notes))
        for _ in range(24):  # each goes to either socket by chance
            assert await asyncio.to_thread(status_of, port) == 200
        await heard.until(lambda: any("code 1" in note for note in heard.notes))
        assert await asyncio.to_thread(status_of, port) == 200
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 30)

    with serving(ModelServer(models=("llama",))) as server:
        asyncio.run(play(server))
    assert a_child() == 0


def test_a_public_door_without_guard_stays_shut(tmp_path: Path) -> None:
    """Neither certificate nor keys: told before anything is served, and no worker is left."""
    options = ServeOptions(estate="none", host="0.0.0.0", port=0, workers=1, run_dir=tmp_path)
    heard = Heard()

    async def play() -> None:
        async with asyncio.timeout(20):  # not as long as a drain may take
            await Fleet(options, lambda previous: served_by(9), heard.tell).run()

    with pytest.raises(OptionError, match=r"0\.0\.0\.0"):
        asyncio.run(play())
    assert heard.ready == []
    assert heard.notes == []
    assert a_child() == 0
