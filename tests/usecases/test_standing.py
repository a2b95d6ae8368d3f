"""How budgets stand against what the ledger has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.domain.ledger import Piece
from tripoint.domain.tenancy import Budget, Scope, Window
from tripoint.testing.ledger_conformance import NOON, usage_record
from tripoint.usecases.standing import standings

DAY_S = 86_400.0


def budget(window: Window, limit_nano: int, **scope: str) -> Budget:
    """A budget of acme's."""
    return Budget(id="b", scope=Scope(tenant="acme", **scope), window=window, limit_nano=limit_nano)


def test_what_is_spent_is_that_of_scope_and_window(tmp_path: Path) -> None:
    """Yesterday counts for the month only; another key, workload or tenant not at all."""
    ledger = SqlLedger(connect(f"sqlite:///{tmp_path / 'store.db'}"), lambda: NOON)
    records = (
        usage_record(1, nano=100),
        usage_record(2, nano=20, at=NOON - DAY_S),
        usage_record(3, nano=3, key="key-2"),
        usage_record(4, nano=4_000, workload="rag"),
        usage_record(5, nano=50_000, tenant="other"),
    )
    ledger.load([Piece("usage-0-aa-000000.seg", "aa", 0, 9, records)])
    asked = (
        (budget(Window.DAY, 10_000), 4_103),
        (budget(Window.MONTH, 10_000), 4_123),
        (budget(Window.DAY, 10_000, key="key-1", workload="chat"), 100),
        (budget(Window.DAY, 10_000, key="key-2"), 3),
        (budget(Window.DAY, 10_000, workload="nobody"), 0),
    )
    found = standings(ledger, [each for each, _ in asked], NOON)
    assert [each.spent_nano for each in found] == [spent for _, spent in asked]
    assert [each.window for each in found[:2]] == ["2026-11-18", "2026-11"]
    assert found[0].percent == 41.03
    ledger.close()


def test_the_shares_at_which_an_owner_is_told_are_exact(tmp_path: Path) -> None:
    """At 50, 80 and 100 %, not a nano-dollar before; a limit of nothing is used up from the start."""
    ledger = SqlLedger(connect(f"sqlite:///{tmp_path / 'store.db'}"), lambda: NOON)
    ledger.load([Piece("usage-0-aa-000000.seg", "aa", 0, 9, (usage_record(1, nano=1_000),))])
    limits = {2_001: 0, 2_000: 50, 1_251: 50, 1_250: 80, 1_001: 80, 1_000: 100, 999: 100, 0: 100}
    found = standings(ledger, [budget(Window.DAY, limit) for limit in limits], NOON)
    assert [each.warned_at for each in found] == list(limits.values())
    assert found[-1].percent == 100.0
    ledger.close()


def test_a_budget_whose_rest_is_held_gives_nothing_more(tmp_path: Path) -> None:
    """Spent and held together, to the nano-dollar; one that only warns always gives."""
    ledger = SqlLedger(connect(f"sqlite:///{tmp_path / 'store.db'}"), lambda: NOON)
    ledger.load([Piece("usage-0-aa-000000.seg", "aa", 0, 9, (usage_record(1, nano=1_000),))])
    asked = budget(Window.DAY, 5_000)
    for held, is_given_out in ((3_999, False), (4_000, True)):
        (found,) = standings(ledger, [asked], NOON, {(asked.id, "2026-11-18"): held, ("other", "2026-11-18"): 9_999})
        assert (found.held_nano, found.is_given_out) == (held, is_given_out)
        (warning,) = standings(ledger, [replace(asked, is_enforced=False)], NOON, {(asked.id, "2026-11-18"): held})
        assert not warning.is_given_out
    ledger.close()
