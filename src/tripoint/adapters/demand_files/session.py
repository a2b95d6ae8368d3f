"""A DuckDB session of our own for one file: bounded memory, a private folder to spill to, nothing left
behind.

Everything a fit needs is staged in one temporary database file, so a log larger than memory is read once and
then aggregated column by column. DuckDB is the extra `demand`.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tripoint.domain.errors import FileError, InternalError, MissingExtraError, PlatformError

try:
    import duckdb
except ImportError:  # the extra is optional: a plan needs no DuckDB
    duckdb = None  # type: ignore[assignment, unused-ignore]  # the name of a module; unused where it has no types

Row = tuple[Any, ...]
MAX_THREADS = 4
_PATIENCE_S = 0.05


@dataclass(frozen=True, slots=True)
class Session:
    """One connection and its folder."""

    connection: Any
    """The DuckDB connection."""
    folder: Path
    """Temporary folder of this session."""

    def run(self, sql: str, parameters: Sequence[object] = ()) -> None:
        """Run a statement for its effect."""
        _heard(self.connection, lambda: self.connection.execute(sql, list(parameters)))

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of a query whose answer is small."""
        answer: list[Row] = _heard(self.connection, lambda: self.connection.execute(sql, list(parameters)).fetchall())
        return answer

    def row(self, sql: str, parameters: Sequence[object] = ()) -> Row:
        """The only row of an aggregate."""
        return self.rows(sql, parameters)[0]

    def readable(self, path: Path) -> str:
        """A name of the file that DuckDB does not take for a pattern."""
        if not set("*?[]{}") & set(str(path)):
            return str(path)
        alias = self.folder / f"source{len(list(self.folder.iterdir()))}"
        alias.symlink_to(path.resolve())
        return str(alias)


def _heard(connection: Any, query: Callable[[], Any]) -> Any:
    """What a query answers, run beside the main thread so that Ctrl-C is heard while DuckDB is deep in a task.

    The interruption may come at any point, even while the thread is starting: whatever runs is then told to stop until
    it has, because DuckDB forgets an interruption that comes before its query begins.
    """
    answers: list[Any] = []
    failures: list[BaseException] = []
    done = threading.Event()  # not `Thread.join`: interrupted, that takes a running thread for a finished one

    def work() -> None:
        try:
            answers.append(query())
        except BaseException as error:  # handed to the caller's thread, whatever it is
            failures.append(error)
        finally:
            done.set()

    beside = threading.Thread(target=work, daemon=True)
    try:
        beside.start()
        while not done.wait(_PATIENCE_S):
            pass
    except KeyboardInterrupt:
        while beside.ident is not None and not done.wait(_PATIENCE_S):
            connection.interrupt()
        raise
    if failures:
        raise failures[0]
    return answers[0]


@contextmanager
def open_session(memory_mb: int, file: str) -> Iterator[Session]:
    """A session that removes its folder at the end and tells DuckDB's failures in our terms."""
    if duckdb is None:
        raise MissingExtraError(
            "fitting demand needs DuckDB, which is not installed",
            hint="install it with `pip install 'tripoint[demand]'`",
        )
    with tempfile.TemporaryDirectory(prefix="tripoint-demand-") as folder, _told(file, memory_mb):
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{memory_mb}MB",
            "threads": min(MAX_THREADS, os.cpu_count() or 1),
            "temp_directory": str(Path(folder) / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        with duckdb.connect(str(Path(folder) / "staging.duckdb"), config=settings) as connection:
            connection.execute("SET enable_progress_bar = false")  # it would draw on standard output
            yield Session(connection, Path(folder))


@contextmanager
def _told(file: str, memory_mb: int) -> Iterator[None]:
    """DuckDB's exceptions by who must act."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise PlatformError(
            f"{memory_mb} MB of memory, or the disk behind it, were not enough to read `{file}`",
            hint="allow more memory, or point TMPDIR to a larger disk",
        ) from error
    except duckdb.IOException as error:
        raise FileError(
            f"cannot read `{file}`: {_first_line(error)}",
            hint="check the disk and the file; copy or download it again",
        ) from error
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        raise FileError(
            f"`{file}` is damaged: {_first_line(error)}", hint="write or download the file again"
        ) from error
    except duckdb.Error as error:
        raise InternalError(
            f"reading `{file}` failed: {_first_line(error)}",
            hint="please report this with the file's first lines",
        ) from error


def _first_line(error: Exception) -> str:
    """DuckDB's message without its query excerpt."""
    return str(error).strip().splitlines()[0].removesuffix(".")
