"""Whatever is done to a log, verifying names the first entry it was done to."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.audit import Act, AuditEntry, Checkpoint
from tripoint.domain.tenancy import Budget, Scope, Tenant, Window
from tripoint.engines.governance.audit.chain import BEGINNING, checkpoint_bytes, entry_hash, next_entry
from tripoint.engines.governance.audit.rows import bound, difference, row_digest, said
from tripoint.engines.governance.audit.verify import Evidence, Flaw, Verification, verify

ORIGIN, KEY = "tripoint-test", b"signing key"
WORDS = st.text("abcxyz:.", min_size=1, max_size=8)
ACTS = st.builds(
    Act,
    at=st.floats(0, 4e9),
    actor=WORDS,
    action=WORDS,
    subject=WORDS,
    tenant=WORDS,
    detail=st.dictionaries(WORDS, st.one_of(WORDS, st.integers(0, 9), st.none())),
)


def chained(acts: Sequence[Act]) -> list[AuditEntry]:
    """The log of these acts."""
    entries: list[AuditEntry] = []
    for each in acts:
        entries.append(next_entry(entries[-1] if entries else None, each))
    return entries


LOGS = st.lists(ACTS, min_size=1, max_size=8).map(chained)


def sign(message: bytes) -> str:
    """A signature the tests can make without a library."""
    return hmac.new(KEY, message, hashlib.sha256).hexdigest()


def checkpoint(entries: Sequence[AuditEntry], at: float = 1.0) -> Checkpoint:
    """A signed checkpoint of a whole log."""
    unsigned = Checkpoint(ORIGIN, entries[-1].number, entries[-1].hash, at, "k", "")
    return unsigned._replace(signature=sign(checkpoint_bytes(unsigned)))


def examined(entries: Sequence[AuditEntry], *checkpoints: Checkpoint) -> Verification:
    """What is wrong with a log."""
    keys = {"k": lambda message, signature: hmac.compare_digest(sign(message), signature)}
    return verify(entries, Evidence(ORIGIN, checkpoints, keys))


@given(LOGS)
def test_nothing_is_wrong_with_a_log_that_was_left_alone(log: list[AuditEntry]) -> None:
    """Its checkpoint covers it."""
    found = examined(log, checkpoint(log))
    assert found == Verification(entries=len(log), last=log[-1].hash, checkpoints=1, covered=len(log), faults=())


@given(st.data(), LOGS)
def test_an_edit_of_any_field_is_found(data: st.DataObject, log: list[AuditEntry]) -> None:
    """The edited entry is named first, whichever field it was."""
    at = data.draw(st.integers(0, len(log) - 1))
    field = data.draw(st.sampled_from(["at", "actor", "action", "subject", "tenant", "detail", "previous", "hash"]))
    value: object = log[at].at + 1 if field == "at" else f"{getattr(log[at], field)}x"
    edited = [*log[:at], log[at]._replace(**{field: value}), *log[at + 1 :]]  # type: ignore[arg-type]  # one field
    fault = examined(edited).faults[0]
    assert (fault.flaw, fault.number) == (Flaw.EDITED, at + 1)


@given(st.data(), LOGS)
def test_an_edit_with_its_hash_made_to_fit_is_found(data: st.DataObject, log: list[AuditEntry]) -> None:
    """The next entry does not follow; at the end of the log only a checkpoint tells."""
    at = data.draw(st.integers(0, len(log) - 1))
    entry = log[at]._replace(actor=f"{log[at].actor}x")
    edited = [*log[:at], entry._replace(hash=entry_hash(entry)), *log[at + 1 :]]
    found = examined(edited, checkpoint(log))
    flaw, number = (Flaw.REWRITTEN, at + 1) if at == len(log) - 1 else (Flaw.BROKEN, at + 2)
    assert (found.faults[0].flaw, found.faults[0].number) == (flaw, number)


@given(st.data(), LOGS)
def test_a_log_written_anew_from_some_entry_on_is_found(data: st.DataObject, log: list[AuditEntry]) -> None:
    """The chain holds; the checkpoint does not fit."""
    at = data.draw(st.integers(0, len(log) - 1))
    anew = log[:at]
    for entry in log[at:]:
        act = Act(
            at=entry.at, actor="eve", action=entry.action, subject=entry.subject, tenant=entry.tenant,
            detail=json.loads(entry.detail) | {"new": True},
        )  # fmt: skip
        anew.append(next_entry(anew[-1] if anew else None, act))
    assert examined(anew).faults == ()
    assert [fault.flaw for fault in examined(anew, checkpoint(log)).faults] == [Flaw.REWRITTEN]


@given(st.data(), LOGS, ACTS)
def test_an_insertion_is_found(data: st.DataObject, log: list[AuditEntry], act: Act) -> None:
    """Wherever it is put before the end, with whatever number."""
    at = data.draw(st.integers(0, len(log) - 1))
    entry = next_entry(log[at - 1] if at else None, act)
    found = examined([*log[:at], entry, *log[at:]], checkpoint(log))
    assert found.faults
    assert found.faults[0].number == at + 2
    renumbered = [*log[:at], entry, *(each._replace(number=each.number + 1) for each in log[at:])]
    fault = examined(renumbered).faults[0]
    assert (fault.flaw, fault.number) == (Flaw.EDITED, at + 2)


@given(st.data(), st.lists(ACTS, min_size=2, max_size=8).map(chained))
def test_a_removal_in_the_middle_is_found(data: st.DataObject, log: list[AuditEntry]) -> None:
    """The missing entry is named."""
    at = data.draw(st.integers(0, len(log) - 2))
    fault = examined([*log[:at], *log[at + 1 :]]).faults[0]
    assert (fault.flaw, fault.number) == (Flaw.MISSING, at + 1)


@given(st.data(), st.lists(ACTS, min_size=2, max_size=8).map(chained))
def test_entries_in_another_order_are_found(data: st.DataObject, log: list[AuditEntry]) -> None:
    """The first one out of its place is named, also where the numbers were swapped along."""
    one = data.draw(st.integers(0, len(log) - 2))
    other = data.draw(st.integers(one + 1, len(log) - 1))
    swapped = list(log)
    swapped[one], swapped[other] = log[other], log[one]
    assert examined(swapped).faults[0].number == one + 1
    swapped[one] = swapped[one]._replace(number=one + 1)
    swapped[other] = swapped[other]._replace(number=other + 1)
    fault = examined(swapped).faults[0]
    assert (fault.flaw, fault.number) == (Flaw.EDITED, one + 1)


@given(st.data(), LOGS)
def test_a_truncation_is_found_by_the_checkpoint(data: st.DataObject, log: list[AuditEntry]) -> None:
    """The chain alone cannot tell; the first entry that is missing is named."""
    left = data.draw(st.integers(0, len(log) - 1))
    assert examined(log[:left]).faults == ()
    fault = examined(log[:left], checkpoint(log)).faults[0]
    assert (fault.flaw, fault.number) == (Flaw.TRUNCATED, left + 1)


@given(st.data(), LOGS)
def test_a_checkpoint_that_was_changed_is_found(data: st.DataObject, log: list[AuditEntry]) -> None:
    """No field of it can be changed without the key."""
    good = checkpoint(log)
    field = data.draw(st.sampled_from(["number", "hash", "at", "signature"]))
    value = getattr(good, field)
    bad = good._replace(**{field: f"{value}x" if isinstance(value, str) else value + 1})  # type: ignore[arg-type]  # one
    assert [fault.flaw for fault in examined(log, bad).faults] == [Flaw.FORGED]
    assert [fault.flaw for fault in examined(log, good._replace(key_id="other")).faults] == [Flaw.UNTRUSTED]
    assert [fault.flaw for fault in examined(log, good._replace(origin="other")).faults] == [Flaw.OTHER_LOG]


def test_several_checkpoints_are_all_held_against_the_log() -> None:
    """Covered is the furthest that fits."""
    log = chained([Act(at=1.0, actor="a", action="b", subject=str(n), detail={}) for n in range(5)])
    found = examined(log, checkpoint(log[:2]), checkpoint(log[:4]), checkpoint(log[:4], at=2.0))
    assert (found.checkpoints, found.covered, found.faults) == (3, 4, ())


@pytest.mark.parametrize("number", ["1", None, 1.5, -1, 0, 2**60])
def test_a_number_that_is_none_of_ours_is_a_fault_not_a_failure(number: object) -> None:
    """SQLite holds anything in any column."""
    log = chained([Act(at=1.0, actor="a", action="b", subject="c", detail={})])
    wrong = log[0]._replace(number=number)  # type: ignore[arg-type]  # what somebody wrote there
    assert examined([wrong]).faults[0].number == 1


@pytest.mark.parametrize("field", ["at", "actor", "detail", "previous", "hash"])
@pytest.mark.parametrize("value", [None, b"\xff", 2**60, float("nan"), "\ud800"])
def test_a_value_that_is_none_of_ours_is_a_fault_not_a_failure(field: str, value: object) -> None:
    """Likewise."""
    log = chained([Act(at=1.0, actor="a", action="b", subject="c", detail={})])
    fault = examined([log[0]._replace(**{field: value})]).faults[0]  # type: ignore[arg-type]  # likewise
    assert (fault.flaw, fault.number) == (Flaw.EDITED, 1)


def test_an_empty_log_is_whole() -> None:
    """There is nothing to find."""
    assert examined([]) == Verification(entries=0, last=BEGINNING, checkpoints=0, covered=0, faults=())


TENANT = Tenant(id="acme", name="Acme", created_at=1.0)
BUDGET = Budget(id="acme.day", scope=Scope(tenant="acme"), window=Window.DAY, limit_nano=10**18 + 1)


def acted(put: Sequence[Tenant | Budget] = (), drop: Sequence[Tenant | Budget] = ()) -> Act:
    """An act on these rows."""
    return bound(Act(at=1.0, actor="a", action="b", subject="c", detail={}), put, drop)


def test_rows_behind_the_logs_back_are_found() -> None:
    """One that was changed, one that was added, one that is gone."""
    log = chained([acted([TENANT]), acted([BUDGET])])
    good = {"tenant:acme": row_digest(TENANT), "budget:acme.day": row_digest(BUDGET)}
    assert verify(log, Evidence(ORIGIN, rows=good)).faults == ()
    raised = row_digest(replace(BUDGET, limit_nano=BUDGET.limit_nano + 1))
    for rows, told in (
        ({**good, "budget:acme.day": raised}, "the row `budget:acme.day` was changed"),
        ({**good, "key:x": "1"}, "the row `key:x` is there"),
        ({"tenant:acme": good["tenant:acme"]}, "the row `budget:acme.day` is gone"),
    ):
        faults = verify(log, Evidence(ORIGIN, rows=rows)).faults
        assert [fault.flaw for fault in faults] == [Flaw.UNENTERED]
        assert faults[0].told.startswith(told)


def test_a_row_that_was_removed_by_an_act_may_be_gone() -> None:
    """And must not come back by itself."""
    log = chained([acted([TENANT]), acted(drop=[TENANT])])
    assert verify(log, Evidence(ORIGIN, rows={})).faults == ()
    assert verify(log, Evidence(ORIGIN, rows={"tenant:acme": row_digest(TENANT)})).faults


def test_what_is_said_of_rows_is_exact_and_holds_no_hash_of_a_key() -> None:
    """Money as a decimal in text; a change as old and new."""
    assert said(BUDGET)["limit_usd"] == "1000000000.000000001"
    assert "digest" not in said(TENANT)
    other = Tenant(id="acme", name="Acme 2", created_at=1.0, is_suspended=True)
    assert difference(TENANT, other) == {
        "name": {"from": "Acme", "to": "Acme 2"},
        "is_suspended": {"from": False, "to": True},
    }
