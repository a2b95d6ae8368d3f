"""The future event list gives events back in order, whatever the order they were entered in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.errors import InternalError
from tripoint.engines.stress.kernel.events import EventList, play


@given(st.lists(st.integers(0, 5)))
def test_events_come_by_time_and_then_by_order_of_entry(times: list[int]) -> None:
    """A stable sort of what was entered."""
    events: EventList[int] = EventList()
    for number, at in enumerate(times):
        events.push(at, number)
    assert [events.pop() for _ in times] == sorted(((at, n) for n, at in enumerate(times)), key=lambda each: each[0])
    assert len(events) == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans())))
def test_cancelled_events_never_come(entries: list[tuple[int, bool]]) -> None:
    """What is left comes in order; the length counts only what is left."""
    events: EventList[int] = EventList()
    numbers = [events.push(at, index) for index, (at, _) in enumerate(entries)]
    for number, (_, is_cancelled) in zip(numbers, entries, strict=True):
        if is_cancelled:
            events.cancel(number)
    left = sorted(((at, index) for index, (at, gone) in enumerate(entries) if not gone), key=lambda each: each[0])
    assert len(events) == len(left)
    assert events.soonest() == (left[0][0] if left else None)
    assert [events.pop() for _ in left] == left
    with pytest.raises(IndexError):
        events.pop()


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans())), st.lists(st.integers(0, 10)))
def test_what_comes_before_known_times_is_taken_in_between(entries: list[tuple[int, bool]], known: list[int]) -> None:
    """Known times and entered events together are one sequence; events of the instant itself come after."""
    events: EventList[int] = EventList()
    numbers = [events.push(at, index) for index, (at, _) in enumerate(entries)]
    for number, (_, is_cancelled) in zip(numbers, entries, strict=True):
        if is_cancelled:
            events.cancel(number)
    seen: list[tuple[float, int]] = []
    for at in sorted(known):
        seen += [(when, 1) for when, _ in events.before(at)]
        seen.append((at, 0))
    seen += [(when, 1) for when, _ in events.before(11)]
    assert seen == sorted([*((at, 1) for at, gone in entries if not gone), *((at, 0) for at in known)])
    assert len(events) == 0


def test_events_entered_on_the_way_are_taken_too() -> None:
    """An event that enters another one before the limit."""
    events: EventList[int] = EventList()
    events.push(1, 0)
    seen = []
    for at, what in events.before(4):
        seen.append((at, what, events.now))
        events.push(at + 1, what + 1)
    assert seen == [(1, 0, 1), (2, 1, 2), (3, 2, 3)]


def test_the_clock_follows_the_events() -> None:
    """`now` is the time of the last event taken."""
    events: EventList[str] = EventList(start=3.0)
    events.push(7.0, "a")
    assert events.now == 3.0
    events.pop()
    assert (events.now, events.entered) == (7.0, 1)


@pytest.mark.parametrize("at", [1.0, float("nan")])
def test_nothing_happens_in_the_past(at: float) -> None:
    """An event before the time already reached is our own mistake."""
    events: EventList[str] = EventList(start=2.0)
    with pytest.raises(InternalError, match="before 2"):
        events.push(at, "late")


def test_playing_stops_at_its_end() -> None:
    """Events up to the end are run, those they enter included; later ones stay."""
    events: EventList[Callable[[float], None]] = EventList()
    seen: list[float] = []

    def tick(at: float) -> None:
        seen.append(at)
        events.push(at + 1.0, tick)

    events.push(0.5, tick)
    assert play(events, 3.5) == 4
    assert seen == [0.5, 1.5, 2.5, 3.5]
    assert events.soonest() == 4.5
