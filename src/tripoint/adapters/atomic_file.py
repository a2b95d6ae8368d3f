"""Write a file whole or not at all: to a temporary file beside it, flushed, then renamed over the old one.

A full disk, a lost right or a crash half way leaves the old file as it was. Renaming inside one folder is
atomic on POSIX file systems (rename(2)).
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tripoint.domain.errors import FileError


def write_text(path: Path, text: str) -> None:
    """Replace the file at `path` by `text` (UTF-8, line ends as given), creating its folder when missing.

    Raises `FileError` naming the file, the cause and what to do; the old file is then untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, text.encode("utf-8"))
    except OSError as error:
        raise _refusal(path, error, rest="; the file that was there before is unchanged") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside `path` to be written, which takes its place when the block ends well.

    Raises `FileError` like `write_text`; the old file is then untouched and the new one gone.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(descriptor)
        part = Path(name)
        try:
            yield part
            with part.open("rb") as stream:
                os.fsync(stream.fileno())
            part.chmod(0o666 & ~_umask())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _refusal(path, error, rest="; the file that was there before is unchanged") from error


def open_folder(folder: Path) -> None:
    """Make the folder when missing and try that files can be made in it; raises `FileError` like `write_text`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".tripoint.", dir=folder):
            pass
    except OSError as error:
        raise _refusal(folder, error) from error


def sync_folder(folder: Path) -> None:
    """Makes names in a folder durable: what was made, renamed or removed there stays so after a power cut.

    Raises `OSError`.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_text(path: Path) -> str:
    """Content of a UTF-8 file; raises `FileError` naming the file and the cause."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileError(f"cannot read `{path}`: {reason}", hint="check the path and your rights to it") from error
    except UnicodeDecodeError as error:
        raise FileError(
            f"`{path}` is not UTF-8 text: byte {error.start} of {len(error.object)} cannot be decoded",
            hint="name a text file written by tripoint",
        ) from error


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes private files; a report is meant to be shared, within the caller's umask.
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _refusal(path: Path, error: OSError, *, rest: str = "") -> FileError:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    advice = "free space or choose another folder" if is_full else "check your rights to it or choose another folder"
    return FileError(f"cannot write `{path}`: {error.strerror or type(error).__name__}", hint=advice + rest)


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
