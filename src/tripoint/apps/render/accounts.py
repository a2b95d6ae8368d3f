"""Tenants, principals, keys, quotas, budgets and audit entries as tables for people and as payloads for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tripoint.apps.render.ledger import fitting
from tripoint.apps.render.plain import plain_text
from tripoint.apps.render.plan_text.layout import table
from tripoint.domain.audit import AuditEntry
from tripoint.domain.money import usd
from tripoint.domain.tenancy import Account, ApiKey, Principal, Quota, Scope, Tenant
from tripoint.engines.governance.audit.rows import said
from tripoint.usecases.standing import Standing

_BAR = 10
_BUDGET_LEFT_OUT_FIRST = ("used", "held USD", "window", "workload", "key", "%")
_ROOM = 60
_WHAT = "what"
"""Heading of the column that says what changed."""
_TOLD_ALREADY = frozenset(("rows", "id", "scope", "tenant", "created_at"))


def tenant_table(rows: Iterable[Tenant]) -> str:
    """One row per tenant."""
    return _table(
        ("tenant", "name", "since", "state"),
        [(row.id, row.name, _day(row.created_at), _state(is_suspended=row.is_suspended)) for row in rows],
    )


def principal_table(rows: Iterable[Principal]) -> str:
    """One row per principal."""
    return _table(
        ("principal", "roles", "tenant", "subject", "since", "state"),
        [
            (
                row.id,
                ", ".join(row.roles),
                row.tenant or "all",
                row.subject or "",
                _day(row.created_at),
                _state(is_suspended=row.is_suspended),
            )
            for row in rows
        ],
    )


def key_table(rows: Iterable[ApiKey], now: float) -> str:
    """One row per key, without any secret."""
    return _table(
        ("key", "name", "of", "may call", "only at", "since", "state"),
        [
            (
                row.id,
                row.name,
                f"{row.principal} (admin)" if row.principal is not None else row.tenant,
                ", ".join(row.workloads) or ("" if row.principal is not None else "all"),
                ", ".join(row.only_at),
                _day(row.created_at),
                key_state(row, now),
            )
            for row in rows
        ],
    )


def quota_table(rows: Iterable[Quota]) -> str:
    """One row per quota."""
    return _table(
        ("quota", "tenant", "key", "workload", "requests/min", "tokens/min", "at once"),
        [
            (
                row.id,
                *_scope(row.scope),
                *(_count(each) for each in (row.requests_per_min, row.tokens_per_min, row.concurrency)),
            )
            for row in rows
        ],
        right=3,
    )


def budget_table(rows: Iterable[Standing]) -> str:
    """One row per budget, with what is spent of it in the window that runs now, as far as there is room."""
    return fitting(
        ("budget", "tenant", "key", "workload", "window", "state", "spent USD", "held USD", "limit USD", "%", "used"),
        [
            (
                row.budget.id,
                *_scope(row.budget.scope),
                row.window,
                budget_state(row),
                dollars(row.spent_nano),
                dollars(row.held_nano),
                dollars(row.budget.limit_nano),
                f"{row.percent:,.1f}",
                _bar(row.percent),
            )
            for row in rows
        ],
        _BUDGET_LEFT_OUT_FIRST,
    )


def entry_lines(entries: Sequence[AuditEntry]) -> str:
    """One row per audit entry."""
    return _table(
        ("no.", "time (UTC)", "who", "did", "to", "tenant", _WHAT, "hash"),
        [
            (
                str(row.number),
                moment(row.at),
                row.actor,
                row.action,
                row.subject,
                row.tenant,
                change_words(row.detail),
                row.hash[:12],
            )
            for row in entries
        ],
    )


def change_words(detail: str) -> str:
    """What an act changed, amounts first, as far as a line has room: `limit_usd 5 -> 7.5`."""
    try:
        said = json.loads(detail)
    except ValueError:  # an entry somebody edited; `audit verify` tells of it
        return "unreadable"
    if not isinstance(said, dict):
        return "unreadable"
    inner = said.get("removed")
    named = inner if isinstance(inner, dict) else said
    parts = [
        (not name.endswith(("usd", "_min", "concurrency")), name, words)
        for name, value in named.items()
        if name not in _TOLD_ALREADY and (words := _value_words(name, value))
    ]
    parts.sort(key=lambda part: part[0])
    text = ", ".join(f"{name} {words}" for _, name, words in parts)
    text = f"was {text}" if named is inner and text else text
    return text if len(text) <= _ROOM else f"{text[: _ROOM - 1]}…"


def _value_words(name: str, value: object) -> str:
    if isinstance(value, dict) and set(value) == {"from", "to"}:
        return f"{_value_words(name, value['from']) or 'none'} -> {_value_words(name, value['to']) or 'none'}"
    if value is None or value == "" or value == [] or isinstance(value, dict):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if (name == "at" or name.endswith("_at")) and isinstance(value, (int, float)):
        return moment(value)
    if name.endswith("usd") and isinstance(value, str):
        return value.rstrip("0").rstrip(".") if "." in value else value
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def row_payload(row: Account) -> dict[str, Any]:
    """A row as plain values, for `--json`; never the hash of a key."""
    return said(row)


def standing_payload(row: Standing) -> dict[str, Any]:
    """A budget and how it stands, for `--json`; money as exact decimals in text."""
    return {
        **said(row.budget),
        "running": row.window,
        "spent_usd": format(usd(row.spent_nano), "f"),
        "held_usd": format(usd(row.held_nano), "f"),
        "is_given_out": row.is_given_out,
        "percent": round(row.percent, 3),
        "warned_at": row.warned_at,
    }


def key_state(row: ApiKey, now: float) -> str:
    """Whether a key opens anything, and until when."""
    if row.revoked_at is not None and row.revoked_at <= now:
        return f"revoked {moment(row.revoked_at)}"
    ends = [each for each in (row.revoked_at, row.expires_at) if each is not None]
    if not ends:
        return "good"
    return f"good until {moment(min(ends))}" if min(ends) > now else f"expired {moment(min(ends))}"


def budget_state(row: Standing) -> str:
    """What happens now."""
    if not row.budget.is_enforced:
        return f"warns only, {row.warned_at} % reached" if row.warned_at else "warns only"
    if row.percent < 100 and row.is_given_out:
        return "all held"
    return "used up" if row.percent >= 100 else f"{row.warned_at} % reached" if row.warned_at else "good"


def dollars(nano: int) -> str:
    """An amount for people: cents, and more places where cents would hide it."""
    amount = usd(nano)
    places = 2 if nano % 10_000_000 == 0 or abs(amount) >= 1 else 6
    shown = amount.quantize(Decimal(1).scaleb(-places))
    return f"{shown:,f}" if shown or not nano else f"{amount:,f}"


def moment(at: float) -> str:
    """A time for people, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _state(*, is_suspended: bool) -> str:
    return "suspended" if is_suspended else "good"


def _scope(scope: Scope) -> tuple[str, str, str]:
    return (scope.tenant, scope.key or "all", scope.workload or "all")


def _count(number: int | None) -> str:
    return "no limit" if number is None else f"{number:,}"


def _bar(percent: float) -> str:
    full = max(0, min(_BAR, int(percent * _BAR / 100)))  # a credit makes it negative
    return "█" * full + "·" * (_BAR - full)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: int = 0) -> str:
    """A plain table; the last `right` columns are numbers, and what changed may take several lines."""
    first = len(head) - right
    kinds = ["r" if number >= first else "f" if name == _WHAT else "l" for number, name in enumerate(head)]
    return plain_text(table(list(zip(head, kinds, strict=True)), rows))
