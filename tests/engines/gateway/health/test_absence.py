"""What is not there: three answers in a row, a wait that grows, one request that finds out, and a good answer."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.serving import Api
from tripoint.engines.gateway.health.absence import ENOUGH, Absences

KEY = (0, "llama", Api.CHAT)


def missed() -> Absences:
    """Something that was missed often enough at 100 s."""
    absences = Absences()
    assert [absences.missed(KEY, 100.0) for _ in range(ENOUGH)] == [False] * (ENOUGH - 1) + [True]
    return absences


def test_it_is_left_alone_after_three_in_a_row() -> None:
    """And nothing else is: another model, another interface, another upstream."""
    absences = missed()
    assert absences.until(KEY) == 101.0
    for other in ((1, "llama", Api.CHAT), (0, "other", Api.CHAT), (0, "llama", Api.MESSAGES)):
        assert absences.until(other) == 0.0


def test_a_good_answer_forgets() -> None:
    """Two misses, an answer, two misses: never three in a row."""
    absences = Absences()
    for _ in range(4):
        assert not absences.missed(KEY, 100.0)
        assert not absences.missed(KEY, 100.0)
        absences.there(KEY)
    assert absences.until(KEY) == 0.0
    assert not absences.found


def test_those_under_way_when_it_was_found_tell_nothing_new() -> None:
    """A hundred that were asked together shut it once, not a hundred times as long."""
    absences = missed()
    for _ in range(100):
        assert not absences.missed(KEY, 100.5)
    assert absences.until(KEY) == 101.0


def test_one_finds_out_for_all() -> None:
    """While it is asked the others wait, for a bounded time; its miss doubles the wait."""
    absences = missed()
    absences.asked(KEY, 101.0)
    assert absences.until(KEY) == 106.0
    assert absences.missed(KEY, 101.2)
    assert absences.until(KEY) == 103.2


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=20))
def test_the_wait_doubles_up_to_a_bound(pauses: list[float]) -> None:
    """Whatever time passes between the trials."""
    absences, now, waits = missed(), 100.0, [1.0]
    for pause in pauses:
        now = absences.until(KEY) + pause
        absences.asked(KEY, now)
        assert absences.missed(KEY, now)
        waits.append(round(absences.until(KEY) - now, 6))
    assert all(after == min(15.0, 2 * before) for before, after in pairwise(waits))
