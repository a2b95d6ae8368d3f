"""Power cuts: a disk that drops, tears and reorders whatever was not synced loses nothing that was acknowledged."""

from __future__ import annotations

import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from tests.apps.ledger.power import Disk

from tripoint.apps import stores
from tripoint.apps.ledger.launch import STORE_VARIABLE, LedgerLaunch
from tripoint.domain.ledger import EntryQuery, SpendQuery
from tripoint.testing.ledger_conformance import usage_record

CUTS = 12
NANO = usage_record(0).nano
WRITER = """
import sys, time
from pathlib import Path
from tripoint.adapters.usage_segments import UsageSegments
from tripoint.testing.ledger_conformance import usage_record
name, burst, pause = sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
segments = UsageSegments(Path(sys.argv[1]), worker=0, incarnation=name, every_s=0.002, max_bytes=40_000)
number = 0
while True:
    for _ in range(burst):
        segments.append(usage_record(number, id=f"{name}-{number}"))
        number += 1
    print(segments.durable, flush=True)
    time.sleep(pause)
"""
BURSTS = (("1", "0.004"), ("20", "0.002"))
"""Records at once and pauses between them, s: so few that they become rows, and enough for bundles."""


def start_ledger(
    run_dir: Path, environment: dict[str, str], url: str = ""
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The real ledger process, which removes what it has loaded at once; and the channel that ends it.

    Its store is a file in the run folder where no URL is given.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        launch = LedgerLaunch(run_dir=str(run_dir), control_fd=theirs.fileno(), keep_s=0.0, tidy_s=0.05, end_s=30.0)
        process = subprocess.Popen(
            [sys.executable, "-m", "tripoint.apps.ledger.main", msgspec.json.encode(launch).decode()],
            env={**environment, STORE_VARIABLE: url or f"sqlite:///{run_dir / 'store.db'}"},
            pass_fds=(theirs.fileno(),),
        )
    return process, ours


def run_until_cut(disk: Disk, run_dir: Path, name: str, seconds: float) -> set[str]:
    """Ids that were acknowledged to be on disk before everything stopped at once."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(run_dir / "usage"), name, *BURSTS[int(name, 16) % 2]],
        env=disk.environment,
        stdout=subprocess.PIPE,
    )
    ledger, channel = start_ledger(run_dir, disk.environment)
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(seconds)
    for each in (writer, ledger):
        each.send_signal(signal.SIGSTOP)
    for each in (writer, ledger):
        each.kill()
    told = [first, *writer.stdout.read().split(b"\n")[:-1]]
    for each in (writer, ledger):
        each.wait()
    writer.stdout.close()
    channel.close()
    return {f"{name}-{number}" for number in range(int(told[-1]))}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_or_doubled_when_the_power_goes(tmp_path: Path) -> None:
    """Again and again, on the same disk; the store is whole each time, and entries equal their sums."""
    chance = random.Random(11)
    disk = Disk(tmp_path, chance)
    run_dir = disk.root / "run"
    (run_dir / "usage").mkdir(parents=True)
    acknowledged: set[str] = set()
    changed = number = 0
    while number < CUTS or changed < CUTS // 2:  # a cut between two transactions takes nothing away
        acknowledged |= run_until_cut(disk, run_dir, f"{number:012x}", 0.1 + 1.4 * chance.random())
        changed += disk.cut()
        number += 1
    process, channel = start_ledger(run_dir, dict(os.environ))
    channel.close()
    assert process.wait(60) == 0
    with sqlite3.connect(run_dir / "store.db") as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        ((bundles,),) = store.execute("SELECT COUNT(*) FROM ledger_bundle").fetchall()
    store.close()
    ledger = stores.open_ledger(f"sqlite:///{run_dir / 'store.db'}")
    entered = [entry.id for entry in ledger.entries(EntryQuery())]
    (total,) = ledger.spend(SpendQuery(by=()))
    assert ledger.audit("1970-01-01", "2999-12-31") == ()
    ledger.close()
    assert acknowledged - set(entered) == set()
    assert (total.requests, total.nano) == (len(entered), NANO * len(entered))
    assert len(acknowledged) > 100 * CUTS
    assert bundles > 0  # few entries of a load are rows, so that both ways of keeping are cut off
    assert len(list((run_dir / "usage").glob("*.seg"))) < number  # and most was loaded and removed before
