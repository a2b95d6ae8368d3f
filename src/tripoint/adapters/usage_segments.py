"""A worker's usage records on disk: appended in groups, durable within milliseconds, never in the way of a request.

A segment begins with a magic line; then come frames of four bytes length, four bytes CRC-32 (both little endian) and
the content as MessagePack: an array of records, as the length's highest bit tells, or one record without it, each an
array in the order of `UsageRecord`'s fields. One file is written by one incarnation of one worker only. A record may be
there twice after a disk fault (its id tells), but is never missing without a word.

Behind the frames of an open segment there are zeros, laid ahead: a sync of bytes that were written before changes
neither the file's size nor where it lies, so that the file system has nothing of its own to write, and takes about half
the time. A file that is left in order is cut to its frames. Zeros up to the end are no damage in any case, as no frame
begins with eight of them: a power cut or a kill leaves them where they are.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

import msgspec

from tripoint.adapters.atomic_file import sync_folder
from tripoint.domain.record import UsageRecord

MAGIC: Final = b"tripoint/usage-segment/v2\n"
"""How every segment begins."""
FRAME: Final = Struct("<II")
"""Length and checksum of what follows."""
SEVERAL: Final = 1 << 31
"""Added to the length of a frame that holds an array of records."""
MAX_PAYLOAD: Final = 1 << 20
"""Longest content of a frame, bytes."""
_SYNCED: Final = os.O_WRONLY | os.O_DSYNC
"""A write returns once what it wrote is durable."""
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BLOCK: Final = 4096
_FIRST_AHEAD: Final = 16 << 10
"""Zeros a segment begins with, bytes: workers that have little to write keep small files."""
_MOST_AHEAD: Final = 128 << 10
"""Most of them at once: they double what is written, and are longer to sync than the group they come with."""
_GROUP: Final = 2048
_LONGEST_PAUSE_S: Final = 1.0
_LONGEST_SLEEP_S: Final = 5.0
_STALL_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.05
"""How often it is seen whether the file is still there; a call a group would be one wait more for the interpreter."""


class _Frame(NamedTuple):
    """Records that were encoded together."""

    payload: bytes
    """An array of them."""
    records: int
    """How many."""


class _Bell:
    """Wakes one thread; one lock in place of an event, which is five calls of Python each time."""

    __slots__ = ("_is_silent",)

    def __init__(self) -> None:
        self._is_silent = threading.Lock()
        self._is_silent.acquire()

    def ring(self) -> None:
        """Ends the wait under way, or the next one."""
        if self._is_silent.locked():
            with suppress(RuntimeError):  # somebody else has just rung it
                self._is_silent.release()

    def wait(self, longest_s: float) -> None:
        """Until it rings, but no longer than that."""
        self._is_silent.acquire(timeout=longest_s)


class UsageSegments:
    """Appends records; a thread of its own writes and syncs them every `every_s`, or at once after `push`, and sleeps
    while none comes.
    They become durable in the order in which they were taken.

    While the disk is full or gone `max_spooled` records are kept in memory; what comes then is lost, counted in `lost`
    and told to `on_lost` on the thread of the caller. Nothing here raises at the caller of `append`. To be made in the
    process that appends (after a fork, not before).
    """

    def __init__(
        self,
        folder: Path,
        *,
        worker: int,
        incarnation: str,
        on_lost: Callable[[int], None] | None = None,
        every_s: float = 0.05,
        max_bytes: int = 64 << 20,
        max_spooled: int = 32_768,
    ) -> None:
        self._folder = folder
        self._stem = f"usage-{worker}-{incarnation}"
        self._on_lost = on_lost
        self.on_durable: Callable[[int], None] | None = None
        """Told in the writing thread, after each group, how many of the records taken are durable."""
        self._every_s = every_s
        self._max_bytes = max_bytes
        self._max_spooled = max_spooled
        self._encode = msgspec.msgpack.Encoder().encode
        self._pending: deque[_Frame] = deque()
        self._group: list[_Frame] = []
        """What the writing thread has taken and not yet made durable."""
        self._file = -1
        self._path = folder
        self._number = 0
        self._good = 0
        """Bytes of the open file known to be durable."""
        self._laid = 0
        """Bytes of it that were written before, the zeros ahead included."""
        self._is_tight = False
        """True once zeros did not fit: the rest of this file is written without."""
        self._looked_at = 0.0
        self._fault = ""
        self._busy_since = 0.0
        self._stop = threading.Event()
        self._bell = _Bell()
        self._is_pushed = False
        """True when what was taken is wanted on disk at once."""
        self._sleeps = False
        """True while the writing thread waits for a first record."""
        self.taken = 0
        """Records taken, those that were lost at once left out."""
        self.durable = 0
        """Records on disk for certain."""
        self.lost = 0
        """Records lost so far."""
        self.lost_nano = 0
        """What those cost, nano-dollars."""
        self._thread = threading.Thread(target=self._run, name="usage-segments", daemon=True)
        self._thread.start()

    def append(self, record: UsageRecord) -> None:
        """Takes a record; it is durable some milliseconds later."""
        self.extend((record,))
        self.wake()

    def extend(self, records: Sequence[UsageRecord]) -> None:
        """Takes some records, as `append` each, but for that somebody must `wake` or `push` the writing thread.

        They are encoded, summed and written as one: a dozen or two at a time.
        """
        room = self._max_spooled - self.waiting
        if len(records) > room:
            kept = max(room, 0)
            self._lose_all(records[kept:])
            records = records[:kept]
        if not records:
            return
        try:
            payload = self._encode(records)
        except UnicodeEncodeError:  # half of a surrogate pair in a name: no encoding has it
            self._lose_all([each for each in records if not self._takes(each)])
            return
        if len(payload) > MAX_PAYLOAD and len(records) > 1:
            for each in records:
                self._takes(each)
            return
        self._pending.append(_Frame(payload, len(records)))
        self.taken += len(records)

    def _takes(self, record: UsageRecord) -> bool:
        """Takes a record by itself; False when it cannot be encoded."""
        try:
            self._pending.append(_Frame(self._encode((record,)), 1))
        except UnicodeEncodeError:
            return False
        self.taken += 1
        return True

    def wake(self) -> None:
        """Something may have come."""
        if self._sleeps and self._pending:
            self._bell.ring()

    def push(self) -> None:
        """What was taken is to be made durable now, not by the clock."""
        self._is_pushed = True
        self._bell.ring()

    @property
    def waiting(self) -> int:
        """Records taken and not yet durable."""
        return self.taken - self.durable

    @property
    def fault(self) -> str:
        """Why the disk takes no records now; empty when it does."""
        since = self._busy_since
        if since and time.monotonic() - since > _STALL_S:
            return f"the disk has not answered for {time.monotonic() - since:.0f} s"
        if not self._thread.is_alive() and not self._stop.is_set():
            return "the writing thread has ended"
        return self._fault

    def close(self, timeout_s: float = 10.0) -> bool:
        """Makes durable what is left and stops; False when the disk did not take it all in time (then it is lost)."""
        self._max_spooled = 0
        self._stop.set()
        self.push()
        self._thread.join(timeout_s)
        if self.waiting:
            decode = msgspec.msgpack.Decoder(list[UsageRecord]).decode
            self._lose_all([each for frame in (*self._group, *self._pending) for each in decode(frame.payload)])
        return not self.waiting

    def _lose_all(self, records: Sequence[UsageRecord]) -> None:
        if not records:
            return
        self.lost += len(records)
        self.lost_nano += sum(each.nano for each in records)
        if self._on_lost is not None:
            self._on_lost(len(records))

    def _run(self) -> None:
        _yield_to_requests()
        pause = self._every_s
        while not self._stop.is_set():
            self._sleep()
            self._pause(pause)
            if not self._flush():
                pause = min(2 * pause, _LONGEST_PAUSE_S)
                self._stop.wait(pause)  # a push does not make a disk well
            else:
                pause = self._every_s
        self._flush()
        self._leave()

    def _sleep(self) -> None:
        """Until something has come."""
        # Told before it is looked at, as the other side adds before it looks: a record that is missed here wakes us.
        self._sleeps = True
        if not self.waiting and not self._is_pushed:
            self._bell.wait(_LONGEST_SLEEP_S)
        self._sleeps = False

    def _pause(self, longest_s: float) -> None:
        """Until so much time is over, or a push."""
        if not self._is_pushed:
            until = time.monotonic() + longest_s
            while not self._is_pushed and (left := until - time.monotonic()) > 0.0:
                self._bell.wait(left)  # that something came is told by the same bell
        self._is_pushed = False  # before anything is taken, as the other side adds before it pushes

    def _flush(self) -> bool:
        """All that waits to disk, group by group; False when the disk did not take it: nothing is forgotten then."""
        left = self.waiting  # what comes meanwhile waits for the next time: a thread that never sleeps costs requests
        while left > 0:
            count = self._take()
            if not count:
                break
            left -= count
            self._busy_since = time.monotonic()
            try:
                self._write(self._group)
            except OSError as error:
                self._fault = error.strerror or type(error).__name__
                self._retreat()
                return False
            finally:
                self._busy_since = 0.0
            self._group.clear()
            self.durable += count
            self._fault = ""
            if self.on_durable is not None:
                self.on_durable(self.durable)
        return True

    def _take(self) -> int:
        """Takes what comes next into the group; how many records that are."""
        # Only this thread takes and only the caller's adds, each by an atomic step; no lock is needed.
        group, pending = self._group, self._pending
        count = sum(frame.records for frame in group)
        while pending and count < _GROUP:
            group.append(pending.popleft())
            count += group[-1].records
        return count

    def _write(self, frames: list[_Frame]) -> None:
        if self._file >= 0 and self._is_removed():
            self._leave()  # what is written there would be gone
        if self._file < 0:
            self._open()
        blob = b"".join(chain.from_iterable((_head(payload), payload) for payload, _ in frames))
        # Writes and syncs at once, as the file was opened so: each call of the system costs this thread a wait for the
        # interpreter, which the requests have, and them several changes of thread.
        self._lay(blob)
        if self._good >= self._max_bytes:
            self._leave()

    def _lay(self, blob: bytes) -> None:
        """Puts this behind what is durable, and zeros behind it where it goes beyond those there are."""
        good, ahead = self._good, 0
        end = good + len(blob)
        if end > self._laid and not self._is_tight:
            upto = end + min(max(good, _FIRST_AHEAD), _MOST_AHEAD)
            ahead = max(min(upto - upto % _BLOCK, self._max_bytes) - end, 0)
        try:
            written = os.pwrite(self._file, blob + bytes(ahead) if ahead else blob, good)
        except OSError as error:
            if not ahead or error.errno not in _NO_ROOM:
                raise
            written = 0
        self._is_tight = self._is_tight or written < len(blob) + ahead
        while written < len(blob):
            written += os.pwrite(self._file, blob[written:], good + written)
        self._good = end
        self._laid = max(self._laid, good + written)

    def _is_removed(self) -> bool:
        """True when somebody has removed the open file."""
        now = self._busy_since
        if now - self._looked_at < _LOOK_EVERY_S:
            return False
        self._looked_at = now
        return os.fstat(self._file).st_nlink == 0

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._good = self._laid = 0
        self._is_tight = False
        while self._file < 0:
            self._path = self._folder / f"{self._stem}-{self._number:06d}.seg"
            self._number += 1
            with suppress(FileExistsError):  # of an earlier incarnation that was given the same name
                self._file = os.open(self._path, _SYNCED | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
                # As long as we hold it nobody takes the file for one whose writer has ended; without locks nobody can.
                with suppress(OSError):
                    fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._lay(MAGIC)
        os.fsync(self._file)
        # The name must be durable as well, or the file is gone after a power cut.
        sync_folder(self._folder)

    def _retreat(self) -> None:
        """After a fault: leave the file, cut back to what is durable, and go on in a new one.

        A sync that failed may have dropped its pages, so the same descriptor must not be trusted again.
        """
        if self._file >= 0 and self._good <= len(MAGIC):
            with suppress(OSError):
                self._path.unlink()
        self._leave()

    def _leave(self) -> None:
        """Cuts the file to what is durable, and lets go of it."""
        if self._file >= 0:
            with suppress(OSError):  # zeros are no damage; what a fault left behind stops readers of this file only
                os.ftruncate(self._file, self._good)
            with suppress(OSError):
                os.close(self._file)
            self._file = -1


def _yield_to_requests() -> None:
    """From now on waking this thread takes no core from one that runs: a group is written when requests let it be.

    Else every step of it, and each is a wait for the interpreter, would take their core and give it back.
    """
    if hasattr(os, "SCHED_BATCH") and os.sched_getscheduler(0) == os.SCHED_OTHER:
        with suppress(OSError):  # where that is forbidden it works as well, only dearer
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _head(payload: bytes) -> bytes:
    return FRAME.pack(len(payload) | SEVERAL, zlib.crc32(payload))
