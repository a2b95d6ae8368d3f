"""Somebody who holds the database edits it: what the triggers keep off, and what verifying finds once they are gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.factories.accounts import NOON, ROOT, entropy, key_of, turn

from tripoint.adapters.accounts_sql.store import SqlAccounts
from tripoint.adapters.signing.ed25519 import Ed25519Signer
from tripoint.adapters.sql.connect import connect
from tripoint.adapters.sql.database import Database, Engine
from tripoint.domain.audit import Checkpoint
from tripoint.domain.errors import StoreError
from tripoint.domain.tenancy import Scope, Window
from tripoint.engines.governance.access.limits import Money
from tripoint.engines.governance.audit.verify import Fault, Flaw, Verification
from tripoint.usecases.accounts.limits import set_budget
from tripoint.usecases.accounts.tenants import create_tenant, suspend_tenant
from tripoint.usecases.audit import name_log, sign_checkpoint, verify_log

ACTS = 6


class Tampering:
    """The same on both databases; `url` is a fresh one."""

    url = ""
    folder: Path

    @pytest.fixture(autouse=True)
    def _log(self, tmp_path: Path, _fresh: None) -> Iterator[None]:
        """A log of six acts, a signed checkpoint of it, and a hand on the tables beside the store."""
        self.store = SqlAccounts(connect(self.url), lambda: NOON)
        self.hand: Database = connect(self.url)
        self.signer = Ed25519Signer(tmp_path / "key")
        name_log(self.store, "tripoint-test")
        create_tenant(self.store, turn(), "acme")
        create_tenant(self.store, turn(), "other")
        key_of(self.store, "acme", entropy()())
        for limit in (1, 2):
            money = Money(limit_nano=limit * 10**9, window=Window.DAY)
            set_budget(self.store, turn(), Scope(tenant="acme"), money)
        suspend_tenant(self.store, turn(), "other")
        self.seen = sign_checkpoint(self.store, ROOT, self.signer, now=NOON)
        assert self.seen.number == ACTS
        yield
        self.store.close()
        self.hand.close()

    def run(self, *statements: str) -> None:
        """Changes the tables directly, as whoever owns the database may, with the triggers out of the way."""
        sqlite = self.hand.engine is Engine.SQLITE
        with self.hand.write() as session:
            for table in ("audit_entry", "audit_checkpoint"):
                if sqlite:
                    session.change(f"DROP TRIGGER IF EXISTS {table}_no_update")
                    session.change(f"DROP TRIGGER IF EXISTS {table}_no_delete")
                else:
                    session.change(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            for statement in statements:
                assert session.change(statement) > 0, statement

    def verified(self, *witnessed: Checkpoint) -> Verification:
        """What verifying finds, with the checkpoints of a witness."""
        return verify_log(self.store, ROOT, witnessed, {self.signer.key_id: self.signer.public.is_good})

    def first(self, *witnessed: Checkpoint) -> Fault:
        """The first thing it finds."""
        return self.verified(*witnessed).faults[0]

    def test_a_log_left_alone_is_whole(self) -> None:
        """Chain, checkpoint and rows."""
        found = self.verified(self.seen)
        assert (found.faults, found.entries, found.covered) == ((), ACTS, ACTS)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_entry SET actor = 'eve' WHERE number = 2",
            "DELETE FROM audit_entry WHERE number = 6",
            "UPDATE audit_checkpoint SET number = 3",
            "DELETE FROM audit_checkpoint",
        ],
    )
    def test_a_program_cannot_change_the_log(self, statement: str) -> None:
        """The database itself refuses, and says why."""
        with pytest.raises(StoreError, match="only ever added to"), self.hand.write() as session:
            session.change(statement)
        assert self.verified(self.seen).faults == ()

    @pytest.mark.parametrize("column", ["actor", "action", "subject", "tenant", "detail", "previous", "hash"])
    def test_an_edit_is_found(self, column: str) -> None:
        """Whichever column."""
        self.run(f"UPDATE audit_entry SET {column} = {column} || 'x' WHERE number = 3")
        assert self.first()[:2] == (Flaw.EDITED, 3)

    def test_an_edited_time_is_found(self) -> None:
        """By one second."""
        self.run("UPDATE audit_entry SET at = at + 1 WHERE number = 6")
        assert self.first()[:2] == (Flaw.EDITED, 6)

    def test_an_insertion_is_found(self) -> None:
        """A copy of the third entry after it, the later ones moved on by one."""
        self.run(
            "UPDATE audit_entry SET number = number + 100 WHERE number > 3",
            "INSERT INTO audit_entry SELECT 4, at, actor, action, subject, tenant, detail, previous, hash"
            " FROM audit_entry WHERE number = 3",
            "UPDATE audit_entry SET number = number - 99 WHERE number > 100",
        )
        assert self.first()[:2] == (Flaw.EDITED, 4)

    def test_another_order_is_found(self) -> None:
        """Two entries change places."""
        self.run(
            "UPDATE audit_entry SET number = 99 WHERE number = 2",
            "UPDATE audit_entry SET number = 2 WHERE number = 5",
            "UPDATE audit_entry SET number = 5 WHERE number = 99",
        )
        assert self.first()[:2] == (Flaw.EDITED, 2)

    def test_a_removal_is_found(self) -> None:
        """An entry in the middle is gone."""
        self.run("DELETE FROM audit_entry WHERE number = 4")
        assert self.first()[:2] == (Flaw.MISSING, 4)

    def test_a_truncation_is_found_by_the_witness(self) -> None:
        """Also when the store's own checkpoints went with it."""
        self.run(
            "DELETE FROM audit_entry WHERE number > 5",
            "DELETE FROM audit_checkpoint",
            "UPDATE tenant SET is_suspended = 0 WHERE id = 'other'",
        )
        assert self.verified().faults == ()
        fault = self.first(self.seen)
        assert fault[:2] == (Flaw.TRUNCATED, 6)
        assert "ends with entry 5, and had 6" in fault.told

    @pytest.mark.parametrize(
        ("statement", "row"),
        [
            ("UPDATE budget SET limit_nano = limit_nano * 1000", "budget:acme.day"),
            ("UPDATE tenant SET is_suspended = 0 WHERE id = 'other'", "tenant:other"),
            ("UPDATE api_key SET workloads = '[\"chat\"]'", "key:"),
            ("UPDATE api_key SET digest = 'another'", "key:"),
            ("DELETE FROM budget", "budget:acme.day"),
            (
                "INSERT INTO principal VALUES ('eve', NULL, '[\"admin\"]', 1, NULL, 0)",
                "principal:eve",
            ),
            ("INSERT INTO principal VALUES ('eve', NULL, 'no list', 1, NULL, 0)", "principal:eve"),
        ],
    )
    def test_a_row_changed_behind_the_log_is_found(self, statement: str, row: str) -> None:
        """Nobody raises a budget or makes an admin without an entry."""
        self.run(statement)
        faults = self.verified(self.seen).faults
        assert [fault.flaw for fault in faults] == [Flaw.UNENTERED]
        assert f"`{row}" in faults[0].told

    def test_a_row_that_makes_no_sense_is_told_to_who_asks_for_it(self) -> None:
        """Not a failure of ours."""
        self.run("UPDATE api_key SET workloads = 'nonsense'")
        with pytest.raises(StoreError, match="is not valid"):
            self.store.accounts(NOON)


class TestOnSqlite(Tampering):
    """A file."""

    @pytest.fixture
    def _fresh(self, tmp_path: Path) -> None:
        self.url = f"sqlite:///{tmp_path / 'store.db'}"


@pytest.mark.enable_socket
class TestOnPostgres(Tampering):
    """A server."""

    @pytest.fixture
    def _fresh(self, postgres_url: str) -> None:
        self.url = postgres_url

    def test_emptying_the_log_is_refused_too(self) -> None:
        """TRUNCATE does not go by rows."""
        with pytest.raises(StoreError, match="only ever added to"), self.hand.write() as session:
            session.change("TRUNCATE audit_entry")
