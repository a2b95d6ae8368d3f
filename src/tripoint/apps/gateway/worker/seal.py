"""Durable mode: the end of an answer waits until its record is synced, many answers to one sync.

    answered --no group is under way: all records so far handed over, the writer woken once--> waiting
    answered --a group is under way: with the next one, as soon as that is on disk--> waiting
    answered --the last group was of several, and others are being answered: with them, a moment later--> waiting
    waiting --its group is on disk--> sent
    answered or waiting --the disk has not taken it for `patience_s`--> told that it failed

Nothing is asked per request: the answers of a group share a hand-over, a sync and a word back. While the disk is busy
with a group it could take no other, so that the next one loses nothing by waiting, and grows.

A hand-over, a sync and a word back cost a core as much as several requests, whatever a group's size, and a quick disk
would be asked for two or three answers at a time. So where answers come in numbers the next group gathers, until all
that are being answered have come or `GATHER_S` is over. Where they come one by one nobody waits for others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sized
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tripoint.apps.gateway.worker.recorder import Recorder

PATIENCE_S = 5.0
"""Longest an answer waits for its record, s."""

GATHER_S = 0.001
"""What a group waits for others that are being answered, s."""

Release = Callable[[bool], None]
"""Goes on with an answer; True when its record is safe."""


class _Group(NamedTuple):
    """Answers that were handed over together."""

    ticket: int
    """Records that must be durable."""
    until: float
    """When they are given up, s."""
    answers: list[Release]


class Seal:
    """Holds the ends of answers of one worker."""

    def __init__(self, recorder: Recorder, patience_s: float = PATIENCE_S, under_way: Sized = ()) -> None:
        self._recorder = recorder
        self._patience_s = patience_s
        self._under_way = under_way
        """Requests that are being answered, those that wait here included."""
        self._loop = asyncio.get_running_loop()
        self._fresh: list[Release] = []
        """Answers whose records are still to be handed over."""
        self._since = 0.0
        """When the first of those came, s."""
        self._group: _Group | None = None
        self._lost = recorder.lost
        """Records lost before the last hand-over."""
        self._timer: asyncio.TimerHandle | None = None
        self._gathering: asyncio.TimerHandle | None = None
        """Ends the time the next group waits for others."""
        recorder.tell_durable(self._told)

    def hold(self, release: Release) -> None:
        """Calls `release` once the records of all requests that have ended by now are safe, or given up."""
        fresh = self._fresh
        if not fresh:
            self._since = monotonic()
            if self._group is None and self._gathering is None:
                self._loop.call_soon(self._hand_over)
        fresh.append(release)
        gathering = self._gathering
        if gathering is not None and len(fresh) >= len(self._under_way):  # nobody else is there to wait for
            gathering.cancel()
            self._gathering = None
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        recorder, answers = self._recorder, self._fresh
        self._gathering = None
        if self._group is not None or not answers:
            return
        self._fresh = []
        recorder.count()
        lost, self._lost = self._lost, recorder.lost
        if recorder.lost != lost:  # there was no room even in memory
            _go_on(answers, is_safe=False)
        elif recorder.durable >= recorder.taken:  # they were written with others, and nothing will be told of them
            _go_on(answers, is_safe=True)
        else:
            self._group = _Group(recorder.taken, self._since + self._patience_s, answers)
            recorder.push()
            if self._timer is None:
                self._timer = self._loop.call_later(max(self._group.until - monotonic(), 0.0), self._give_up)

    def _told(self, durable: int) -> None:
        """In the writer's thread: so many records are durable."""
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(self._release, durable)

    def _release(self, durable: int) -> None:
        group = self._group
        if group is not None and group.ticket <= durable:
            self._group = None
            if self._gains(len(group.answers)):
                self._gathering = self._loop.call_later(GATHER_S, self._hand_over)
            else:
                self._hand_over()  # first: the disk writes while answers are sent
            _go_on(group.answers, is_safe=True)

    def _gains(self, last: int) -> bool:
        """True when the next group had better wait for others, after one of so many answers that still wait here."""
        fresh = len(self._fresh)
        return fresh + last > 1 and len(self._under_way) - last > fresh

    def _give_up(self) -> None:
        self._timer = None
        now, group = monotonic(), self._group
        if group is not None and group.until <= now:
            self._group = None
            _go_on(group.answers, is_safe=False)
            self._hand_over()
        elif group is not None:
            self._timer = self._loop.call_later(group.until - now, self._give_up)


def _go_on(answers: list[Release], *, is_safe: bool) -> None:
    for release in answers:
        release(is_safe)
