"""Many answers to one sync: each goes on when its group is durable, and none for ever waits for a dead disk."""

from __future__ import annotations

import asyncio
import os
import threading
from functools import partial
from pathlib import Path

import pytest
from tests.factories.records import record

from tripoint.apps.gateway.worker import seal as seal_module
from tripoint.apps.gateway.worker.recorder import Recorder
from tripoint.apps.gateway.worker.seal import Seal


async def answered(recorder: Recorder, seal: Seal, count: int, first: int = 0) -> list[bool]:
    """What becomes of requests that end in the same turn of the loop."""
    found: list[bool] = []
    done = asyncio.Event()

    def release(is_safe: bool) -> None:
        found.append(is_safe)
        if len(found) == count:
            done.set()

    for number in range(count):
        recorder.record(record(first + number))
        seal.hold(release)
    await done.wait()
    return found


def test_answers_go_on_when_their_records_are_on_disk(tmp_path: Path) -> None:
    """A hundred in one turn share one hand-over; every one of them is readable by then."""
    from tripoint.apps.wiring import count_usage_records

    async def run() -> None:
        recorder = Recorder(tmp_path, "", worker=0, incarnation="abc")
        seal = Seal(recorder)
        try:
            for turn in range(3):
                assert await answered(recorder, seal, 100, 100 * turn) == [True] * 100
                assert count_usage_records(tmp_path) == 100 * (turn + 1)
        finally:
            recorder.close()

    asyncio.run(run())


def test_a_disk_that_takes_nothing_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are told that it failed; once the disk is back the next ones go on, and no record is gone."""
    from tripoint.apps.wiring import count_usage_records

    def refuse(descriptor: int, blob: bytes, place: int) -> int:
        raise OSError(28, "No space left on device")

    async def run() -> None:
        recorder = Recorder(tmp_path, "", worker=0, incarnation="abc")
        seal = Seal(recorder, patience_s=0.2)
        try:
            with monkeypatch.context() as broken:
                broken.setattr(os, "pwrite", refuse)
                assert await answered(recorder, seal, 5) == [False] * 5
                assert recorder.faults()["usage_records"] == "No space left on device"
            healed = Seal(recorder, patience_s=20.0)
            assert await answered(recorder, healed, 5, 5) == [True] * 5
            assert count_usage_records(tmp_path) == 10
        finally:
            recorder.close()

    asyncio.run(run())


def test_what_no_memory_is_left_for_fails_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that was lost is never acknowledged."""

    async def run() -> None:
        recorder = Recorder(tmp_path, "", worker=0, incarnation="abc")
        seal = Seal(recorder)
        monkeypatch.setattr(recorder._segments, "_max_spooled", 0)
        try:
            assert await answered(recorder, seal, 2) == [False, False]
        finally:
            recorder.close()

    asyncio.run(run())


def test_what_comes_while_a_group_is_written_is_the_next_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many turns of the loop it comes in: two syncs for all of it, and each answer goes on with its own."""
    write, may_sync, syncs = os.pwrite, threading.Event(), list[int]()

    def slow(descriptor: int, blob: bytes, place: int) -> int:
        if place:  # not what a new segment begins with
            syncs.append(descriptor)
            may_sync.wait(10.0)
        return write(descriptor, blob, place)

    async def run() -> None:
        recorder = Recorder(tmp_path, "", worker=0, incarnation="abc")
        seal = Seal(recorder)
        try:
            monkeypatch.setattr(os, "pwrite", slow)
            first = asyncio.create_task(answered(recorder, seal, 3))
            while not syncs:
                await asyncio.sleep(0.001)
            later = [asyncio.create_task(answered(recorder, seal, 2, 3 + 2 * turn)) for turn in range(20)]
            await asyncio.sleep(0.05)
            assert len(syncs) == 1
            may_sync.set()
            assert await first == [True] * 3
            assert [await each for each in later] == [[True, True]] * 20
            assert len(syncs) <= 3  # the writer may take a record by its own clock in between
        finally:
            may_sync.set()
            recorder.close()

    asyncio.run(run())


def test_what_waits_behind_a_dead_disk_is_told_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, though the second group was never handed over while the first was there."""

    def refuse(descriptor: int, blob: bytes, place: int) -> int:
        raise OSError(28, "No space left on device")

    async def run() -> None:
        recorder = Recorder(tmp_path, "", worker=0, incarnation="abc")
        seal = Seal(recorder, patience_s=0.4)
        try:
            with monkeypatch.context() as broken:
                broken.setattr(os, "pwrite", refuse)
                found = list[str]()
                recorder.record(record(0))
                seal.hold(lambda is_safe: found.append(f"first {is_safe}"))
                await asyncio.sleep(0.1)
                recorder.record(record(1))
                seal.hold(lambda is_safe: found.append(f"second {is_safe}"))
                while len(found) < 2:
                    await asyncio.sleep(0.01)
                assert found == ["first False", "second False"]
        finally:
            recorder.close()

    asyncio.run(run())


def test_records_written_before_their_answers_are_handed_over_are_safe(tmp_path: Path) -> None:
    """A sweep may have handed them to the disk already; then nothing more is told of them, and nobody waits."""

    async def run() -> None:
        recorder = Recorder(tmp_path, "", worker=0, incarnation="abc")
        seal = Seal(recorder, patience_s=60.0)
        try:
            recorder.record(record(0))
            recorder.drain()
            while recorder.durable < 1:
                await asyncio.sleep(0.005)
            done = asyncio.Event()
            seal.hold(lambda is_safe: done.set() if is_safe else None)
            await asyncio.wait_for(done.wait(), 30.0)
        finally:
            recorder.close()

    asyncio.run(run())


def test_a_record_lost_before_the_hand_over_is_never_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen records are handed to the disk as they come: those that are lost then count as well."""

    async def run() -> None:
        recorder = Recorder(tmp_path, "", worker=0, incarnation="abc")
        seal = Seal(recorder)
        monkeypatch.setattr(recorder._segments, "_max_spooled", 0)
        try:
            assert await answered(recorder, seal, 16) == [False] * 16
        finally:
            recorder.close()

    asyncio.run(run())


class Callers:
    """Requests that are being answered, each gone once its answer has left."""

    def __init__(self, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
        self.active = set[int]()
        self.hand_overs = 0
        self.seal = Seal(recorder, patience_s=60.0, under_way=self.active)
        self._recorder = recorder
        self._push = recorder.push
        monkeypatch.setattr(recorder, "push", self._count)

    def _count(self) -> None:
        self.hand_overs += 1
        self._push()

    def end(self, *numbers: int) -> list[asyncio.Future[bool]]:
        """These are answered; each future tells when its answer leaves, and whether its record is safe."""
        found = []
        for number in numbers:
            self._recorder.record(record(number))
            left = asyncio.get_running_loop().create_future()
            self.seal.hold(partial(self._leave, number, left))
            found.append(left)
        return found

    def _leave(self, number: int, left: asyncio.Future[bool], is_safe: bool) -> None:
        self.active.discard(number)
        left.set_result(is_safe)


def test_where_answers_come_in_numbers_the_next_group_waits_for_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten under way: two share the first hand-over, the other eight, one a turn of the loop, the second."""
    monkeypatch.setattr(seal_module, "GATHER_S", 1_000.0)

    async def run() -> None:
        recorder = Recorder(tmp_path, "", worker=0, incarnation="abc")
        callers = Callers(recorder, monkeypatch)
        callers.active.update(range(10))
        try:
            assert [await each for each in callers.end(0, 1)] == [True] * 2
            later = []
            for number in range(2, 10):
                later += callers.end(number)
                await asyncio.sleep(0.002)
                assert callers.hand_overs == 1 or number == 9
            assert [await each for each in later] == [True] * 8
            assert callers.hand_overs == 2
        finally:
            recorder.close()

    asyncio.run(run())


def test_who_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are being answered for minutes; what has ended goes on a moment later."""

    async def run() -> None:
        recorder = Recorder(tmp_path, "", worker=0, incarnation="abc")
        callers = Callers(recorder, monkeypatch)
        callers.active.update(range(100))
        try:
            assert [await each for each in callers.end(0, 1)] == [True] * 2
            assert [await each for each in callers.end(2, 3)] == [True] * 2
        finally:
            recorder.close()

    asyncio.run(run())


def test_where_answers_come_one_by_one_nobody_waits_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are being answered."""
    monkeypatch.setattr(seal_module, "GATHER_S", 1_000.0)

    async def run() -> None:
        recorder = Recorder(tmp_path, "", worker=0, incarnation="abc")
        callers = Callers(recorder, monkeypatch)
        callers.active.update(range(100))
        try:
            for number in range(10):
                assert [await each for each in callers.end(number)] == [True]
            assert callers.hand_overs == 10
        finally:
            recorder.close()

    asyncio.run(run())
