"""Which store a URL means, and what is told of one that is none."""

from __future__ import annotations

import time
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
