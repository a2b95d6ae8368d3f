"""Which store a URL means, and what is told of one that is none."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tripoint.adapters.sql.connect import check_url, connect
from tripoint.adapters.sql.database import Engine, Schema, prepare
from tripoint.domain.errors import OptionError, StoreError


@pytest.mark.parametrize("url", ["mysql://x/y", "http://x", "sqlite://relative"])
def test_a_kind_there_is_none_of_is_refused_before_anything_is_touched(url: str) -> None:
    """With the kinds there are."""
    for refuse in (check_url, connect):
        with pytest.raises(OptionError, match=f"a store of kind `{url.split(':')[0]}` is not known") as told:
            refuse(url)
        assert "postgresql://" in told.value.hint


def test_a_path_and_a_url_mean_the_same_file(tmp_path: Path) -> None:
    """What one wrote the other reads."""
    schema = Schema("test", ("CREATE TABLE thing (name TEXT)",))
    first = connect(str(tmp_path / "store.db"))
    prepare(first, schema, time.time)
    with first.write() as session:
        session.change("INSERT INTO thing VALUES (?)", ("a",))
    first.close()
    second = connect(f"sqlite:///{tmp_path / 'store.db'}")
    with second.read() as session:
        assert session.execute("SELECT name FROM thing") == [("a",)]
    assert second.engine is Engine.SQLITE
    second.close()


@pytest.mark.parametrize(("before", "page"), [(None, 8192), (1024, 1024), (4096, 4096)])
def test_a_store_keeps_its_pages_and_its_log_ends_at_the_same_size(
    tmp_path: Path, before: int | None, page: int
) -> None:
    """A file that was made with pages of another size is read and written on, and is as durable."""
    path = tmp_path / "store.db"
    if before is not None:
        with closing(sqlite3.connect(path)) as older:
            older.execute(f"PRAGMA page_size={before}")
            older.execute("PRAGMA journal_mode=WAL")
            older.execute("CREATE TABLE thing (name TEXT)")
    store = connect(str(path))
    with store.write() as session:
        session.change("CREATE TABLE IF NOT EXISTS thing (name TEXT)")
        session.change("INSERT INTO thing VALUES (?)", ("a",))
        assert session.execute("SELECT name FROM thing") == [("a",)]
        assert session.execute("PRAGMA page_size") == [(page,)]
        assert session.execute("PRAGMA wal_autocheckpoint") == [(33_554_432 // page,)]
        assert session.execute("PRAGMA synchronous") == [(2,)]
    store.close()


def test_a_file_that_is_no_store_is_told_as_that(tmp_path: Path) -> None:
    """Not as a full disk."""
    (tmp_path / "store.db").write_bytes(bytes(range(256)) * 64)
    with pytest.raises(StoreError, match="not a database") as told:
        connect(str(tmp_path / "store.db"))
    assert "no store" in told.value.hint


def test_tables_of_a_newer_program_are_left_alone(tmp_path: Path) -> None:
    """Both numbers are told."""
    database = connect(str(tmp_path / "store.db"))
    prepare(database, Schema("test", ("CREATE TABLE a (x TEXT)", "CREATE TABLE b (x TEXT)")), time.time)
    with pytest.raises(StoreError, match="are at step 2, this program knows 1"):
        prepare(database, Schema("test", ("CREATE TABLE a (x TEXT)",)), time.time)
    database.close()
