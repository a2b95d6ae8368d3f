"""Who may see and prove the log, and when a checkpoint is due."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.factories.accounts import NOON, ROOT, actor, file_store, turn

from tripoint.adapters.accounts_sql.store import SqlAccounts
from tripoint.adapters.signing.ed25519 import Ed25519Signer
from tripoint.domain.errors import AccessError, ConflictError, MissingError
from tripoint.domain.tenancy import Role
from tripoint.engines.governance.audit.verify import Flaw
from tripoint.usecases.accounts.tenants import create_tenant, rename_tenant
from tripoint.usecases.audit import (
    checkpoint_is_due,
    list_checkpoints,
    name_log,
    show_entries,
    sign_checkpoint,
    verify_log,
)

HOUR_S = 3600.0
AUDITOR = actor(Role.AUDITOR, name="aud")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlAccounts]:
    """A store whose log has a name and no entry."""
    opened = file_store(tmp_path)
    name_log(opened, "tripoint-one")
    yield opened
    opened.close()


@pytest.fixture
def signer(tmp_path: Path) -> Ed25519Signer:
    """What signs."""
    return Ed25519Signer(tmp_path / "key")


def test_a_log_keeps_the_name_it_was_given_first(store: SqlAccounts) -> None:
    """So that no other log passes for it."""
    assert name_log(store, "tripoint-two") == "tripoint-one"


def test_there_is_nothing_to_sign_before_the_first_act(store: SqlAccounts, signer: Ed25519Signer) -> None:
    """And nothing wrong with an empty log."""
    assert not checkpoint_is_due(store, now=NOON, every_s=0.0)
    with pytest.raises(ConflictError, match="no entry yet"):
        sign_checkpoint(store, ROOT, signer, now=NOON)
    assert verify_log(store, ROOT, (), {}).faults == ()


def test_a_checkpoint_is_due_when_the_log_has_grown_and_time_has_passed(
    store: SqlAccounts, signer: Ed25519Signer
) -> None:
    """At once for the first; then after an hour, if there is anything new."""
    create_tenant(store, turn(), "acme")
    assert checkpoint_is_due(store, now=NOON, every_s=HOUR_S)
    made = sign_checkpoint(store, AUDITOR, signer, now=NOON)
    assert (made.origin, made.number, made.at) == ("tripoint-one", 1, NOON)
    assert list_checkpoints(store, AUDITOR) == (made,)
    assert not checkpoint_is_due(store, now=NOON + 2 * HOUR_S, every_s=HOUR_S)
    rename_tenant(store, turn(), "acme", name="Acme")
    assert not checkpoint_is_due(store, now=NOON + HOUR_S - 1, every_s=HOUR_S)
    assert checkpoint_is_due(store, now=NOON + HOUR_S, every_s=HOUR_S)


def test_checkpoints_of_the_store_and_of_a_witness_count_once(store: SqlAccounts, signer: Ed25519Signer) -> None:
    """The same one seen twice is one; a foreign one is told."""
    create_tenant(store, turn(), "acme")
    made = sign_checkpoint(store, ROOT, signer, now=NOON)
    keys = {signer.key_id: signer.public.is_good}
    found = verify_log(store, AUDITOR, (made, made), keys)
    assert (found.faults, found.checkpoints, found.covered) == ((), 1, 1)
    foreign = made._replace(origin="tripoint-two")
    assert [fault.flaw for fault in verify_log(store, ROOT, (foreign,), keys).faults] == [Flaw.OTHER_LOG]
    assert [fault.flaw for fault in verify_log(store, ROOT, (), {}).faults] == [Flaw.UNTRUSTED]


def test_only_auditors_and_admins_see_and_prove(store: SqlAccounts, signer: Ed25519Signer) -> None:
    """One who is bound sees his tenant's entries, and proves nothing about all."""
    create_tenant(store, turn(), "acme")
    create_tenant(store, turn(), "other")
    assert len(show_entries(store, AUDITOR)) == 2
    assert [entry.number for entry in show_entries(store, AUDITOR, after=1, limit=1)] == [2]
    bound = actor(Role.AUDITOR, tenant="acme")
    assert [entry.subject for entry in show_entries(store, bound)] == ["acme"]
    with pytest.raises(MissingError):
        show_entries(store, AUDITOR, tenant="nobody")
    for who in (actor(Role.DEVELOPER, Role.OPERATOR, Role.FINANCE), bound):
        with pytest.raises(AccessError):
            sign_checkpoint(store, who, signer, now=NOON)
        with pytest.raises(AccessError):
            verify_log(store, who, (), {})
    with pytest.raises(AccessError):
        show_entries(store, actor(Role.DEVELOPER))


def test_a_long_verification_says_how_far_it_is(store: SqlAccounts, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many of so many, and nothing of a log that is short."""
    for name in ("acme", "globex", "initech"):
        create_tenant(store, turn(ROOT), name)
    told: list[tuple[int, int]] = []
    verify_log(store, ROOT, (), {}, lambda done, of_all: told.append((done, of_all)))
    assert told == []
    monkeypatch.setattr("tripoint.usecases.audit.TOLD_EVERY", 2)
    verify_log(store, ROOT, (), {}, lambda done, of_all: told.append((done, of_all)))
    assert told == [(2, 3)]
