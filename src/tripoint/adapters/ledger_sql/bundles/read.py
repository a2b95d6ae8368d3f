"""Entries out of bundles: which bundles may hold what is asked for, and their records one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tripoint.adapters.ledger_sql.bundles.columns import unpack
from tripoint.adapters.ledger_sql.bundles.form import records_of
from tripoint.adapters.record_batch import AT, LINE, Ints, record_of
from tripoint.adapters.sql.database import Database, Session
from tripoint.domain.ledger import Entry, EntryKind, EntryQuery
from tripoint.domain.record import UsageRecord

_CHOSEN = ("tenant", "key", "workload", "model", "site")
_MANY = 2_000
"""Coarse lines of tenants by which bundles are looked up; where there are more, all bundles are looked through."""


def bundle_entries(database: Database, query: EntryQuery, below: int) -> Iterator[Entry]:
    """Entries kept in bundles that a query asks for, in its order, their numbers under `below`; its limit is not
    looked at.
    """
    if query.kinds and EntryKind.USAGE not in query.kinds:
        return
    with database.read() as session:
        lines = _lines(session, query)
        firsts = [] if lines is not None and not len(lines) else _bundles(session, query, lines, below)
    for first in firsts:
        with database.read() as session:
            found = session.execute("SELECT columns FROM ledger_body WHERE bundle = ?", (first,))
            if not found:
                continue  # dropped meanwhile
            table = unpack(found[0][0])
            places = _places(query, lines, first, table)
            if not len(places):
                continue
            (kept,) = session.execute("SELECT records FROM ledger_body WHERE bundle = ?", (first,))[0]
        numbers = (places + first).tolist()
        times = table[AT][places].tolist()
        for number, at_us, blob in zip(numbers, times, records_of(kept, table, places.tolist()), strict=True):
            yield _entry(number, at_us, record_of(blob))


def _lines(session: Session, query: EntryQuery) -> Ints | None:
    """Lines a query chooses, in order; `None` when it chooses none."""
    chosen = [(name, value) for name, value in ((name, getattr(query, name)) for name in _CHOSEN) if value is not None]
    if not chosen:
        return None
    where = " AND ".join(f"{name} = ?" for name, _ in chosen)
    rows = session.execute(
        f"SELECT id FROM ledger_line WHERE cube = 0 AND kind = ? AND {where} ORDER BY id",
        (str(EntryKind.USAGE), *(value for _, value in chosen)),
    )
    return np.array([row[0] for row in rows], np.int64)


def _bundles(session: Session, query: EntryQuery, lines: Ints | None, below: int) -> list[int]:
    """First entries of the bundles that may hold some, in the query's order."""
    where, values = ["first < ?"], list[Any]([below])
    for condition, value in (("until_us >= ?", query.since), ("since_us < ?", query.until)):
        if value is not None:
            where.append(condition)
            values.append(round(value * 1e6))
    if query.after is not None:
        where.append("first < ?" if query.is_newest_first else "last > ?")
        values.append(query.after)
    if lines is not None:
        tenants = _tenant_lines(session, lines)
        if len(tenants) <= _MANY:
            places = ", ".join("?" * len(tenants))
            where.append(f"first IN (SELECT bundle FROM ledger_bundle_line WHERE line IN ({places}))")
            values += tenants
    order = "DESC" if query.is_newest_first else "ASC"
    rows = session.execute(
        f"SELECT first FROM ledger_bundle WHERE {' AND '.join(where)} ORDER BY first {order}", values
    )
    return [int(row[0]) for row in rows]


def _tenant_lines(session: Session, lines: Ints) -> list[int]:
    """The coarse lines of these lines' tenants."""
    found: set[int] = set()
    wanted = lines.tolist()
    for first in range(0, len(wanted), _MANY):
        part = wanted[first : first + _MANY]
        places = ", ".join("?" * len(part))
        sql = f"SELECT DISTINCT coarse_2 FROM ledger_line WHERE id IN ({places})"
        found.update(int(row[0]) for row in session.execute(sql, part))
    return sorted(found)


def _places(query: EntryQuery, lines: Ints | None, first: int, table: Ints) -> Ints:
    """Where in a bundle the entries are that a query asks for, in its order."""
    wanted = np.ones(table.shape[1], np.bool_)
    if query.since is not None:
        wanted &= table[AT] >= round(query.since * 1e6)
    if query.until is not None:
        wanted &= table[AT] < round(query.until * 1e6)
    if lines is not None:
        wanted &= np.isin(table[LINE], lines)
    places = np.flatnonzero(wanted)
    if query.after is not None:
        numbers = places + first
        places = places[numbers < query.after if query.is_newest_first else numbers > query.after]
    return places[::-1] if query.is_newest_first else places


def _entry(number: int, at_us: int, record: UsageRecord) -> Entry:
    usage = record.usage
    return Entry(
        number, str(EntryKind.USAGE), record.id, at_us / 1e6, record.tenant, record.key, record.workload, record.model,
        record.site, record.upstream, record.tariff, record.prices, record.api, record.status, record.ending,
        record.error, record.is_stream, usage.is_estimated, record.reason, 1, usage.tokens_in, usage.cached,
        usage.tokens_out, usage.reasoning, record.nano, record.list_nano, record.marginal_nano, record.ttft_s,
        record.tpot_s, record.total_s, record.own_s, record.trace_id, "", record.attempts,
    )  # fmt: skip


def drop(session: Session, days: tuple[int, int], upto: int, most: int) -> int:
    """Drops at most so many bundles of the days from the first to before the second, up to that number; how many
    entries that were.
    """
    rows = session.execute(
        "SELECT first, last FROM ledger_bundle WHERE day >= ? AND day < ? AND last <= ? LIMIT ?", (*days, upto, most)
    )
    firsts: Sequence[tuple[int]] = [(int(first),) for first, _ in rows]
    session.many("DELETE FROM ledger_bundle_line WHERE bundle = ?", firsts)
    session.many("DELETE FROM ledger_body WHERE bundle = ?", firsts)
    session.many("DELETE FROM ledger_bundle WHERE first = ?", firsts)
    return sum(int(last) - int(first) + 1 for first, last in rows)
