"""One target as it is now: places, health, limits, load, and how fast its models answer."""

from __future__ import annotations

from math import ceil
from typing import Final
from zlib import crc32

from tripoint.domain.table import Target
from tripoint.engines.gateway.health.board import Board
from tripoint.engines.gateway.health.breaker import Breaker, BreakerRules, Standing
from tripoint.engines.gateway.health.load import UpstreamLoad
from tripoint.engines.gateway.health.pace import Pace

_FRESH_S: Final = 15.0
"""How long a reading of an upstream's own load is used."""
_PENDING: Final = 3
"""Requests waiting for a first byte from which on silence means something."""
_QUIET_S: Final = 0.3
"""Shortest silence that does."""
_RULES: Final = BreakerRules()
PANIC_S: Final = 1.0
"""With everything down, one live request a target and so many seconds is let through."""


class Station:
    """Live state of a target, kept over reloads while its id, slot and address stay."""

    __slots__ = (
        "_board", "breaker", "held", "is_silent", "is_trial_out", "last_sign", "limit", "limited_until", "live", "load",
        "load_at", "paces", "pending", "pending_since", "slot", "target", "use",
    )  # fmt: skip

    def __init__(self, target: Target, board: Board, *, seed: int, now: float) -> None:
        self.target = target
        self.slot = target.slot
        self._board = board
        self.breaker = Breaker(_RULES, seed=seed ^ crc32(target.id.encode()), now=now)
        self.limited_until = 0.0
        """When it may be asked again after it said "not now", s."""
        self.limit = 0
        """Places it may have now; 0 while it is shut, limited, or declared without any."""
        self.held = 0
        """Places taken at the last look, all workers together."""
        self.use = 0.0
        """Those over the limit then."""
        self.live = 0
        """Places this worker has taken."""
        self.pending = 0
        """This worker's requests without a first byte."""
        self.pending_since = now
        """When the present row of such requests began, s."""
        self.last_sign = now
        """When it last answered anything, s."""
        self.is_silent = False
        self.is_trial_out = False
        self.load: UpstreamLoad | None = None
        self.load_at = 0.0
        self.paces: dict[tuple[str, bool], Pace] = {}
        self.look(now)

    def pace(self, model: str, is_first: bool, now: float) -> Pace:
        """The pace of a model; `is_first` for requests whose first byte comes with the first token."""
        found = self.paces.get((model, is_first))
        if found is None:
            found = self.paces[(model, is_first)] = Pace(now)
        return found

    def look(self, now: float, hedge_at: float = 0.0) -> None:
        """Brings what is cached up to date: other workers' verdicts, places, quantiles, silence."""
        board, slot = self._board, self.slot
        if self.breaker.standing is not Standing.CLOSED or board.opened_until(slot) > 0.0:
            self.heed(now)
        for pace in self.paces.values():
            if pace.ttft.changes or pace.tpot.changes:  # of one never used nothing is known
                pace.look(now, hedge_at)
        self.held = board.held(slot)
        self.is_silent = self.pending >= _PENDING and self._is_silent(now)
        self.relimit(now)

    def relimit(self, now: float) -> None:
        """Places it may have now."""
        capacity = self.target.max_concurrency
        strength = 0.0 if now < self.limited_until else self.breaker.strength(now)
        if strength == 1.0:
            self.limit = max(capacity, 0)
        else:
            self.limit = ceil(capacity * strength) if capacity > 0 else 0
        self.use = min(1.0, self.held / self.limit) if self.limit else 1.0

    def heed(self, now: float) -> bool:
        """Takes over what other workers found; True when it is shut."""
        until = self._board.opened_until(self.slot)
        breaker = self.breaker
        if until > 0.0:
            if breaker.standing is Standing.CLOSED or until > breaker.until:
                breaker.adopt(until, now)
                self.relimit(now)
            return True
        if breaker.standing is not Standing.CLOSED:
            breaker.close(now)
            self.is_trial_out = False
            self.relimit(now)
        return False

    def is_due(self, now: float) -> bool:
        """True when it is shut and may be probed."""
        breaker = self.breaker
        return breaker.standing is Standing.OPEN and now >= breaker.until and not self.is_trial_out

    def is_half_open(self, now: float) -> bool:
        """True when it waits for its trial, by what all workers know by now."""
        self.heed(now)
        return self.breaker.standing is Standing.HALF_OPEN

    def shut(self, now: float, *, is_claimed: bool) -> None:
        """Tells all workers that the breaker has opened; `is_claimed` when the probe or trial that says so was ours."""
        board, slot = self._board, self.slot
        self.is_trial_out = False
        board.open(slot, self.breaker.until)
        if is_claimed:  # nobody asks again at once, not even in panic
            board.unclaim(slot)
            board.claim(slot, now, PANIC_S)
        self.relimit(now)

    def reopen(self, now: float) -> None:
        """Tells all workers that it is well again."""
        self.is_trial_out = False
        self.breaker.close(now)
        self._board.close(self.slot)
        self._board.unclaim(self.slot)
        self.relimit(now)

    def queue_s(self, now: float, took_s: float) -> float:
        """Time a request would wait in the upstream's own queue by its own account, s; 0 when it gives none."""
        load = self.load
        if load is None or now - self.load_at > _FRESH_S or load.waiting <= 0:
            return 0.0
        return load.waiting * took_s / max(1.0, load.running)

    def _is_silent(self, now: float) -> bool:
        """Several requests wait, nothing has come for twice what the slowest percent takes: ask others meanwhile."""
        slowest = max((pace.p99 for pace in self.paces.values()), default=0.0)
        if slowest == 0.0:
            return False
        return now - max(self.last_sign, self.pending_since) > max(_QUIET_S, 2 * slowest)
