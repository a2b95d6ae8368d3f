"""SQLite: a file beside the gateway, nothing to install; every commit is on disk before it is told."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tripoint.adapters.sql.database import Engine, Row
from tripoint.domain.errors import StoreError

_PATIENCE_S = 30.0
_PAGE = 8192
"""Bytes of a page: half as many calls for a load as with the usual 4096, and a small change writes little more."""
_LOG = 32 << 20
"""Bytes of the log before it is copied into the file: what changes with every load is copied less often."""
_SETTINGS = (
    f"PRAGMA page_size={_PAGE}",  # of a file that is made now; whatever another has it keeps
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # NORMAL may lose the last commits when the power goes
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",  # kB: a load's pages are changed in memory, and written once
)


class SqliteSession:
    """An open transaction."""

    engine = Engine.SQLITE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.raw: Any = connection

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Runs one statement; its rows."""
        rows: list[Row] = self.raw.execute(sql, values).fetchall()
        return rows

    def change(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Runs one statement; how many rows it changed."""
        return int(self.raw.execute(sql, values).rowcount)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Runs one statement for each row of parameters; how many rows all of them changed."""
        return int(self.raw.executemany(sql, rows).rowcount)

    def lock(self, name: str) -> None:
        """Nothing to do: a transaction that writes is alone here."""


class SqliteDatabase:
    """A file; `turns` is held while writing, so that writers of one process need not wait by guess.

    Who only `asks` needs no right to write: a file that may not be written is opened anew for each question.
    """

    engine = Engine.SQLITE

    def __init__(self, path: Path, turns: AbstractContextManager[object] | None = None, *, asks: bool = False) -> None:
        self._path = path
        self._turns = turns or nullcontext()
        self.name = f"`{path}`"
        self._connection: sqlite3.Connection | None = None
        self.is_read_only = asks and path.exists() and not _may_write(path)
        if self.is_read_only:
            return
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(path)
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, cached_statements=256)
            for setting in _SETTINGS:
                self._connection.execute(setting)
            ((page,),) = self._connection.execute("PRAGMA page_size")
            self._connection.execute(f"PRAGMA wal_autocheckpoint={_LOG // page}")

    @contextmanager
    def write(self) -> Iterator[SqliteSession]:
        """A transaction that changes something."""
        with (
            self._turns,
            self._told(),
            self._opened() as connection,
            _transaction(connection, "BEGIN IMMEDIATE") as session,
        ):
            yield session

    @contextmanager
    def read(self) -> Iterator[SqliteSession]:
        """A transaction that sees one moment."""
        with self._told(), self._opened() as connection, _transaction(connection, "BEGIN") as session:
            yield session

    def close(self) -> None:
        """Lets go of the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if self._connection is not None:
            yield self._connection
            return
        has_log = _log_of(self._path).exists()
        # Without a log nobody has the file open. SQLite would have to make one then, which others could not write.
        flag = "readonly_shm=1" if has_log else "immutable=1"
        before = _state(self._path)
        connection = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=ro&{flag}", uri=True, timeout=_PATIENCE_S, isolation_level=None
        )
        try:
            yield connection
        finally:
            connection.close()
        if not has_log and _state(self._path) != before:
            raise StoreError(f"the store {self.name} was written while it was read", hint="ask again")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the store {self.name}: {error}", hint=_hint(error, self._path)) from error


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[SqliteSession]:
    connection.execute(begin)
    try:
        yield SqliteSession(connection)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # the cause is what matters
            connection.execute("ROLLBACK")
        raise


def _make(path: Path) -> None:
    """An empty file that only its owner reads, where there is none; SQLite gives its log the same mode."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _state(path: Path) -> tuple[int, int, int]:
    """Changes with every write of the file."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _may_write(path: Path) -> bool:
    """Whether this user may write the file and its log, which SQLite makes beside it while the file is open."""
    beside = (_log_of(path), path.with_name(f"{path.name}-shm"))
    return os.access(path, os.W_OK) and all(
        os.access(each if each.exists() else each.parent, os.W_OK) for each in beside
    )


def _hint(error: Exception, path: Path) -> str:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return "it is damaged, or no store: restore it from a copy, or name another"
    if path.exists() and not os.access(path, os.R_OK):
        return "you may not read this file: ask who owns it"
    if path.exists() and not _may_write(path):
        return "you may not write this file or its folder: run the command as somebody who may"
    return "is the disk full, or the folder gone?"
