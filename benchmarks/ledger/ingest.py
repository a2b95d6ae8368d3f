"""Ways to keep records for good, each fed the same in batches: ours, and what nothing can be faster than."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ledger.records import FIRST_DAY_S, empty, records, write_segment
from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.ledger_sql.schema import ENTRY_COLUMNS
from tripoint.adapters.segment_tail import SegmentTail
from tripoint.adapters.sql.connect import connect
from tripoint.usecases.ledger import load_new

BATCH = 50_000
_SPARE_ROW = ("", 0, 7, 3, 1, 2000, 600, 400, 0, 900_000, 950_000, 400_000, b"a" * 140, 0)


@dataclass(frozen=True, slots=True)
class Sample:
    """One way, once."""

    name: str
    """Which."""
    seconds: float
    """By the clock."""
    cpu_s: float
    """Of this process; a server's own is not in it."""


Way = tuple[str, Callable[[], None]]


def ways(work: Path, count: int, url: str) -> list[Way]:
    """Everything that is measured; `url` is a PostgreSQL database, left out when empty."""
    frames = write_segment(work / "usage", records(0, count, count * 30), "aa")
    found: list[Way] = [
        ("append to a file, fdatasync a batch", lambda: _append(work / "raw", frames)),
        ("SQLite, INSERT only, commit a batch", lambda: _insert(work / "plain.db", count)),
        ("tripoint on SQLite", lambda: _load(work, f"sqlite:///{work / 'store.db'}")),
    ]
    if url:
        found += [
            ("PostgreSQL, COPY only, commit a batch", lambda: _copy(url, count)),
            ("tripoint on PostgreSQL", lambda: _load(work, url)),
        ]
    return found


def sample(way: Way, work: Path) -> Sample:
    """Runs one way on fresh files."""
    for name in ("raw", "plain.db", "store.db"):
        for ending in ("", "-wal", "-shm"):
            (work / f"{name}{ending}").unlink(missing_ok=True)
    began, cpu = time.perf_counter(), time.process_time()
    way[1]()
    return Sample(way[0], time.perf_counter() - began, time.process_time() - cpu)


def _append(path: Path, frames: Sequence[bytes]) -> None:
    with path.open("wb", buffering=0) as stream:
        for first in range(0, len(frames), BATCH):
            stream.write(b"".join(frames[first : first + BATCH]))
            os.fdatasync(stream.fileno())


def _insert(path: Path, count: int) -> None:
    """The same columns and the same unique id; no roll-ups, no offsets, nothing read."""
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=FULL")
    store.execute(f"CREATE TABLE entry (number INTEGER PRIMARY KEY, {', '.join(ENTRY_COLUMNS[:-1])}, UNIQUE (id))")
    statement = f"INSERT INTO entry VALUES ({', '.join('?' * len(ENTRY_COLUMNS))})"
    for first in range(0, count, BATCH):
        rows = [
            (number, f"802e9ac30faaf64f-{number:x}", *_SPARE_ROW[1:-1])
            for number in range(first, min(first + BATCH, count))
        ]
        store.execute("BEGIN")
        store.executemany(statement, rows)
        store.execute("COMMIT")
    store.close()


def _copy(url: str, count: int) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as store:
        store.execute("DROP TABLE IF EXISTS plain")
        columns = ", ".join(f"c{number} BIGINT" for number in range(11))
        store.execute(f"CREATE TABLE plain (id TEXT PRIMARY KEY, {columns}, detail BYTEA)")
        for first in range(0, count, BATCH):
            with store.transaction(), store.cursor() as cursor, cursor.copy("COPY plain FROM STDIN") as copy:
                for number in range(first, min(first + BATCH, count)):
                    copy.write_row((f"802e9ac30faaf64f-{number:x}", *_SPARE_ROW[1:-1]))


def _load(work: Path, url: str) -> None:
    """All of it: segments read and checked, entries once each, four roll-ups, offsets, one transaction a batch."""
    _forget(url)
    ledger = SqlLedger(connect(url), lambda: FIRST_DAY_S)
    tail = SegmentTail(work / "usage", {})
    while not load_new(tail, ledger, BATCH).is_done:
        pass
    ledger.close()


def _forget(url: str) -> None:
    if url.startswith("postgres"):
        import psycopg

        with psycopg.connect(url, autocommit=True) as store:
            store.execute("DROP SCHEMA public CASCADE")
            store.execute("CREATE SCHEMA public")


def fill(work: Path, total: int, say: Callable[[str], None]) -> SqlLedger:
    """A ledger of `total` records over thirty days, loaded as in service."""
    ledger = SqlLedger(connect(f"sqlite:///{work / 'filled.db'}"), lambda: FIRST_DAY_S)
    tail = SegmentTail(work / "filling", {})
    chunk, began, spent = 250_000, time.perf_counter(), 0.0
    for first in range(0, total, chunk):
        write_segment(work / "filling", records(first, min(chunk, total - first), total), f"{first:x}")
        started = time.perf_counter()
        while not load_new(tail, ledger, BATCH).is_done:
            pass
        spent += time.perf_counter() - started
        empty(work / "filling")
    whole = time.perf_counter() - began
    say(f"{total:,} records loaded in {spent:.0f} s ({total / spent:,.0f} a second); {whole:.0f} s with making them\n")
    return ledger
