"""Breakers: when they open, for how long, who is let in to ask, and how traffic comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tripoint.engines.gateway.health.breaker import Breaker, BreakerRules, Standing

RULES = BreakerRules()


def breaker(seed: int = 1, **rules: float) -> Breaker:
    """A breaker with the defaults except where told."""
    return Breaker(RULES._replace(**rules), seed=seed, now=0.0)  # type: ignore[arg-type]  # integers where integers belong


def test_failures_in_a_row_open_it() -> None:
    """Two failures are bad luck, three are a verdict; a success in between starts the count anew."""
    asked = breaker()
    assert [asked.failed(now) for now in (1.0, 2.0)] == [False, False]
    asked.succeeded(2.5)
    assert [asked.failed(now) for now in (3.0, 4.0, 5.0)] == [False, False, True]
    assert asked.standing is Standing.OPEN
    assert 6.0 <= asked.until <= 6.0 + RULES.jitter


def test_a_share_of_failures_opens_it_once_there_were_enough_calls() -> None:
    """Every second request failing is found though no three fail in a row."""
    asked = breaker()
    opened_at = 0
    for number in range(1, 60):
        asked.succeeded(0.1)
        if asked.failed(0.1):
            opened_at = number
            break
    assert opened_at == RULES.min_calls // 2


def test_old_failures_are_forgotten() -> None:
    """What lies more than a window back does not count towards the share."""
    asked = breaker()
    for _ in range(9):
        asked.succeeded(0.1)
        asked.failed(0.1)
    for _ in range(2):
        asked.succeeded(0.1 + 2 * RULES.window_s)
        assert not asked.failed(0.1 + 2 * RULES.window_s)


def test_every_time_shut_is_twice_as_long_up_to_a_cap() -> None:
    """1, 2, 4, 8, 15, 15 seconds, each with up to a fifth on top."""
    asked, now, lengths = breaker(), 0.0, []
    for _ in range(3):
        asked.failed(now)
    for _ in range(6):
        lengths.append(asked.until - now)
        now = asked.until
        asked.refused(now)
    for length, base in zip(lengths, (1, 2, 4, 8, 15, 15), strict=True):
        assert base <= length <= base * (1 + RULES.jitter)


def test_the_count_starts_anew_after_a_good_while() -> None:
    """A target that was well for twice the cap is shut for a second again, not for where it left off."""
    asked = breaker()
    for _ in range(3):
        asked.failed(0.0)
    asked.refused(2.0)
    asked.half_open()
    asked.close(10.0)
    later = 10.0 + 2 * RULES.cap_s
    assert [asked.failed(later) for _ in range(3)] == [False, False, True]
    assert asked.until - later <= RULES.base_s * (1 + RULES.jitter)


def test_it_comes_back_slowly() -> None:
    """After it closed, its share grows from a tenth to all, over as long as it was shut and five seconds at most."""
    asked = breaker()
    for _ in range(3):
        asked.failed(0.0)
    asked.refused(1.0)
    asked.refused(3.0)
    asked.refused(7.0)  # now shut for eight seconds
    asked.half_open()
    assert asked.strength(15.0) == 0.0
    asked.close(16.0)
    assert asked.strength(16.0) == pytest.approx(0.1)
    assert asked.strength(18.5) == pytest.approx(0.55)
    assert asked.strength(21.0) == 1.0


def test_a_short_absence_is_made_up_for_as_shortly() -> None:
    """After one second shut the ramp is no longer than that: full share within twice the probe interval."""
    asked = breaker(jitter=0.0)
    for _ in range(3):
        asked.failed(0.0)
    asked.half_open()
    asked.close(1.0)
    assert asked.strength(1.5) == pytest.approx(0.55)
    assert asked.strength(2.0) == 1.0


def test_the_verdict_of_another_worker_is_taken_over() -> None:
    """Shut elsewhere is shut here; failures of requests sent before do not add to it."""
    asked = breaker()
    asked.adopt(5.0, 3.0)
    assert (asked.standing, asked.until, asked.epoch) == (Standing.OPEN, 5.0, 1)
    assert [asked.failed(3.5) for _ in range(5)] == [False] * 5
    assert asked.until == 5.0


@given(seed=st.integers(0, 10_000))
def test_the_same_seed_gives_the_same_times(seed: int) -> None:
    """Jitter comes from the seed alone."""
    lives = []
    for _ in range(2):
        asked = breaker(seed)
        for _ in range(3):
            asked.failed(1.0)
        for now in (3.0, 9.0, 20.0):
            asked.refused(now)
        lives.append(asked.until)
    assert lives[0] == lives[1]


def test_different_seeds_do_not_probe_at_once() -> None:
    """Many gateways spread their probes."""
    times = set()
    for seed in range(20):
        asked = breaker(seed)
        for _ in range(3):
            asked.failed(0.0)
        times.add(round(asked.until, 6))
    assert len(times) == 20


class Breaking(RuleBasedStateMachine):
    """Whatever is reported in whatever order, nothing ordinary passes unless it is closed."""

    @initialize(seed=st.integers(0, 99))
    def begin(self, seed: int) -> None:
        """A closed breaker."""
        self.now = 0.0
        self.asked = breaker(seed)

    @rule(passed_s=st.floats(0.0, 40.0))
    def wait(self, passed_s: float) -> None:
        """Time passes."""
        self.now += passed_s

    @rule()
    def succeed(self) -> None:
        """A good answer, perhaps a late one, never opens or closes it."""
        before = self.asked.standing
        self.asked.succeeded(self.now)
        assert self.asked.standing is before

    @rule()
    def fail(self) -> None:
        """A failure opens it at most once."""
        before = self.asked.standing
        opened = self.asked.failed(self.now)
        assert not (opened and before is not Standing.CLOSED)
        assert opened == (before is Standing.CLOSED and self.asked.standing is Standing.OPEN)

    @rule(ok=st.booleans())
    def verdict(self, ok: bool) -> None:
        """A probe or trial decides, as far as one may be out."""
        if self.asked.standing is Standing.OPEN and self.now >= self.asked.until:
            if ok:
                self.asked.half_open()
            else:
                self.asked.refused(self.now)
        elif self.asked.standing is Standing.HALF_OPEN:
            if ok:
                self.asked.close(self.now)
            else:
                self.asked.refused(self.now)

    @rule(ahead_s=st.floats(0.1, 20.0))
    def hear(self, ahead_s: float) -> None:
        """Another worker has shut it."""
        self.asked.adopt(self.now + ahead_s, self.now)
        assert self.asked.standing is Standing.OPEN

    @invariant()
    def shut_means_nothing_passes(self) -> None:
        """Strength is 0 unless closed, never above 1, and shut times are bounded."""
        if not hasattr(self, "asked"):
            return
        strength = self.asked.strength(self.now)
        assert (strength == 0.0) == (self.asked.standing is not Standing.CLOSED)
        assert 0.0 <= strength <= 1.0
        assert self.asked.until <= self.now + 20.0


TestBreaking = Breaking.TestCase
