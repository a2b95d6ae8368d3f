"""A disk that is full when the gateway is told to end: what waits in memory is written, or told with its money."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from tests.factories.rigs import Rig, rig, serving_workers

from tripoint.apps import stores
from tripoint.apps.wiring import usage_records
from tripoint.domain.ledger import EntryKind, EntryQuery

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

ASKED = 12


class Words:
    """What the gateway says, read from a pipe: a limit on files bounds a log file as well, and no pipe."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._end = os.open(path, os.O_RDWR)
        self._said = bytearray()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while piece := os.read(self._end, 65_536):
            self._said += piece

    def text(self) -> str:
        """All of it so far, access lines left out."""
        lines = self._said.decode("utf-8", "replace").splitlines()
        return "\n".join(line for line in lines if not line.startswith("{"))


@contextmanager
def full(folder: Path, drain_s: str, workers: int = 1) -> Iterator[tuple[Rig, Words]]:
    """A gateway that has written a record, whose disk then takes no byte, and that has answered `ASKED` more."""
    words = Words(folder / "gateway.log")
    with rig(folder, workers=workers, flags=("--drain-s", drain_s)) as found:
        ask(found)
        until(lambda: len(list(usage_records(found.gateway.run_folder))) == 1)
        found.gateway.limit_files(0)
        for _ in range(ASKED):
            ask(found)
        yield found, words


def ask(found: Rig) -> None:
    """One chat, which is answered."""
    request = urllib.request.Request(
        f"{found.url}/v1/chat/completions",
        data=json.dumps({"model": "chat", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 4}).encode(),
        headers={"authorization": f"Bearer {found.key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def until(is_so: Callable[[], bool], patience_s: float = 60.0) -> None:
    """Waits for what other processes do."""
    end = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def ended(found: Rig) -> int:
    """Waits for the gateway's end; its exit code."""
    assert found.gateway.process is not None
    return found.gateway.process.wait(60)


def test_records_that_wait_are_entered_when_the_disk_is_freed_in_time(tmp_path: Path) -> None:
    """Told once that they wait and once that they are written; the end waits for the disk; nothing is missing."""
    with full(tmp_path, "40") as (found, words):
        until(lambda: "in memory" in words.text())
        with urllib.request.urlopen(f"{found.url}/readyz", timeout=10) as answer:
            assert "usage_records" in json.loads(answer.read())["degraded"]
        assert found.gateway.process is not None
        found.gateway.process.terminate()
        time.sleep(3)  # longer than a round of the writer, and than the end took that waited for nothing
        assert found.gateway.process.poll() is None, words.text()
        found.gateway.limit_files(-1)
        assert ended(found) == 0, words.text()
        assert len(list(usage_records(found.gateway.run_folder))) == ASKED + 1
        ledger = stores.open_ledger(f"sqlite:///{found.gateway.run_folder / 'store.db'}")
        assert len(list(ledger.entries(EntryQuery(kinds=(EntryKind.USAGE,))))) == ASKED + 1
        ledger.close()
    said = words.text()
    assert len(re.findall(r"usage records? waits? in memory", said)) == 1, said
    assert len(re.findall(r"written again", said)) == 1, said


@pytest.mark.parametrize("workers", [1, 2])
def test_records_that_are_lost_at_the_end_are_told_with_their_money(tmp_path: Path, workers: int) -> None:
    """The disk is never freed: number, money, place and hint in the last words, and an exit code that is not 0."""
    with full(tmp_path, "2", workers) as (found, words):
        assert found.gateway.process is not None
        found.gateway.process.terminate()
        assert ended(found) == 3, words.text()
        (before,) = list(usage_records(found.gateway.run_folder))
        said = words.text()
        told = re.search(
            rf"{ASKED} usage records of ([0-9.]+) USD could not be written to `(.*)`: File too large", said
        )
        assert told is not None, said
        assert Decimal(told[1]) * 10**9 == ASKED * before.nano
        assert before.nano > 0
        assert Path(told[2]) == found.gateway.run_folder / "usage"
        assert "hint: " in said[told.end() :]


def test_a_worker_that_had_to_be_killed_is_told(tmp_path: Path) -> None:
    """It stands still, as before a disk that does not answer: nobody can count what it held, so that much is said."""
    words = Words(tmp_path / "gateway.log")
    with rig(tmp_path) as found:
        ask(found)
        process = found.gateway.process
        assert process is not None
        (worker,) = serving_workers(found)
        os.kill(worker, signal.SIGSTOP)
        process.terminate()
        assert ended(found) == 3, words.text()
        assert "1 worker did not end in time" in words.text()
