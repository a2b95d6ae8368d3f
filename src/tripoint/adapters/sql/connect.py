"""Which database a store's URL means."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from tripoint.adapters.sql.database import Database
from tripoint.adapters.sql.postgres import PostgresDatabase
from tripoint.adapters.sql.sqlite import SqliteDatabase
from tripoint.domain.errors import OptionError

_SQLITE, _POSTGRES = "sqlite:///", ("postgresql://", "postgres://")


def connect(url: str, turns: AbstractContextManager[object] | None = None, *, asks: bool = False) -> Database:
    """Opens `sqlite:///relative/path`, `sqlite:////absolute/path`, `postgresql://…`, or a plain path (SQLite).

    `turns` is a lock that connections of one process share: those that write take turns by it, where that matters.
    Who only `asks` may read what it may not write.
    Raises `OptionError` for another kind of URL, `StoreError` when it cannot be opened, `MissingExtraError` without the
    driver.
    """
    if url.startswith(_POSTGRES):
        return PostgresDatabase(url, asks=asks)
    if url.startswith(_SQLITE):
        return SqliteDatabase(Path(url.removeprefix(_SQLITE)), turns, asks=asks)
    check_url(url)
    return SqliteDatabase(Path(url), turns, asks=asks)


def check_url(url: str) -> None:
    """Raises `OptionError` for a kind of store there is none of; touches nothing."""
    if "://" in url and not url.startswith((*_POSTGRES, _SQLITE)):
        kind = url.split("://", 1)[0]
        raise OptionError(
            f"a store of kind `{kind}` is not known", hint="sqlite:///path/to/store.db or postgresql://user@host/name"
        )
