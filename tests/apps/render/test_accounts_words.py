"""What an audit entry says it changed, in a line."""

from __future__ import annotations

import re

import pytest

from tripoint.apps.render.accounts import budget_table, change_words
from tripoint.domain.tenancy import Budget, Scope, Window
from tripoint.usecases.standing import Standing


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ('{"limit_usd":{"from":"50","to":"75.500000000"},"rows":{"budget:a":"d"}}', "limit_usd 50 -> 75.5"),
        ('{"window":"day","limit_usd":"5","is_enforced":true}', "limit_usd 5, window day, is_enforced yes"),
        ('{"removed":{"limit_usd":"5","scope":{"tenant":"acme"}}}', "was limit_usd 5"),
        ('{"requests_per_min":{"from":null,"to":60}}', "requests_per_min none -> 60"),
        ('{"usd":"-12.500000000","reason":"credit","at":0}', "usd -12.5, reason credit, at 1970-01-01 00:00:00"),
        ('{"roles":["admin","auditor"]}', "roles admin, auditor"),
        ("{}", ""),
        ("[1]", "unreadable"),
        ("{", "unreadable"),
    ],
)
def test_what_changed_is_told_amounts_first(detail: str, words: str) -> None:
    """Without what the other columns say."""
    assert change_words(detail) == words


def test_a_long_change_is_cut() -> None:
    """A line has room for so much; JSON has the rest."""
    words = change_words('{"reason":"' + "x" * 200 + '"}')
    assert len(words) == 60
    assert words.endswith("…")


@pytest.mark.parametrize("columns", [80, 140])
@pytest.mark.parametrize("spent_nano", [-999_699_000, -1, 0, 250_000, 500_000, 10**12])
def test_a_budget_is_one_row_of_one_width_whatever_is_spent(
    spent_nano: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A credit far above what was spent, and an overdraft far above the limit: the other budgets are still found."""
    monkeypatch.setenv("COLUMNS", str(columns))
    budget = Budget(
        id="acme.assistant.day", scope=Scope(tenant="acme", workload="assistant"), window=Window.DAY,
        limit_nano=500_000, is_enforced=True,
    )  # fmt: skip
    lines = budget_table([Standing(budget=budget, window="2026-11-22", spent_nano=spent_nano)] * 3).splitlines()
    assert max(map(len, lines)) <= columns
    assert len([line for line in lines if line.startswith("acme.assistant.day ")]) == 3
    bars = re.findall("[█·]+", "\n".join(lines))
    assert [len(bar) for bar in bars] == ([10] * 3 if columns == 140 else [])
    assert "limit USD" in lines[0]
    assert ("left out for lack of room" in "\n".join(lines)) == (columns == 80)
