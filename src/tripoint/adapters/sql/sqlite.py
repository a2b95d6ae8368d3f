"""SQLite: a file beside the gateway, nothing to install; every commit is on disk before it is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from tripoint.adapters.sql.database import Engine, Row
from tripoint.domain.errors import StoreError

_PATIENCE_S = 30.0
_SETTINGS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # NORMAL may lose the last commits when the power goes
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",  # kB: a load's pages are changed in memory, and written once
    "PRAGMA wal_autocheckpoint=8192",  # pages: what changes with every load is copied into the file less often
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
    """A file; `turns` is held while writing, so that writers of one process need not wait by guess."""

    engine = Engine.SQLITE

    def __init__(self, path: Path, turns: AbstractContextManager[object] | None = None) -> None:
        self._path = path
        self._turns = turns or nullcontext()
        self.name = f"`{path}`"
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, cached_statements=256)
            for setting in _SETTINGS:
                self._connection.execute(setting)

    @contextmanager
    def write(self) -> Iterator[SqliteSession]:
        """A transaction that changes something."""
        with self._turns, self._told(), self._transaction("BEGIN IMMEDIATE") as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[SqliteSession]:
        """A transaction that sees one moment."""
        with self._told(), self._transaction("BEGIN") as session:
            yield session

    def close(self) -> None:
        """Lets go of the file."""
        with suppress(sqlite3.Error):
            self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[SqliteSession]:
        connection = self._connection
        connection.execute(begin)
        try:
            yield SqliteSession(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # the cause is what matters
                connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the store {self.name}: {error}", hint=_hint(error)) from error


def _hint(error: Exception) -> str:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return "it is damaged, or no store: restore it from a copy, or name another"
    return "is the disk full, or the folder gone?"
