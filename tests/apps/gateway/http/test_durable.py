"""In durable mode the last bytes of an answer wait for its record; what cannot be made safe is said to have failed."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.factories.serving import candidate, route, table, target
from tests.factories.shell import Shell, chat, get, post, read_answer, shell

from tripoint.testing.model_server import Behaviour, ModelServer

pytestmark = pytest.mark.enable_socket


class Held:
    """A seal that holds every answer until the test lets it go."""

    def __init__(self, running: Shell) -> None:
        self.answers: list[Callable[[bool], None]] = []
        self._running = running
        running.ask(self._take_over)

    def _take_over(self, lobby: Any) -> None:
        lobby.seal = self.answers.append

    def let_go(self, *, is_safe: bool) -> None:
        """Releases the one answer held, once there is one."""
        self._running.wait(lambda: len(self.answers) == 1)
        release = self.answers.pop()
        self._running.ask(lambda lobby: release(is_safe))


@pytest.fixture
def gateway(server: ModelServer) -> Iterator[Shell]:
    """A shell before it."""
    with shell(table([target("a", port=server.port)], [route(candidate(0, share=1.0))])) as running:
        yield running


def is_silent(connection: socket.socket) -> bool:
    """True when nothing comes for a moment."""
    connection.settimeout(0.15)
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(10)


def test_a_whole_answer_waits_for_its_record(gateway: Shell) -> None:
    """Not a byte before; then all of it, and the connection goes on."""
    held = Held(gateway)
    with gateway.connect() as connection:
        for _ in range(3):
            connection.sendall(post(chat()))
            gateway.wait(lambda: bool(held.answers))
            assert is_silent(connection)
            held.let_go(is_safe=True)
            answer = read_answer(connection)
            assert (answer.status, answer.is_whole) == (200, True)
    assert [record.ending for record in gateway.records] == ["ok"] * 3


def test_a_request_is_let_go_before_its_record_is_safe(gateway: Shell) -> None:
    """What waits are the bytes of its answer: whole groups of requests would not stay in the nearest cache."""
    held, seen = Held(gateway), list[object]()
    with gateway.connect() as connection:
        connection.sendall(post(chat()))
        gateway.wait(lambda: bool(held.answers))
        gateway.ask(lambda lobby: seen.extend(each.exchange for each in lobby.active))
        gateway.wait(lambda: bool(seen))
        held.let_go(is_safe=True)
        assert read_answer(connection).status == 200
    assert seen == [None]


def test_the_end_of_a_stream_waits_and_its_words_do_not(gateway: Shell, server: ModelServer) -> None:
    """Every word comes as it is said; the mark at the end, after which callers stop reading, only with the record."""
    server.behaviour = Behaviour(words=4, between_s=0.03)
    held = Held(gateway)
    with gateway.connect() as connection:
        connection.sendall(post(chat(stream=True)))
        seen = b""
        while seen.count(b'"content"') < 4:
            seen += connection.recv(4096)
        gateway.wait(lambda: bool(held.answers))
        assert b"[DONE]" not in seen
        while not is_silent(connection):
            seen += connection.recv(4096)
        assert b"[DONE]" not in seen
        held.let_go(is_safe=True)
        while not seen.endswith(b"0\r\n\r\n"):
            seen += connection.recv(4096)
        assert b"data: [DONE]\n\n" in seen


def test_words_of_a_stream_take_the_short_way_until_its_end(gateway: Shell, server: ModelServer) -> None:
    """As without a seal; once the end has come there is no short way, which could pass what is held."""
    server.behaviour = Behaviour(words=12, between_s=0.03)
    held = Held(gateway)

    def relays(lobby: Any) -> list[bool]:
        return [line.relay is not None for connection in lobby.connections for line in connection._lines()]

    with gateway.connect() as connection:
        connection.sendall(post(chat(stream=True)))
        gateway.wait(lambda: gateway.ask(relays) == [True])
        gateway.wait(lambda: bool(held.answers))
        assert True not in gateway.ask(relays)
        held.let_go(is_safe=True)
        assert read_answer(connection).body.count(b'"content"') >= 12


def test_what_cannot_be_made_safe_is_no_success(gateway: Shell) -> None:
    """A whole answer becomes an error of its own; nothing of the answer is given away."""
    held = Held(gateway)
    with gateway.connect() as connection:
        connection.sendall(post(chat()))
        held.let_go(is_safe=False)
        answer = read_answer(connection)
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (503, "usage_not_recorded")
        assert answer.headers["retry-after"] == "1"
        connection.sendall(post(chat()))
        held.let_go(is_safe=True)
        assert read_answer(connection).status == 200


def test_a_stream_that_cannot_be_made_safe_ends_with_a_typed_error(gateway: Shell, server: ModelServer) -> None:
    """Its words have been read; its end says that it failed."""
    server.behaviour = Behaviour(words=3, between_s=0.03)
    held = Held(gateway)
    with gateway.connect() as connection:
        connection.sendall(post(chat(stream=True)))
        held.let_go(is_safe=False)
        answer = read_answer(connection)
    assert (answer.status, answer.is_whole) == (200, True)
    assert b"usage_not_recorded" in answer.body
    assert b"[DONE]" not in answer.body


def test_a_stream_told_in_one_piece_becomes_an_error_answer(gateway: Shell, server: ModelServer) -> None:
    """Where not even its head was sent, the status says so."""
    server.behaviour = Behaviour(words=1)
    held = Held(gateway)
    with gateway.connect() as connection:
        connection.sendall(post(chat(stream=True)))
        held.let_go(is_safe=False)
        answer = read_answer(connection)
    is_told = (answer.status, b"usage_not_recorded" in answer.body)
    assert is_told in ((503, True), (200, True))
    assert b"[DONE]" not in answer.body


def test_a_caller_who_leaves_while_his_answer_waits_disturbs_nobody(gateway: Shell) -> None:
    """The answer goes nowhere, and the next caller is served."""
    held = Held(gateway)
    with gateway.connect() as connection:
        connection.sendall(post(chat()))
        gateway.wait(lambda: bool(held.answers))
    gateway.wait(lambda: gateway.ask(lambda lobby: not lobby.connections))
    held.let_go(is_safe=True)
    with gateway.connect() as connection:
        connection.sendall(post(chat()))
        held.let_go(is_safe=True)
        assert read_answer(connection).status == 200


def test_requests_sent_ahead_keep_their_order(gateway: Shell) -> None:
    """A held answer holds up those behind it on its connection, and nothing else."""
    held = Held(gateway)
    with gateway.connect() as connection, gateway.connect() as other:
        connection.sendall(post(chat(max_tokens=2)) + get("/healthz") + post(chat(max_tokens=3)))
        gateway.wait(lambda: bool(held.answers))
        other.sendall(get("/healthz"))
        assert read_answer(other).body == b"health"
        assert is_silent(connection)
        held.let_go(is_safe=True)
        assert json.loads(read_answer(connection).body)["usage"]["completion_tokens"] == 2
        assert read_answer(connection).body == b"health"
        held.let_go(is_safe=True)
        assert json.loads(read_answer(connection).body)["usage"]["completion_tokens"] == 3


def test_refusals_at_the_door_do_not_wait(gateway: Shell) -> None:
    """Nothing was served, so there is nothing to keep."""
    held = Held(gateway)
    with gateway.connect() as connection:
        connection.sendall(post(b"{"))
        assert read_answer(connection).status == 400
    assert not held.answers
