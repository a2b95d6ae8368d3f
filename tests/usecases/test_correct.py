"""Corrections: a row of their own and an act in the log, made once, refused where they make no sense."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tripoint.adapters.accounts_sql.store import SqlAccounts
from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.domain.errors import AccessError, ConflictError, MissingError, OptionError, StoreError
from tripoint.domain.ledger import Adjustment, EntryKind, EntryQuery, SpendQuery
from tripoint.domain.tenancy import Actor, Role
from tripoint.testing.ledger_conformance import NOON, piece, usage_record
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.accounts.tenants import create_tenant
from tripoint.usecases.accounts.turn import Turn
from tripoint.usecases.audit import show_entries
from tripoint.usecases.correct import MAX_NANO, Correction, alike, correct

ME = local_actor("me")
WANTED = Correction(nano=-1_500_000_001, reason="credit for the outage", tenant="acme")
Desk = tuple[SqlAccounts, SqlLedger]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A store with a tenant and one request of it."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    accounts, ledger = SqlAccounts(connect(url), lambda: NOON), SqlLedger(connect(url), lambda: NOON)
    create_tenant(accounts, Turn(ME, NOON), "acme")
    ledger.load([piece([usage_record(1, tenant="acme", nano=4_000_000_000)])])
    yield accounts, ledger
    accounts.close()
    ledger.close()


def turn(request: str = "", actor: Actor = ME) -> Turn:
    """An act at noon."""
    return Turn(actor, NOON, request=request)


def spent(ledger: SqlLedger) -> int:
    """All that is entered for the tenant, nano-dollars."""
    return sum(row.nano for row in ledger.spend(SpendQuery(by=(), tenant="acme")))


def test_a_correction_is_a_row_and_an_act(desk: Desk) -> None:
    """The sums move by exactly its amount, the entry stays as it was, and the log tells who and how much."""
    accounts, ledger = desk
    row, is_repeat = correct(accounts, ledger, turn(), WANTED)
    assert not is_repeat
    assert spent(ledger) == 2_499_999_999
    kinds = [(each.kind, each.nano) for each in ledger.entries(EntryQuery())]
    assert kinds == [(EntryKind.USAGE, 4_000_000_000), (EntryKind.CORRECTION, -1_500_000_001)]
    act = show_entries(accounts, ME)[-1]
    assert (act.action, act.subject, act.tenant) == ("ledger.correct", row.id, "acme")
    assert '"usd":"-1.500000001"' in act.detail


def test_the_same_request_makes_one_row(desk: Desk) -> None:
    """Asked again it answers with the first; with other values it is refused; without a name it is another."""
    accounts, ledger = desk
    first, _ = correct(accounts, ledger, turn("r"), WANTED)
    again, is_repeat = correct(accounts, ledger, Turn(ME, NOON + 9, request="r"), WANTED)
    assert (again, is_repeat) == (first, True)
    with pytest.raises(ConflictError, match="other values"):
        correct(accounts, ledger, turn("r"), Correction(nano=-1, reason="another", tenant="acme"))
    assert spent(ledger) == 2_499_999_999
    correct(accounts, ledger, turn(), WANTED)
    assert spent(ledger) == 999_999_998


def test_what_the_ledger_could_not_take_is_entered_when_asked_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log knows of it first; the repetition does what is missing, once."""
    accounts, ledger = desk

    def full(*pieces: object) -> None:
        raise StoreError("the disk is full", hint="make room")

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "load", full)
        with pytest.raises(StoreError):
            correct(accounts, ledger, turn("r"), WANTED)
    assert spent(ledger) == 4_000_000_000
    row, is_repeat = correct(accounts, ledger, Turn(ME, NOON + 9, request="r"), WANTED)
    assert (is_repeat, row.at, spent(ledger)) == (True, NOON, 2_499_999_999)
    assert len([act for act in show_entries(accounts, ME) if act.action == "ledger.correct"]) == 1


@pytest.mark.parametrize(
    ("wanted", "kind", "told"),
    [
        (Correction(nano=0, reason="x", tenant="acme"), OptionError, "0 USD"),
        (Correction(nano=MAX_NANO + 1, reason="x", tenant="acme"), OptionError, "at most 10,000,000"),
        (Correction(nano=1, reason=" ", tenant="acme"), OptionError, "empty"),
        (Correction(nano=1, reason="x", tenant="acme", at=NOON + 1), OptionError, "in the future"),
        (Correction(nano=1, reason="x", tenant="acne"), MissingError, "no tenant `acne`"),
        (Correction(nano=1, reason="x", tenant="acme", model="no-such"), OptionError, "model `no-such` of `acme`"),
        (Correction(nano=1, reason="x", tenant="acme", corrects="nobody"), OptionError, "no entry `nobody`"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_noted(
    desk: Desk, wanted: Correction, kind: type[Exception], told: str
) -> None:
    """With what is wrong; neither the log nor the ledger moves."""
    accounts, ledger = desk
    before = accounts.revision()
    with pytest.raises(kind, match=told):
        correct(accounts, ledger, turn(), wanted)
    assert (accounts.revision(), spent(ledger)) == (before, 4_000_000_000)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("tenant", [None, "acme"])
def test_only_finance_and_admins_of_all_tenants_may(desk: Desk, role: Role, tenant: str | None) -> None:
    """A tenant never corrects its own bill."""
    accounts, ledger = desk
    actor = Actor("somebody", frozenset((role,)), tenant)
    if tenant is None and role in (Role.ADMIN, Role.FINANCE):
        row: Adjustment = correct(accounts, ledger, turn(actor=actor), WANTED).row
        assert row.tenant == "acme"
        return
    with pytest.raises(AccessError):
        correct(accounts, ledger, turn(actor=actor), WANTED)


def test_a_correction_of_the_same_values_is_found(desk: Desk) -> None:
    """The one before, whatever came between; none for another amount, and none for the first."""
    accounts, ledger = desk
    first, _ = correct(accounts, ledger, turn(), WANTED)
    assert alike(ledger, first) == ""
    other, _ = correct(accounts, ledger, turn(), Correction(nano=-7, reason="credit for the outage", tenant="acme"))
    assert alike(ledger, other) == ""
    again, _ = correct(accounts, ledger, turn(), WANTED)
    assert alike(ledger, again) == first.id


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (
            Correction(nano=-25_000_000_000, reason="credit", tenant="acme"),
            "a credit of 25 USD is more than the 4 USD ever spent there, earlier credits taken off",
        ),
        (Correction(nano=-4_000_000_001, reason="credit", tenant="acme"), "than the 4 USD"),
        (Correction(nano=-1, reason="credit", tenant="globex"), "a credit of 0.000000001 USD is more than the 0 USD"),
        (
            Correction(nano=-1, list_nano=-90_000_000_000, reason="credit", tenant="acme"),
            "90 USD at list prices is more than the 0.0003 USD",
        ),
    ],
)
def test_a_credit_above_all_that_was_spent_is_asked_about(desk: Desk, wanted: Correction, told: str) -> None:
    """A slip of a digit would lift every budget of its scope; whoever means it says so."""
    accounts, ledger = desk
    create_tenant(accounts, Turn(ME, NOON), "globex")
    before = accounts.revision()
    with pytest.raises(OptionError, match=told) as refused:
        correct(accounts, ledger, turn(), wanted)
    assert "force" in refused.value.hint
    assert accounts.revision() == before
    row, _ = correct(accounts, ledger, turn(), wanted, is_forced=True)
    assert row.nano == wanted.nano


def test_a_credit_may_take_back_all_that_was_spent_once(desk: Desk) -> None:
    """Nothing is left for a second one; the same request asked again is answered all the same."""
    accounts, ledger = desk
    whole = Correction(nano=-4_000_000_000, reason="credit", tenant="acme")
    first, _ = correct(accounts, ledger, turn("r"), whole)
    again, is_repeat = correct(accounts, ledger, turn("r"), whole)
    assert (again, is_repeat) == (first, True)
    with pytest.raises(OptionError, match="than the 0 USD"):
        correct(accounts, ledger, turn(), whole)
