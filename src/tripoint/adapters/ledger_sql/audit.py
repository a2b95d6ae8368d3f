"""Do entries add up to their sums? All are counted anew: rows, columns of bundles, and the records in these."""

from __future__ import annotations

from collections.abc import Iterator

from tripoint.adapters.ledger_sql import sums
from tripoint.adapters.sql.database import Session
from tripoint.domain.ledger import Dimension, Mismatch, Spend, SpendQuery

_D = Dimension
_AUDITED = (
    (_D.DAY, _D.KIND, _D.TENANT, _D.KEY, _D.WORKLOAD, _D.MODEL, _D.SITE, _D.UPSTREAM, _D.TARIFF, _D.PRICES),
    (_D.DAY, _D.KIND, _D.TENANT, _D.MODEL, _D.SITE),
    (_D.DAY, _D.KIND, _D.TENANT),
    (_D.HOUR, _D.KIND, _D.WORKLOAD, _D.MODEL, _D.SITE, _D.UPSTREAM, _D.TARIFF, _D.PRICES),
    (_D.DAY, _D.KIND, _D.MODEL, _D.SITE),
)
"""One question for each cube, as fine as it can answer."""


def mismatches(session: Session, since: str, until: str) -> Iterator[Mismatch]:
    """Lines of those days whose entries do not add up to their sums, in any of the cubes."""
    from tripoint.adapters.ledger_sql.bundles.recount import from_columns, from_records, told_by

    days = SpendQuery(by=(), since=since, until=until)
    counted = (from_records(session, days), from_columns(session, days))
    for by in _AUDITED:
        query = SpendQuery(by=by, since=since, until=until)
        kept = {row.by: row for row in sums.spend(session, query)}
        several = [{row.by: row for row in sums.with_bundles(session, query, told_by(each, by))} for each in counted]
        for key in sorted(kept.keys() | several[0].keys() | several[1].keys()):
            summed = kept.get(key, _nothing(key))
            for anew in several:
                entered = anew.get(key, _nothing(key))
                if entered != summed:
                    yield Mismatch(by, key, entered, summed)
                    break


def _nothing(by: tuple[str, ...]) -> Spend:
    return Spend(by, *([0] * 10))
