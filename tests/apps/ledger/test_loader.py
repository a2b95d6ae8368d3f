"""The loader's patience: a store that is gone, a disk that is full, somebody else who loads the same."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.factories.postgres import Server

from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.segment_tail import DAMAGED, SegmentTail
from tripoint.adapters.sql.connect import connect
from tripoint.adapters.usage_segments import UsageSegments
from tripoint.apps.ledger.loader import Loader
from tripoint.domain.ledger import EntryQuery, SpendQuery
from tripoint.testing.ledger_conformance import NOON, usage_record


def write(folder: Path, numbers: range, incarnation: str = "aa") -> None:
    """Records on disk, their writer gone."""
    segments = UsageSegments(folder, worker=0, incarnation=incarnation, every_s=0.001)
    for number in numbers:
        segments.append(usage_record(number))
    assert segments.close()


def entered(url: str) -> list[str]:
    """Ids in the ledger, which must be sound."""
    ledger = SqlLedger(connect(url), lambda: NOON)
    ids = [entry.id for entry in ledger.entries(EntryQuery())]
    assert ledger.audit("1970-01-01", "2999-12-31") == ()
    assert sum(row.requests for row in ledger.spend(SpendQuery(by=()))) == len(ids)
    ledger.close()
    return ids


def until(is_so: Callable[[], bool]) -> None:
    """Waits for something the loader's thread does."""
    limit = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < limit, "it never came"
        time.sleep(0.01)


@contextmanager
def loading(url: str, folder: Path, notes: list[str]) -> Iterator[Loader]:
    """A loader at work, ended in order."""
    tail = SegmentTail(folder, {})
    loader = Loader(lambda: SqlLedger(connect(url), time.time), tail, notes.append, lambda ledger, tail: None)
    loader.start()
    try:
        yield loader
    finally:
        loader.end(20.0)


def test_what_comes_is_loaded_and_the_end_leaves_nothing(tmp_path: Path) -> None:
    """Also what came while it was told to end."""
    url, notes = f"sqlite:///{tmp_path / 'store.db'}", list[str]()
    write(tmp_path / "usage", range(50))
    with loading(url, tmp_path / "usage", notes) as loader:
        until(lambda: loader.added == 50)
        write(tmp_path / "usage", range(50, 90), "bb")
    assert sorted(entered(url)) == sorted(f"req-{number}" for number in range(90))
    assert (notes, loader.fault, loader.repeated) == ([], "", 0)


def test_two_loaders_on_one_folder_enter_everything_once(tmp_path: Path) -> None:
    """A ledger process that was thought dead and is not."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    for part in range(10):
        write(tmp_path / "usage", range(part * 500, part * 500 + 500), f"a{part}")
    with loading(url, tmp_path / "usage", []) as one, loading(url, tmp_path / "usage", []) as other:
        until(lambda: one.added + other.added == 5_000)
    assert len(set(entered(url))) == 5_000


def test_damage_is_told_and_its_file_is_kept(tmp_path: Path) -> None:
    """Everything around it is loaded."""
    url, notes = f"sqlite:///{tmp_path / 'store.db'}", list[str]()
    write(tmp_path / "usage", range(20))
    (path,) = (tmp_path / "usage").glob("*.seg")
    blob = bytearray(path.read_bytes())
    blob[len(blob) // 2] ^= 255
    path.write_bytes(blob)
    with loading(url, tmp_path / "usage", notes) as loader:
        until(lambda: loader.added == 19)
    assert ["cannot be read" in note for note in notes] == [True]
    assert (tmp_path / "usage" / DAMAGED / path.name).read_bytes() == blob


def test_a_full_disk_is_waited_out(tmp_path: Path) -> None:
    """Nothing is half entered; it goes on by itself, and says so."""
    url, notes = f"sqlite:///{tmp_path / 'store.db'}", list[str]()
    write(tmp_path / "usage", range(3_000))
    SqlLedger(connect(url), lambda: NOON).close()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with loading(url, tmp_path / "usage", notes) as loader:
            until(lambda: bool(loader.fault))
            assert loader.added == 0
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            until(lambda: loader.added == 3_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(entered(url)) == 3_000
    assert len(notes) == 2
    assert "the ledger waits" in notes[0]
    assert notes[1] == "the ledger loads again"


def test_a_bug_beside_loading_does_not_stop_it_without_a_word(tmp_path: Path) -> None:
    """Whatever a chore throws is told, and loading is tried again and again."""
    url, notes = f"sqlite:///{tmp_path / 'store.db'}", list[str]()

    def chore(ledger: object, tail: object) -> None:
        if len(notes) < 1:
            raise ValueError("a figure that is none")

    loader = Loader(
        lambda: SqlLedger(connect(url), time.time), SegmentTail(tmp_path / "usage", {}), notes.append, chore
    )
    loader.start()
    write(tmp_path / "usage", range(10))
    until(lambda: loader.added == 10 and not loader.fault)
    loader.end(20.0)
    assert notes == ["the ledger waits: ValueError: a figure that is none", "the ledger loads again"]


@pytest.mark.enable_socket
@pytest.mark.slow
def test_a_server_that_goes_and_comes_back_has_everything_once(tmp_path: Path, postgres_running: Server) -> None:
    """Ended as by a crash in the middle of loading, twice."""
    url, notes = postgres_running.make("gone"), list[str]()
    with loading(url, tmp_path / "usage", notes) as loader:
        for part in range(3):
            write(tmp_path / "usage", range(part * 4_000, part * 4_000 + 4_000), f"a{part}")
            if part < 2:
                postgres_running.stop()
                until(lambda: bool(loader.fault))
                postgres_running.start()
        until(lambda: loader.added + loader.repeated >= 12_000 and not loader.fault)
    assert sorted(entered(url)) == sorted(f"req-{number}" for number in range(12_000))
    assert "the ledger loads again" in notes
