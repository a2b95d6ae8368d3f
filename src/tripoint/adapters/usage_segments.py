"""A worker's usage records on disk: appended in groups, durable within milliseconds, never in the way of a request.

A segment begins with a magic line; then come frames of four bytes length, four bytes CRC-32 (both little endian) and
the record as MessagePack, an array in the order of `UsageRecord`'s fields. One file is written by one incarnation of
one worker only. A record can be there twice after a disk fault (its id tells), but never silently missing.
"""

from __future__ import annotations

import os
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

import msgspec

from tripoint.domain.record import UsageRecord

MAGIC: Final = b"tripoint/usage-segment/v1\n"
_FRAME: Final = Struct("<II")
_MAX_PAYLOAD: Final = 1 << 20
_LONGEST_PAUSE_S: Final = 1.0


class SegmentDamage(NamedTuple):
    """A place in a segment after which nothing can be read."""

    path: Path
    """The file."""
    offset: int
    """First byte that is not part of a whole frame."""
    reason: str
    """What is wrong there."""


class UsageSegments:
    """Appends records; a thread of its own writes and syncs them every few milliseconds.

    While the disk is full or gone up to `max_spooled` records are kept in memory; what comes then is lost, counted in
    `lost` and told to `on_lost`. Nothing here raises at the caller of `append`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        worker: int,
        incarnation: str,
        on_lost: Callable[[int], None] | None = None,
        every_s: float = 0.02,
        max_bytes: int = 64 << 20,
        max_spooled: int = 32_768,
    ) -> None:
        self._folder = folder
        self._stem = f"usage-{worker}-{incarnation}"
        self._on_lost = on_lost
        self._every_s = every_s
        self._max_bytes = max_bytes
        self._max_spooled = max_spooled
        self._encode = msgspec.msgpack.Encoder().encode
        self._pending: deque[bytes] = deque()
        self._unsynced: list[bytes] = []
        self._file = -1
        self._number = 0
        self._good = 0
        """Bytes of the open file known to be durable."""
        self._stop = threading.Event()
        self.durable = 0
        """Records on disk for certain."""
        self.lost = 0
        """Records lost so far."""
        self.fault = ""
        """Why the disk takes no records now; empty when it does."""
        self._thread = threading.Thread(target=self._run, name="usage-segments", daemon=True)
        self._thread.start()

    def append(self, record: UsageRecord) -> None:
        """Takes a record; it is durable some milliseconds later."""
        pending = self._pending
        if len(pending) >= self._max_spooled:
            self.lost += 1
            if self._on_lost is not None:
                self._on_lost(1)
            return
        pending.append(self._encode(record))

    def close(self) -> None:
        """Writes what is left and stops; records the disk does not take now are lost and counted."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = self._every_s
        while not self._stop.wait(pause):
            pause = self._every_s if self._flush() else min(2 * pause, _LONGEST_PAUSE_S)
        if not self._flush():
            remaining = len(self._pending)
            self.lost += remaining
            if self._on_lost is not None and remaining:
                self._on_lost(remaining)
        self._abandon()

    def _flush(self) -> bool:
        """One group to disk; False when the disk did not take it, and then nothing is forgotten."""
        pending = self._pending
        count = len(pending)
        if count == 0 and not self.fault:
            return True
        batch = [pending[index] for index in range(count)]
        pieces = []
        for payload in batch:
            pieces.append(_FRAME.pack(len(payload), zlib.crc32(payload)))
            pieces.append(payload)
        try:
            self._write(b"".join(pieces))
        except OSError as error:
            self.fault = error.strerror or type(error).__name__
            self._retreat()
            return False
        for _ in range(count):
            pending.popleft()
        self.durable += count
        self.fault = ""
        return True

    def _write(self, blob: bytes) -> None:
        if self._file < 0:
            self._open()
        view = memoryview(blob)
        while view:
            view = view[os.write(self._file, view) :]
        os.fdatasync(self._file)
        self._good += len(blob)
        if self._good >= self._max_bytes:
            self._abandon()

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._stem}-{self._number:06d}.seg"
        self._number += 1
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._good = 0
        os.write(self._file, MAGIC)
        os.fsync(self._file)
        self._good = len(MAGIC)
        folder = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _retreat(self) -> None:
        """After a fault: cut the file back to what is durable and go on in a new one.

        A sync that failed may have dropped its pages, so the same descriptor must not be trusted again.
        """
        if self._file >= 0:
            with suppress(OSError):  # its torn tail would stop readers of this file only
                os.ftruncate(self._file, self._good)
        self._abandon()

    def _abandon(self) -> None:
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1


def read_segments(folder: Path) -> Iterator[UsageRecord | SegmentDamage]:
    """Every whole record under `folder`, file by file; where a file stops making sense, a `SegmentDamage` instead."""
    decode = msgspec.msgpack.Decoder(UsageRecord).decode
    for path in sorted(folder.glob("usage-*.seg")):
        content = path.read_bytes()
        if not content.startswith(MAGIC):
            yield SegmentDamage(path, 0, "it does not begin as a segment of this version")
            continue
        offset = len(MAGIC)
        while offset < len(content):
            reason = _flaw(content, offset)
            if reason:
                yield SegmentDamage(path, offset, reason)
                break
            length, _ = _FRAME.unpack_from(content, offset)
            end = offset + _FRAME.size + length
            try:
                yield decode(content[offset + _FRAME.size : end])
            except msgspec.MsgspecError as error:
                yield SegmentDamage(path, offset, f"not a usage record: {error}")
                break
            offset = end


def _flaw(content: bytes, offset: int) -> str:
    if len(content) - offset < _FRAME.size:
        return "torn frame"
    length, crc = _FRAME.unpack_from(content, offset)
    if length > _MAX_PAYLOAD:
        return f"a frame of {length} bytes"
    payload = content[offset + _FRAME.size : offset + _FRAME.size + length]
    if len(payload) < length:
        return "torn frame"
    return "" if zlib.crc32(payload) == crc else "checksum differs"
