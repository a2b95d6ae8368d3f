"""What an audit entry says it changed, in a line."""

from __future__ import annotations

import pytest

from tripoint.apps.render.accounts import change_words


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
