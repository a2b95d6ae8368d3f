"""A file that is no database is refused before anything is started; a store that is only away is not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tripoint.adapters.sql.connect import connect
from tripoint.adapters.sql.examine import refuse_no_database
from tripoint.domain.errors import StoreError


@pytest.mark.parametrize("content", [bytes(range(256)) * 64, b"hello"])
def test_a_file_that_is_no_store_is_refused_without_being_opened(tmp_path: Path, content: bytes) -> None:
    """In the words of one who opens it, and nothing is left beside it."""
    file = tmp_path / "odd name?#%.db"
    file.write_bytes(content)
    refusals = []
    for refuse in (connect, refuse_no_database):
        with pytest.raises(StoreError) as told:
            refuse(f"sqlite:///{file}")
        refusals.append((told.value.message, told.value.hint))
    assert refusals[0] == refusals[1]
    assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


def test_a_store_that_is_away_passes(tmp_path: Path) -> None:
    """A folder not mounted, a server that is down, a file yet empty, one that is locked, and a sound one."""
    missing, empty, sound = tmp_path / "gone" / "store.db", tmp_path / "empty.db", tmp_path / "store.db"
    empty.touch()
    refuse_no_database(f"sqlite:///{missing}")
    refuse_no_database(str(empty))
    refuse_no_database("postgresql://nobody@127.0.0.1:1/none")
    assert not missing.parent.exists()
    database = connect(str(sound))
    with database.write() as session:
        session.change("CREATE TABLE thing (name TEXT)")
        refuse_no_database(str(sound))
    refuse_no_database(str(sound))
    database.close()
    with closing(sqlite3.connect(sound, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        refuse_no_database(str(sound))
