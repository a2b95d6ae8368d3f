"""Entries in full, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any

import msgspec

from tripoint.adapters.ledger_sql.names import count_of
from tripoint.adapters.ledger_sql.schema import Detail
from tripoint.adapters.sql.database import Database, Row
from tripoint.domain.ledger import Entry, EntryQuery

_PAGE = 5_000
_decode = msgspec.msgpack.Decoder(Detail).decode
_COLUMNS = (
    "e.number, l.kind, e.id, e.at_us, l.tenant, l.key, l.workload, l.model, l.site, l.upstream, l.tariff, l.prices,"
    " m.api, m.status, m.ending, m.error, m.is_stream, m.is_estimated, m.reason, e.requests, e.tokens_in, e.cached,"
    " e.tokens_out, e.reasoning, e.nano, e.list_nano, e.marginal_nano, e.detail"
)


def entries(database: Database, query: EntryQuery) -> Iterator[Entry]:
    """Entries that a query asks for, in its order; what is entered after the first was asked for is left out."""
    with database.read() as session:
        below = count_of(session, "entry")
        has_bundles = bool(session.execute("SELECT 1 FROM ledger_bundle LIMIT 1"))
    found = _rows(database, query, below)
    if has_bundles:
        from tripoint.adapters.ledger_sql.bundles.read import bundle_entries

        kept = bundle_entries(database, query, below)
        found = merge(found, kept, key=attrgetter("number"), reverse=query.is_newest_first)
    return islice(found, query.limit)


def _rows(database: Database, query: EntryQuery, below: int) -> Iterator[Entry]:
    """Those of them that are rows."""
    after, left = query.after, query.limit
    if after is None and query.is_newest_first:
        after = below
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        with database.read() as session:
            rows = session.execute(*_page(query, after, size))
        for row in rows:
            if row[0] >= below:
                return
            yield _entry(row)
        if len(rows) < size:
            return
        after = int(rows[-1][0])
        left = None if left is None else left - len(rows)


def _page(query: EntryQuery, after: int | None, size: int) -> tuple[str, list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    bounds = (
        ("e.at_us >= ?", None if query.since is None else round(query.since * 1e6)),
        ("e.at_us < ?", None if query.until is None else round(query.until * 1e6)),
        ("e.number < ?" if query.is_newest_first else "e.number > ?", after),
    )
    for condition, value in bounds:
        if value is not None:
            where.append(condition)
            values.append(value)
    chosen, names = _lines(query)
    if chosen:
        where.append(chosen)
        values += names
    order = "DESC" if query.is_newest_first else "ASC"
    filtered = f" WHERE {' AND '.join(where)}" if where else ""
    # Which ones first, by an index alone; then all of them that is asked for.
    numbers = f"SELECT e.number FROM ledger_entry e{filtered} ORDER BY e.number {order} LIMIT {size}"
    source = "FROM ledger_entry e JOIN ledger_line l ON l.id = e.line JOIN ledger_manner m ON m.id = e.manner"
    return f"SELECT {_COLUMNS} {source} WHERE e.number IN ({numbers}) ORDER BY e.number {order}", values


def _lines(query: EntryQuery) -> tuple[str, list[Any]]:
    """The condition on lines that a query makes, empty when it makes none."""
    where, values = ["cube = 0"], list[Any]()
    for name in ("tenant", "key", "workload", "model", "site"):
        value = getattr(query, name)
        if value is not None:
            where.append(f"{name} = ?")
            values.append(value)
    if query.kinds:
        where.append(f"kind IN ({', '.join('?' * len(query.kinds))})")
        values += [str(kind) for kind in query.kinds]
    return (f"e.line IN (SELECT id FROM ledger_line WHERE {' AND '.join(where)})" if values else "", values)


def _entry(row: Row) -> Entry:
    (number, kind, id, at_us, *names), rest = row[:12], row[12:]
    api, status, ending, error, is_stream, is_estimated, reason, requests, *figures, kept = rest
    detail = _decode(kept)
    return Entry._make((
        number, kind, id, at_us / 1e6, *names, api, status, ending, error, bool(is_stream), bool(is_estimated),
        reason if detail.note is None else detail.note, requests, *figures, detail.ttft_s, detail.tpot_s,
        detail.total_s, detail.own_s, detail.trace_id, detail.corrects, detail.attempts,
    ))  # fmt: skip
