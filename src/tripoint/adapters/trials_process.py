"""Trials on the processes of this machine.

Each process gets what plays the trials once, then small batches of orders over a pipe of its own; while one is
being played the next is decided by nobody but the parent, so which process plays what changes nothing. A process
that dies (killed, out of memory) takes its batch with it: the batch is played again, one order at a time, and an
order that ended three processes is told. When the parent dies its pipes close, and the processes end by themselves.

Trials that share their draws (the same number under another scenario) are handed out together: what one process knows
of their course without faults then serves all of them.

Short runs never see a process: the first trials are played here, and only what would take longer than starting
processes does is handed out. Once there, processes stay for further orders of the same, until this object is gone.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import time
import traceback
import weakref
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
        self._crew: _Crew | None = None

    def played(
        self, play: Play, orders: Sequence[Order], should_stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Trial]]:
        """See `ports.Trials`."""
        began = time.perf_counter()
        for place, order in enumerate(orders):
            spent = time.perf_counter() - began
            left_s = spent / place * (len(orders) - place) if place else 0.0
            if self._is_manned(play) or (self.processes > 1 and spent > ALONE_S and left_s > WORTH_S):
                yield from self._handed_out(play, orders, place, should_stop)
                return
            if should_stop():
                return
            answer = answered(play, [order])
            if isinstance(answer, Exception):
                raise answer
            yield place, answer[0]

    def _is_manned(self, play: Play) -> bool:
        """True when processes are there that know these trials; those that know others only are sent away."""
        if self._crew is not None and self._crew.play is not play:
            self._crew.dismiss()
            self._crew = None
        return self._crew is not None

    def _handed_out(
        self, play: Play, orders: Sequence[Order], first: int, should_stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Trial]]:
        if self._crew is None:
            self._crew = _Crew(play)
            weakref.finalize(self, self._crew.dismiss)
        is_done = False
        try:
            yield from self._crew.played(_Work(orders, first), self.processes, should_stop)
            is_done = not should_stop()
        finally:
            if not is_done:  # failed, stopped or left: nothing runs on
                self._crew.dismiss()
                self._crew = None


@dataclass(slots=True)
class _Hand:
    """One process, its pipe and what it is at."""

    process: SpawnProcess
    pipe: Connection
    batch: list[int] = field(default_factory=list)
    since: float = 0.0


class _Work:
    """Orders that are still to be played, and what became of those who had them."""

    def __init__(self, orders: Sequence[Order], first: int) -> None:
        self.orders = orders
        self.waiting = deque(range(first, len(orders)))
        self.deaths: Counter[int] = Counter()

    def batch(self, trial_s: float, hands: int) -> list[int]:
        """Takes the places of what one hand is to play next: about `BATCH_S` of it, those of one number together."""
        fair = -(-len(self.waiting) // (2 * hands))
        most = min(MOST_IN_BATCH, fair)
        size = max(int(BATCH_S / max(trial_s, 1e-9)), 1)
        batch = [self.waiting.popleft()]
        while len(batch) < most and self.waiting and not self.deaths[batch[0]]:
            is_kin = self.orders[self.waiting[0]].number == self.orders[batch[-1]].number
            if len(batch) >= size and not is_kin:
                break
            batch.append(self.waiting.popleft())
        return batch


class _Crew:
    """Processes that play; they stay until dismissed."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self._hands: list[_Hand] = []
        self._trial_s = BATCH_S
        self._spawn = multiprocessing.get_context("spawn")

    def played(self, work: _Work, most: int, should_stop: Callable[[], bool]) -> Iterator[tuple[int, Trial]]:
        """What `ports.Trials` asks for, on `most` processes at once."""
        hands = self._hands
        hands.extend(self._hired() for _ in range(min(most, len(work.waiting)) - len(hands)))
        while work.waiting or any(hand.batch for hand in hands):
            for place, hand in enumerate(hands):
                if not hand.batch and work.waiting and not self._given(hand, work):
                    hands[place] = self._replaced(hand, work)
            ready = wait([hand.pipe for hand in hands if hand.batch], POLL_S)
            for place, hand in enumerate(hands):
                if hand.pipe in ready:
                    answer = _received(hand.pipe)
                    if answer is None:
                        hands[place] = self._replaced(hand, work)
                        continue
                    yield from self._taken(hand, answer)
            if should_stop():
                return

    def dismiss(self) -> None:
        """Ends all of them."""
        while self._hands:
            _dismissed(self._hands.pop())

    def _hired(self) -> _Hand:
        ours, theirs = self._spawn.Pipe()
        process = self._spawn.Process(target=_answer_orders, args=(self.play, theirs), daemon=True)
        process.start()
        theirs.close()  # so that its end is the end of the pipe
        return _Hand(process=process, pipe=ours)

    def _given(self, hand: _Hand, work: _Work) -> bool:
        """Hands out the next batch; False when the process is gone."""
        hand.batch = work.batch(self._trial_s, len(self._hands))
        hand.since = time.perf_counter()
        try:
            hand.pipe.send([work.orders[place] for place in hand.batch])
        except OSError:
            return False
        return True

    def _taken(self, hand: _Hand, answer: Answer) -> Iterator[tuple[int, Trial]]:
        if isinstance(answer, Exception):
            raise answer
        self._trial_s = (time.perf_counter() - hand.since) / len(hand.batch)
        done, hand.batch = hand.batch, []
        yield from zip(done, answer, strict=True)

    def _replaced(self, hand: _Hand, work: _Work) -> _Hand:
        """A new process for one that died; what it was at is next, one order at a time."""
        _dismissed(hand)
        for place in reversed(hand.batch):
            work.deaths[place] += 1
            if work.deaths[place] >= MOST_DEATHS:
                raise PlatformError(
                    f"trial `{work.orders[place].key}` ended {MOST_DEATHS} processes, the last with exit code "
                    f"{hand.process.exitcode}",
                    hint="with -9 look for a lack of memory; play fewer at once, or leave the scenario out",
                )
            work.waiting.appendleft(place)
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


def _answer_orders(play: Play, pipe: Connection) -> None:
    """What a process does until the parent closes its pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    look_seldom()
    try:
        while True:
            orders: list[Order] = pipe.recv()
            pipe.send(answered(play, orders))
    except (EOFError, OSError):
        return


def look_seldom() -> None:
    """Has this process look for circles of dead objects seldom: a trial makes many objects and few circles."""
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)


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
