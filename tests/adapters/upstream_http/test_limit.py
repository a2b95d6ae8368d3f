"""Limits of running time: by a clock of our own, with standstills wherever they may fall."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.upstream_http import limit
from tripoint.adapters.upstream_http.limit import Limit


class Clock:
    """A loop with one timer, which comes late by what it is told."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.due = 0.0
        self.call: Callable[[], None] | None = None

    def call_later(self, seconds: float, call: Callable[[], None]) -> Clock:
        """As a loop does."""
        self.due, self.call = self.now + seconds, call
        return self

    def cancel(self) -> None:
        """As a handle does."""
        self.call = None

    def pass_on(self, late_s: float) -> None:
        """The timer comes, so late."""
        call, self.call = self.call, None
        assert call is not None
        self.now = self.due + late_s
        call()

    def limit(self, seconds: float, act: Callable[[], object]) -> Limit:
        """A limit by this clock."""
        with patch.object(asyncio, "get_running_loop", lambda: self):
            return Limit(seconds, act)


@given(
    seconds=st.floats(0.05, 5.0),
    late_s=st.lists(st.one_of(st.floats(0.0, 0.2), st.floats(0.3, 60.0)), max_size=60),
)
def test_only_time_in_which_the_process_ran_counts(seconds: float, late_s: list[float]) -> None:
    """It comes once, after that much of it, and never right after a standstill: the sockets were not looked at yet."""
    clock, acted = Clock(), list[float]()
    with patch.object(limit, "monotonic", lambda: clock.now):
        running = clock.limit(seconds, lambda: acted.append(clock.now))
        ran_s, was_still = 0.0, False
        for late in [*late_s, *[0.0] * 40]:
            if acted:
                break
            step_s = clock.due - clock.now
            clock.pass_on(late)
            was_still = late > 0.25
            ran_s += step_s + (0.0 if was_still else late)
        assert len(acted) == 1
        assert not was_still
        assert ran_s >= seconds - 1e-6
        assert ran_s <= seconds + 0.2 + 0.25 * (1 + sum(late > 0.25 for late in late_s)) + 1e-6
        assert clock.call is None
        running.cancel()


def test_one_that_was_called_off_never_comes() -> None:
    """Neither at once nor later."""
    clock = Clock()
    with patch.object(limit, "monotonic", lambda: clock.now):
        running = clock.limit(2.0, lambda: pytest.fail("it came"))
        clock.pass_on(0.0)
        running.cancel()
        running.cancel()
    assert clock.call is None
