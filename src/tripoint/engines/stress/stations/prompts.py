"""The line of prompts at a place: whose input is computed when, on the replica that is free soonest.

A mean waiting time (`timing.py`) is enough for stays; for the slowest first tokens it is not, for prompts that come
together wait for each other. Inputs are computed one after the other on each replica, so what a line must know is
from when each replica is free: a first token is then exact but for the number of sequences, which is frozen.
"""

from __future__ import annotations

import heapq

from tripoint.engines.stress.stations.timing import BatchTiming


class PromptLine:
    """Prompts of one model at one place; remembers from when each of its replicas is free."""

    def __init__(self, timing: BatchTiming) -> None:
        self._timing = timing
        self._whole = max(round(timing.replicas), 1)
        self._free_s = [0.0] * self._whole

    def times(
        self, now: float, running: float, tokens_in: int, tokens_out: int, slow: float = 1.0
    ) -> tuple[float, float]:
        """As `BatchTiming.times` for a request that begins now, everything taking `slow` times as long."""
        overhead, own, half, rest = self._timing.parts(running, tokens_in, tokens_out)
        ready, free = now + overhead * slow, self._free_s[0]
        done = (free if free > ready else ready + half * slow) + own * slow
        if own > 0.0:
            heapq.heapreplace(self._free_s, done)
        return done - now, rest * slow

    def keep(self, share: float, now: float) -> None:
        """Only a share of the replicas is left from now on; those that come (back) are free."""
        left = max(round(self._whole * share), 1)
        known = sorted(self._free_s)[:left]
        self._free_s = sorted([*known, *[now] * (left - len(known))])
