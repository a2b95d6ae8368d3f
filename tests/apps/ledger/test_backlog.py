"""A ledger process that is killed again and again while it enters a backlog: everything is entered, once."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from tests.apps.ledger.test_power import start_ledger

from tripoint.adapters.usage_segments import UsageSegments
from tripoint.apps import stores
from tripoint.domain.ledger import EntryQuery, SpendQuery
from tripoint.testing.ledger_conformance import usage_record

WORKERS, EACH, MOST_KILLS = 4, 20_000, 60
NANO = usage_record(0).nano


def write(folder: Path) -> None:
    """Records of four workers, every tenth of them written a second time, as after a fault of the disk."""
    for worker in range(WORKERS):
        name = f"{worker:012x}"
        segments = UsageSegments(folder, worker=worker, incarnation=name, every_s=0.001, max_bytes=1 << 20)
        for number in range(EACH):
            for _ in range(2 if number % 10 == 0 else 1):
                segments.append(usage_record(number, id=f"{name}-{number}", tenant=f"tenant-{number % 7}"))
            while segments.waiting > 10_000:
                time.sleep(0.001)
        assert segments.close(60)
        assert segments.lost == 0


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.timeout(300)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_backlog_is_entered_once_however_often_its_loader_dies(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    """Killed at any moment; bundles, bits, sums and offsets are of one transaction, in a file and on a server."""
    chance = random.Random(5)
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    is_file = database == "sqlite"
    url = f"sqlite:///{run_dir / 'store.db'}" if is_file else str(request.getfixturevalue("postgres_url"))
    write(run_dir / "usage")
    kills = 0
    while kills < MOST_KILLS and any((run_dir / "usage").glob("*.seg")):
        process, channel = start_ledger(run_dir, dict(os.environ), url)
        time.sleep(0.4 + chance.random())
        process.kill()
        process.wait()
        channel.close()
        kills += 1
    process, channel = start_ledger(run_dir, dict(os.environ), url)
    channel.close()
    assert process.wait(120) == 0
    ledger = stores.open_ledger(url)
    ids = [entry.id for entry in ledger.entries(EntryQuery())]
    (total,) = ledger.spend(SpendQuery(by=()))
    assert ledger.audit("1970-01-01", "2999-12-31") == ()
    ledger.close()
    assert len(ids) == len(set(ids)) == WORKERS * EACH
    assert (total.requests, total.nano) == (WORKERS * EACH, WORKERS * EACH * NANO)
