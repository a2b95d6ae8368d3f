"""Prices were wrong: entries are brought to another price version by rows of their difference; nothing is edited."""

from __future__ import annotations

from typing import NamedTuple

from tripoint.domain.errors import MissingError
from tripoint.domain.ledger import Adjustment, Entry, EntryKind, EntryQuery
from tripoint.engines.governance.cost.reprice import NEVER, PREFIX, Corrected, repriced
from tripoint.ports import Ledger

_AT_ONCE = 5_000


class Repriced(NamedTuple):
    """What a correction came to."""

    looked_at: int
    """Usage entries in question."""
    corrected: int
    """Entries among them that cost something else now."""
    unpriced: int
    """Entries whose price row the version does not have; they are left as they are."""
    nano: int
    """Sum of the differences, nano-dollars."""


def reprice(ledger: Ledger, query: EntryQuery, version: str) -> Repriced:
    """Brings the usage entries of `query` to `version`, row by row of the same name; asked again it changes nothing.

    Raises `MissingError` when the version is not known and `StoreError` when the store takes nothing: what was entered
    by then stays, and the rest is entered when it is asked again.
    """
    rows = {row.tariff.id: row for row in ledger.prices(version)}
    if not rows:
        raise MissingError(
            f"no price version `{version}` is kept",
            hint="`tripoint ledger top --by prices --since DAY` lists the versions of those days",
        )
    before = _corrected(ledger, query)
    looked_at = corrected = unpriced = nano = 0
    found: list[Adjustment] = []
    for entry in ledger.entries(query._replace(kinds=(EntryKind.USAGE,))):
        looked_at += 1
        row = rows.get(entry.tariff)
        if row is None:
            unpriced += _is_priced(entry)
            continue
        change = repriced(entry, row, version, before.get(entry.id, NEVER))
        if change is None:
            continue
        corrected += 1
        nano += change.nano
        found.append(change)
        if len(found) >= _AT_ONCE:
            ledger.load((), found)
            found = []
    if found:
        ledger.load((), found)
    return Repriced(looked_at, corrected, unpriced, nano)


def _is_priced(entry: Entry) -> bool:
    return bool(entry.tariff)


def _corrected(ledger: Ledger, query: EntryQuery) -> dict[str, Corrected]:
    """Earlier corrections by the entry they are of."""
    found: dict[str, Corrected] = {}
    for each in ledger.entries(query._replace(kinds=(EntryKind.CORRECTION,))):
        if each.id.startswith(PREFIX):
            known = found.get(each.corrects, NEVER)
            found[each.corrects] = Corrected(known.nano + each.nano, known.list_nano + each.list_nano, known.rows + 1)
    return found
