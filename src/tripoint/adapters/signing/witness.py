"""Checkpoints in a file elsewhere, one JSON line each: what the log cannot go back behind without being seen."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tripoint.domain.audit import Checkpoint
from tripoint.domain.errors import FileError
from tripoint.engines.governance.audit.canonical import canonical

_MAX_LINE = 4096


def append_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Adds a line, durably. Raises `FileError`."""
    line = _line(checkpoint)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # a line that a crash tore stays alone
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileError(
            f"no checkpoint could be left with the witness `{path}`: {reason}", hint="check the path and your rights"
        ) from error


def leave_missing(path: Path, checkpoints: Iterable[Checkpoint]) -> None:
    """Adds those that are not there yet: what a witness missed while it could not be reached. Raises `FileError`."""
    try:
        kept = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise _unreadable(path, error) from error
    for checkpoint in checkpoints:
        if _line(checkpoint) not in kept:
            append_checkpoint(path, checkpoint)


def read_checkpoints(path: Path) -> tuple[Checkpoint, ...]:
    """The checkpoints in a file. Raises `FileError` for one that cannot be read, or a line that holds none."""
    found: list[Checkpoint] = []
    decode = msgspec.json.Decoder(Checkpoint).decode
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    if len(line) > _MAX_LINE:
                        raise ValueError("too long")
                    values = msgspec.json.decode(line, type=dict[str, object])
                    found.append(decode(msgspec.json.encode([values[name] for name in Checkpoint._fields])))
                except (msgspec.MsgspecError, ValueError, KeyError) as error:
                    raise FileError(
                        f"line {number} of the witness `{path}` holds no checkpoint",
                        hint="a line torn by a crash may be removed; anything else was edited",
                    ) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    return tuple(found)


def _line(checkpoint: Checkpoint) -> bytes:
    return canonical(checkpoint._asdict()).encode() + b"\n"


def _unreadable(path: Path, error: OSError) -> FileError:
    reason = error.strerror or type(error).__name__
    return FileError(f"cannot read the witness `{path}`: {reason}", hint="check the path and your rights to it")
