"""A ledger of before bundles goes on as one: nothing of it is entered again, and all of it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.ledger_sql.schema import schema
from tripoint.adapters.sql.connect import connect
from tripoint.adapters.sql.database import Schema, prepare
from tripoint.domain.errors import StoreError
from tripoint.domain.ledger import Dimension, EntryQuery, Loaded, SpendQuery
from tripoint.testing.ledger_conformance import NOON, piece, usage_record


def made_before(url: str, count: int) -> None:
    """A store of the first schema with so many entries, all of them rows."""
    ledger = SqlLedger(connect(url), lambda: NOON, least=10**9)
    ledger.load([piece([usage_record(number) for number in range(count)])])
    ledger.close()
    database = connect(url)
    with database.write() as session:
        for name in ("ledger_bundle", "ledger_body", "ledger_bundle_line", "ledger_seen"):
            session.change(f"DROP TABLE {name}")
        session.change("DROP INDEX ledger_entry_by_line")
        session.change("DELETE FROM schema_step WHERE name = 'ledger' AND step > 1")
        session.change("DELETE FROM ledger_count WHERE name = 'marked'")
    database.close()


def goes_on(url: str) -> None:
    """Entries of before are known by their ids; new ones come as bundles beside them."""
    made_before(url, 700)
    ledger = SqlLedger(connect(url), lambda: NOON)
    assert ledger.load([piece([usage_record(number) for number in range(600, 1_300)], 100, 200)]) == Loaded(600, 100)
    assert [entry.id for entry in ledger.entries(EntryQuery())] == [f"req-{number}" for number in range(1_300)]
    assert ledger.known(["req-0", "req-1299", "req-1300"]) == {"req-0", "req-1299"}
    assert ledger.audit("1970-01-01", "2999-12-31") == ()
    by_hour = SpendQuery(by=(Dimension.HOUR, Dimension.KEY))
    assert [row.requests for row in ledger.spend(by_hour)] == [1_300]
    ledger.close()


def test_a_file_goes_on(tmp_path: Path) -> None:
    """On SQLite."""
    goes_on(f"sqlite:///{tmp_path / 'store.db'}")


@pytest.mark.enable_socket
def test_a_server_goes_on(postgres_url: str) -> None:
    """On PostgreSQL."""
    goes_on(postgres_url)


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """With what to do."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    database = connect(url)
    now = schema(database.engine)
    prepare(database, Schema("ledger", (*now.steps, "CREATE TABLE later (name TEXT)")), lambda: NOON)
    database.close()
    with pytest.raises(StoreError, match="this program knows 2") as told:
        SqlLedger(connect(url), lambda: NOON)
    assert "newer tripoint" in told.value.hint
