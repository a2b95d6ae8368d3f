"""Durable mode: the end of an answer waits until its record is synced, many answers to one sync.

    answered --all records of this turn of the loop handed over, the writer woken once--> waiting
    waiting --its group is on disk--> sent
    waiting --the disk has not taken it for `patience_s`--> told that it failed

Nothing is asked per request: answers of one turn share a hand-over, a sync and a word back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tripoint.apps.gateway.worker.recorder import Recorder

PATIENCE_S = 5.0
"""Longest an answer waits for its record, s."""

Release = Callable[[bool], None]
"""Goes on with an answer; True when its record is safe."""


class _Turn(NamedTuple):
    """Answers that were handed over together."""

    ticket: int
    """Records that must be durable."""
    until: float
    """When they are given up, s."""
    answers: list[Release]


class Seal:
    """Holds the ends of answers of one worker."""

    def __init__(self, recorder: Recorder, patience_s: float = PATIENCE_S) -> None:
        self._recorder = recorder
        self._patience_s = patience_s
        self._loop = asyncio.get_running_loop()
        self._fresh: list[Release] = []
        self._turns: deque[_Turn] = deque()
        self._timer: asyncio.TimerHandle | None = None
        recorder.tell_durable(self._told)

    def hold(self, release: Release) -> None:
        """Calls `release` once the records of all requests that have ended by now are safe, or given up."""
        if not self._fresh:
            self._loop.call_soon(self._hand_over)
        self._fresh.append(release)

    def _hand_over(self) -> None:
        recorder, answers = self._recorder, self._fresh
        self._fresh = []
        lost = recorder.lost
        recorder.drain()
        if recorder.lost != lost:  # there was no room even in memory
            _go_on(answers, is_safe=False)
            return
        self._turns.append(_Turn(recorder.taken, monotonic() + self._patience_s, answers))
        recorder.push()
        if self._timer is None:
            self._timer = self._loop.call_later(self._patience_s, self._give_up)

    def _told(self, durable: int) -> None:
        """In the writer's thread: so many records are durable."""
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(self._release, durable)

    def _release(self, durable: int) -> None:
        turns = self._turns
        while turns and turns[0].ticket <= durable:
            _go_on(turns.popleft().answers, is_safe=True)
        if not turns and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        now, turns = monotonic(), self._turns
        while turns and turns[0].until <= now:
            _go_on(turns.popleft().answers, is_safe=False)
        self._timer = self._loop.call_later(turns[0].until - now, self._give_up) if turns else None


def _go_on(answers: list[Release], *, is_safe: bool) -> None:
    for release in answers:
        release(is_safe)
