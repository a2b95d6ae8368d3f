"""Following segments: every record once, whatever was torn, damaged, rotated, or is still being written."""

from __future__ import annotations

import errno
import fcntl
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from itertools import accumulate
from pathlib import Path
from struct import Struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.records import record

from tripoint.adapters import segment_tail
from tripoint.adapters.segment_tail import DAMAGED, SegmentTail, holder_of
from tripoint.adapters.usage_segments import MAGIC, SEVERAL, UsageSegments
from tripoint.domain.ledger import Damage, Piece
from tripoint.domain.record import Usage, UsageRecord

_FRAME = Struct("<II")
NAME = "usage-0-a1b2c3-000000.seg"


def frame(each: UsageRecord) -> bytes:
    """A record as it is on disk."""
    payload = msgspec.msgpack.encode(each)
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def framed(*records: UsageRecord) -> bytes:
    """Records that were written together."""
    payload = msgspec.msgpack.encode(records)
    return _FRAME.pack(len(payload) | SEVERAL, zlib.crc32(payload)) + payload


def drained(tail: SegmentTail, most: int = 1000) -> list[str]:
    """Ids of everything new, taken for loaded."""
    ids: list[str] = []
    while pieces := tail.read(most):
        tail.loaded(pieces)
        ids += [each.id for piece in pieces for each in piece.records]
    return ids


@contextmanager
def held(path: Path) -> Iterator[None]:
    """A file as long as somebody writes it."""
    with path.open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def test_records_of_a_living_worker_come_as_they_are_written(tmp_path: Path) -> None:
    """Batch after batch, over several files, each once and in order."""
    tail = SegmentTail(tmp_path, {})
    assert tail.read(10) == ()
    segments = UsageSegments(tmp_path, worker=3, incarnation="a1b2c3", every_s=0.001, max_bytes=4_000)
    seen: list[str] = []
    for number in range(200):
        segments.append(record(number))
        if number % 20 == 0:
            while segments.durable <= number:
                time.sleep(0.001)
            seen += drained(tail, most=7)
    segments.close()
    seen += drained(tail)
    assert seen == [f"req-{number}" for number in range(200)]
    assert len(list(tmp_path.iterdir())) > 5
    assert tail.waiting() == 0
    assert tail.is_drained("a1b2c3")


def test_it_goes_on_where_the_ledger_stands(tmp_path: Path) -> None:
    """Nothing before the offset is read again; what was read and not loaded comes again."""
    (tmp_path / NAME).write_bytes(MAGIC + b"".join(frame(record(number)) for number in range(10)))
    tail = SegmentTail(tmp_path, {})
    (first,) = tail.read(4)
    assert (first.start, [each.id for each in first.records]) == (0, ["req-0", "req-1", "req-2", "req-3"])
    assert first.holder == "a1b2c3"
    assert tail.read(4) == (first,)
    other = SegmentTail(tmp_path, {NAME: first.end})
    assert drained(other) == [f"req-{number}" for number in range(4, 10)]


@pytest.mark.parametrize("size", [1, 15, 16, 40])
def test_records_written_together_are_read_together(tmp_path: Path, size: int) -> None:
    """A reading ends with the frame in which it has enough, so that none is read twice; single ones are read too."""
    three = [[record(number + size * turn) for number in range(size)] for turn in range(3)]
    alone = record(3 * size)
    (tmp_path / NAME).write_bytes(MAGIC + framed(*three[0]) + framed(*three[1]) + frame(alone) + framed(*three[2]))
    tail = SegmentTail(tmp_path, {})
    (first,) = tail.read(size + 1)
    assert list(first.records) == [*three[0], *three[1]]
    tail.loaded((first,))
    (rest,) = tail.read(1 + size)
    assert list(rest.records) == [alone, *three[2]]
    assert rest.end == (tmp_path / NAME).stat().st_size


def test_what_is_no_record_among_others_costs_itself_only(tmp_path: Path) -> None:
    """The frame is told, and the good ones of it are read; a mark for several on what is one record is damage."""
    good, bad = [record(number) for number in range(4)], record(9, at=float("nan"))
    odd = framed(good[0], bad, good[1])
    one = msgspec.msgpack.encode(good[2])
    marked = _FRAME.pack(len(one) | SEVERAL, zlib.crc32(one)) + one
    (tmp_path / NAME).write_bytes(MAGIC + odd + marked + framed(good[3]))
    (piece,) = SegmentTail(tmp_path, {}).read(100)
    assert list(piece.records) == [good[0], good[1], good[3]]
    assert [each.size for each in piece.damage] == [len(odd), len(marked)]


def test_behind_damage_records_written_together_are_found(tmp_path: Path) -> None:
    """A frame that does not check is passed over up to the next whole one."""
    broken = bytearray(framed(record(0), record(1)))
    broken[20] ^= 1
    (tmp_path / NAME).write_bytes(MAGIC + broken + framed(record(2), record(3)))
    assert drained(SegmentTail(tmp_path, {})) == ["req-2", "req-3"]


@given(cut=st.integers(1, 600))
def test_a_torn_end_is_waited_for_and_told_once_nobody_writes(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    """Wherever it tears: what is whole is read; the rest waits for its writer, or is told when there is none."""
    folder = tmp_path_factory.mktemp("torn")
    whole = MAGIC + frame(record(0)) + frame(record(1))
    end = len(whole) - min(cut, len(whole))
    path = folder / NAME
    path.write_bytes(whole[:end])
    tail = SegmentTail(folder, {})
    with held(path):
        before = drained(tail)
        with path.open("ab") as stream:
            stream.write(whole[end:])
        assert before + drained(tail) == ["req-0", "req-1"]
    path.write_bytes(whole[:end])
    tail = SegmentTail(folder, {})
    pieces: list[Piece] = []
    while found := tail.read(10):
        tail.loaded(found)
        pieces += found
    assert [each.id for piece in pieces for each in piece.records] == ["req-0", "req-1"][: len(before)]
    assert pieces[-1].end == end if end else not pieces
    damage = [each for piece in pieces for each in piece.damage]
    assert sum(each.size for each in damage) + _whole(len(before)) == max(end, _whole(len(before)))


def _whole(count: int) -> int:
    return len(MAGIC) + sum(len(frame(record(number))) for number in range(count))


@given(place=st.integers(0, 5_000), flip=st.integers(1, 255))
def test_a_damaged_byte_costs_the_record_it_is_in(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    """Any byte: all the other records come, and what is passed over is told with its place and kept."""
    folder = tmp_path_factory.mktemp("damaged")
    frames = [frame(record(number)) for number in range(8)]
    blob = bytearray(MAGIC + b"".join(frames))
    hit = place % len(blob)
    blob[hit] ^= flip
    (folder / NAME).write_bytes(blob)
    tail = SegmentTail(folder, {})
    pieces: list[Piece] = []
    while found := tail.read(100):
        tail.loaded(found)
        pieces += found
    seen = [each.id for piece in pieces for each in piece.records]
    damage = [each for piece in pieces for each in piece.damage]
    assert len(seen) >= 7
    assert seen == sorted(set(seen))
    assert any(each.offset <= hit < each.offset + each.size for each in damage)
    assert sum(each.size for each in damage) + sum(len(frames[int(name.removeprefix("req-"))]) for name in seen) + (
        len(MAGIC) if hit >= len(MAGIC) else 0
    ) == len(blob)
    tail.set_aside({each.source for each in damage})
    assert tail.finished(now=4e9, keep_s=0.0) == [NAME]
    assert (folder / DAMAGED / NAME).read_bytes() == blob


def test_what_is_no_record_is_told_and_the_next_is_read(tmp_path: Path) -> None:
    """A whole frame that holds something else, or figures no column holds, in a file still being written."""
    other = msgspec.msgpack.encode(["not", "a", "record"])
    odd = [
        _FRAME.pack(len(other), zlib.crc32(other)) + other,
        frame(record(7, at=float("nan"))),
        frame(record(7, at=-1.0)),
        frame(record(7, total_s=float("inf"))),
        frame(record(7, nano=1 << 62)),
        frame(record(7, usage=Usage(1 << 63, 1))),
    ]
    path = tmp_path / NAME
    path.write_bytes(MAGIC + b"".join(frame(record(number)) + each for number, each in enumerate(odd)))
    with held(path):
        (piece,) = SegmentTail(tmp_path, {}).read(100)
    assert [each.id for each in piece.records] == [f"req-{number}" for number in range(6)]
    assert [each.size for each in piece.damage] == [len(each) for each in odd]
    assert piece.end == path.stat().st_size


def test_a_segment_goes_only_when_it_is_loaded_and_nobody_writes_it(tmp_path: Path) -> None:
    """And only some time after its last record; the name is gone for good then."""
    path = tmp_path / NAME
    path.write_bytes(MAGIC + frame(record(0)))
    tail = SegmentTail(tmp_path, {})
    about = path.stat().st_mtime
    assert tail.finished(about + 100, 10) == []
    assert drained(tail) == ["req-0"]
    with held(path):
        assert tail.finished(about + 100, 10) == []
    assert tail.finished(about + 9, 10) == []
    assert tail.finished(about + 11, 10) == [NAME]
    assert not path.exists()
    assert tail.finished(about + 11, 10) == []


def test_a_writer_keeps_its_open_segment(tmp_path: Path) -> None:
    """However long it has been silent."""
    segments = UsageSegments(tmp_path, worker=0, incarnation="aa", every_s=0.001)
    segments.append(record(0))
    tail = SegmentTail(tmp_path, {})
    while drained(tail) != ["req-0"]:
        pass
    assert tail.finished(4e9, 0.0) == []
    segments.append(record(1))
    segments.close()
    assert drained(tail) == ["req-1"]
    assert tail.finished(4e9, 0.0) == ["usage-0-aa-000000.seg"]


def test_a_file_cut_back_behind_the_offset_is_done(tmp_path: Path) -> None:
    """What a writer took back after a fault of the disk comes again in its next file."""
    path = tmp_path / NAME
    path.write_bytes(MAGIC + frame(record(0)) + frame(record(1)))
    tail = SegmentTail(tmp_path, {})
    assert drained(tail) == ["req-0", "req-1"]
    os.truncate(path, len(MAGIC))
    assert tail.read(10) == ()
    assert tail.is_drained("a1b2c3")


def test_nobody_is_kept_waiting_by_a_busy_neighbour(tmp_path: Path) -> None:
    """Each round begins where the last one stopped."""
    names = [f"usage-{worker}-a{worker}-000000.seg" for worker in range(3)]
    for name in names:
        (tmp_path / name).write_bytes(MAGIC + b"".join(frame(record(number)) for number in range(50)))
    tail = SegmentTail(tmp_path, {})
    seen: set[str] = set()
    for _ in range(6):
        pieces = tail.read(10)
        tail.loaded(pieces)
        seen.update(piece.source for piece in pieces)
    assert seen == set(names)
    assert [holder_of(name) for name in (*names, "other.seg")] == ["a0", "a1", "a2", ""]


def _all_of(tail: SegmentTail) -> tuple[list[str], list[Damage]]:
    """Ids of everything new, taken for loaded, and what could not be read."""
    ids: list[str] = []
    damage: list[Damage] = []
    while pieces := tail.read(1000):
        tail.loaded(pieces)
        ids += [each.id for piece in pieces for each in piece.records]
        damage += [each for piece in pieces for each in piece.damage]
    return ids, damage


def test_zeros_ahead_are_nothing_yet_and_the_end_once_nobody_writes(tmp_path: Path) -> None:
    """They do not wait to be loaded, records that come in their place are read, and a killed worker's are passed over
    without a word.
    """
    path = tmp_path / NAME
    first, second = framed(record(0)), framed(record(1), record(2))
    path.write_bytes(MAGIC + bytes(50_000))
    tail = SegmentTail(tmp_path, {})
    with held(path), path.open("r+b", buffering=0) as writer:
        assert _all_of(tail) == ([], [])
        assert (tail.waiting(), tail.is_level) == (0, True)
        writer.seek(len(MAGIC))
        writer.write(first)
        assert tail.waiting() == len(first)
        assert _all_of(tail) == (["req-0"], [])
        writer.write(second)
        assert _all_of(tail) == (["req-1", "req-2"], [])
        assert tail.waiting() == 0
        assert tail.finished(4e9, 0.0) == []
    assert _all_of(tail) == ([], [])
    assert tail.finished(4e9, 0.0) == [NAME]


def test_a_killed_worker_has_left_nothing_where_only_zeros_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its records are loaded its leases are settled, also where the file system has no locks to tell its end."""

    def unsupported(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    (tmp_path / NAME).write_bytes(MAGIC + framed(record(0)) + bytes(9_000))
    tail = SegmentTail(tmp_path, {})
    assert not tail.is_drained("a1b2c3")
    assert _all_of(tail) == (["req-0"], [])
    assert tail.is_drained("a1b2c3")


def test_a_file_of_zeros_only_was_never_begun(tmp_path: Path) -> None:
    """A power cut left its size and not its first line: nothing in it was ever acknowledged."""
    for begun in range(len(MAGIC)):
        path = tmp_path / NAME
        path.write_bytes(MAGIC[:begun] + bytes(20_000))
        tail = SegmentTail(tmp_path, {})
        with held(path):
            assert tail.read(10) == ()
        assert _all_of(tail) == ([], [])
        assert tail.finished(4e9, 0.0) == [NAME]


def test_a_frame_torn_within_zeros_is_waited_for_and_told_once_nobody_writes(tmp_path: Path) -> None:
    """From every byte on, behind a whole frame; what is told is the frame, not the zeros behind it."""
    path = tmp_path / NAME
    before, torn = framed(record(0)), framed(record(1), record(2))
    assert not torn.endswith(b"\0")
    begin = len(MAGIC) + len(before)
    for cut in range(1, len(torn)):
        path.write_bytes(MAGIC + before + torn[:cut] + bytes(9_000))
        tail = SegmentTail(tmp_path, {})
        with held(path), path.open("r+b", buffering=0) as writer:
            assert _all_of(tail) == (["req-0"], [])
            writer.seek(begin)
            writer.write(torn)
            assert _all_of(tail) == (["req-1", "req-2"], [])
        path.write_bytes(MAGIC + before + torn[:cut] + bytes(9_000))
        tail = SegmentTail(tmp_path, {})
        ids, damage = _all_of(tail)
        assert ids == ["req-0"]
        assert [(each.offset, each.reason) for each in damage] == [(begin, "torn frame")]
        assert max(cut if torn[cut - 1] else 1, 8) <= damage[0].size <= len(torn)
        assert tail.is_drained("a1b2c3")


@given(data=st.data())
def test_any_stretch_of_zeros_costs_only_the_frames_it_is_in(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Sectors a power cut kept back, in a file with zeros ahead: all other records come, and bytes passed over are told
    unless there is nothing but zeros.
    """
    frames = [framed(record(2 * number), record(2 * number + 1)) for number in range(6)]
    whole = MAGIC + b"".join(frames)
    first, last = sorted(data.draw(st.integers(len(MAGIC), len(whole))) for _ in range(2))
    folder = tmp_path_factory.mktemp("zeros")
    changed = whole[:first] + bytes(last - first) + whole[last:]
    (folder / NAME).write_bytes(changed + bytes(data.draw(st.integers(0, 9_000))))
    ends = list(accumulate((len(each) for each in frames), initial=len(MAGIC)))
    same = [number for number in range(6) if changed[ends[number] : ends[number + 1]] == frames[number]]
    ids, damage = _all_of(SegmentTail(folder, {}))
    assert ids == [f"req-{2 * number + each}" for number in same for each in range(2)]
    told = [place for each in damage for place in range(each.offset, each.offset + each.size)]
    lost = [place for number in range(6) if number not in same for place in range(ends[number], ends[number + 1])]
    assert {place for place in lost if changed[place]} <= set(told) <= set(lost)


def test_what_its_writer_puts_between_two_looks_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long frame's beginning was read before it was written, the next frame afterwards: it is looked at again."""
    path = tmp_path / NAME
    late, early = framed(record(0)), framed(record(1))
    path.write_bytes(MAGIC + bytes(len(late)) + early + bytes(5_000))
    tail = SegmentTail(tmp_path, {NAME: len(MAGIC)})
    real = segment_tail._rest

    def racing(stream: FileIO, start: int) -> bytes:
        found = real(stream, start)
        with path.open("r+b") as writer:
            writer.seek(start)
            writer.write(late)
        return found

    monkeypatch.setattr(segment_tail, "_rest", racing)
    with held(path):
        assert tail.read(10) == ()
        assert not tail.is_level
        assert _all_of(tail) == (["req-0", "req-1"], [])


def test_what_is_damaged_before_whole_frames_is_told_while_its_writer_lives(tmp_path: Path) -> None:
    """Zeros in the place of a frame do not change that by themselves."""
    path = tmp_path / NAME
    gone, there = framed(record(0)), framed(record(1))
    path.write_bytes(MAGIC + bytes(len(gone)) + there + bytes(5_000))
    with held(path):
        ids, damage = _all_of(SegmentTail(tmp_path, {}))
    assert ids == ["req-1"]
    assert damage == [Damage(NAME, len(MAGIC), len(gone), "checksum differs")]
