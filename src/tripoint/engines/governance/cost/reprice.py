"""Prices were wrong: what would entries have cost by another price version? The difference is a row, never an edit.

Every entry can be computed again from its tokens and its price row; that is what a correction rests on, and what an
auditor repeats.
"""

from __future__ import annotations

from typing import NamedTuple

from tripoint.domain.ledger import Adjustment, Entry, EntryKind, PriceRow
from tripoint.domain.record import Ending

PREFIX = "reprice/"
"""How the id of every row made here begins."""


class Corrected(NamedTuple):
    """Corrections an entry has had."""

    nano: int = 0
    """Sum of their effective cost, nano-dollars."""
    list_nano: int = 0
    """Sum of their list cost."""
    rows: int = 0
    """How many there are."""


NEVER = Corrected()
"""An entry that has had none."""


def computed(entry: Entry, row: PriceRow) -> tuple[int, int]:
    """Effective and list cost of an entry by a price row, nano-dollars; a refusal costs nothing."""
    if entry.ending == Ending.REFUSED:
        return 0, 0
    tokens = (entry.tokens_in, entry.tokens_out, entry.cached)
    return row.tariff.nano(*tokens), row.listed.nano(*tokens)


def repriced(entry: Entry, row: PriceRow, version: str, before: Corrected = NEVER) -> Adjustment | None:
    """The row that brings a usage entry to what it costs by `row` of `version`; `None` where it is there already.

    `before` are earlier corrections of the entry; as their number is part of the id, of two who correct the same at
    once only one does.
    """
    nano, listed = computed(entry, row)
    missing, missing_list = nano - entry.nano - before.nano, listed - entry.list_nano - before.list_nano
    if missing == 0 and missing_list == 0:
        return None
    return Adjustment(
        id=f"{PREFIX}{entry.id}/{version}/{before.rows}",
        kind=EntryKind.CORRECTION,
        at=entry.at,
        tenant=entry.tenant,
        key=entry.key,
        workload=entry.workload,
        model=entry.model,
        site=entry.site,
        upstream=entry.upstream,
        nano=missing,
        list_nano=missing_list,
        tokens_in=0,
        tokens_out=0,
        prices=version,
        corrects=entry.id,
        reason=f"{nano} nano-dollars by price version {version} instead of {entry.nano + before.nano}",
    )
