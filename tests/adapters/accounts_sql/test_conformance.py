"""Both databases keep what a store of accounts promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tripoint.adapters.accounts_sql.store import SqlAccounts
from tripoint.adapters.sql.connect import connect
from tripoint.testing.accounts_conformance import NOON, AccountsConformance


class _Opened(AccountsConformance):
    """Closes every hand at a test's end."""

    url = ""

    @pytest.fixture(autouse=True)
    def _closing(self) -> Iterator[None]:
        self.opened: list[SqlAccounts] = []
        yield
        for each in self.opened:
            each.close()

    def open_accounts(self) -> SqlAccounts:
        """A connection of its own."""
        self.opened.append(SqlAccounts(connect(self.url), lambda: NOON))
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
