"""Follows the segments that workers write: every record once and in order, whatever happened to its file.

A frame that does not check is passed over only where a whole frame follows it, or where nobody writes any more; what
was passed over is told, and its file is kept. Who writes a segment holds a lock on it as long as it lives.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tripoint.adapters.atomic_file import sync_folder
from tripoint.adapters.record_batch import LineBook, RecordBatch, sound
from tripoint.adapters.segment_file import closed, is_closed, zeros_from
from tripoint.adapters.usage_segments import FRAME, MAGIC, MAX_PAYLOAD, SEVERAL
from tripoint.domain.ledger import Damage, Piece
from tripoint.domain.record import UsageRecord

DAMAGED: Final = "damaged"
"""Folder beside the segments for those that could not be read in full."""
_NAME: Final = re.compile(r"usage-\d+-([0-9a-f]+)-\d+\.seg")
_CHUNK: Final = 16 << 20


class _Read(NamedTuple):
    """What a stretch of a segment holds."""

    records: RecordBatch
    size: int
    """Bytes that are done with."""
    damage: list[Damage]


class SegmentTail:
    """All segments of a folder, from where the ledger stands; `offsets` are the ledger's."""

    def __init__(self, folder: Path, offsets: Mapping[str, int]) -> None:
        self._folder = folder
        self._offsets = dict(offsets)
        self._last = ""
        """Where the last round stopped: the next begins behind it, so that a busy worker keeps nobody waiting."""
        self.is_level = False
        """True when the last `read` reached the end of every segment."""
        self._book = LineBook()
        self._decode = msgspec.msgpack.Decoder(UsageRecord).decode

    def reset(self, offsets: Mapping[str, int]) -> None:
        """Takes over where the ledger stands: somebody else has loaded."""
        self._offsets = dict(offsets)

    def read(self, most: int) -> tuple[Piece, ...]:
        """What is new, about `most` records; the same again until `loaded` is told. Raises `OSError`."""
        found: list[Piece] = []
        left = most
        self.is_level = True
        for path in self._in_turn():
            piece = self._piece(path, left)
            if piece is not None:
                found.append(piece)
                left -= len(piece.records)
                if left <= 0:
                    self._last = path.name
                    self.is_level = False
                    break
        return tuple(found)

    def loaded(self, pieces: Iterable[Piece]) -> None:
        """These are in the ledger for good."""
        for piece in pieces:
            self._offsets[piece.source] = piece.end

    def waiting(self) -> int:
        """Bytes that are not loaded yet, those of records under way included; zeros behind them are none."""
        return sum(self._left_in(name, size) for name, size in self._sizes())

    def is_drained(self, incarnation: str) -> bool:
        """True when everything that a worker which has ended left behind is loaded, or told as damaged."""
        # By what it wrote, not by the file's size: without locks nobody dares to pass over the zeros behind it.
        return not any(self._left_in(name, size) for name, size in self._sizes() if holder_of(name) == incarnation)

    def finished(self, now: float, keep_s: float) -> list[str]:
        """Removes segments that are loaded, closed, and not written for `keep_s`; their names.

        Those with damage go to the folder `damaged` instead. Once this returns they are gone for good, also for a
        power cut.
        """
        removed: list[str] = []
        for path in self._paths():
            offset = self._offsets.get(path.name, 0)
            with suppress(OSError), closed(path) as is_over:
                about = path.stat()
                if is_over and about.st_size <= offset and about.st_mtime <= now - keep_s:
                    path.unlink()
                    removed.append(path.name)
        if removed:
            sync_folder(self._folder)
            for name in removed:
                self._offsets.pop(name, None)
        return removed

    def set_aside(self, sources: Collection[str]) -> None:
        """Keeps a copy of these segments in the folder `damaged`, under another name of the same file."""
        for name in sources:
            (self._folder / DAMAGED).mkdir(exist_ok=True)
            with suppress(FileExistsError, FileNotFoundError):
                os.link(self._folder / name, self._folder / DAMAGED / name)

    def _in_turn(self) -> list[Path]:
        paths = self._paths()
        place = next((number for number, path in enumerate(paths) if path.name > self._last), 0)
        return paths[place:] + paths[:place]

    def _paths(self) -> list[Path]:
        try:
            with os.scandir(self._folder) as found:
                names = sorted(entry.name for entry in found if _NAME.fullmatch(entry.name))
        except FileNotFoundError:
            return []
        return [self._folder / name for name in names]

    def _sizes(self) -> Iterator[tuple[str, int]]:
        for path in self._paths():
            with suppress(FileNotFoundError):
                yield path.name, path.stat().st_size

    def _left_in(self, name: str, size: int) -> int:
        start = self._offsets.get(name, 0)
        if size > start:
            with suppress(FileNotFoundError), (self._folder / name).open("rb", buffering=0) as stream:
                return zeros_from(stream.fileno(), start) - start
        return 0

    def _piece(self, path: Path, most: int) -> Piece | None:
        start = self._offsets.get(path.name, 0)
        try:
            with path.open("rb", buffering=0) as stream:  # what is looked at twice is read twice
                size = os.fstat(stream.fileno()).st_size
                if size <= start:
                    return None
                stream.seek(start)
                blob = stream.read(min(size - start, _CHUNK))  # asked for no more than is there: room is made at once
                if len(blob) == _CHUNK:
                    self.is_level = False
                read = self._parse(path.name, start, blob, most)
                if read.size == 0 or (not read.records and len(blob) == _CHUNK):
                    # Nothing whole: still being written, or damaged. Then all the rest must be seen to tell.
                    read = self._doubtful(path, start, stream)
        except FileNotFoundError:
            return None
        if read.size == 0:
            return None
        end = start + read.size
        return Piece(path.name, holder_of(path.name), start, end, read.records, tuple(read.damage))

    def _parse(self, source: str, start: int, blob: bytes, most: int) -> _Read:
        """Whole frames from the beginning of `blob`, which is at `start` in the file."""
        place = 0
        if start == 0:
            if not blob.startswith(MAGIC):
                return _Read(RecordBatch(()), 0, [])
            place = len(MAGIC)
        frames = _Frames(blob, place, most)
        if self._book.is_full:
            self._book = LineBook()
        try:
            records = RecordBatch(_every(frames), self._book)
        except msgspec.MsgspecError:
            return _one_by_one(source, start, _Frames(blob, place, most))
        return _Read(records, frames.place, [])

    def _doubtful(self, path: Path, start: int, stream: FileIO) -> _Read:
        """The same stretch once more where the first reading found nothing whole."""
        is_over = is_closed(path)
        rest = _rest(stream, start)  # nobody writes after the lock was free
        read = self._past_damage(path.name, start, rest, is_over=is_over)
        if read.damage and not is_over and _rest(stream, start)[: read.size] != rest[: read.size]:
            # Its writer was between the beginning, read before, and the end, read afterwards.
            self.is_level = False
            return _Read(RecordBatch(()), 0, [])
        return read

    def _past_damage(self, source: str, start: int, rest: bytes, *, is_over: bool) -> _Read:
        """What to do where no whole frame comes next: wait, or tell what is passed over."""
        zeros = len(rest.rstrip(b"\0"))
        if start == 0 and not is_over and MAGIC.startswith(rest[: min(len(MAGIC), zeros)]):
            return _Read(RecordBatch(()), 0, [])
        begin = len(MAGIC) if start == 0 and rest.startswith(MAGIC) else 0
        following = _next_frame(rest, begin, zeros, self._decode)
        if following is None and not is_over:
            return _Read(RecordBatch(()), 0, [])  # the last frame is being written
        end = len(rest) if following is None else following
        if end == begin or zeros <= begin or (start == 0 and MAGIC.startswith(rest[:zeros])):
            return _Read(RecordBatch(()), end, [])
        reason, lost = ("checksum differs", end) if following is not None else ("torn frame", _torn(rest, begin, zeros))
        if start == 0 and begin == 0:
            reason = "it does not begin as a segment of this version"
        return _Read(RecordBatch(()), end, [Damage(source, start + begin, lost - begin, reason)])


def holder_of(source: str) -> str:
    """Incarnation of the worker that wrote a segment."""
    found = _NAME.fullmatch(source)
    return found[1] if found is not None else ""


_Content = tuple[bytes, bool]
"""What a frame holds, and whether that is an array of records; no class: one is made for each frame."""


class _Frames:
    """The whole frames of `blob`, from `place` on, until they hold `most` records or more."""

    def __init__(self, blob: bytes, place: int, most: int) -> None:
        self._blob = blob
        self._most = most
        self.place = place
        """Behind the last one that was taken."""

    def __iter__(self) -> Iterator[_Content]:
        blob, place, left, head = self._blob, self.place, self._most, FRAME.size
        last = len(blob) - head
        while place <= last and left > 0:
            length, checksum = FRAME.unpack_from(blob, place)
            size, begin = length & ~SEVERAL, place + head
            place = begin + size
            payload = blob[begin:place]
            if zlib.crc32(payload) != checksum or len(payload) < size or not 0 < size <= MAX_PAYLOAD:
                return
            self.place = place
            is_several = length != size
            left -= _length(payload) if is_several else 1
            yield payload, is_several


_array = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode


def _length(payload: bytes) -> int:
    """Records in an array, as its head tells; 1 where it has none."""
    kind = payload[0]
    if kind & 0xF0 == 0x90:
        return max(1, kind & 0x0F)
    return max(1, int.from_bytes(payload[1:3], "big")) if kind == 0xDC else 1


def _records(content: _Content) -> list[bytes]:
    """Each record of a frame. Raises `msgspec.MsgspecError`."""
    payload, is_several = content
    return list(map(bytes, _array(payload))) if is_several else [payload]


def _every(frames: Iterable[_Content]) -> Iterator[bytes]:
    """Each record of several frames. Raises `msgspec.MsgspecError`."""
    for payload, is_several in frames:
        if is_several:
            yield from map(bytes, _array(payload))
        else:
            yield payload


def _one_by_one(source: str, start: int, frames: _Frames) -> _Read:
    """Whole frames of a file, read from `start` on, of which not all hold records only."""
    records: list[UsageRecord] = []
    damage: list[Damage] = []
    for content in frames:
        flaw = ""
        try:
            blobs = _records(content)
        except msgspec.MsgspecError as error:
            blobs, flaw = [], str(error)
        for blob in blobs:
            try:
                records.append(sound(blob))
            except msgspec.MsgspecError as error:
                flaw = str(error)
        if flaw:
            size = FRAME.size + len(content[0])
            damage.append(Damage(source, start + frames.place - size, size, f"not a usage record: {flaw}"))
    return _Read(RecordBatch.of(records), frames.place, damage)


def _rest(stream: FileIO, start: int) -> bytes:
    """A file from there on, as it is now."""
    size = os.fstat(stream.fileno()).st_size
    stream.seek(start)
    return stream.read(max(0, size - start))


def _torn(rest: bytes, begin: int, zeros: int) -> int:
    """Where a last frame ends that begins there: where it says, or where nothing but zeros follow."""
    said = begin + FRAME.size
    if said <= len(rest):
        size = FRAME.unpack_from(rest, begin)[0] & ~SEVERAL
        said += size if size <= MAX_PAYLOAD else 0
    return min(len(rest), max(said, zeros))


def _next_frame(rest: bytes, begin: int, end: int, decode: object) -> int | None:
    """Where the next whole frame with a record begins, behind `begin` and before `end`; chance makes none: checksum
    and shape agree.
    """
    assert callable(decode)
    view = memoryview(rest)
    for place in range(begin, min(end, len(rest) - FRAME.size)):
        length, checksum = FRAME.unpack_from(rest, place)
        size = length & ~SEVERAL
        if not 0 < size <= MAX_PAYLOAD or place + FRAME.size + size > len(rest):
            continue
        payload = view[place + FRAME.size : place + FRAME.size + size]
        if zlib.crc32(payload) == checksum:
            with suppress(msgspec.MsgspecError):
                for each in _records((bytes(payload), length != size)):
                    decode(each)
                return place
    return None
