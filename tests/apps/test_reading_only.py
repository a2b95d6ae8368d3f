"""Questions to a store that one may read and not write; and what is told where writing is needed."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.apps.conftest import RunCli

from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.apps.stores import open_accounts
from tripoint.domain.errors import StoreError
from tripoint.testing.ledger_conformance import NOON, idle, piece, usage_record

QUESTIONS = (
    ("ledger", "top", "--since", "2026-11-18"),
    ("ledger", "show"),
    ("ledger", "check"),
    ("ledger", "anomalies"),
    ("ledger", "top", "--tenant", "acme"),
    ("budget", "list"),
    ("budget", "show", "acme.day"),
    ("tenant", "list"),
    ("tenant", "show", "acme"),
    ("key", "list"),
    ("quota", "list"),
    ("principal", "list"),
    ("audit", "show"),
    ("audit", "verify"),
)

ALL_AT_ONCE = """
import json, os, sys
from click.testing import CliRunner
from tripoint.apps.cli import cli
folder, questions = sys.argv[1], json.loads(sys.argv[2])
for words in questions:
    told = CliRunner().invoke(cli, [*words, "--store", os.path.join(folder, "store.db")], prog_name="tripoint")
    print(json.dumps([words, told.exit_code, told.stdout, told.stderr, sorted(os.listdir(folder))]))
"""
"""Asks one question after the other, as commands of their own would: to start each anew takes longer than to ask."""


@pytest.fixture
def folder(tmp_path: Path, run: RunCli) -> Iterator[Path]:
    """A store somebody may only read, in a folder of the same kind; nobody has it open."""
    place = tmp_path / "books"
    place.mkdir()
    file = place / "store.db"
    store = ("--store", str(file))
    assert run("tenant", "create", "acme", *store).code == 0
    assert run("budget", "set", "--tenant", "acme", "--usd", "1", "--per", "day", *store).code == 0
    ledger = SqlLedger(connect(str(file)), lambda: NOON)
    ledger.load([piece([usage_record(1, at=NOON, tenant="acme")])], [idle()])
    ledger.close()
    assert run("budget", "list", *store).code == 0  # the leases' tables are made
    assert not (place / "store.db-wal").exists()
    file.chmod(0o444)
    place.chmod(0o555)
    yield place
    place.chmod(0o755)


def note_served(file: Path) -> None:
    """Writes the store as somebody else does, and lets go of it."""
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("INSERT INTO served_name VALUES ('workload', 'chat', ?)", (time.time(),))


def asked(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """How a command ended that a user without root's rights ran; it left nothing in the folder."""
    before = sorted(path.name for path in folder.iterdir())
    found = as_user("-m", "tripoint", *words, "--store", str(folder / "store.db"))
    assert sorted(path.name for path in folder.iterdir()) == before
    return found


def as_user(*words: str) -> subprocess.CompletedProcess[str]:
    """How Python ended without root's rights."""
    less = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*less, sys.executable, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def auditor(postgres_url: str, run: RunCli) -> Iterator[str]:
    """A store on a server, as a user who may only read it."""
    import psycopg

    store = ("--store", postgres_url)
    assert run("tenant", "create", "acme", *store).code == 0
    assert run("budget", "set", "--tenant", "acme", "--usd", "1", "--per", "day", *store).code == 0
    ledger = SqlLedger(connect(postgres_url), lambda: NOON)
    ledger.load([piece([usage_record(1, at=NOON, tenant="acme")])], [idle()])
    ledger.close()
    assert run("budget", "list", *store).code == 0  # the leases' tables are made
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute("CREATE ROLE auditor LOGIN")
        owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO auditor")
    yield postgres_url.replace("://tripoint@", "://auditor@")
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute("DROP OWNED BY auditor")
        owner.execute("DROP ROLE auditor")


@pytest.mark.enable_socket
def test_questions_to_a_server_need_no_right_to_write(auditor: str, run: RunCli, tmp_path: Path) -> None:
    """`SELECT` on the tables answers all of them; where more is needed, that right is named and not the server."""
    more = (("ledger", "export", str(tmp_path / "bill.csv")), ("ledger", "report", "--out", str(tmp_path / "s.html")))
    for words in (*QUESTIONS, *more):
        told = run(*words, "--store", auditor)
        assert (words, told.code) == (words, 0), told.err
        assert told.out.strip()
    told = run("tenant", "create", "other", "--store", auditor)
    assert told.code == 3
    assert "permission denied" in told.err
    assert "the user of this URL may not do that" in told.err
    assert "is the server up" not in told.err


@pytest.mark.enable_socket
def test_a_table_one_may_not_read_is_told(auditor: str, run: RunCli) -> None:
    """With the right that is missing."""
    import psycopg

    with psycopg.connect(auditor.replace("://auditor@", "://tripoint@"), autocommit=True) as owner:
        owner.execute("REVOKE SELECT ON ledger_spend FROM auditor")
    told = run("ledger", "top", "--since", "2026-11-18", "--store", auditor)
    assert told.code == 3
    assert "`GRANT SELECT ON ALL TABLES IN SCHEMA" in told.err


def test_a_question_needs_no_right_to_write(folder: Path) -> None:
    """Neither to the file nor to its folder, and makes nothing there; the first of them as a command, then all."""
    told = asked(folder, *QUESTIONS[0])
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip()
    before = sorted(path.name for path in folder.iterdir())
    all_told = as_user("-c", ALL_AT_ONCE, str(folder), json.dumps(QUESTIONS))
    assert all_told.returncode == 0, all_told.stderr
    answers = [json.loads(line) for line in all_told.stdout.splitlines()]
    assert [tuple(words) for words, *_ in answers] == list(QUESTIONS)
    for words, code, out, err, files in answers:
        assert (words, code, files) == (words, 0, before), err
        assert out.strip(), words


def test_an_export_and_a_report_are_made_from_it(folder: Path, tmp_path: Path) -> None:
    """Their own files are elsewhere."""
    for words in (("export", str(tmp_path / "bill.csv")), ("report", "--out", str(tmp_path / "spend.html"))):
        told = asked(folder, "ledger", *words)
        assert told.returncode == 0, told.stderr
    assert (tmp_path / "bill.csv").stat().st_size > 0
    assert (tmp_path / "spend.html").stat().st_size > 0


def test_what_was_written_and_not_yet_copied_into_the_file_is_read(folder: Path) -> None:
    """While a gateway has the store open: its last entries are in the log beside the file."""
    folder.chmod(0o755)
    (folder / "store.db").chmod(0o644)
    ledger = SqlLedger(connect(str(folder / "store.db")), lambda: NOON)
    try:
        ledger.load([piece([usage_record(2, at=NOON, tenant="late")], source="other")])
        assert (folder / "store.db-wal").stat().st_size > 0
        for path in folder.iterdir():
            path.chmod(0o444 if path.name.startswith("store") else 0o600)
        folder.chmod(0o555)
        told = asked(folder, "ledger", "top", "--since", "2026-11-18", "--json")
        assert told.returncode == 0, told.stderr
        assert "late" in [row["tenant"] for row in json.loads(told.stdout)["rows"]]
    finally:
        folder.chmod(0o755)
        ledger.close()


@pytest.mark.parametrize(
    "words", [("tenant", "create", "other"), ("ledger", "close", "--before", "2026-11-19", "--out", ".")]
)
def test_where_writing_is_needed_the_cause_is_named(folder: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    """The right that is missing, not a full disk."""
    told = asked(folder, *(str(tmp_path / "archive") if word == "." else word for word in words))
    assert told.returncode == 3
    assert "you may not write this file or its folder" in told.stderr
    assert "disk full" not in told.stderr


def test_a_file_that_changes_while_it_is_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a log SQLite does not look for writers: no half-read answer is given."""
    monkeypatch.setattr("tripoint.adapters.sql.sqlite._may_write", lambda path: False)
    accounts = open_accounts(str(folder / "store.db"), asks=True)
    folder.chmod(0o755)
    (folder / "store.db").chmod(0o644)
    with pytest.raises(StoreError, match="was written while it was read") as told, accounts.read():
        note_served(folder / "store.db")
    assert told.value.hint == "ask again"


def test_a_store_is_made_for_its_owner_only(tmp_path: Path) -> None:
    """With the log and its index beside it, whatever the umask; one that is there keeps the mode it was given."""
    before = os.umask(0)
    try:
        opened = open_accounts(str(tmp_path / "store.db"))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    opened.close()
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
    (tmp_path / "store.db").chmod(0o640)
    opened = open_accounts(str(tmp_path / "store.db"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o640}
    opened.close()
