"""A worker that was given no core for a while: what arrived meanwhile counts, and nobody is given up for its own sake.

A process that was stopped, or a container that was paused, comes out of its wait for sockets without having looked at
them: what is due by the clock runs first. That is what happens here: the thread sleeps, and then it sweeps.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.factories.serving import candidate, route, table, target
from tests.factories.shell import Shell, chat, post, read_answer, shell

from tripoint.apps.gateway.http.connection import Connection
from tripoint.apps.gateway.http.lobby import Lobby
from tripoint.apps.gateway.limits import Limits
from tripoint.domain.table import RoutingTable
from tripoint.testing.model_server import Behaviour, ModelServer, serving

pytestmark = pytest.mark.enable_socket


def table_for(server: ModelServer, **fields: Any) -> RoutingTable:
    """One workload on one target: there is nowhere else to go."""
    return table([target("a", slot=0, port=server.port)], (route(candidate(0, share=1.0)),), **fields)


def stand_still(running: Shell, seconds: float, meanwhile: Callable[[], None] | None = None) -> None:
    """Keeps the worker's thread from everything for so long; its clock is heard before its sockets."""

    def still(lobby: Lobby) -> None:
        if meanwhile is not None:
            meanwhile()
        time.sleep(seconds)
        lobby._sweep()

    running.ask(still)


def has_begun(connection: Connection) -> bool:
    """True once the first words of its answer came."""
    return connection.exchange is not None and connection.exchange.first_at > 0.0


def sent(running: Shell, request: bytes) -> socket.socket:
    """A connection with a request under way."""
    connection = running.connect()
    connection.sendall(request)
    return connection


def test_answers_that_came_meanwhile_are_read_before_anybody_is_given_up() -> None:
    """Their time has passed by the clock, but they lie there: no request fails, and no upstream is blamed."""
    with (
        serving(ModelServer(models=(), behaviour=Behaviour(first_byte_s=0.3))) as server,
        shell(table_for(server, first_byte_s=0.6)) as running,
    ):
        connections = [sent(running, post(chat())) for _ in range(4)]
        running.wait(lambda: len(server.seen) == 4)
        stand_still(running, 1.5)
        for connection in connections:
            with connection:
                assert read_answer(connection).status == 200
        running.wait(lambda: len(running.records) == 4)
        assert [attempt.failure for record in running.records for attempt in record.attempts] == [""] * 4


def test_words_that_came_meanwhile_keep_their_stream_alive() -> None:
    """A silence that was the worker's own is none of the upstream's."""
    with (
        serving(ModelServer(models=(), behaviour=Behaviour(between_s=0.05, words=16))) as server,
        shell(table_for(server, stall_s=0.5)) as running,
        sent(running, post(chat(stream=True))) as connection,
    ):
        running.wait(lambda: bool(running.ask(lambda lobby: any(has_begun(each) for each in lobby.active))))
        stand_still(running, 1.2)
        answer = read_answer(connection)
        assert answer.is_whole
        assert answer.body.endswith(b"data: [DONE]\n\n")
        assert b'"error"' not in answer.body


def test_a_request_whose_bytes_came_meanwhile_is_read() -> None:
    """A caller whose bytes lie in the socket was not slow."""
    with (
        serving(ModelServer(models=())) as server,
        shell(table_for(server), limits=Limits(head_s=0.4)) as running,
        running.connect() as connection,
    ):
        request = post(chat())
        connection.sendall(request[:20])
        running.wait(lambda: bool(running.ask(lambda lobby: len(lobby.connections))))
        stand_still(running, 1.2, lambda: connection.sendall(request[20:]))
        answer = read_answer(connection)
        assert (answer.status, json.loads(answer.body)["object"]) == (200, "chat.completion")
