"""Events that pass the transport by: the caller reads all in order, and no descriptor outlives its connection."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.factories.exchanging import EVENTS, Desk, piece
from tests.factories.serving import candidate, route, table, target
from tests.factories.shell import Shell, chat, post, read_answer, shell

from tripoint.apps.gateway.http.spout import NO_DESCRIPTOR, Spout, descriptor_of
from tripoint.engines.gateway.exchange.relay import passing_reader
from tripoint.testing.model_server import Behaviour, ModelServer

pytestmark = pytest.mark.enable_socket

STEPS = st.lists(
    st.tuples(st.sampled_from(["event", "other", "read", "turn"]), st.integers(1, 9_000)), min_size=1, max_size=40
)


class Way:
    """A transport as the loop has them, with a small buffer of the system's behind it and a caller at its end."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        for end in (self.ours, self.theirs):
            end.setblocking(False)
        self.waiting = self.read = b""
        self.asked = 0

    def write(self, data: bytes) -> None:
        """Sends what can be sent, keeps the rest."""
        self.asked += 1
        self.waiting += data
        self.turn()

    def turn(self) -> None:
        """A turn of the loop: what waits is sent where there is room."""
        with contextlib.suppress(BlockingIOError):
            self.waiting = self.waiting[self.ours.send(self.waiting) :] if self.waiting else b""

    def get_write_buffer_size(self) -> int:
        """Bytes that wait."""
        return len(self.waiting)

    def take(self, most: int) -> bool:
        """The caller reads; False where there is nothing."""
        try:
            self.read += self.theirs.recv(most)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Closes both ends."""
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def gateway(server: ModelServer) -> Iterator[Shell]:
    """A shell before it."""
    targets = [target("a", slot=0, port=server.port)]
    with shell(table(targets, (route(candidate(0, usd=1.0, share=1.0)),))) as running:
        yield running


def spout_on(way: Way) -> Spout:
    """A spout beside that transport, which was given something before; of a real stream, as compiled code asks."""
    exchange, world = Desk(table([target("a", slot=0)], (route(candidate(0)),))).open(stream=True)
    attempt = world.last
    exchange.on_head(attempt, 200, EVENTS, b"", 100.0)
    exchange.on_data(attempt, piece("one"), 100.0)
    reader = passing_reader(exchange, attempt)
    assert reader is not None
    spout = Spout(exchange, attempt, reader, way.write)
    spout.settle(cast(Any, way), way.ours.fileno())
    return spout


def spouts(running: Shell) -> list[Spout]:
    """Those of its connections."""
    found = running.ask(lambda lobby: [each._spout for each in lobby.connections if each._spout is not None])
    return cast(list[Spout], found)


@given(STEPS)
@example([*[("other", 9_000)] * 9, *[("read", 9_000)] * 9, ("event", 1)])  # room again, and something before it
def test_nothing_passes_what_still_waits(steps: list[tuple[str, int]]) -> None:
    """However slowly the caller reads, and whatever else is written between events."""
    way, sent = Way(), b""
    try:
        spout = spout_on(way)
        for number, (step, size) in enumerate(steps):
            data = b"%d:" % number + b"x" * size
            if step == "event":
                spout.send(data)
                sent += data
            elif step == "other":
                way.write(data)
                spout.settle(cast(Any, way), way.ours.fileno())
                sent += data
            elif step == "read":
                way.take(size)
            else:
                way.turn()
        while way.take(65_536) or way.waiting:
            way.turn()
        assert way.read == sent
    finally:
        way.close()


def test_the_transport_is_asked_only_where_it_must_be() -> None:
    """A caller who keeps up is written to directly; one who does not, again once nothing waits for it any more."""
    way = Way()
    try:
        spout = spout_on(way)
        spout.send(b"a")
        assert (way.asked, way.waiting) == (0, b"")
        while not way.waiting:
            spout.send(b"b" * 1_000)
        asked = way.asked
        spout.send(b"c")
        assert way.asked == asked + 1
        while way.take(65_536) or way.waiting:
            way.turn()
        way.write(b"d")
        spout.settle(cast(Any, way), way.ours.fileno())
        asked = way.asked
        spout.send(b"e")
        assert way.asked == asked
        assert way.take(65_536)
        assert way.read.endswith(b"bcde")
    finally:
        way.close()


def test_a_caller_who_has_left_is_told_by_the_transport() -> None:
    """An error is not ours to judge."""
    way = Way()
    spout, told = spout_on(way), list[bytes]()
    way.close()
    spout._write = told.append
    spout.send(b"gone")
    assert told == [b"gone"]


def test_a_closed_one_writes_to_no_descriptor() -> None:
    """The same number is another connection's by then."""
    way = Way()
    try:
        spout, told = spout_on(way), list[bytes]()
        spout._write = told.append
        spout.close()
        spout.send(b"mine")
        assert told == [b"mine"]
        assert not way.take(100)
    finally:
        way.close()


def test_only_plain_sockets_of_this_loop_are_passed_by() -> None:
    """Not those that encrypt, those of other loops, nor any that would wait."""
    way = Way()
    try:

        def transport(module: str, context: object) -> Any:
            told = {"sslcontext": context, "socket": way.ours}
            return type("T", (), {"__module__": module, "get_extra_info": lambda self, name: told[name]})()

        assert descriptor_of(transport("uvloop.loop", None)) == way.ours.fileno()
        assert descriptor_of(transport("uvloop.loop", object())) == NO_DESCRIPTOR
        assert descriptor_of(transport("asyncio.selector_events", None)) == NO_DESCRIPTOR
        os.set_blocking(way.ours.fileno(), True)
        assert descriptor_of(transport("uvloop.loop", None)) == NO_DESCRIPTOR
    finally:
        way.close()


def test_a_stream_goes_that_way_until_its_end(gateway: Shell, server: ModelServer) -> None:
    """Each stream of a connection anew."""
    server.behaviour = Behaviour(words=12, between_s=0.03)
    with gateway.connect() as connection:
        for _ in range(2):
            connection.sendall(post(chat(stream=True)))
            gateway.wait(lambda: [each._is_clear for each in spouts(gateway)] == [True])
            answer = read_answer(connection)
            assert (answer.status, answer.is_whole) == (200, True)
            assert answer.body.count(b'"content"') >= 12
            assert answer.body.endswith(b"data: [DONE]\n\n")
            gateway.wait(lambda: spouts(gateway) == [])


def test_one_that_leaves_takes_its_descriptor_along(gateway: Shell, server: ModelServer) -> None:
    """Who kept the spout could write to nobody."""
    server.behaviour = Behaviour(words=400, between_s=0.03)
    with gateway.connect() as connection:
        connection.sendall(post(chat(stream=True)))
        gateway.wait(lambda: [each._is_clear for each in spouts(gateway)] == [True])
        (kept,) = spouts(gateway)
    gateway.wait(lambda: spouts(gateway) == [])
    assert (kept._is_clear, kept._descriptor) == (False, NO_DESCRIPTOR)


def test_a_slow_caller_reads_every_word_in_order(gateway: Shell, server: ModelServer) -> None:
    """Its buffers are full after a few events, and the transport keeps what it cannot take."""
    words = 4_000
    server.behaviour = Behaviour(words=words)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.settimeout(20)
    with connection:
        connection.connect(("127.0.0.1", gateway.port))
        gateway.wait(lambda: gateway.ask(lambda lobby: len(lobby.connections)) == 1)

        def narrow(lobby: Any) -> None:
            for each in lobby.connections:
                each._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)

        gateway.ask(narrow)
        connection.sendall(post(chat(stream=True, max_tokens=words)))

        def waits(lobby: Any) -> bool:
            return any(each._transport.get_write_buffer_size() for each in lobby.connections)

        gateway.wait(lambda: bool(gateway.ask(waits)))
        answer = read_answer(connection)
    assert (answer.status, answer.is_whole) == (200, True)
    assert answer.body.endswith(b"data: [DONE]\n\n")
    events = [event for event in answer.body.split(b"\n\n") if b'"content"' in event]
    assert len(events) >= words
