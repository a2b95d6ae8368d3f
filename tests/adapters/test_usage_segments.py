"""Usage records on disk: nothing acknowledged is lost, a fault of the disk is survived and told, damage is found."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.records import attempt, record

from tripoint.adapters import usage_segments
from tripoint.adapters.segment_file import zeros_from
from tripoint.adapters.segment_read import SegmentDamage, read_segments
from tripoint.adapters.usage_segments import MAGIC, SEVERAL, UsageSegments
from tripoint.domain.record import Failure, UsageRecord

WRITER = """
import sys
from pathlib import Path
from tests.factories.records import record
from tripoint.adapters.usage_segments import UsageSegments
segments = UsageSegments(Path(sys.argv[1]), worker=0, incarnation="x", every_s=0.002, max_bytes=200_000)
number = 0
while True:
    for _ in range(50):
        segments.append(record(number))
        number += 1
    print(segments.durable, flush=True)
"""


def until(condition: Callable[[], bool]) -> None:
    """Waits for something another thread does; the test's own time limit ends a wait in vain."""
    while not condition():
        time.sleep(0.001)


def records_in(folder: Path) -> list[UsageRecord]:
    """The records under a folder, which must be whole."""
    found = list(read_segments(folder))
    assert [entry for entry in found if isinstance(entry, SegmentDamage)] == []
    return [entry for entry in found if isinstance(entry, UsageRecord)]


@contextmanager
def segments_in(folder: Path, **options: object) -> Iterator[UsageSegments]:
    """Segments that sync every millisecond, closed at the end."""
    segments = UsageSegments(folder, worker=1, incarnation="i", every_s=0.001, **options)  # type: ignore[arg-type]  # options of several kinds
    try:
        yield segments
    finally:
        segments.close()


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    """Every field, attempts and failures included, in the order of appending."""
    given_records = [record(number, attempts=(attempt("b", Failure.RESET), attempt())) for number in range(300)]
    with segments_in(tmp_path / "made") as segments:
        for each in given_records:
            segments.append(each)
    assert segments.durable == 300
    assert (segments.lost, segments.waiting, segments.fault) == (0, 0, "")
    assert records_in(tmp_path / "made") == given_records


def test_a_full_segment_is_followed_by_another(tmp_path: Path) -> None:
    """Rotation by size; names keep the order; each file begins with the magic line."""
    with segments_in(tmp_path, max_bytes=2_000) as segments:
        for number in range(60):
            segments.append(record(number))
            until(lambda number=number: segments.durable > number)  # type: ignore[misc]  # mypy infers no default
    files = sorted(tmp_path.iterdir())
    assert len(files) > 5
    assert all(path.read_bytes().startswith(MAGIC) and path.name.startswith("usage-1-i-") for path in files)
    assert [each.id for each in records_in(tmp_path)] == [f"req-{number}" for number in range(60)]


def test_an_incarnation_that_reuses_a_name_overwrites_nothing(tmp_path: Path) -> None:
    """Two writers of the same name get files of their own."""
    for number in range(2):
        with segments_in(tmp_path) as segments:
            segments.append(record(number))
    assert [each.id for each in records_in(tmp_path)] == ["req-0", "req-1"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("part", [2, 1], ids=["half of it is written", "all of it is written and not synced"])
def test_a_fault_of_the_disk_loses_nothing_that_fits_the_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, part: int
) -> None:
    """The disk fails for a while in the middle of a group: afterwards every record is there, none torn or twice."""
    is_broken = threading.Event()
    real = os.pwrite

    def failing(descriptor: int, blob: bytes, place: int) -> int:
        if is_broken.is_set():
            real(descriptor, blob[: len(blob) // part], place)
            raise OSError(code, os.strerror(code))
        return real(descriptor, blob, place)

    with segments_in(tmp_path) as segments:
        segments.append(record(0))
        until(lambda: segments.durable == 1)
        monkeypatch.setattr(os, "pwrite", failing)
        is_broken.set()
        for number in range(1, 50):
            segments.append(record(number))
        until(lambda: segments.fault != "")
        assert segments.fault == os.strerror(code)
        assert (segments.durable, segments.waiting, segments.lost) == (1, 49, 0)
        is_broken.clear()
        until(lambda: segments.durable == 50)
        assert segments.fault == ""
    assert [each.id for each in records_in(tmp_path)] == [f"req-{number}" for number in range(50)]


def test_a_full_spool_loses_loudly_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is counted and told; what fits comes to disk when the disk is back; no litter meanwhile."""
    told: list[int] = []
    is_full = threading.Event()
    is_full.set()
    real = os.pwrite

    def failing(descriptor: int, blob: bytes, place: int) -> int:
        if is_full.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, blob, place)

    monkeypatch.setattr(os, "pwrite", failing)
    with segments_in(tmp_path, on_lost=told.append, max_spooled=20) as segments:
        segments.append(record(0))
        until(lambda: segments.fault != "")
        for number in range(1, 100):
            segments.append(record(number))
        assert 70 <= segments.lost == len(told) <= 80  # a group in the writer's hands beside the spool
        assert segments.waiting == 100 - segments.lost
        assert list(tmp_path.iterdir()) == []
        is_full.clear()
        until(lambda: segments.waiting == 0)
        lost = segments.lost
    assert [each.id for each in records_in(tmp_path)] == [f"req-{number}" for number in range(100 - lost)]


def test_a_disk_that_never_comes_back_is_told_at_the_end(tmp_path: Path) -> None:
    """The folder cannot be made: closing counts what is left as lost; so is what comes after."""
    (tmp_path / "file").write_text("")
    told: list[int] = []
    segments = UsageSegments(tmp_path / "file" / "below", worker=0, incarnation="i", on_lost=told.append, every_s=0.001)
    for number in range(5):
        segments.append(record(number))
    assert not segments.close()
    segments.append(record(5))
    assert segments.lost == sum(told) == 6
    assert segments.lost_nano == sum(record(number).nano for number in range(6)) > 0


def test_a_disk_that_hangs_is_told_and_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that does not return is a fault after a second; closing does not wait for ever."""
    may_go_on = threading.Event()
    monkeypatch.setattr(usage_segments, "_STALL_S", 0.01)
    real = os.pwrite

    def hanging(descriptor: int, blob: bytes, place: int) -> int:
        may_go_on.wait()
        return real(descriptor, blob, place)

    monkeypatch.setattr(os, "pwrite", hanging)
    segments = UsageSegments(tmp_path, worker=0, incarnation="i", every_s=0.001)
    try:
        segments.append(record())
        until(lambda: "has not answered" in segments.fault)
        assert not segments.close(0.01)
        assert segments.lost == 1
    finally:
        may_go_on.set()
        segments._thread.join()


def test_a_group_is_durable_once_it_is_written(tmp_path: Path) -> None:
    """No sync follows a write: the file itself was opened for writes that are synced."""
    with segments_in(tmp_path) as segments:
        segments.append(record(0))
        until(lambda: segments.durable == 1)
        assert fcntl.fcntl(segments._file, fcntl.F_GETFL) & os.O_DSYNC


def test_the_writing_thread_takes_no_core_from_requests(tmp_path: Path) -> None:
    """It is woken without preempting; the threads of its process stay as they were."""
    with segments_in(tmp_path) as segments:
        segments.append(record(0))
        until(lambda: segments.durable == 1)
        number = segments._thread.native_id
        assert number is not None
        assert os.sched_getscheduler(number) == os.SCHED_BATCH
        assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_a_removed_file_is_not_written_on(tmp_path: Path) -> None:
    """Somebody clears the folder while we serve: later records are in a file that exists."""
    with segments_in(tmp_path) as segments:
        segments.append(record(0))
        until(lambda: segments.durable == 1)
        for path in tmp_path.iterdir():
            path.unlink()
        segments.append(record(1))
    assert [each.id for each in records_in(tmp_path)] == ["req-1"]


def test_a_name_no_encoding_has_is_lost_and_counted(tmp_path: Path) -> None:
    """Half a surrogate pair in a field raises nothing."""
    with segments_in(tmp_path) as segments:
        segments.append(record(0, tariff="\ud800"))
        segments.append(record(1))
    assert segments.lost == 1
    assert [each.id for each in records_in(tmp_path)] == ["req-1"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A segment of five records."""
    folder = tmp_path_factory.mktemp("whole")
    with segments_in(folder) as segments:
        for number in range(5):
            segments.append(record(number))
    (path,) = folder.iterdir()
    return path.read_bytes()


@given(data=st.data())
def test_any_cut_loses_only_what_lies_behind_it(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Cut anywhere: a prefix of the records, then one damage with its offset, unless the cut is between frames."""
    cut = data.draw(st.integers(0, len(whole)))
    folder = tmp_path_factory.mktemp("cut")
    (folder / "usage-0-i-000000.seg").write_bytes(whole[:cut])
    found = list(read_segments(folder))
    records = [entry for entry in found if isinstance(entry, UsageRecord)]
    damages = [entry for entry in found if isinstance(entry, SegmentDamage)]
    assert [each.id for each in records] == [f"req-{number}" for number in range(len(records))]
    assert len(damages) <= 1
    for damage in damages:
        assert damage.offset == max((end for end in _frame_ends(whole) if end <= cut), default=0)
        assert damage.reason.startswith(("torn frame", "it does not begin"))
    assert damages or cut in _frame_ends(whole)


@given(data=st.data())
def test_any_flipped_byte_is_found(whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """No change of one byte gives a record that was not written."""
    at, flip = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    folder = tmp_path_factory.mktemp("flip")
    changed = whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :]
    (folder / "usage-0-i-000000.seg").write_bytes(changed)
    found = list(read_segments(folder))
    assert isinstance(found[-1], SegmentDamage)
    assert found[-1].offset <= at
    assert found[:-1] == [record(number) for number in range(len(found) - 1)]


def test_records_that_are_taken_together_are_one_frame(tmp_path: Path) -> None:
    """With one checksum; whose name no encoding has is lost alone."""
    odd = record(2, workload="half of a pair: \ud800")
    with segments_in(tmp_path) as segments:
        segments.extend([record(number) for number in range(10)])
        segments.extend([record(10), odd, record(11)])
        assert (segments.taken, segments.lost, segments.lost_nano) == (12, 1, odd.nano)
        segments.wake()
    assert [each.id for each in records_in(tmp_path)] == [f"req-{number}" for number in range(12)]
    (path,) = tmp_path.iterdir()
    assert len(_frame_ends(path.read_bytes())) == 1 + 1 + 2


def test_more_records_than_a_frame_holds_are_several(tmp_path: Path) -> None:
    """Names may be long: what would be no frame any more is written one by one."""
    long = [record(number, workload="w" * 300_000) for number in range(5)]
    with segments_in(tmp_path) as segments:
        segments.extend(long)
        segments.wake()
    assert records_in(tmp_path) == long


def test_zeros_up_to_the_end_are_the_end(whole: bytes, tmp_path: Path) -> None:
    """Laid ahead by a writer, or left by a file system after a power cut; what lies behind them is damage."""
    path = tmp_path / "usage-0-i-000000.seg"
    path.write_bytes(whole + bytes(5_000))
    assert len(records_in(tmp_path)) == 5
    path.write_bytes(whole + bytes(64) + b"x" + bytes(64))
    *records, damage = read_segments(tmp_path)
    assert len(records) == 5
    assert isinstance(damage, SegmentDamage)
    assert (damage.offset, damage.reason) == (len(whole), "a frame of 0 bytes")


@pytest.mark.parametrize("ahead", [0, 64, 200_000])
def test_a_frame_torn_within_zeros_is_torn_and_no_damage_while_its_writer_lives(
    whole: bytes, tmp_path: Path, ahead: int
) -> None:
    """From every byte on: what is whole is read, and the rest is told once nobody writes."""
    path = tmp_path / "usage-0-i-000000.seg"
    ends = _frame_ends(whole)
    for cut in range(len(MAGIC), len(whole) + 1):
        path.write_bytes(whole[:cut] + bytes(ahead and len(whole) - cut + ahead))
        sound = max(end for end in ends if len(whole[:cut].rstrip(b"\0")) >= end or cut >= end)
        *records, last = [*read_segments(tmp_path), None] if sound == cut else read_segments(tmp_path)
        assert records == [record(number) for number in range(len(records))]
        assert last is None or last == SegmentDamage(path, sound, "torn frame")
        with path.open("rb") as writer:
            fcntl.flock(writer, fcntl.LOCK_EX)
            assert list(read_segments(tmp_path)) == records
        if cut % 64:
            continue
        path.write_bytes(path.read_bytes() + b"x")  # something behind it: then the disk or somebody did it
        found = list(read_segments(tmp_path))
        assert found[: len(records)] == records
        assert isinstance(found[-1], SegmentDamage)


@given(data=st.data())
def test_any_stretch_of_zeros_is_found_or_is_the_end(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Sectors a power cut kept back, in a file with zeros ahead: no record that was not written, none lost unsaid."""
    first, last = sorted(data.draw(st.integers(len(MAGIC), len(whole))) for _ in range(2))
    folder = tmp_path_factory.mktemp("zeros")
    changed = whole[:first] + bytes(last - first) + whole[last:]
    (folder / "usage-0-i-000000.seg").write_bytes(changed + bytes(3_000))
    *records, told = [*read_segments(folder), None]
    if records and isinstance(records[-1], SegmentDamage):
        told = records.pop()
    assert records == [record(number) for number in range(len(records))]
    assert (
        len(records) == 5
        or told is not None
        or not changed[max(_frame_ends(whole) & {*range(first + 1)}) :].strip(b"\0")
    )


def test_a_frame_that_is_written_meanwhile_is_read_once_more(
    whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The beginning was read before its writer was there, the end afterwards; the writer may have ended since."""
    path = tmp_path / "usage-0-i-000000.seg"
    second, third = sorted(_frame_ends(whole))[1:3]
    path.write_bytes(whole[:second] + bytes(third - second) + whole[third:] + bytes(1_000))

    def later(descriptor: int, start: int) -> int:
        end = zeros_from(descriptor, start)
        path.write_bytes(whole)
        return end

    monkeypatch.setattr("tripoint.adapters.segment_read.zeros_from", later)
    assert len(records_in(tmp_path)) == 5


def test_groups_are_written_into_zeros_and_a_file_left_in_order_has_none(tmp_path: Path) -> None:
    """The size stays as it is from group to group, and grows in steps; nothing is laid beyond what a file may hold."""
    sizes = []
    with segments_in(tmp_path, max_bytes=150_000) as segments:
        while len(list(tmp_path.iterdir())) < 2:
            group = segments.durable
            segments.extend([record(group + number) for number in range(10)])
            segments.push()
            until(lambda: segments.waiting == 0)
            sizes.append(min(tmp_path.iterdir()).stat().st_size)
        count = segments.durable
    assert sizes[0] == 16 << 10
    assert len(set(sizes)) < len(sizes) / 5
    assert max(sizes) <= 155_000
    assert [each.id for each in records_in(tmp_path)] == [f"req-{number}" for number in range(count)]
    for path in tmp_path.iterdir():
        assert max(_frame_ends(path.read_bytes())) == path.stat().st_size


@pytest.mark.parametrize("room", [0, 10, 1_000, 3_000, 20_000, 30_000])
@pytest.mark.parametrize("is_short", [True, False], ids=["as much as fits", "nothing"])
def test_where_zeros_do_not_fit_records_still_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, is_short: bool
) -> None:
    """A disk with room for so many bytes takes every record that fits without zeros."""
    real, is_full = os.pwrite, threading.Event()

    def tight(descriptor: int, blob: bytes, place: int) -> int:
        fitting = 0 if is_full.is_set() else min(len(blob), len(MAGIC) + room - place)
        if fitting <= 0 or (fitting < len(blob) and not is_short):
            if not blob.endswith(b"\0"):  # a second file would have as much room again
                is_full.set()
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, blob[:fitting], place)

    monkeypatch.setattr(os, "pwrite", tight)
    with segments_in(tmp_path) as segments:
        taken = 0
        while not segments.fault:
            segments.append(record(taken))
            taken += 1
            until(lambda: segments.waiting == 0 or segments.fault != "")
        fitting = segments.durable
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= len(MAGIC) + room
        monkeypatch.setattr(os, "pwrite", real)
    size = len(_framed(record(10)))
    assert abs(fitting - room // size) <= 1 + fitting // 10  # ids of one digit are shorter
    assert [each.id for each in records_in(tmp_path)] == [f"req-{number}" for number in range(taken)]


@pytest.mark.parametrize("payload", [b"\xc0", b"\x93\x01\x02\x03", b"x" * 100])
def test_a_whole_frame_that_is_no_record_is_damage(tmp_path: Path, payload: bytes) -> None:
    """A right checksum over the wrong content is told as what it is."""
    frame = struct.pack("<II", len(payload), zlib.crc32(payload)) + payload
    (tmp_path / "usage-0-i-000000.seg").write_bytes(MAGIC + frame)
    (damage,) = read_segments(tmp_path)
    assert isinstance(damage, SegmentDamage)
    assert damage.reason.startswith("not a usage record")


@pytest.mark.parametrize("acknowledgements", [1, 4, 9])
def test_kill_9_loses_nothing_acknowledged(tmp_path: Path, repo_root: Path, acknowledgements: int) -> None:
    """Whatever was told durable before the kill is there, in order, and at most the last frame is torn."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=repo_root
    )
    assert writer.stdout is not None
    try:
        durable, seen = 0, 0
        while seen < acknowledgements:
            told = int(writer.stdout.readline())
            seen += told > durable
            durable = told
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        rest, _ = writer.communicate()
    durable = max([durable, *(int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n"))])
    found = list(read_segments(tmp_path))
    damages = [entry for entry in found if isinstance(entry, SegmentDamage)]
    records = [entry for entry in found if isinstance(entry, UsageRecord)]
    assert len(records) >= durable > 0
    assert [each.id for each in records] == [f"req-{number}" for number in range(len(records))]
    assert [damage.reason for damage in damages] in (
        [],
        ["torn frame"],
        ["it does not begin as a segment of this version"],
    )


def _framed(each: UsageRecord) -> bytes:
    payload = msgspec.msgpack.encode([each])
    return struct.pack("<II", len(payload) | SEVERAL, zlib.crc32(payload)) + payload


def _frame_ends(content: bytes) -> set[int]:
    ends, offset = {len(MAGIC)}, len(MAGIC)
    while offset < len(content):
        offset += 8 + (struct.unpack_from("<I", content, offset)[0] & ~SEVERAL)
        ends.add(offset)
    return ends
