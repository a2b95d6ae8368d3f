"""What the ledger process does for the accounts, and how it tells what it could not do."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.factories.accounts import NOON, ROOT
from tests.factories.serving import two_sites

from tripoint.apps import stores, wiring
from tripoint.apps.ledger.accounts import AccountChores
from tripoint.usecases.accounts.tenants import create_tenant
from tripoint.usecases.accounts.turn import Turn


def chores(folder: Path, notes: list[str], url: str = "") -> AccountChores:
    """Fresh ones: everything is due."""
    return AccountChores(folder, url or f"sqlite:///{folder / 'store.db'}", threading.Lock(), notes.append)


def test_what_is_served_becomes_known(tmp_path: Path) -> None:
    """Nothing before there is a table; then its workloads, sites, kinds and layers."""
    notes: list[str] = []
    chores(tmp_path, notes).between_rounds()
    accounts = stores.open_accounts(f"sqlite:///{tmp_path / 'store.db'}")
    assert accounts.served() == {}
    table = two_sites()
    (tmp_path / "table.json").write_bytes(wiring.routing_table_json(table))
    chores(tmp_path, notes).between_rounds()
    served = accounts.served()
    assert served["workload"] == tuple(sorted(route.workload for route in table.routes))
    assert set(served["place"]) == {name for each in table.targets for name in (each.site, each.kind, each.layer)}
    assert notes == []
    accounts.close()


def test_the_log_is_witnessed_once_it_has_an_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the witness of the settings; one that cannot be reached gets later what it missed."""
    monkeypatch.setenv("TRIPOINT_WITNESS", str(tmp_path / "file" / "witness"))
    monkeypatch.delenv("TRIPOINT_AUDIT_KEY_FILE", raising=False)
    (tmp_path / "file").touch()
    notes: list[str] = []
    chores(tmp_path, notes).between_rounds()
    accounts = stores.open_accounts(f"sqlite:///{tmp_path / 'store.db'}")
    create_tenant(accounts, Turn(ROOT, NOON), "acme")
    chores(tmp_path, notes).between_rounds()
    assert len(notes) == 1
    assert "checkpoint" in notes[0]
    assert str(tmp_path / "file" / "witness") in notes[0]
    (tmp_path / "file").unlink()
    chores(tmp_path, notes).between_rounds()
    accounts.close()
    assert len(notes) == 1
    witnessed = stores.read_witness(tmp_path / "file" / "witness")
    assert [each.number for each in witnessed] == [1]


def test_a_store_that_is_gone_is_told_and_stops_nothing(tmp_path: Path) -> None:
    """Both chores say so; the loader goes on."""
    (tmp_path / "file").touch()
    notes: list[str] = []
    chores(tmp_path, notes, f"sqlite:///{tmp_path / 'file' / 'store.db'}").between_rounds()
    assert len(notes) == 2
    assert all("store" in note for note in notes)
