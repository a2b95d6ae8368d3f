"""Counts of workers in files: whole or not at all, seldom, and never in the way."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.factories.metrics_page import total_of
from tests.factories.records import record

from tripoint.adapters import metrics_files
from tripoint.adapters.metrics_files import SUFFIX, MetricsFile, fold_past, read_snapshots
from tripoint.engines.gateway.telemetry.exposition import exposition
from tripoint.engines.gateway.telemetry.metrics import Metrics


def until(condition: Callable[[], bool]) -> None:
    """Waits for something another thread does; the test's own time limit ends a wait in vain."""
    while not condition():
        time.sleep(0.001)


def counted(requests: int, nano: int = 100_000_000) -> bytes:
    """The snapshot of a worker that has seen so many."""
    metrics = Metrics()
    for number in range(requests):
        metrics.record(record(number, nano=nano))
    return metrics.snapshot()


def snapshots(folder: Path) -> list[bytes]:
    """What readers see, in the order of the files' names."""
    found = read_snapshots(folder)
    return [found[name] for name in sorted(found)]


def write(folder: Path, worker: int, incarnation: str, snapshot: bytes) -> None:
    """Leaves the file of a worker behind."""
    made = MetricsFile(folder, worker=worker, incarnation=incarnation, every_s=0.0)
    made.offer(snapshot)
    made.close()
    assert made.fault == ""


def test_what_workers_offer_is_read_together(tmp_path: Path) -> None:
    """Two workers and a past incarnation, in the order of their names; nothing else lies about."""
    write(tmp_path / "run", 1, "b", b"three")
    write(tmp_path / "run", 0, "b", b"two")
    write(tmp_path / "run", 0, "a", b"one")
    assert snapshots(tmp_path / "run") == [b"one", b"two", b"three"]
    names = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert names == ["worker-0-a.metrics", "worker-0-b.metrics", "worker-1-b.metrics"]


def test_only_the_last_offer_is_written_and_only_when_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst of offers costs at most two writes; the same again costs none."""
    renamed: list[bytes] = []
    real = os.replace

    def noting(source: Path, target: Path) -> None:
        renamed.append(Path(source).read_bytes())
        real(source, target)

    monkeypatch.setattr(os, "replace", noting)
    made = MetricsFile(tmp_path, worker=0, incarnation="a", every_s=60.0)
    for number in range(100):
        made.offer(b"%d" % number)
    until(lambda: bool(renamed))
    made.offer(b"99")
    made.close()
    assert renamed[-1] == b"99"
    assert len(renamed) <= 2
    assert snapshots(tmp_path) == [b"99"]


def test_the_own_snapshot_takes_its_place_among_the_others(tmp_path: Path) -> None:
    """As given, not as on disk; and it is on disk afterwards, so that no other worker shows less."""
    write(tmp_path, 0, "a", b"other")
    mine = MetricsFile(tmp_path, worker=1, incarnation="a")
    try:
        assert mine.together(b"now") == [b"other", b"now"]
        assert snapshots(tmp_path) == [b"other", b"now"]
        assert mine.together(b"later") == [b"other", b"later"]
    finally:
        mine.close()


def test_a_disk_that_takes_nothing_is_told_and_disturbs_nobody(tmp_path: Path) -> None:
    """The folder cannot be made: a fault, the own counts are still shown; it is gone when the disk is back."""
    (tmp_path / "run").write_text("")
    made = MetricsFile(tmp_path / "run", worker=0, incarnation="a", every_s=0.001)
    try:
        made.offer(b"one")
        until(lambda: made.fault != "")
        assert made.together(b"one") == [b"one"]
        (tmp_path / "run").unlink()
        made.offer(b"one")
        until(lambda: made.fault == "")
    finally:
        made.close()
    assert snapshots(tmp_path / "run") == [b"one"]


def test_what_is_no_file_of_ours_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders, parts, huge files, other names, no folder at all."""
    write(tmp_path, 0, "a", b"one")
    (tmp_path / f"folder{SUFFIX}").mkdir()
    (tmp_path / ".worker-1-a.part").write_bytes(b"torn")
    (tmp_path / "notes.txt").write_bytes(b"x")
    (tmp_path / f"worker-9-a{SUFFIX}").write_bytes(b"x" * 2000)
    monkeypatch.setattr(metrics_files, "_LARGEST_BYTES", 1000)
    assert snapshots(tmp_path) == [b"one"]
    assert snapshots(tmp_path / "nowhere") == []


def test_incarnations_that_ended_become_one_file(tmp_path: Path) -> None:
    """Again and again: the page stays the same to the last digit, the files stay few."""
    for number in range(6):
        write(tmp_path, number % 2, f"i{number}", counted(number + 1, nano=100_000_001 * (number + 1)))
        before = exposition(snapshots(tmp_path))
        assert fold_past(tmp_path, {f"i{number}"})
        assert exposition(snapshots(tmp_path)) == before
        assert len(list(tmp_path.iterdir())) == min(number, 1) + 1
    assert total_of(exposition(snapshots(tmp_path)), "tripoint_requests_total") == 1 + 2 + 3 + 4 + 5 + 6


@pytest.mark.parametrize("call", ["replace", "unlink"])
def test_a_fold_that_is_cut_short_counts_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Ended before the rename or between the removals: readers see the same; the next fold finishes the work."""
    for number in range(3):
        write(tmp_path, 0, f"i{number}", counted(number + 1))
    before = exposition(snapshots(tmp_path))

    def failing(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, failing)
        assert not fold_past(tmp_path, {"i2"})
    assert exposition(snapshots(tmp_path)) == before
    write(tmp_path, 1, "i3", counted(1))
    assert fold_past(tmp_path, {"i3"})
    assert total_of(exposition(snapshots(tmp_path)), "tripoint_requests_total") == 1 + 2 + 3 + 1
    assert len(list(tmp_path.glob(f"worker-0-i2{SUFFIX}"))) == 0


def test_readers_beside_a_fold_never_see_less(tmp_path: Path) -> None:
    """A page made while files are folded shows every request, none twice."""
    is_over = threading.Event()
    seen: set[float] = set()

    def read() -> None:
        while not is_over.is_set():
            seen.add(total_of(exposition(snapshots(tmp_path)), "tripoint_requests_total"))

    for number in range(30):
        write(tmp_path, 0, f"i{number}", counted(1))
    reader = threading.Thread(target=read)
    reader.start()
    try:
        until(lambda: bool(seen))
        for number in range(1, 30):
            assert fold_past(tmp_path, {f"i{later}" for later in range(number, 30)})
    finally:
        is_over.set()
        reader.join()
    assert seen == {30.0}
