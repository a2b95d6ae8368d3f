"""A secret in a file that only its owner reads; made once, however many processes ask for it at the same time."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tripoint.adapters.atomic_file import sync_folder
from tripoint.domain.errors import FileError

_OTHERS = stat.S_IRWXO


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds; what `make` gives where there is none yet, written durably and readable by its owner only.

    Raises `FileError` when it cannot be read or written, or when everybody may read it.
    """
    if not path.exists():
        try:
            _place(path, make())
        except OSError as error:
            raise _refusal(path, error) from error
    return read(path)


def read(path: Path) -> bytes:
    """What the file holds. Raises `FileError` when it cannot be read, or when everybody may read it."""
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if mode & _OTHERS:
                raise FileError(
                    f"everybody on this machine may read the secret in `{path}` (mode {stat.S_IMODE(mode):04o})",
                    hint=f"chmod 600 {path}, and replace the secret if somebody may have read it",
                )
            return stream.read()
    except OSError as error:
        raise _refusal(path, error) from error


def _place(path: Path, content: bytes) -> None:
    """Puts a whole file there unless one is there already: a link is made or not, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:  # mkstemp gives the mode 0600
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):  # another process was quicker: its secret counts
            os.link(name, path)
        sync_folder(path.parent)
    finally:
        os.unlink(name)


def _refusal(path: Path, error: OSError) -> FileError:
    reason = error.strerror or type(error).__name__
    return FileError(f"the secret in `{path}` cannot be used: {reason}", hint="check the path and your rights to it")
