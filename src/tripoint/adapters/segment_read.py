"""Reads whole segments, for who looks into them; the ledger follows them by `segment_tail`."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from tripoint.adapters.usage_segments import FRAME, MAGIC, MAX_PAYLOAD, SEVERAL
from tripoint.domain.record import UsageRecord


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

    A torn frame at the end is what a crash leaves; anything else means that the disk or somebody changed the file.
    """
    one = msgspec.msgpack.Decoder(UsageRecord).decode
    several = msgspec.msgpack.Decoder(list[UsageRecord]).decode
    for path in sorted(folder.glob("usage-*.seg")):
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if stream.read(len(MAGIC)) != MAGIC:
                yield SegmentDamage(path, 0, "it does not begin as a segment of this version")
                continue
            offset = len(MAGIC)
            while offset < size:
                length, payload, flaw = _frame(stream)
                records: list[UsageRecord] = []
                if not flaw:
                    try:
                        records = several(payload) if length & SEVERAL else [one(payload)]
                    except msgspec.MsgspecError as error:
                        flaw = f"not a usage record: {error}"
                if flaw:
                    yield SegmentDamage(path, offset, flaw)
                    break
                yield from records
                offset += FRAME.size + len(payload)


def _frame(stream: BinaryIO) -> tuple[int, bytes, str]:
    """Length and payload of the next frame, and what is wrong with it, empty when nothing is."""
    head = stream.read(FRAME.size)
    if len(head) < FRAME.size:
        return 0, b"", "torn frame"
    length, crc = FRAME.unpack(head)
    size = length & ~SEVERAL
    if not 0 < size <= MAX_PAYLOAD:
        return length, b"", f"a frame of {size} bytes"
    payload = stream.read(size)
    if len(payload) < size:
        return length, b"", "torn frame"
    return (length, payload, "") if zlib.crc32(payload) == crc else (length, b"", "checksum differs")
