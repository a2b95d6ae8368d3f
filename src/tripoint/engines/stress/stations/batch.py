"""A replica played exactly: every prefill and every iteration at its own time, in as few steps as there are changes.

Iterations between two changes (a prompt to compute, a sequence that ends) all have the same sequences, and each
holds one token per sequence more than the one before: their sum is a quadratic, so any number of them is one step.
A prompt is computed as soon as the iteration under way has ended and there is room, one after the other, and its
last step gives the first token; decoding waits meanwhile.

It is the oracle of the closed form in `pace.py`, which trials use because it costs nothing per token.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from typing import NamedTuple

from tripoint.engines.stress.stations.pace import Pace

ENDLESS = 1 << 62
"""More iterations than any sequence has: what fits into a time where an iteration takes none."""


class Arrival(NamedTuple):
    """One request at a replica."""

    number: int
    """Whose it is."""
    ready_s: float
    """From when its input may be computed, s."""
    input_tokens: int
    """Input tokens to compute, all of them held afterwards."""
    output_tokens: int
    """Tokens to give, at least 1."""


class Step(NamedTuple):
    """A token somebody waited for."""

    at_s: float
    """When, s."""
    number: int
    """Whose."""
    is_last: bool
    """True for the last token, false for the first; a single token is both and comes twice."""


class Batch:
    """One replica; time only moves in `played_until`."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._now = 0.0
        self._done = 0  # iterations
        self._held = 0  # tokens in the cache
        self._running: list[tuple[int, int, int]] = []  # (iteration in which it ends, number, tokens it then holds)
        self._coming: deque[Arrival] = deque()
        self._prompt: Arrival | None = None

    def add(self, at_s: float, number: int, input_tokens: int, output_tokens: int) -> None:
        """A request that arrives; requests arrive in the order of their times."""
        self._coming.append(Arrival(number, at_s + self._pace.overhead_s, input_tokens, max(output_tokens, 1)))

    def played_until(self, until_s: float) -> list[Step]:
        """First and last tokens up to then, in order."""
        steps: list[Step] = []
        while True:
            if self._prompt is not None:
                end = self._now + self._pace.prefill_s * self._prompt.input_tokens
                if end > until_s:
                    return steps
                self._now = end
                self._begin(self._prompt, steps)
            elif self._coming and self._has_room() and self._coming[0].ready_s <= self._now:
                self._prompt = self._coming.popleft()
            elif self._running:
                if not self._decode(until_s, steps):
                    return steps
            elif self._coming and self._coming[0].ready_s <= until_s:
                self._now = self._coming[0].ready_s
            else:
                return steps

    def _has_room(self) -> bool:
        return len(self._running) < self._pace.max_sequences

    def _begin(self, prompt: Arrival, steps: list[Step]) -> None:
        """The prompt is computed: its first token is there."""
        self._prompt = None
        steps.append(Step(self._now, prompt.number, False))
        if prompt.output_tokens == 1:
            steps.append(Step(self._now, prompt.number, True))
            return
        held = prompt.input_tokens + prompt.output_tokens
        heapq.heappush(self._running, (self._done + prompt.output_tokens - 1, prompt.number, held))
        self._held += prompt.input_tokens + 1

    def _decode(self, until_s: float, steps: list[Step]) -> bool:
        """Iterations to the next change, or as many as fit; False when nothing changes before `until_s`."""
        count = self._running[0][0] - self._done
        if self._coming and self._has_room():
            count = min(count, max(self._within(self._coming[0].ready_s - self._now, is_least=True), 1))
        if self._now + self._taking(count) > until_s:
            count = self._within(until_s - self._now, is_least=False)
            self._pass(count)
            return False
        self._pass(count)
        while self._running and self._running[0][0] == self._done:
            _, number, held = heapq.heappop(self._running)
            self._held -= held
            steps.append(Step(self._now, number, True))
        return True

    def _pass(self, count: int) -> None:
        self._now += self._taking(count)
        self._done += count
        self._held += count * len(self._running)

    def _taking(self, count: int) -> float:
        """Time of so many iterations from here, s."""
        first, more = self._slope()
        return count * first + more * (count * (count - 1) / 2)

    def _slope(self) -> tuple[float, float]:
        """Time of the next iteration, and how much longer each further one takes, s."""
        sequences = len(self._running)
        pace = self._pace
        return pace.base_s + sequences * pace.sequence_s + pace.context_s * self._held, pace.context_s * sequences

    def _within(self, seconds: float, *, is_least: bool) -> int:
        """Fewest iterations that take at least so long, or most that take no longer."""
        first, more = self._slope()
        if seconds <= 0:
            return 0
        if first + more <= 0:
            return ENDLESS
        if more <= 0:
            count = int(seconds / first) if first > 0 else 0
        else:
            half = first - more / 2
            count = int((math.sqrt(half * half + 2 * more * seconds) - half) / more)
        while self._taking(count + 1) <= seconds:
            count += 1
        while count > 0 and self._taking(count) > seconds:
            count -= 1
        return count + 1 if is_least and self._taking(count) < seconds else count
