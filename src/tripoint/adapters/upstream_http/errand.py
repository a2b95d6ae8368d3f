"""A request of the worker's own: a probe of a dead upstream, a look at its metrics; small, bounded and on the clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tripoint.adapters.upstream_http.limit import Limit
from tripoint.adapters.upstream_http.line import Line, Reports
from tripoint.engines.gateway.exchange.effects import Outgoing

if TYPE_CHECKING:
    from tripoint.adapters.upstream_http.pool import Upstreams
    from tripoint.domain.record import Failure
    from tripoint.domain.table import Target

_MAX_ANSWER = 4 * 2**20

Told = Callable[[int, bytes], None]
"""Called once with status and body; status 0 when no whole answer came."""


class Errand:
    """One such request; it is its own exchange and its own sink."""

    def __init__(self, path: bytes, head: bytes, body: bytes, told: Told) -> None:
        self.sent = Outgoing(path, head, body)
        """What leaves."""
        self.exchange: Reports | None = self
        self._told = told
        self._status = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._line: Line | None = None
        self._limit: Limit | None = None
        self._again: Callable[[], Line] | None = None

    def run(self, upstreams: Upstreams, target: Target, method: bytes, timeout_s: float) -> None:
        """Sends it and returns at once."""
        self._limit = Limit(timeout_s, self._late)
        self._again = lambda: upstreams.send(target, self.sent, self, method)
        self._line = self._again()

    def on_head(self, attempt: Outgoing, status: int, kind: bytes, retry_after: bytes, now: float) -> None:
        """See `Reports`."""
        self._status = status

    def on_answer(
        self, attempt: Outgoing, status: int, kind: bytes, retry_after: bytes, body: bytes, now: float
    ) -> None:
        """See `Reports`."""
        self._status = status
        self.on_data(attempt, body, now)
        self._end(status)

    def on_data(self, attempt: Outgoing, data: bytes, now: float) -> None:
        """See `Reports`."""
        self._size += len(data)
        if self._size <= _MAX_ANSWER:
            self._parts.append(data)
        else:
            self._late()

    def on_end(self, attempt: Outgoing, now: float) -> None:
        """See `Reports`."""
        self._end(self._status)

    def on_lost(self, attempt: Outgoing, failure: Failure, now: float, *, was_reused: bool = False) -> None:
        """See `Reports`."""
        if was_reused and not self.sent.is_fresh and self._again is not None:
            self.sent.is_fresh = True
            self._line = self._again()
        else:
            self._end(0)

    def flush(self) -> None:
        """See `Sink`."""

    def _late(self) -> None:
        if self._line is not None and self._line.attempt is self.sent:
            self._line.drop()
        self._end(0)

    def _end(self, status: int) -> None:
        if self._limit is None:
            return
        self._limit.cancel()
        self._limit = None
        self._again = self._line = self.exchange = None
        self._told(status, b"".join(self._parts))
