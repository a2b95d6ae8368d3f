"""Is a store's file a database at all? Asked before anything is started that would fail on it again and again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tripoint.adapters.sql.connect import connect

_NEVER_A_STORE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def refuse_no_database(url: str) -> None:
    """Raises `StoreError`, in the words of whoever opens it, where the URL names a file that is no database.

    The file is only read. A store that may only be away passes: a server, a file that is not there, that cannot be
    opened, or that is locked now.
    """
    name = url.removeprefix("sqlite:///")
    if "://" in name or not _is_no_database(Path(name)):
        return
    with closing(connect(url)) as database, database.read() as session:
        session.execute("PRAGMA schema_version")


def _is_no_database(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0)) as connection:
            connection.execute("PRAGMA schema_version")
    except (sqlite3.Error, OSError) as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _NEVER_A_STORE
    return False
