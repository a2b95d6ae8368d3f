"""Finished trials of one run, a line each, so that a run that was cut off goes on where it was.

A file belongs to one digest of everything that decides the trials; its name and first line carry it. Each line
begins with its checksum: one that was cut off or damaged is passed over, and its trial is played again. Lines are
only ever added, in one write each, so two runs of the same thing may share a file.
"""

from __future__ import annotations

import errno
import json
import os
import zlib
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from tripoint.domain.errors import FileError
from tripoint.domain.stress import Order, Trial

SCHEMA = "tripoint/trials/v1"
_NAMED = 16
"""Characters of the digest in a file's name."""


class TrialFile:
    """The file of one run in a folder, made with the first trial that is kept."""

    def __init__(self, folder: Path, digest: str) -> None:
        self.path = folder / f"trials-{digest[:_NAMED]}.jsonl"
        self._digest = digest
        self._descriptor: int | None = None

    def __enter__(self) -> TrialFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def finished(self) -> dict[str, Trial]:
        """Trials by `Order.key`; none when there is no file. Raises `FileError` for a file of something else."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._refusal("read", error) from error
        found: dict[str, Trial] = {}
        for line in lines:
            row = _checked(line)
            if row is None:
                continue
            if row.get("digest", self._digest) != self._digest:
                raise FileError(
                    f"`{self.path}` holds trials of something else (digest {row['digest']}, not {self._digest})",
                    hint="name another folder, or remove the file",
                )
            if "trial" in row:
                try:
                    found[str(row["key"])] = msgspec.convert(row["trial"], Trial)
                except (msgspec.ValidationError, KeyError):
                    continue  # written by another version: played again
        return found

    def keep(self, order: Order, trial: Trial) -> None:
        """Adds a trial; raises `FileError` when the disk does not take it."""
        line = _line({"key": order.key, "trial": asdict(trial)})
        try:
            if self._descriptor is None:
                self._descriptor = self._open()
            _write(self._descriptor, line)
        except OSError as error:
            raise self._refusal("write", error) from error

    def close(self) -> None:
        """Lets go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        size = os.fstat(descriptor).st_size
        if size == 0:
            _write(descriptor, _line({"schema": SCHEMA, "digest": self._digest}))
        elif os.pread(descriptor, 1, size - 1) != b"\n":
            _write(descriptor, b"\n")  # the last line was cut off: what follows begins one of its own
        return descriptor

    def _refusal(self, what: str, error: OSError) -> FileError:
        hint = "free space, check your rights to it, or choose another folder"
        return FileError(f"cannot {what} `{self.path}`: {error.strerror or type(error).__name__}", hint=hint)


def _line(row: dict[str, object]) -> bytes:
    text = json.dumps(row, separators=(",", ":")).encode()
    return b"%08x %b\n" % (zlib.crc32(text), text)


def _write(descriptor: int, line: bytes) -> None:
    if os.write(descriptor, line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _checked(line: bytes) -> dict[str, Any] | None:
    """What a line holds; `None` when it was cut off or damaged."""
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    row = json.loads(text)
    return row if isinstance(row, dict) else None
