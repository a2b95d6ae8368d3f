"""Connections that send large bodies: whatever comes after the first is understood as on any other connection."""

from __future__ import annotations

import json
import random
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from tests.factories.serving import candidate, route, table, target
from tests.factories.shell import Shell, chat, get, is_closed, post, read_answer, shell

from tripoint.apps.gateway.http.intake import LARGE, Intake
from tripoint.apps.gateway.limits import Limits
from tripoint.testing.model_server import ModelServer

pytestmark = pytest.mark.enable_socket

MAX_BODY = 8 * LARGE


@pytest.fixture
def gateway(server: ModelServer) -> Iterator[Shell]:
    """A shell that takes bodies of a megabyte."""
    targets = [target("a", slot=0, port=server.port)]
    with shell(table(targets, (route(candidate(0, usd=1.0, share=1.0)),)), limits=Limits(max_body=MAX_BODY)) as running:
        yield running


def large(number: int, size: int = 2 * LARGE, **members: Any) -> bytes:
    """A chat with a long prompt, different for each number."""
    return chat(messages=[{"role": "user", "content": f"{number} " + "word " * (size // 5)}], **members)


def intakes(running: Shell) -> int:
    """Connections that are read into shared memory."""
    return int(running.ask(lambda lobby: sum(isinstance(each._intake, Intake) for each in lobby.connections)))


def test_bodies_of_any_size_follow_a_large_one(gateway: Shell, server: ModelServer) -> None:
    """Each arrives byte for byte, in whatever pieces it was sent, and in order."""
    bodies = [large(0), large(1), chat(), large(2, 4 * LARGE), chat(max_tokens=3), large(3)]
    cuts = random.Random(5)
    with gateway.connect() as connection:
        for number, body in enumerate(bodies):
            request = post(body)
            stops = sorted(cuts.randrange(len(request)) for _ in range(number % 3))
            for start, stop in zip([0, *stops], [*stops, len(request)], strict=True):
                connection.sendall(request[start:stop])
            assert read_answer(connection).status == 200
            assert intakes(gateway) == 1
    asked = [seen.json() for seen in server.seen]
    assert [each["messages"] for each in asked] == [json.loads(body)["messages"] for body in bodies]
    gateway.wait(lambda: intakes(gateway) == 0)


def test_requests_sent_ahead_are_answered_in_order(gateway: Shell, server: ModelServer) -> None:
    """Also when a large body and what follows it come in one read."""
    bodies = [large(0), large(1), chat(), large(2), chat()]
    with gateway.connect() as connection:
        connection.sendall(post(bodies[0]))
        assert read_answer(connection).status == 200
        connection.sendall(b"".join(post(body) for body in bodies[1:]) + get("/v1/models"))
        for _ in bodies:
            assert read_answer(connection).status == 200
    assert [seen.json()["messages"] for seen in server.seen] == [json.loads(body)["messages"] for body in bodies]


def test_two_connections_do_not_read_each_others_bytes(gateway: Shell, server: ModelServer) -> None:
    """They share the memory they are read into, never what came."""
    with gateway.connect() as first, gateway.connect() as second:
        for connection in (first, second):
            connection.sendall(post(large(0)))
            assert read_answer(connection).status == 200
        assert intakes(gateway) == 2
        requests = [post(large(number, 3 * LARGE)) for number in (1, 2)]
        half = len(requests[0]) // 2
        first.sendall(requests[0][:half])
        second.sendall(requests[1])
        assert read_answer(second).status == 200
        first.sendall(requests[0][half:])
        assert read_answer(first).status == 200
    contents = [seen.json()["messages"][0]["content"] for seen in server.seen]
    assert [content.split(" ", 1)[0] for content in contents] == ["0", "0", "2", "1"]
    assert all(set(content.split(" ")[1:]) == {"word", ""} for content in contents)


def test_limits_hold_after_a_large_body(gateway: Shell) -> None:
    """A body beyond the limit is refused, and what is no request too."""
    for wrong, status in ((post(large(1, MAX_BODY + LARGE)), 413), (b"nonsense\r\n\r\n", 400)):
        with gateway.connect() as connection:
            connection.sendall(post(large(0)))
            assert read_answer(connection).status == 200
            connection.sendall(wrong[: 4 * LARGE])
            assert read_answer(connection).status == status
            connection.shutdown(1)
            assert is_closed(connection)


def test_a_caller_who_leaves_after_a_large_body_leaves_nothing_behind(gateway: Shell, server: ModelServer) -> None:
    """Politely or not: whatever was read of it by then, no exchange stays open."""
    for leaving in (b"", struct.pack("ii", 1, 0)):
        for stop in (None, -LARGE):
            connection = gateway.connect()
            connection.sendall(post(large(0)))
            assert read_answer(connection).status == 200
            connection.sendall(post(large(1))[:stop])
            if leaving:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, leaving)
            connection.close()
            gateway.wait(lambda: not gateway.ask(lambda lobby: lobby.active or lobby.connections or lobby.unread))
    assert len(server.seen) >= 4


def test_a_head_and_its_body_may_come_apart(gateway: Shell, server: ModelServer) -> None:
    """The body is read by itself once its head was, whenever it comes, and a length of other digits is no matter."""
    with gateway.connect() as connection:
        for number, size in enumerate((2 * LARGE, 6 * LARGE, 6 * LARGE, 2 * LARGE, LARGE // 2, 2 * LARGE)):
            request = post(large(number, size))
            stop = request.index(b"\r\n\r\n") + 4
            connection.sendall(request[:stop])
            gateway.ask(lambda lobby: None)
            connection.sendall(request[stop:])
            assert read_answer(connection).status == 200
    assert [seen.json()["messages"][0]["content"][:2] for seen in server.seen] == ["0 ", "1 ", "2 ", "3 ", "4 ", "5 "]
