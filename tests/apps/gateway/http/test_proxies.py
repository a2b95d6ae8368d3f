"""A gateway behind proxies: they may connect, this machine may, nobody else may."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.factories.serving import candidate, route, table, target
from tests.factories.shell import shell

from tripoint.apps.gateway.http.connection import Connection
from tripoint.apps.gateway.http.lobby import Lobby
from tripoint.apps.gateway.limits import Limits

pytestmark = pytest.mark.enable_socket
PROXIES = ("10.0.0.0/28", "fd00::7/128")


class Wire(asyncio.Transport):
    """A transport from some address that notes what is written."""

    def __init__(self, peer: str) -> None:
        super().__init__({"peername": (peer, 50_000)})
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Notes it."""
        self.written += data

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Has no buffer."""

    def is_closing(self) -> bool:
        """Never is."""
        return False

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def write_eof(self) -> None:
        """Nobody listens."""

    def close(self) -> None:
        """Nothing is open."""

    def abort(self) -> None:
        """Nothing is open."""


@contextmanager
def lobby(*proxies: str, most: int = 2) -> Iterator[Lobby]:
    """The lobby of a gateway behind these proxies, that takes so many connections of one address."""
    found = table([target("a")], (route(candidate(0)),))
    with shell(found, limits=Limits(proxies=proxies, max_per_peer=most)) as running:
        assert running.lobby is not None
        yield running.lobby


def connected(found: Lobby, peer: str) -> bytes:
    """What somebody from this address hears before having said a word."""
    wire, connection = Wire(peer), Connection(found)
    connection.connection_made(wire)
    connection.connection_lost(None)
    return wire.written


@pytest.mark.parametrize("peer", ["10.0.0.7", "::ffff:10.0.0.7", "fd00::7", "127.0.0.1", "::1"])
def test_proxies_and_this_machine_may_connect(peer: str) -> None:
    """Also by an IPv4 address that came as a mapped one."""
    with lobby(*PROXIES) as found:
        assert connected(found, peer) == b""


@pytest.mark.parametrize("peer", ["10.0.0.16", "192.0.2.1", "fd00::8", "::ffff:192.0.2.1", "fe80::1%eth0"])
def test_nobody_else_may(peer: str) -> None:
    """They are told why, and nothing they send is read."""
    with lobby(*PROXIES) as found:
        assert connected(found, peer).startswith(b"HTTP/1.1 403 ")
        assert b"not_the_proxy" in connected(found, peer)
        assert found.peers == {}


def test_without_proxies_anybody_may_connect() -> None:
    """What keeps strangers out then is the certificate and the keys that a public address asks for."""
    with lobby() as found:
        assert connected(found, "192.0.2.1") == b""


def test_a_proxy_may_have_any_number_of_connections() -> None:
    """It brings everybody's."""
    with lobby(*PROXIES) as found:
        connections = [Connection(found) for _ in range(5)]
        wires = [Wire("10.0.0.7") for _ in connections]
        for connection, wire in zip(connections, wires, strict=True):
            connection.connection_made(wire)
        assert [wire.written for wire in wires] == [b""] * 5
        for connection in connections:
            connection.connection_lost(None)
        assert found.peers == {}
