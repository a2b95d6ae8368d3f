"""Both databases keep what a ledger promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tripoint.adapters.ledger_sql.ledger import LEAST, SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.testing.ledger_conformance import NOON, LedgerConformance


class _Opened(LedgerConformance):
    """Closes every hand at a test's end."""

    url = ""
    least = LEAST

    @pytest.fixture(autouse=True)
    def _closing(self) -> Iterator[None]:
        self.opened: list[SqlLedger] = []
        yield
        for each in self.opened:
            each.close()

    def open_ledger(self) -> SqlLedger:
        """A connection of its own."""
        self.opened.append(SqlLedger(connect(self.url), lambda: NOON, least=self.least))
        return self.opened[-1]


class TestOnSqlite(_Opened):
    """A file."""

    @pytest.fixture(autouse=True)
    def _fresh(self, tmp_path: Path) -> None:
        self.url = f"sqlite:///{tmp_path / 'store.db'}"


@pytest.mark.enable_socket
class TestOnPostgres(_Opened):
    """A server."""

    @pytest.fixture(autouse=True)
    def _fresh(self, postgres_url: str) -> None:
        self.url = postgres_url


class TestBundlesOnSqlite(TestOnSqlite):
    """A file, with a bundle for every load."""

    least = 1


class TestBundlesOnPostgres(TestOnPostgres):
    """A server, likewise."""

    least = 1
