"""What the connections of one worker share: machines, pools, limits, and one coarse clock that wakes whoever is due."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Mapping
from email.utils import formatdate
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Final, Protocol

from tripoint.apps.gateway.http.endpoints import Page
from tripoint.apps.gateway.http.heads import KnownHead
from tripoint.apps.gateway.limits import Limits

if TYPE_CHECKING:
    from tripoint.apps.gateway.http.connection import Connection
    from tripoint.apps.gateway.http.heads import Head
    from tripoint.domain.table import Target
    from tripoint.engines.gateway.exchange.gateway import Gateway

_log = logging.getLogger("tripoint.gateway")
_SWEEP_S: Final = 0.02
_REST_S: Final = 0.1
"""Between two sweeps while nothing has been under way for some."""
_REST_AFTER: Final = 50
"""Sweeps that found nothing under way before they become rarer."""
LONGEST_HEAD: Final = 2_048
"""Heads up to this length, bytes, are remembered."""
_MOST_HEADS: Final = 1_024
_SLOW_S: Final = 0.3
"""Between two sweeps over all connections, s."""
_STILL_S: Final = 0.25
"""Since the last sweep, s, from which on this process was not running: stopped, paused, or given no core."""


class Line(Protocol):
    """A connection to an upstream that carries an attempt."""

    attempt: Any
    sink: Any
    piece: bytes
    """What it is reporting where that came as one whole chunk, and not yet anything else."""
    chunk: bytes
    """That chunk, framed."""
    relay: Any
    """The short way of events that are like the one before; none until one was found to pass through unchanged."""

    def drop(self) -> None:
        """Forgets the attempt."""
        ...

    def pause(self) -> None:
        """Reads no more."""
        ...

    def resume(self) -> None:
        """Reads on."""
        ...


class Upstreams(Protocol):
    """Who carries attempts; see `tripoint.adapters.upstream_http`."""

    def send(self, target: Target, attempt: Any, sink: Any, method: bytes = b"POST") -> Line:
        """Sends an attempt and returns the line it is on."""
        ...


class Lobby:
    """Shared by all connections of a worker."""

    __slots__ = (
        "_handle", "_has_spared", "_loop", "_quiet", "_slow_at", "active", "connections", "events", "gateway", "heads",
        "idle_s", "is_draining", "is_guarded", "is_resting", "limits", "max_body", "now", "pages", "peers", "proxies",
        "room", "seal", "stamp", "swept", "unread", "upstreams",
    )  # fmt: skip

    def __init__(
        self,
        gateway: Gateway,
        upstreams: Upstreams,
        limits: Limits,
        pages: Callable[[Page, Mapping[bytes, bytes], str, Callable[[int, bytes, bytes], None]], None],
        events: Callable[[str], None],
    ) -> None:
        self.gateway = gateway
        self.upstreams = upstreams
        self.limits = limits
        # What every request asks of them: reaching into them costs more.
        self.idle_s, self.max_body = limits.idle_s, limits.max_body
        self.pages = pages
        """Answers one of our own pages: page, headers, peer, and who takes status, content type and body."""
        self.events = events
        """Counts what happens at the door."""
        self.active: set[Connection] = set()
        """Connections with an exchange under way."""
        self.connections: set[Connection] = set()
        self.heads: dict[tuple[bytes, bytes], KnownHead] = {}
        """Heads that were read before, by what stands before and after their length: callers repeat them."""
        self.proxies = tuple(ipaddress.ip_network(each) for each in limits.proxies)
        """Where the proxies in front are; none when anybody may connect."""
        self.peers: dict[str, int] = {}
        """Connections by address, those of this machine left out."""
        self.room: memoryview | None = None
        """Where connections read into that send large bodies; made when the first of them comes."""
        self.unread = 0
        """Bytes of bodies under way."""
        self.seal: Callable[[Callable[[bool], None]], None] | None = None
        """Holds the ends of answers until their records are safe; none but in durable mode."""
        self.swept: Callable[[], None] | None = None
        """Called at each sweep, so that a worker has one clock that wakes it."""
        self.is_draining = False
        """True once no further request is taken on any connection."""
        self.is_guarded = gateway.is_open
        """True where no key guards the endpoint: pages of other origins are kept out by their headers."""
        self.now = monotonic()
        """The clock as of the last sweep, s."""
        self.stamp = b""
        """The `date` header line of this second."""
        self.is_resting = False
        """True while sweeps are rare: whoever begins something is to call `hurry`."""
        self._quiet = 0
        self._has_spared = False
        self._slow_at = self.now
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.TimerHandle | None = None

    def remember(self, block: bytes, head: Head) -> KnownHead:
        """A head just read and what it says; shared by all connections that send the like, where it is short."""
        known = KnownHead(block, head)
        if head.endpoint.api is not None:
            known.said = self.gateway.said(head.headers)
        if len(block) > LONGEST_HEAD:
            return known
        if len(self.heads) >= _MOST_HEADS:
            self.heads.clear()
        shared = self.heads.setdefault((known.before, known.after), known)
        shared.length = head.length
        return shared

    def is_proxy(self, peer: str) -> bool:
        """True for the address of a declared proxy; an IPv4 address may come as a mapped one."""
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        return any(address in network for network in self.proxies)

    def reloaded(self) -> None:
        """Another table serves; what heads say under it is read again when they come."""
        self.heads.clear()
        self.is_guarded = self.gateway.is_open

    def start(self) -> None:
        """Begins to sweep on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._sweep()

    def stop(self) -> None:
        """Sweeps no more."""
        if self._handle is not None:
            self._handle.cancel()

    def hurry(self) -> None:
        """Something has begun: sweeps are frequent again."""
        self.is_resting = False
        self._quiet = 0
        if self._handle is not None and self._loop is not None:
            self.now = monotonic()
            self._handle.cancel()
            self._handle = self._loop.call_later(_SWEEP_S, self._sweep)

    def drain(self) -> None:
        """Idle connections close now, the others after their answer."""
        self.is_draining = True
        for connection in tuple(self.connections):
            connection.drain()

    def _sweep(self) -> None:
        assert self._loop is not None  # set by `start`
        self._quiet = 0 if self.active else self._quiet + 1
        self.is_resting = self._quiet > _REST_AFTER
        self._handle = self._loop.call_later(_REST_S if self.is_resting else _SWEEP_S, self._sweep)
        before, now = self.now, monotonic()
        self.now = now
        # After a standstill the clock is heard before the sockets: what lies there is read before anybody is given up.
        has_stood = now - before > _STILL_S
        if has_stood:
            self.gateway.router.stood_still(now)
        self._has_spared = has_stood and not self._has_spared
        if not self._has_spared:
            for connection in tuple(self.active):
                exchange = connection.exchange
                if exchange is not None and exchange.due <= now:
                    self._wake(connection, now)
        if now >= self._slow_at and not self._has_spared:
            self._slow_at = now + _SLOW_S
            self.stamp = b"date: %b\r\n" % formatdate(time(), usegmt=True).encode()
            for connection in [each for each in self.connections if each.deadline <= now]:
                connection.expire(now)
        if self.swept is not None:
            self.swept()

    @staticmethod
    def _wake(connection: Connection, now: float) -> None:
        try:
            connection.wake(now)
        except Exception:  # one request's mistake must not keep the others from their time
            _log.exception("a request could not go on")
            connection.abort()
