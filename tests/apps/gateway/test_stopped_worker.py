"""A worker stopped as a process (SIGSTOP, SIGCONT) for longer than its limits: nothing is lost and nobody is blamed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.factories.rigs import Rig, rig, serving_workers

from tripoint.apps.battery.load import Fate, chats, sent
from tripoint.testing.model_server import Behaviour

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

STILL_S = 3.0
"""Longer than a connection to an upstream is waited for (2 s) and than the first byte here."""
WAITING = 12


def worker_of(found: Rig) -> int:
    """The one worker."""
    [pid] = serving_workers(found)
    return pid


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for something to become true."""
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.01)


async def stand_still(pid: int, has_come: Callable[[], bool]) -> None:
    """Stops a process for so long, and until what is to happen meanwhile has."""
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        await until(lambda: has_come() and time.monotonic() - began > STILL_S)
    finally:
        os.kill(pid, signal.SIGCONT)


def failures(page: bytes) -> list[str]:
    """Failed attempts that the metrics tell of."""
    told = re.findall(rb'^\S*attempt\S*failure="([^"]+)"[^}]*} ([0-9.e+]+)$', page, re.MULTILINE)
    assert told, "the page tells of no attempts"
    return [name.decode() for name, count in told if name != b"none" and float(count)]


def test_answers_that_came_while_it_was_stopped_are_passed_on(tmp_path: Path) -> None:
    """Streams and whole ones; no attempt failed, so no breaker heard of it."""

    async def play(found: Rig) -> None:
        place, server = found.gateway.place(), found.servers["dense-1"]
        held = [asyncio.create_task(sent(place, chats(place, stream=n % 2 == 0)(n))) for n in range(WAITING)]
        await until(lambda: server.at_once == WAITING)
        await stand_still(worker_of(found), lambda: server.at_once == 0)
        assert [each.fate for each in await asyncio.gather(*held)] == [Fate.OK] * WAITING
        assert failures((await found.gateway.get("/metrics"))[1]) == []

    with rig(tmp_path, upstreams={"dense-1": {}}, serving_section={"first_byte_s": 2.0}) as found:
        found.servers["dense-1"].behaviour = Behaviour(first_byte_s=1.0)
        asyncio.run(play(found))


@contextmanager
def full_queue() -> Iterator[socket.socket]:
    """A listening socket whose queue is full, so that who connects to it waits."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        try:
            for each in crowd:
                each.setblocking(False)
                each.connect_ex(listening.getsockname())
            yield listening
        finally:
            for each in crowd:
                each.close()


def states_to(port: int, pid: int) -> set[str]:
    """States of a process's connections to a port: `02` while they are asked for, `01` once they stand."""
    held = {os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return {line[3] for line in lines if int(line[2].rpartition(":")[2], 16) == port and f"socket:[{line[9]}]" in held}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One whole answer to whatever is asked."""
    with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"object": "chat.completion", "choices": [], "usage": {"prompt_tokens": 1}}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()


def test_a_connection_that_came_about_while_it_was_stopped_is_used(tmp_path: Path) -> None:
    """The upstream took it within a second; that the worker saw it after three is not the upstream's fault."""

    async def play(found: Rig, listening: socket.socket) -> None:
        place, port, pid = found.gateway.place(), listening.getsockname()[1], worker_of(found)
        held = asyncio.create_task(sent(place, chats(place)(0)))
        await until(lambda: states_to(port, pid) == {"02"})
        os.kill(pid, signal.SIGSTOP)
        server = await asyncio.start_server(answer, sock=listening)
        await stand_still(pid, lambda: states_to(port, pid) == {"01"})
        outcome = await held
        assert (outcome.fate, outcome.headers["x-tripoint-upstream"]) == (Fate.OK, "dense-1")
        assert failures((await found.gateway.get("/metrics"))[1]) == []
        server.close()

    with full_queue() as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        with rig(tmp_path, upstreams={"dense-1": {"url": address}, "cloud-1": {}}) as found:
            asyncio.run(play(found, listening))
