"""Many answers to one sync: each goes on when its group is durable, and none for ever waits for a dead disk."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.factories.records import record

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

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    async def run() -> None:
        recorder = Recorder(tmp_path, "", worker=0, incarnation="abc")
        seal = Seal(recorder, patience_s=0.2)
        try:
            with monkeypatch.context() as broken:
                broken.setattr(os, "fdatasync", refuse)
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
