"""A DuckDB connection that spills beside the file it works on, and whose failures are told in our terms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tripoint.domain.errors import FileError, MissingExtraError, PlatformError

try:
    import duckdb
except ImportError:  # the extra is optional: CSV needs no DuckDB
    duckdb = None  # type: ignore[assignment, unused-ignore]  # the name of a module; unused where it has no types

MEMORY_MB = 1024
"""Memory a session may use before it spills, MB."""

_DAMAGED: Final = "the file is cut off or damaged; export or download it again"
_DISK: Final = "check the disk, the file and your rights to both"


@contextmanager
def open_session(file: str, folder: Path) -> Iterator[Any]:
    """A connection for work on `file` that spills into `folder`.

    Raises `MissingExtraError` without DuckDB, `FileError` and `PlatformError` where the file or the machine fail.
    """
    if duckdb is None:
        raise MissingExtraError(
            "Parquet needs DuckDB, which is not installed",
            hint="install it with `pip install 'tripoint[demand]'`, or use CSV",
        )
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{MEMORY_MB}MB",
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": True,
        "TimeZone": "UTC",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    zone = settings.pop("TimeZone")
    try:
        with duckdb.connect(config=settings) as connection:
            connection.execute("SET enable_progress_bar = false")  # it would draw on standard output
            connection.execute(f"SET TimeZone = {literal(str(zone))}")
            yield connection
    except duckdb.OutOfMemoryException as error:
        raise PlatformError(
            f"{MEMORY_MB} MB of memory, or the disk behind it, were not enough for `{file}`",
            hint="free space where the file is, or work on fewer days",
        ) from error
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0].removesuffix(".")
        # What it calls invalid input is content; all else is the disk and rights.
        hint = _DAMAGED if isinstance(error, duckdb.InvalidInputException) else _DISK
        raise FileError(f"working on `{file}` failed: {reason}", hint=hint) from error


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"
