"""Whether an upstream may be used: shut after failures, asked by one probe, tried by one request, let in slowly."""

from __future__ import annotations

from enum import StrEnum
from random import Random
from typing import NamedTuple


class Standing(StrEnum):
    """What a breaker allows."""

    CLOSED = "closed"
    """Ordinary traffic."""
    OPEN = "open"
    """Nothing but one synthetic probe once it is due."""
    HALF_OPEN = "half_open"
    """One live request, which decides."""


class BreakerRules(NamedTuple):
    """When it opens, and for how long."""

    consecutive: int = 3
    """Failures in a row that open it."""
    share: float = 0.5
    """Failures over calls within the window that open it."""
    min_calls: int = 20
    """Calls in the window before that share counts."""
    window_s: float = 10.0
    """Length of the window, s; it moves by halves."""
    base_s: float = 1.0
    """First time shut, s; every further one is twice as long."""
    cap_s: float = 15.0
    """Longest time shut, s."""
    jitter: float = 0.2
    """Most that is added to it, as a share, so that many gateways do not ask at once."""
    ramp_s: float = 5.0
    """Longest slow start, s; never longer than it was shut."""
    start: float = 0.1
    """Share of its capacity it starts with."""


class Breaker:
    """Verdict on one upstream; deterministic for a seed and an order of calls."""

    __slots__ = (
        "_before_calls",
        "_before_fails",
        "_calls",
        "_closed_at",
        "_ejections",
        "_fails",
        "_half_s",
        "_ramp_s",
        "_random",
        "_row",
        "_rules",
        "_shut_s",
        "_turn_at",
        "epoch",
        "standing",
        "until",
    )  # fmt: skip

    def __init__(self, rules: BreakerRules, *, seed: int, now: float) -> None:
        self._rules = rules
        self._random = Random(seed)
        self._half_s = rules.window_s / 2
        self._turn_at = now + self._half_s
        self._calls = self._fails = self._before_calls = self._before_fails = self._row = self._ejections = 0
        self._shut_s = 0.0
        self._ramp_s = 0.0
        self._closed_at = now
        self.standing = Standing.CLOSED
        self.until = 0.0
        """When the next probe is due, s."""
        self.epoch = 0
        """How often it opened or closed; outcomes of requests from an earlier epoch tell nothing about this one."""

    def succeeded(self, now: float) -> None:
        """Notes a good answer to ordinary traffic; one that arrives while shut decides nothing."""
        if now >= self._turn_at:
            self._turn(now)
        self._calls += 1
        self._row = 0

    def failed(self, now: float) -> bool:
        """Notes a failure of ordinary traffic; True when that opened it."""
        if self.standing is not Standing.CLOSED:
            return False
        if now >= self._turn_at:
            self._turn(now)
        self._calls += 1
        self._fails += 1
        self._row += 1
        calls, fails = self._calls + self._before_calls, self._fails + self._before_fails
        rules = self._rules
        if self._row < rules.consecutive and (calls < rules.min_calls or fails < rules.share * calls):
            return False
        self._open(now)
        return True

    def refused(self, now: float) -> None:
        """Notes that the probe or the trial failed: shut again, twice as long."""
        self._open(now)

    def half_open(self) -> None:
        """Notes that the probe was answered: one live request may decide now."""
        if self.standing is Standing.OPEN:
            self.standing = Standing.HALF_OPEN

    def close(self, now: float) -> None:
        """Notes that the trial was answered, here or in another worker: the slow start begins."""
        self.standing = Standing.CLOSED
        self.until = 0.0
        self.epoch += 1
        self._closed_at = now
        self._ramp_s = min(self._rules.ramp_s, self._shut_s)
        self._forget(now)

    def adopt(self, until: float, now: float) -> None:
        """Takes over the verdict of another worker: shut until then."""
        if self.standing is Standing.CLOSED:
            self.epoch += 1
        if until > self.until:
            self._count(now)
            self._shut_s = min(max(0.0, until - now), self._rules.cap_s * (1 + self._rules.jitter))
        self.standing = Standing.OPEN
        self.until = until
        self._forget(now)

    def strength(self, now: float) -> float:
        """Share of its capacity it may use, 0 to 1: none unless closed, and a growing one after it closed."""
        if self.standing is not Standing.CLOSED:
            return 0.0
        passed = now - self._closed_at
        if passed >= self._ramp_s:
            return 1.0
        start = self._rules.start
        return start + (1.0 - start) * max(0.0, passed) / self._ramp_s

    def _open(self, now: float) -> None:
        self._count(now)
        shut_s = min(self._rules.cap_s, self._rules.base_s * 2.0 ** (self._ejections - 1))
        self._shut_s = shut_s * (1.0 + self._rules.jitter * self._random.random())
        if self.standing is Standing.CLOSED:
            self.epoch += 1
        self.standing = Standing.OPEN
        self.until = now + self._shut_s
        self._forget(now)

    def _count(self, now: float) -> None:
        """One more time shut; the count starts anew after it was well for twice the longest time shut."""
        well = self.standing is Standing.CLOSED and now - self._closed_at >= 2 * self._rules.cap_s
        self._ejections = 1 if well else min(self._ejections + 1, 30)

    def _forget(self, now: float) -> None:
        self._calls = self._fails = self._before_calls = self._before_fails = self._row = 0
        self._turn_at = now + self._half_s

    def _turn(self, now: float) -> None:
        if now - self._turn_at >= self._half_s:
            self._before_calls = self._before_fails = 0
        else:
            self._before_calls, self._before_fails = self._calls, self._fails
        self._calls = self._fails = 0
        self._turn_at = now + self._half_s
