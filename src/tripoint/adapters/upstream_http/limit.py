"""A limit of time in which this process ran: while it was stopped, paused or given no core, nobody else was late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

_STEP_S: Final = 0.25
_STILL_S: Final = 0.25
"""How late a step comes, s, where this process was not running meanwhile."""


class Limit:
    """Calls `act` once, so many seconds of running from now; to be made on a running loop.

    It goes in steps, and one that comes late counts for its own length only. At least one more step follows such a one,
    since the clock is heard before the sockets: what arrived meanwhile is read before anybody is given up.
    """

    __slots__ = ("_act", "_handle", "_left_s", "_loop", "_step_s", "_until")

    def __init__(self, seconds: float, act: Callable[[], object]) -> None:
        self._act = act
        self._left_s = seconds
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._begin()

    def cancel(self) -> None:
        """Nothing will be called any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _begin(self) -> None:
        self._step_s = min(self._left_s, _STEP_S)
        self._until = monotonic() + self._step_s
        self._handle = self._loop.call_later(self._step_s, self._came)

    def _came(self) -> None:
        late_s = monotonic() - self._until
        self._left_s -= self._step_s
        if late_s > _STILL_S:
            self._left_s = max(self._left_s, _STEP_S)
        else:
            self._left_s -= max(late_s, 0.0)
        if self._left_s > 1e-9:
            self._begin()
        else:
            self._handle = None
            self._act()
