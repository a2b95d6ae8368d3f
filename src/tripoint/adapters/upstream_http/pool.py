"""Kept connections to one target, and the set of all targets: the last one used is the next one used."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final, cast

from tripoint.adapters.upstream_http.errand import Errand, Told
from tripoint.adapters.upstream_http.limit import Limit
from tripoint.adapters.upstream_http.line import Line, Sink
from tripoint.adapters.upstream_http.names import Names
from tripoint.adapters.upstream_http.plain import PlainHeads
from tripoint.adapters.upstream_http.trust import client_context
from tripoint.domain.record import Failure
from tripoint.domain.table import Target
from tripoint.engines.gateway.exchange.effects import Outgoing

_MAX_LEADS: Final = 256
_POST: Final = b"POST"


class Pool:
    """Connections to one target."""

    def __init__(self, target: Target, names: Names, options: PoolOptions) -> None:
        self.target = target
        self.max_answer = options.max_answer
        self.fault = ""
        """Why it cannot be connected to at all; empty when it can."""
        self._names = names
        self._options = options
        self.idle: list[Line] = []
        self._lines: set[Line] = set()
        self._dialling: set[asyncio.Task[None]] = set()
        self.leads: dict[bytes, bytes] = {}
        self.path = self.lead = b""
        """The path met last and what its requests begin with, as in `leads`: mostly the next is alike."""
        self.heads = PlainHeads()
        """Heads its answers have begun with."""
        self._tls = self._context()

    def send(self, attempt: Outgoing, sink: Sink, method: bytes = _POST) -> Line:
        """Sends an attempt over a kept connection, or a new one; what becomes of it is reported to the sink."""
        lead = self.leads.get(attempt.path)
        if lead is None or method != _POST:
            lead = self._lead(attempt.path, method)
        idle = self.idle
        if idle and not attempt.is_fresh:
            line = idle.pop()
            line.carry(attempt, sink, lead)
            return line
        line = Line(self)
        self._lines.add(line)
        line.carry(attempt, sink, lead)
        task = asyncio.get_running_loop().create_task(self._connect(line))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)
        return line

    def put_back(self, line: Line, now: float) -> None:
        """Keeps a connection for the next attempt."""
        if len(self.idle) >= self._options.max_idle:
            line.close()
            return
        line.idle_since = now
        self.idle.append(line)

    def forget(self, line: Line) -> None:
        """A connection has ended."""
        self._lines.discard(line)
        if line in self.idle:
            self.idle.remove(line)

    def expire(self, now: float) -> None:
        """Closes connections that were idle too long; the longest idle are at the bottom of the stack."""
        limit = now - self._options.idle_s
        for line in [line for line in self.idle if line.idle_since < limit]:
            self.idle.remove(line)
            line.close()

    def close(self) -> None:
        """Ends what is idle; what carries an attempt ends with it."""
        for line in self.idle:
            line.close()
        self.idle.clear()
        self._options = self._options.without_idle()

    async def _connect(self, line: Line) -> None:
        try:
            async with asyncio.timeout(None) as patience:
                limit = Limit(self._options.connect_s, lambda: patience.reschedule(0.0))
                try:
                    await self._open(line)
                finally:
                    limit.cancel()
        except (OSError, ssl.SSLError, ValueError):  # a refusal, a timeout, a name or a certificate that is none
            self._lines.discard(line)
            line.failed(Failure.CONNECT)

    async def _open(self, line: Line) -> None:
        if self.fault:
            raise OSError(self.fault)
        loop, target = asyncio.get_running_loop(), self.target
        name = target.host if self._tls is not None else None
        last: OSError = OSError("no address")
        for family, address in await self._names.find(target.host):
            try:
                await loop.create_connection(
                    lambda: cast("asyncio.Protocol", line),
                    address,
                    target.port,
                    family=family,
                    ssl=self._tls,
                    server_hostname=name,
                )
                return
            except OSError as error:
                last = error
        raise last

    def _context(self) -> ssl.SSLContext | None:
        if not self.target.is_tls:
            return None
        try:
            return client_context(self.target.ca_file)
        except OSError as error:
            self.fault = f"the certificate authority of `{self.target.id}` cannot be used: {error.strerror or error}"
            return None

    def _lead(self, path: bytes, method: bytes) -> bytes:
        target = self.target
        host = f"[{target.host}]" if ":" in target.host else target.host
        port = "" if target.port == (443 if target.is_tls else 80) else f":{target.port}"
        lead = b"%b %b HTTP/1.1\r\nhost: %b\r\ncontent-type: application/json\r\n" % (
            method, path, f"{host}{port}".encode("idna" if not host.isascii() else "ascii"),
        )  # fmt: skip
        if method == _POST:
            if len(self.leads) >= _MAX_LEADS:
                self.leads.clear()
            self.leads[path] = lead
        return lead


class PoolOptions:
    """Limits of every pool."""

    __slots__ = ("connect_s", "idle_s", "max_answer", "max_idle")

    def __init__(
        self, *, connect_s: float = 2.0, idle_s: float = 30.0, max_idle: int = 2_048, max_answer: int = 64 * 2**20
    ) -> None:
        self.connect_s = connect_s
        """Longest wait for a connection, name and TLS included, s of running."""
        self.idle_s = idle_s
        """Longest a connection is kept unused, s."""
        self.max_idle = max_idle
        """Most connections kept unused per target."""
        self.max_answer = max_answer
        """Longest answer in one piece, bytes."""

    def without_idle(self) -> PoolOptions:
        """The same, but nothing is kept."""
        return PoolOptions(connect_s=self.connect_s, idle_s=0.0, max_idle=0, max_answer=self.max_answer)


class Upstreams:
    """The pools of all targets; one is made when a target is first used."""

    def __init__(self, options: PoolOptions | None = None) -> None:
        self._options = options or PoolOptions()
        self._names = Names()
        self._pools: dict[str, Pool] = {}
        self._latest: Pool | None = None

    def send(self, target: Target, attempt: Outgoing, sink: Sink, method: bytes = _POST) -> Line:
        """Sends an attempt to a target of the table; no other destination exists."""
        pool = self._latest
        if pool is None or pool.target is not target:
            pool = self._pools.get(target.id)
            if pool is None or pool.target is not target:
                pool = self._pool(target)
            self._latest = pool
        path = attempt.path
        if path is not pool.path and path in pool.leads:
            pool.path, pool.lead = path, pool.leads[path]
        if path is pool.path and pool.idle and not attempt.is_fresh and method is _POST:
            line = pool.idle.pop()
            line.carry(attempt, sink, pool.lead)
            return line
        return pool.send(attempt, sink, method)

    def ask(self, target: Target, question: tuple[bytes, bytes, bytes, bytes], timeout_s: float, told: Told) -> None:
        """Sends a small request of our own (method, path, head, body); `told` hears the answer, or status 0."""
        method, path, head, body = question
        Errand(path, head, body, told).run(self, target, method, timeout_s)

    def expire(self, now: float) -> None:
        """Closes connections that were idle too long; to be called every few seconds."""
        for pool in self._pools.values():
            pool.expire(now)

    def keep_only(self, targets: tuple[Target, ...]) -> None:
        """After a reload: targets that are gone lose their idle connections."""
        names = {target.id for target in targets}
        self._latest = None
        for name in [name for name in self._pools if name not in names]:
            self._pools.pop(name).close()

    def close(self) -> None:
        """Closes every idle connection."""
        self._latest = None
        for pool in self._pools.values():
            pool.close()

    def _pool(self, target: Target) -> Pool:
        pool = self._pools.get(target.id)
        if pool is None or _address(pool.target) != _address(target):
            if pool is not None:
                pool.close()
            pool = self._pools[target.id] = Pool(target, self._names, self._options)
        pool.target = target
        return pool


def _address(target: Target) -> tuple[str, int, bool, str | None]:
    return target.host, target.port, target.is_tls, target.ca_file
