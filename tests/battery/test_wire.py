"""What the battery makes of the wire: whether somebody listens, when an answer was there, how it is framed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from tripoint.apps.battery.place import Place
from tripoint.apps.battery.rig.gateway import GatewayProcess
from tripoint.apps.battery.rig.servers import free_port, listens
from tripoint.apps.battery.wire.limits import _idle
from tripoint.apps.battery.wire.raw import answers_in, converse, request


@pytest.mark.enable_socket
def test_a_connection_to_itself_is_no_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where our own end is given the port we ask for, two ends of one socket meet and nobody listens."""
    port = free_port()
    own = functools.partial(asyncio.open_connection, local_addr=("127.0.0.1", port))
    monkeypatch.setattr(asyncio, "open_connection", own)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        try:
            assert not asyncio.run(listens(port, 0.2, child))
        finally:
            child.kill()


@pytest.mark.enable_socket
@pytest.mark.parametrize("is_closing", [True, False])
def test_an_answer_is_timed_until_it_was_there(is_closing: bool) -> None:
    """Not until the connection was closed or had been listened to for a while longer."""
    tasks: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):  # some only hold a connection
            await reader.readuntil(b"\r\n\r\n")
            head = b"connection: close\r\n" if is_closing else b""
            writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"content-length: 2\r\n\r\nok")
            await writer.drain()
            if not is_closing:
                await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def timed() -> tuple[float, float, str]:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            place = Place(host="127.0.0.1", port=int(server.sockets[0].getsockname()[1]), model="m")
            talk = await converse(place, [request(place, method="GET", path="/x")])
            row = await _idle(place, 1)
            await asyncio.gather(*(task for task in tasks if task is not None))
            return talk.answered_s, talk.took_s, row.seen

    answered_s, took_s, seen = asyncio.run(timed())
    assert 0.0 < answered_s <= took_s
    assert "in -" not in seen
    assert "a request beside them: 200 in " in seen


def test_a_process_that_ends_while_it_is_asked_about_holds_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder is there at one moment and not at the next."""

    def gone(path: str) -> NoReturn:
        raise FileNotFoundError(path)

    gateway = GatewayProcess(tmp_path, port=1)
    monkeypatch.setattr(GatewayProcess, "pids", lambda self: [os.getpid()])
    assert gateway.open_files() > 0
    monkeypatch.setattr(os, "listdir", gone)
    assert gateway.open_files() == 0


def test_a_transfer_coding_may_be_written_in_capitals() -> None:
    """Names of codings are told apart without regard to case (RFC 9112, section 7)."""
    received = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    (found,) = answers_in(received, is_closed=False)
    assert (found.body, found.is_whole) == (b"ok", True)
