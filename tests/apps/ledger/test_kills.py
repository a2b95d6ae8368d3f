"""A hundred `kill -9` of workers, ledger process and supervisor: what was answered is in the ledger, once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.factories.rigs import Rig, rig
from tests.factories.shell import chat, post, read_answer

from tripoint.apps import stores, wiring
from tripoint.apps.battery.rig.gateway import KEY
from tripoint.domain.ledger import EntryQuery, SpendQuery

KILLS = 100
_AUTH = f"Authorization: Bearer {KEY}"
_PARTS = {b"gateway.worker.main": "worker", b"ledger.main": "ledger", b" serve ": "supervisor"}


class Callers:
    """Callers that never tire; what they were answered in full is what must be in the ledger."""

    def __init__(self, port: int, count: int = 4) -> None:
        self._port = port
        self._stop = threading.Event()
        self.door = threading.Event()
        """Set while there is a gateway: a connection to a port that nobody listens on may end up at itself."""
        self.door.set()
        self.answered: set[str] = set()
        """Ids of requests whose whole answer arrived."""
        self.broken = 0
        """Requests whose answer did not."""
        self._threads = [threading.Thread(target=self._call, args=(number,), daemon=True) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Lets them finish."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _call(self, number: int) -> None:
        body = post(chat(stream=number % 2 == 0, max_tokens=4), _AUTH)
        while not self._stop.is_set():
            self.door.wait()
            try:
                with socket.create_connection(("127.0.0.1", self._port), timeout=10) as connection:
                    while not self._stop.is_set():
                        connection.sendall(body)
                        answer = read_answer(connection)
                        whole = answer.is_whole and (number % 2 == 1 or b"data: [DONE]" in answer.body)
                        if answer.status != 200 or not whole:
                            self.broken += 1
                            break
                        self.answered.add(answer.headers["x-request-id"])
            except (OSError, IndexError, ValueError):  # killed in the middle of a word
                self.broken += 1
                time.sleep(0.02)


def part_of(pid: int) -> str:
    """What a process of the family is, empty when it has ended."""
    words = words_of(pid)
    return next((part for mark, part in _PARTS.items() if mark in words), "")


def words_of(pid: int) -> bytes:
    """The command line of a process, empty when it has ended."""
    try:
        return b" ".join(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"))
    except OSError:
        return b""


def kill(pid: int) -> bool:
    """Kills one of ours at once; False when it had ended."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def of_the_run(folder: Path) -> list[int]:
    """Every process of a run, also one that was born while its supervisor died."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if pid != os.getpid() and part_of(pid) and str(folder).encode() in words_of(pid)]


def born(found: Rig) -> list[int]:
    """The family, once its dead have been replaced; as it is after some seconds."""
    until = time.monotonic() + 3.0
    while len(family := found.gateway.pids()) < 4 and time.monotonic() < until:
        time.sleep(0.02)
    return family


def begin_again(found: Rig) -> None:
    """Starts the gateway as its operator would, once what the dead supervisor left behind has ended."""
    gateway = found.gateway
    assert gateway.process is not None
    gateway.process.wait(20)
    until = time.monotonic() + 60
    while of_the_run(gateway.run_folder):
        assert time.monotonic() < until, "a process outlived its supervisor"
        time.sleep(0.02)
    asyncio.run(gateway.start(gateway.estate.read_text(encoding="utf-8")))


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.timeout(420)
def test_nothing_answered_is_lost_or_doubled_by_a_hundred_kills(tmp_path: Path) -> None:
    """Workers, ledger process and supervisor die at any time; then entries, sums and segments tell one story."""
    chance = random.Random(4)
    killed = {"worker": 0, "ledger": 0, "supervisor": 0}
    with rig(tmp_path, workers=2, flags=["--durable"]) as found:
        callers = Callers(found.gateway.port)
        try:
            while sum(killed.values()) < KILLS:
                for _ in range(3):
                    family = born(found)
                    for pid in chance.sample(family[1:], len(family) - 1):  # those that died meanwhile are passed over
                        time.sleep(chance.random() * 0.2)
                        part = part_of(pid)
                        if part and kill(pid):
                            killed[part] += 1
                time.sleep(chance.random() * 0.5)
                family = found.gateway.pids()
                if kill(family[0]):
                    killed["supervisor"] += 1
                callers.door.clear()
                begin_again(found)
                callers.door.set()
            time.sleep(1.0)
        finally:
            callers.door.set()
            callers.stop()
    recorded = {each.id: each for each in wiring.usage_records(found.gateway.run_folder)}
    ledger = stores.open_ledger(f"sqlite:///{found.gateway.run_folder / 'store.db'}")
    entered = [entry.id for entry in ledger.entries(EntryQuery())]
    (total,) = ledger.spend(SpendQuery(by=()))
    mismatches = ledger.audit("1970-01-01", "2999-12-31")
    ledger.close()
    told = f"{killed}: {len(callers.answered)} answered, {callers.broken} broken, {len(entered)} entered"
    sys.stdout.write(f"{told}\n")
    assert len(callers.answered) > 200, told
    assert callers.answered - set(entered) == set()
    assert sorted(entered) == sorted(recorded)
    assert mismatches == ()
    assert (total.requests, total.nano) == (len(recorded), sum(each.nano for each in recorded.values()))
    assert min(killed.values()) >= 5, told
