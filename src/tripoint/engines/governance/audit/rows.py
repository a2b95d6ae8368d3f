"""What the log says of the rows an act changed: their values for people, and a digest that binds the tables to it.

Whoever edits a table behind the log's back leaves a row whose digest the log does not know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace

from tripoint.domain.audit import Act
from tripoint.domain.money import usd
from tripoint.domain.tenancy import Account, ApiKey, Budget, OneTimeToken, Principal, Quota, Tenant
from tripoint.engines.governance.audit.canonical import canonical

KINDS: tuple[tuple[type[Account], str], ...] = (
    (Tenant, "tenant"),
    (Principal, "principal"),
    (ApiKey, "key"),
    (Quota, "quota"),
    (Budget, "budget"),
    (OneTimeToken, "token"),
)
"""What each kind of row is called in the log."""

_UNSAID = ("digest",)


def kind_of(row: Account) -> str:
    """What the kind of a row is called."""
    return next(name for kind, name in KINDS if isinstance(row, kind))


def plain(row: Account) -> dict[str, object]:
    """A row as plain JSON values; money as dollars in text, since JSON's numbers are not exact."""
    values: dict[str, object] = asdict(row)
    if isinstance(row, Budget):
        values["limit_usd"] = format(usd(values.pop("limit_nano")), "f")  # type: ignore[arg-type]  # asdict forgets it
    return values


def said(row: Account) -> dict[str, object]:
    """What the log says of a row: all but the hash of a key."""
    return {name: value for name, value in plain(row).items() if name not in _UNSAID}


def difference(before: Account, after: Account) -> dict[str, object]:
    """What an act changed: the old and the new value of each field that differs."""
    old, new = said(before), said(after)
    return {name: {"from": old.get(name), "to": new[name]} for name in new if old.get(name) != new[name]}


def row_digest(row: Account) -> str:
    """SHA-256 of everything in a row, hexadecimal."""
    return hashlib.sha256(canonical(plain(row)).encode()).hexdigest()


def bound(act: Act, put: Sequence[Account], drop: Sequence[Account]) -> Act:
    """The act with the digests of what it leaves behind, by `kind:id`; nothing where it removes."""
    rows: dict[str, object] = {f"{kind_of(row)}:{row.id}": row_digest(row) for row in put}
    rows |= {f"{kind_of(row)}:{row.id}": None for row in drop}
    return replace(act, detail={**act.detail, "rows": rows}) if rows else act
