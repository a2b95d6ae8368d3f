"""What is fetched from a provider is bounded in time and size, and comes from the declared address only."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tripoint.adapters.oidc.fetch import Fetch
from tripoint.domain.errors import OptionError, UpstreamError

pytestmark = pytest.mark.enable_socket
Answer = Callable[[socket.socket], None]


@contextmanager
def answering(answer: Answer, heads: list[bytes] | None = None) -> Iterator[int]:
    """A server for one connection; its port. `heads` takes what it was asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    head = b""
                    while not head.endswith(b"\r\n\r\n") and (piece := connection.recv(4096)):
                        head += piece
                    if heads is not None:
                        heads.append(head)
                    answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def fetched(answer: Answer, timeout_s: float = 20.0, heads: list[bytes] | None = None) -> dict[str, Any]:
    """What `Fetch` makes of a server that answers so."""
    with answering(answer, heads) as port:
        return asyncio.run(Fetch(timeout_s=timeout_s).json(f"http://127.0.0.1:{port}/keys?x=1"))


def saying(*pieces: bytes) -> Answer:
    """Says these pieces one by one."""

    def answer(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)

    return answer


def with_length(body: bytes, status: bytes = b"200 OK", *lines: bytes) -> bytes:
    """A whole answer."""
    head = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *lines, b"", b""]
    return b"\r\n".join(head) + body


@pytest.mark.parametrize(
    "pieces",
    [
        (with_length(b'{"a": 1}'),),
        tuple(bytes([each]) for each in with_length(b'{"a": 1}')),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b'4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n'),
        (b"HTTP/1.0 200 OK\r\n\r\n", b'{"a": 1}'),
    ],
)
def test_a_document_is_read_however_it_comes(pieces: tuple[bytes, ...]) -> None:
    """By length, in chunks, to the connection's end, byte by byte."""
    assert fetched(saying(*pieces)) == {"a": 1}


def test_the_question_is_plain() -> None:
    """It names the host as declared and carries nothing secret."""
    asked: list[bytes] = []
    fetched(saying(with_length(b"{}")), heads=asked)
    lines = asked[0].decode().split("\r\n")
    assert lines[0] == "GET /keys?x=1 HTTP/1.1"
    assert lines[1].startswith("host: 127.0.0.1:")
    assert {line.partition(":")[0] for line in lines[2:] if line} == {"accept", "accept-encoding", "connection"}


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        ((with_length(b"", b"302 Found", b"location: http://127.0.0.1:1/"),), "status 302"),
        ((with_length(b'{"a": 1}', b"500 Oh"),), "status 500"),
        ((with_length(b"[1]"),), "not a JSON object"),
        ((with_length(b"nonsense"),), "not a JSON object"),
        ((with_length(b'{"a": "\xff"}'),), "not a JSON object"),
        ((with_length(b"[" * 100_000),), "not a JSON object"),
        ((b"SSH-2.0-OpenSSH\r\n",), "127.0.0.1"),
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}",), "ended before"),
        ((), "ended before"),
        ((b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 600_000 + b"\r\n\r\n",), "longer than"),
        ((b"HTTP/1.1 200 OK\r\n\r\n", *([b" " * 16_384] * 40)), "longer than"),
    ],
)
def test_anything_else_is_told(pieces: tuple[bytes, ...], told: str) -> None:
    """Redirects are not followed; what is broken, too long or no object is an error with the address."""
    with pytest.raises(UpstreamError, match=told):
        fetched(saying(*pieces))


def test_one_that_drips_is_given_up() -> None:
    """The time is for the whole answer, not for each piece."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        while True:  # until the other side hangs up
            connection.sendall(b" ")
            time.sleep(0.02)

    with pytest.raises(UpstreamError, match=r"no whole answer within 0\.3 s"):
        fetched(drip, timeout_s=0.3)


def test_nobody_there_is_told() -> None:
    """A port on which nobody listens."""
    with pytest.raises(UpstreamError, match="127"):
        asyncio.run(Fetch().json("http://127.0.0.1:1/"))


def test_a_server_without_tls_is_refused() -> None:
    """A server that speaks no TLS is no provider."""
    with answering(saying(with_length(b"{}"))) as port, pytest.raises(UpstreamError, match="identity provider's"):
        asyncio.run(Fetch(timeout_s=1.0).json(f"https://127.0.0.1:{port}/"))


def test_an_authority_that_cannot_be_used_is_told_at_once() -> None:
    """Not at the first token, but at the start."""
    with pytest.raises(OptionError, match="authority"):
        Fetch("no/such/file.pem")
