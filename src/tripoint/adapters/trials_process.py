"""Trials on the processes of this machine.

Each process gets what plays the trials once, then small batches of orders over a pipe of its own; while one is
being played the next is decided by nobody but the parent, so which process plays what changes nothing. A process
that dies (killed, out of memory) takes its batch with it: the batch is played again, one order at a time, and an
order that ended three processes is told. When the parent dies its pipes close, and the processes end by themselves.

Short runs never see a process: the first trials are played here, and only what would take longer than starting
processes does is handed out.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from tripoint.domain.errors import InternalError, PlatformError, TripointError
from tripoint.domain.stress import Order, Trial

ALONE_S = 0.5
"""Time trials are played here before anything is handed out, s."""
WORTH_S = 1.5
"""Least time left that is worth starting processes for, s: about what starting them takes."""
BATCH_S = 0.2
"""What a batch should take, s: short enough to share the end of the work, long enough for its pipe not to matter."""
MOST_IN_BATCH = 64
MOST_DEATHS = 3
POLL_S = 0.2
"""How often the parent looks whether it should stop, s."""

Play = Callable[[Order], Trial]
Answer = list[Trial] | Exception


class ProcessTrials:
    """Plays trials on so many processes: as many as there are cores to run on unless told otherwise."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes or _cores()

    def played(
        self, play: Play, orders: Sequence[Order], should_stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Trial]]:
        """See `ports.Trials`."""
        began = time.perf_counter()
        for place, order in enumerate(orders):
            spent = time.perf_counter() - began
            left_s = spent / place * (len(orders) - place) if place else 0.0
            if self.processes > 1 and spent > ALONE_S and left_s > WORTH_S:
                crew = _Crew(play, orders, place, spent / place)
                yield from crew.played(min(self.processes, len(orders) - place), should_stop)
                return
            if should_stop():
                return
            answer = answered(play, [order])
            if isinstance(answer, Exception):
                raise answer
            yield place, answer[0]


@dataclass(slots=True)
class _Hand:
    """One process, its pipe and what it is at."""

    process: SpawnProcess
    pipe: Connection
    batch: list[int] = field(default_factory=list)
    since: float = 0.0


class _Crew:
    """The processes of one run."""

    def __init__(self, play: Play, orders: Sequence[Order], first: int, trial_s: float) -> None:
        self._play = play
        self._orders = orders
        self._waiting = deque(range(first, len(orders)))
        self._deaths: Counter[int] = Counter()
        self._trial_s = trial_s
        self._spawn = multiprocessing.get_context("spawn")

    def played(self, count: int, should_stop: Callable[[], bool]) -> Iterator[tuple[int, Trial]]:
        """What `ports.Trials` asks for, from `first` on."""
        hands: list[_Hand] = []
        try:
            hands.extend(self._hired() for _ in range(count))
            while self._waiting or any(hand.batch for hand in hands):
                for place, hand in enumerate(hands):
                    if not hand.batch and self._waiting and not self._given(hand, count):
                        hands[place] = self._replaced(hand)
                ready = wait([hand.pipe for hand in hands if hand.batch], POLL_S)
                for place, hand in enumerate(hands):
                    if hand.pipe in ready:
                        answer = _received(hand.pipe)
                        if answer is None:
                            hands[place] = self._replaced(hand)
                            continue
                        yield from self._taken(hand, answer)
                if should_stop():
                    return
        finally:
            for hand in hands:
                _dismissed(hand)

    def _hired(self) -> _Hand:
        ours, theirs = self._spawn.Pipe()
        process = self._spawn.Process(target=_work, args=(self._play, theirs), daemon=True)
        process.start()
        theirs.close()  # so that its end is the end of the pipe
        return _Hand(process=process, pipe=ours)

    def _given(self, hand: _Hand, count: int) -> bool:
        """Hands out the next batch; False when the process is gone."""
        fair = -(-len(self._waiting) // (2 * count))
        size = min(max(int(BATCH_S / max(self._trial_s, 1e-9)), 1), MOST_IN_BATCH, fair)
        hand.batch = [self._waiting.popleft()]
        while len(hand.batch) < size and self._waiting and not self._deaths[hand.batch[0]]:
            hand.batch.append(self._waiting.popleft())
        hand.since = time.perf_counter()
        try:
            hand.pipe.send([self._orders[place] for place in hand.batch])
        except OSError:
            return False
        return True

    def _taken(self, hand: _Hand, answer: Answer) -> Iterator[tuple[int, Trial]]:
        if isinstance(answer, Exception):
            raise answer
        self._trial_s = (time.perf_counter() - hand.since) / len(hand.batch)
        done, hand.batch = hand.batch, []
        yield from zip(done, answer, strict=True)

    def _replaced(self, hand: _Hand) -> _Hand:
        """A new process for one that died; what it was at is next, one order at a time."""
        _dismissed(hand)
        for place in reversed(hand.batch):
            self._deaths[place] += 1
            if self._deaths[place] >= MOST_DEATHS:
                raise PlatformError(
                    f"trial `{self._orders[place].key}` ended {MOST_DEATHS} processes, the last with exit code "
                    f"{hand.process.exitcode}",
                    hint="with -9 look for a lack of memory; play fewer at once, or leave the scenario out",
                )
            self._waiting.appendleft(place)
        return self._hired()


def _received(pipe: Connection) -> Answer | None:
    """What a process answers; `None` when it died."""
    try:
        answer: Answer = pipe.recv()
    except (EOFError, OSError):
        return None
    return answer


def _dismissed(hand: _Hand) -> None:
    hand.pipe.close()
    hand.process.terminate()
    hand.process.join()


def _work(play: Play, pipe: Connection) -> None:
    """What a process does until the parent closes its pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    try:
        while True:
            orders: list[Order] = pipe.recv()
            pipe.send(answered(play, orders))
    except (EOFError, OSError):
        return


def answered(play: Play, orders: list[Order]) -> Answer:
    """The trials of a batch, or the error of the first that failed: a bug as one of ours that names the trial."""
    order = orders[0]
    try:
        trials = []
        for order in orders:
            trials.append(play(order))
        return trials
    except TripointError as error:
        return error
    except Exception as error:
        return InternalError(f"trial `{order.key}` failed: {type(error).__name__}: {error}\n{traceback.format_exc()}")


def _cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
