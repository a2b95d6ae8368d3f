"""What happens next? The future event list of a discrete-event simulation, on a binary heap.

Events of the same instant come in the order they were entered, so a run depends on nothing but its input. Time is a
number in whatever unit the model chooses: seconds as floats, or whole nanoseconds where answers must be equal to the
last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Generic, TypeVar

from tripoint.domain.errors import InternalError

What = TypeVar("What")
Row = tuple[float, int, int, int, int, int]
"""Something that arrives: when, and what is known of it."""


class EventList(Generic[What]):
    """Events to come, soonest first; `now` is the time of the last one taken."""

    __slots__ = ("_cancelled", "_heap", "_number", "now")

    def __init__(self, start: float = 0.0) -> None:
        self.now = start
        """Time of the last event taken, in the model's unit."""
        self._heap: list[tuple[float, int, What]] = []
        self._number = 0
        self._cancelled: set[int] = set()

    def __len__(self) -> int:
        """Events to come, cancelled ones left out."""
        return len(self._heap) - len(self._cancelled)

    @property
    def entered(self) -> int:
        """Events entered so far, cancelled ones included."""
        return self._number

    def push(self, at: float, what: What) -> int:
        """Enters an event and gives its number, by which it can be cancelled while it is still to come."""
        if not at >= self.now:
            raise InternalError(f"an event at {at!r} is before {self.now!r}, the time already reached")
        self._number = number = self._number + 1
        heappush(self._heap, (at, number, what))
        return number

    def pop(self) -> tuple[float, What]:
        """Takes the soonest event: its time and what it is. `IndexError` when none is left."""
        heap, cancelled = self._heap, self._cancelled
        at, number, what = heappop(heap)
        while number in cancelled:
            cancelled.discard(number)
            at, number, what = heappop(heap)
        self.now = at
        return at, what

    def before(self, at: float) -> Iterator[tuple[float, What]]:
        """Takes events one after the other while they come before `at`, those entered meanwhile included.

        What happens at times known beforehand, arrivals above all, need not be entered: take what comes before each.
        """
        heap, cancelled = self._heap, self._cancelled
        while heap and heap[0][0] < at:
            when, number, what = heappop(heap)
            if cancelled and number in cancelled:
                cancelled.discard(number)
                continue
            self.now = when
            yield when, what

    def cancel(self, number: int) -> None:
        """Takes an event back that is still to come; the caller knows that it is."""
        self._cancelled.add(number)
        # What is cancelled stays in the heap until its time; a heap of the dead only is emptied at once.
        if len(self._cancelled) == len(self._heap):
            self._heap.clear()
            self._cancelled.clear()

    def soonest(self) -> float | None:
        """Time of the next event; `None` when none is left."""
        heap, cancelled = self._heap, self._cancelled
        while heap and heap[0][1] in cancelled:
            cancelled.discard(heappop(heap)[1])
        return heap[0][0] if heap else None


def play_arrivals(
    events: EventList[Callable[[float], None]], rows: Iterable[Row], arrive: Callable[[Row], None], until: float
) -> int:
    """Runs what arrives at times known beforehand, and the events that come until each; how many of both were run.

    A row begins with its time; rows ascend, and the first at `until` or later is the end. What is entered for the very
    moment of an arrival comes before it.
    """
    heap, cancelled = events._heap, events._cancelled
    count = 0
    for row in rows:
        at = row[0]
        if at >= until:
            break
        while heap and heap[0][0] <= at:
            when, number, what = heappop(heap)
            if cancelled and number in cancelled:
                cancelled.discard(number)
                continue
            events.now = when
            what(when)
            count += 1
        events.now = at
        arrive(row)
        count += 1
    return count


def play(events: EventList[Callable[[float], None]], until: float) -> int:
    """Runs events that are calls, in order, up to and including `until`; how many were run."""
    heap, cancelled = events._heap, events._cancelled
    count = 0
    while heap and heap[0][0] <= until:
        at, number, what = heappop(heap)
        if cancelled and number in cancelled:
            cancelled.discard(number)
            continue
        events.now = at
        what(at)
        count += 1
    return count
