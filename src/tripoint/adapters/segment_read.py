"""Reads whole segments, for who looks into them; the ledger follows them by `segment_tail`."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tripoint.adapters.segment_file import is_closed, zeros_from
from tripoint.adapters.usage_segments import FRAME, MAGIC, MAX_PAYLOAD, SEVERAL
from tripoint.domain.record import UsageRecord

_NO_RECORD: Final = "not a usage record"
_ONE: Final = msgspec.msgpack.Decoder(UsageRecord).decode
_SEVERAL: Final = msgspec.msgpack.Decoder(list[UsageRecord]).decode


class SegmentDamage(NamedTuple):
    """A place in a segment after which nothing can be read."""

    path: Path
    """The file."""
    offset: int
    """First byte that is not part of a whole frame."""
    reason: str
    """What is wrong there."""


def read_segments(folder: Path) -> Iterator[UsageRecord | SegmentDamage]:
    """Every whole record under `folder`, file by file; where a file stops making sense, a `SegmentDamage` instead.

    A torn frame at the end, or before nothing but zeros, is what a crash leaves; where the writer lives it is the next
    group, and is left out. Anything else means that the disk or somebody changed the file.
    """
    for path in sorted(folder.glob("usage-*.seg")):
        with path.open("rb", buffering=0) as stream:  # what is looked at twice is read twice
            yield from _records_in(path, stream)


def _records_in(path: Path, stream: FileIO) -> Iterator[UsageRecord | SegmentDamage]:
    """The records of one file, and where it stops making sense."""
    if stream.read(len(MAGIC)) != MAGIC:
        yield SegmentDamage(path, 0, "it does not begin as a segment of this version")
        return
    offset, doubted, is_over = len(MAGIC), 0, False
    while True:
        records, size, flaw = _frame(stream)
        if not flaw:
            yield from records
            offset += size
            continue
        end = zeros_from(stream.fileno(), offset)
        if end == offset:
            return
        if doubted != offset:  # a writer may have come between: once it has ended, or was seen further on, it has not
            doubted, is_over = offset, is_closed(path)
            stream.seek(offset)
            continue
        is_last = end <= offset + size
        if is_over or not is_last:
            yield SegmentDamage(path, offset, "torn frame" if is_last and not flaw.startswith(_NO_RECORD) else flaw)
        return


def _frame(stream: FileIO) -> tuple[list[UsageRecord], int, str]:
    """The records of the next frame, how long it says it is, and what is wrong with it, empty when nothing is."""
    head = stream.read(FRAME.size)
    if len(head) < FRAME.size:
        return [], FRAME.size, "torn frame"
    length, crc = FRAME.unpack(head)
    size = length & ~SEVERAL
    if not 0 < size <= MAX_PAYLOAD:
        return [], FRAME.size, f"a frame of {size} bytes"
    payload = stream.read(size)
    if len(payload) < size:
        return [], FRAME.size + size, "torn frame"
    if zlib.crc32(payload) != crc:
        return [], FRAME.size + size, "checksum differs"
    try:
        records = _SEVERAL(payload) if length & SEVERAL else [_ONE(payload)]
    except msgspec.MsgspecError as error:
        return [], FRAME.size + size, f"{_NO_RECORD}: {error}"
    return records, FRAME.size + size, ""
