"""What a worker has reserved, in a file mapped into its memory: it survives kill -9 of anything on the machine.

A row is written before its request is sent, and freed once the request's record is durable. Whoever buries the worker
holds every row whose record never came as spent. Blocks of the file are taken when it is made, so that a full disk
cannot kill the worker later. Nothing here is synced: after a power cut a sheet tells nothing, which it is known by.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections import deque
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

import msgspec

from tripoint.engines.gateway.entry.sheet import Sheet

MAGIC: Final = b"tripoint/lease-sheet/v1\n"
SUFFIX: Final = ".sheet"
"""How the files' names end; they begin with the worker's incarnation."""
ROWS: Final = 16_384
"""Requests under a budget that one worker may have under way or not yet recorded."""
_HEAD: Final = 4096
_BOOT: Final = 64
"""Where the boot id is."""
_NAMES: Final = 1 << 20
"""Bytes for who pays."""
_ROW: Final = Struct("=40sdq4xI")
"""Request id, when it began, nano-dollars, whose it is: 0 while the row is free. It is filled from front to back."""
_ROW_SIZE: Final = 64
_NANOS_A_ROW: Final = _ROW_SIZE // 8
_NANO_AT: Final = 6
"""Place among eights of bytes."""
_FLAGS_A_ROW: Final = _ROW_SIZE // 4
_FLAG_AT: Final = 15
"""Place among fours of bytes."""
_LENGTH: Final = Struct("<H")
_ROWS_AT: Final = _HEAD + _NAMES
_UNKNOWN: Final = 0xFFFFFFFF
_put_row: Final = _ROW.pack_into


class Payer(NamedTuple):
    """Who pays."""

    tenant: str
    """Tenant id."""
    key: str
    """Key id."""
    workload: str
    """Workload id."""


class SheetRow(NamedTuple):
    """A reservation whose record may have been lost."""

    request: str
    """Request id."""
    at: float
    """When it began, seconds since 1970."""
    nano: int
    """What it had reserved, or what it cost, nano-dollars."""
    payer: Payer | None
    """Who pays; `None` where there was no room for the names."""


class LeaseSheet(Sheet):
    """A worker's own sheet. Raises `OSError` when the disk has no room for it."""

    def __init__(self, folder: Path, incarnation: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{incarnation}{SUFFIX}"
        size = _HEAD + _NAMES + ROWS * _ROW_SIZE
        part = folder / f".{incarnation}.part"
        self._file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _take_blocks(self._file, size)
            self._memory = mmap.mmap(self._file, size)
            self._memory[: len(MAGIC)] = MAGIC
            boot = _boot_id()
            self._memory[_BOOT : _BOOT + len(boot)] = boot
            os.rename(part, self._path)  # whole or not at all
        except OSError:
            os.close(self._file)
            with suppress(OSError):
                part.unlink()
            raise
        rows = memoryview(self._memory)[_ROWS_AT:]
        self._nanos = rows.cast("q")
        self._flags = rows.cast("I")
        self._free = list(range(ROWS - 1, -1, -1))
        self._names_end = _HEAD
        self._payers: dict[Payer, int] = {}
        self._settled: list[int] = []
        self._unsafe: deque[tuple[int, list[int]]] = deque()

    def payer(self, tenant: str, key: str, workload: str) -> int:
        """See `Sheet`."""
        who = Payer(tenant, key, workload)
        number = self._payers.get(who)
        if number is None:
            text = msgspec.msgpack.encode(who)
            end = self._names_end + _LENGTH.size + len(text)
            if end > _HEAD + _NAMES:
                return _UNKNOWN
            self._memory[self._names_end + _LENGTH.size : end] = text
            _LENGTH.pack_into(self._memory, self._names_end, len(text))
            self._names_end = end
            number = self._payers[who] = len(self._payers) + 1
        return number

    def open(self, request_id: str, at: float, nano: int, payer: int) -> int:
        """See `Sheet`."""
        if not self._free:
            return -1
        row = self._free.pop()
        _put_row(self._memory, _ROWS_AT + row * _ROW_SIZE, request_id.encode(), at, nano, payer)
        return row

    def amend(self, row: int, nano: int) -> None:
        """See `Sheet`."""
        self._nanos[row * _NANOS_A_ROW + _NANO_AT] = nano

    def settle(self, row: int, nano: int) -> None:
        """See `Sheet`."""
        self._nanos[row * _NANOS_A_ROW + _NANO_AT] = nano
        self._settled.append(row)

    def recorded(self, mark: int, *, is_lost: bool) -> None:
        """The records of everything settled until now were taken; they are safe once `mark` records are.

        Where some of them were lost for want of a disk, their rows stay: they are all that is known of them.
        """
        if self._settled:
            if not is_lost:
                self._unsafe.append((mark, self._settled))
            self._settled = []

    def safe(self, mark: int) -> None:
        """So many records are durable: the rows of the first ones are free again."""
        unsafe, flags = self._unsafe, self._flags
        while unsafe and unsafe[0][0] <= mark:
            rows = unsafe.popleft()[1]
            for row in rows:
                flags[row * _FLAGS_A_ROW + _FLAG_AT] = 0
            self._free += rows

    def close(self) -> None:
        """Lets go of it; the file stays, for whoever settles the worker's leases."""
        self._nanos.release()
        self._flags.release()
        self._memory.close()  # it holds the file too
        os.close(self._file)


class DeadSheet:
    """The sheet of a worker that is dead, held so that nobody else buries it."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self.incarnation = path.name.removesuffix(SUFFIX)
        self._file = file

    def rows(self) -> list[SheetRow] | None:
        """What it had reserved and not yet recorded; `None` when it cannot tell, as after a power cut."""
        content = os.pread(self._file, _HEAD + _NAMES + ROWS * _ROW_SIZE, 0)
        boot = _boot_id()
        if not content.startswith(MAGIC) or content[_BOOT : _BOOT + len(boot)] != boot:
            return None
        if len(content) < _HEAD + _NAMES + ROWS * _ROW_SIZE:
            return None
        payers = _payers(content)
        found = []
        for start in range(_HEAD + _NAMES, len(content), _ROW_SIZE):
            request, at, nano, number = _ROW.unpack_from(content, start)
            if number:
                payer = payers[number - 1] if number <= len(payers) else None
                found.append(SheetRow(request.rstrip(b"\0").decode("ascii", "replace"), at, nano, payer))
        return found

    def close(self) -> None:
        """Lets go of it: it will be found again."""
        os.close(self._file)

    def remove(self) -> None:
        """The worker is buried."""
        self.path.unlink(missing_ok=True)
        os.close(self._file)


def dead_sheets(folder: Path) -> list[DeadSheet]:
    """Sheets whose workers are no more."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        found.append(DeadSheet(path, file))
    return found


def _take_blocks(file: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.pwrite(file, bytes(size), 0)


def _payers(content: bytes) -> list[Payer]:
    found, start = [], _HEAD
    while start + _LENGTH.size <= _HEAD + _NAMES:
        (size,) = _LENGTH.unpack_from(content, start)
        if not size:
            break
        start += _LENGTH.size
        found.append(msgspec.msgpack.decode(content[start : start + size], type=Payer))
        start += size
    return found


def _boot_id() -> bytes:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    except OSError:
        return b"unknown"  # then a sheet is believed after a power cut too, as far as it was written
