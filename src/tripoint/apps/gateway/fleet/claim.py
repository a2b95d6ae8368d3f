"""One gateway to a run folder: two would take each other's ledger, counters and segments for their own."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from tripoint.domain.errors import FileError, OptionError

_LOCK = "gateway.lock"


def claim(run_dir: Path) -> int:
    """Claims a run folder for this process until it ends or closes the descriptor given back.

    Raises `FileError` where the folder cannot be written, since without it no accounts are known and nobody could be
    answered, and `OptionError` when another gateway has it.
    """
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(run_dir / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise _unwritable(run_dir, error.strerror or str(error)) from error
    if not os.access(run_dir, os.W_OK | os.X_OK):  # the file was there already, and is all that can be written
        os.close(descriptor)
        raise _unwritable(run_dir, os.strerror(errno.EACCES))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise OptionError(
            f"the run folder `{run_dir}` is in use by another gateway{f', process {holder}' if holder else ''}",
            hint="name another with `--run-dir`; several gateways may share a `--store`",
        ) from None
    with suppress(OSError):  # a full disk takes no number, the claim holds all the same
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())
    return descriptor


def _unwritable(run_dir: Path, reason: str) -> FileError:
    return FileError(
        f"the run folder `{run_dir}` cannot be written: {reason}",
        hint="check your rights to it, or name another with `--run-dir`",
    )
