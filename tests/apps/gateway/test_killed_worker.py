"""`kill -9` of a worker under load: what was under way on its own connections is lost, and nothing else.

Which connections those are is read from the kernel, while the worker is stopped and just before it is killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.factories.rigs import Rig, rig, serving_workers, waiting_workers
from tests.factories.shell import chat, post

from tripoint.apps.battery.rig.gateway import KEY
from tripoint.testing.model_server import Behaviour

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

KEPT, FRESH = 16, 8
"""Callers who keep their connection, and callers who make one for each request."""
BEGUN = 25
"""Requests that callers who begin after the kill have answered before the load ends."""


class Sent(NamedTuple):
    """One request as its caller saw it."""

    port: int
    """The caller's end of the connection."""
    began: float
    """When its connection was asked for, or the request written on a kept one, monotonic s."""
    is_answered: bool
    """True where the whole answer came with status 200."""


def connections(port: int, state: str = "01") -> dict[int, str]:
    """What a gateway's end of each connection is in the kernel, by the caller's port: `0` until it is accepted.

    With `0A` it is the listening sockets: one of them, by port 0.
    """
    found = {}
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, remote, now, *rest = line.split()
        if int(local.rpartition(":")[2], 16) == port and now == state:
            found[int(remote.rpartition(":")[2], 16)] = rest[5]
    return found


def callers_of(pid: int, port: int, state: str = "01") -> set[int]:
    """Ports of the callers whose connections a worker has accepted."""
    held = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            held.add(os.readlink(entry))
        except OSError:  # closed meanwhile
            continue
    return {caller for caller, inode in connections(port, state).items() if f"socket:[{inode}]" in held}


def state_of(pid: int) -> str:
    """State of a process, `T` when it is stopped."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


async def ask(found: Rig, seen: list[Sent], is_enough: Callable[[], bool], *, keeps: bool) -> None:
    """One caller: request after request until it is enough; one whose connection has ended makes a new one."""
    request = post(chat(), f"Authorization: Bearer {KEY}")
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while not is_enough():
        began = time.monotonic()
        if streams is None or streams[0].at_eof():
            streams = await asyncio.open_connection("127.0.0.1", found.gateway.port)
        reader, writer = streams
        port = writer.get_extra_info("sockname")[1]
        is_answered = False
        try:
            async with asyncio.timeout(30):
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                await reader.readexactly(length)
                is_answered = head.startswith(b"HTTP/1.1 200 ")
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass
        seen.append(Sent(port, began, is_answered))
        if not (keeps and is_answered):
            writer.close()
            streams = None
    if streams is not None:
        streams[1].close()


async def answered_once(found: Rig) -> bool:
    """True where a caller on a new connection is answered."""
    seen: list[Sent] = []
    await ask(found, seen, lambda: bool(seen), keeps=False)
    return [each.is_answered for each in seen] == [True]


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for something to become true."""
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_only_what_a_killed_worker_had_under_way_is_lost(workers: int, tmp_path: Path) -> None:
    """Not one request on another worker's connection, and none that waited in the killed one's queue."""
    lost_by: set[int] = set()
    seen: list[Sent] = []

    async def play(found: Rig) -> None:
        gone = 0.0
        await until(lambda: len(serving_workers(found)) == workers)
        before = set(serving_workers(found))

        def is_enough() -> bool:
            begun_later = sum(each.began > gone and each.is_answered for each in seen)
            return gone > 0.0 and begun_later >= BEGUN and len(set(serving_workers(found)) - before) == 1

        callers = [asyncio.create_task(ask(found, seen, is_enough, keeps=n < KEPT)) for n in range(KEPT + FRESH)]
        await until(lambda: len(seen) >= KEPT + FRESH)
        unlucky = max(before, key=lambda pid: len(callers_of(pid, found.gateway.port)))
        os.kill(unlucky, signal.SIGSTOP)
        await until(lambda: state_of(unlucky) == "T")
        lost_by.update(callers_of(unlucky, found.gateway.port))
        await until(lambda: "0" in connections(found.gateway.port).values())  # one waits in its queue
        os.kill(unlucky, signal.SIGKILL)
        await until(lambda: unlucky not in serving_workers(found))
        gone = time.monotonic()
        await asyncio.gather(*callers)

    with rig(tmp_path, workers=workers) as found:
        for server in found.servers.values():
            server.behaviour = Behaviour(first_byte_s=0.1)
        asyncio.run(play(found))
    lost = [each for each in seen if not each.is_answered]
    assert lost, "nothing was under way, so nothing was shown"
    assert {each.port for each in lost} <= lost_by
    assert len(lost) == len({each.port for each in lost})


def test_the_only_worker_has_its_successor_waiting(tmp_path: Path) -> None:
    """Nobody waits for a process to start: who serves next was there before the kill, and its successor comes up."""

    async def play(found: Rig) -> None:
        for _ in range(3):
            [unlucky] = serving_workers(found)
            await until(lambda: len(waiting_workers(found)) == 1)
            [spare] = waiting_workers(found)
            os.kill(unlucky, signal.SIGKILL)
            assert await answered_once(found)
            assert serving_workers(found) == [spare]
        await until(lambda: len(waiting_workers(found)) == 1)
        [spare] = waiting_workers(found)
        os.kill(spare, signal.SIGKILL)  # it is replaced as well, and nobody notices
        await until(lambda: waiting_workers(found) not in ([], [spare]))

    with rig(tmp_path) as found:
        asyncio.run(play(found))


def test_a_worker_told_to_end_alone_keeps_nobody_waiting(tmp_path: Path) -> None:
    """While it finishes a stream of its own, which may take long, others take the connections sent to its socket."""

    async def play(found: Rig) -> None:
        port, before = found.gateway.port, set(serving_workers(found))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(chat(stream=True), f"Authorization: Bearer {KEY}"))
        await reader.readuntil(b"200 OK")
        mine = writer.get_extra_info("sockname")[1]
        [leaving] = [pid for pid in before if mine in callers_of(pid, port)]
        os.kill(leaving, signal.SIGTERM)
        await until(lambda: not callers_of(leaving, port, "0A"))  # every worker holds all listening sockets
        seen: list[Sent] = []
        await asyncio.gather(*(ask(found, seen, lambda: len(seen) >= BEGUN, keeps=False) for _ in range(FRESH)))
        assert all(each.is_answered for each in seen)
        assert state_of(leaving) not in "ZX"
        rest = await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 60)
        assert rest.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        writer.close()
        await until(lambda: leaving not in serving_workers(found) and len(serving_workers(found)) == len(before))

    with rig(tmp_path, workers=2, flags=["--drain-s", "60"]) as found:
        for server in found.servers.values():
            server.behaviour = Behaviour(words=200, between_s=0.05)
        asyncio.run(play(found))
