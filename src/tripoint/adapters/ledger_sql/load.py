"""One load: entries, their sums, offsets and what budgets are charged, in one transaction or not at all.

What is known already is passed over by its id; everything else is computed from what really came in. So sums cannot
differ from entries, whatever is loaded twice. Few entries become rows, many become bundles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import NamedTuple

import numpy as np

from tripoint.adapters.ledger_sql.bundles.form import DAY_US
from tripoint.adapters.ledger_sql.bundles.seen import Bools, admit
from tripoint.adapters.ledger_sql.bundles.write import Bulk, bulk_of, write_bulk
from tripoint.adapters.ledger_sql.names import MARKED, Names, set_count
from tripoint.adapters.ledger_sql.rows import EntryRow, adjustment_rows, usage_rows
from tripoint.adapters.ledger_sql.schema import ENTRY_COLUMNS
from tripoint.adapters.record_batch import AT, FIGURES, LINE, Ints, RecordBatch
from tripoint.adapters.sql.database import Engine, Session
from tripoint.domain.budget import Charge
from tripoint.domain.ledger import Adjustment, Loaded, Piece
from tripoint.engines.governance.ledger.cubes import COARSE, FINE, MEASURES

Charging = Callable[[Session, Sequence[Charge]], None]
"""Called within the transaction with what each entry that really came in cost."""
_NANO = FIGURES + MEASURES.index("nano")
_MARKED_AT_ONCE = 50_000
LOCK = "ledger"
"""Held by whoever loads: one at a time, also where several nodes share a server."""

_COLUMNS = ", ".join(ENTRY_COLUMNS)
_VALUES = ", ".join("?" * len(ENTRY_COLUMNS))
_ENTER = f"INSERT INTO ledger_entry ({_COLUMNS}) VALUES ({_VALUES}) ON CONFLICT (id) DO NOTHING"
_SUMS = ", ".join(
    {"failed": "SUM(e.requests * m.is_failed)", "estimated": "SUM(e.requests * m.is_estimated)"}.get(
        name, f"SUM(e.{name})"
    )
    for name in MEASURES
)
_FRESH = (
    "CREATE TEMP TABLE IF NOT EXISTS fresh"
    f" (hour BIGINT, line BIGINT, {', '.join(f'{name} BIGINT' for name in MEASURES)})"
)
_SUM_UP = (
    f"INSERT INTO fresh SELECT e.at_us / 3600000000, e.line, {_SUMS} FROM ledger_entry e"
    " JOIN ledger_manner m ON m.id = e.manner WHERE e.number >= ? AND e.number < ? GROUP BY 1, 2"
)
_MEASURES = ", ".join(f"SUM(f.{name})" for name in MEASURES)
_UPDATE = ", ".join(f"{name} = ledger_spend.{name} + excluded.{name}" for name in MEASURES)
_CHARGED = (
    "SELECT e.at_us, l.tenant, l.key, l.workload, e.nano FROM ledger_entry e JOIN ledger_line l ON l.id = e.line"
    " WHERE e.number >= ? AND e.number < ? ORDER BY e.number"
)


def _add_up(cube: int, slot: str, line: str) -> str:
    # Sorted, so that two loaders could never wait for each other; SQLite asks for a WHERE before ON CONFLICT.
    return (
        f"INSERT INTO ledger_spend SELECT {cube}, {slot}, {line}, {_MEASURES} FROM fresh f"
        f" JOIN ledger_line l ON l.id = f.line WHERE true GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        f" ON CONFLICT (cube, slot, line) DO UPDATE SET {_UPDATE}"
    )


_ADD_UP = (
    _add_up(FINE.number, "f.hour / 24", "f.line"),
    *(
        _add_up(cube.number, "f.hour" if cube.slot == "hour" else "f.hour / 24", f"l.coarse_{cube.number}")
        for cube in COARSE
    ),
)


class _News(NamedTuple):
    """What is new of a piece."""

    holder: str
    """Incarnation of the worker that wrote it."""
    batch: RecordBatch
    """All that is in it."""
    many: Bools
    """Which of that may go into a bundle."""
    few: Bools
    """Which of that become rows, their ids perhaps known already where they have no number."""


class Loading:
    """A load, within a transaction under way; from `least` new records of a day on they become bundles."""

    def __init__(self, session: Session, names: Names, charge: Charging | None, least: int) -> None:
        self._session = session
        self._names = names
        self._charge = charge
        self._least = least

    def load(self, pieces: Sequence[Piece], adjustments: Sequence[Adjustment], holder: str) -> Loaded:
        """Enters what is new; `holder` is whose leases the adjustments are charged to."""
        session, names = self._session, self._names
        session.lock(LOCK)
        names.begin(session)
        if not names.is_marked:
            _mark_rows(session)
        told, moved, news = len(adjustments), list[str](), list[_News]()
        for piece in pieces:
            if not self._advance(piece):
                moved.append(piece.source)
                continue
            session.many("INSERT INTO ledger_damage VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", piece.damage)
            batch = RecordBatch.of(piece.records)
            told += len(batch) + sum([len(batch[place].billed) for place in batch.billed])
            news.append(_new_of(session, piece.holder, batch))
        added = self._enter_bundles(news)
        for each in news:
            first = names.next_entry
            rest = [each.batch[place] for place in np.flatnonzero(each.few).tolist()]
            added += self._enter(usage_rows(names, rest), first, each.holder)
        first, admitted = names.next_entry, admit(session, [each.id for each in adjustments])
        fresh = compress(adjustments, (admitted.fresh | admitted.odd).tolist())
        added += self._enter(adjustment_rows(names, fresh), first, holder)
        names.flush()
        return Loaded(added, told - added, tuple(moved))

    def _enter_bundles(self, news: Sequence[_News]) -> int:
        """Keeps as bundles what is enough for some, and leaves the others to be rows; how many entries that were."""
        if not news:
            return 0
        sizes = [int(each.many.sum()) for each in news]
        if sum(sizes) < self._least:
            taken = np.zeros(sum(sizes), np.bool_)
        else:
            bulks = [bulk_of(self._names, each.batch, each.many) for each in news]
            written = b"".join([each.written for each in bulks])
            table = np.concatenate([each.table for each in bulks], axis=1)
            taken = write_bulk(self._session, self._names, Bulk(written, table), self._least)
        charges = list[Charge]()
        for each, part in zip(news, np.split(taken, np.cumsum(sizes)[:-1]), strict=True):
            places = np.flatnonzero(each.many)
            each.few[places[~part]] = True
            if self._charge is not None:
                charges += _charges(each.holder, each.batch, places[part])
        if self._charge is not None and charges:  # at once: a budget seen for the first time counts all of the sums
            self._charge(self._session, charges)
        return int(taken.sum())

    def _advance(self, piece: Piece) -> bool:
        """Moves the offset of a segment; False when it did not stand where the piece begins."""
        session = self._session
        if piece.start == 0:
            statement = "INSERT INTO ledger_segment VALUES (?, ?) ON CONFLICT (source) DO NOTHING"
            return session.change(statement, (piece.source, piece.end)) == 1
        statement = "UPDATE ledger_segment SET bytes = ? WHERE source = ? AND bytes = ?"
        return session.change(statement, (piece.end, piece.source, piece.start)) == 1

    def _enter(self, rows: list[EntryRow], first: int, holder: str) -> int:
        """Adds rows and everything that follows from them; how many were new."""
        if not rows:
            return 0
        session = self._session
        session.change(_FRESH)
        self._names.flush()
        after = first + len(rows)
        added = _copy(session, rows) if session.engine is Engine.POSTGRES else session.many(_ENTER, rows)
        session.change("DELETE FROM fresh")
        session.change(_SUM_UP, (first, after))
        for statement in _ADD_UP:
            session.change(statement)
        if self._charge is not None:
            charged = session.execute(_CHARGED, (first, after))
            self._charge(session, tuple(Charge(holder, row[0] / 1e6, *row[1:]) for row in charged))
        return added


def _new_of(session: Session, holder: str, batch: RecordBatch) -> _News:
    """What of a batch is not in yet, marked as being in."""
    admitted = admit(session, batch.ids)
    is_alone = np.ones(len(batch), np.bool_)
    is_alone[batch.billed] = False
    return _News(holder, batch, admitted.fresh & is_alone, admitted.odd | (admitted.fresh & ~is_alone))


def _charges(holder: str, batch: RecordBatch, places: Ints) -> Iterator[Charge]:
    """What those records are charged for, one charge for each caller and day."""
    if not len(places):
        return
    table = batch.table[:, places]
    lines, place = np.unique(table[LINE], return_inverse=True)
    callers = [batch.keys[line][1:4] for line in lines.tolist()]
    numbers = {caller: number for number, caller in enumerate(dict.fromkeys(callers))}
    groups = table[AT] // DAY_US * len(numbers) + np.array([numbers[each] for each in callers], np.int64)[place]
    order = np.argsort(groups, kind="stable")
    firsts = np.flatnonzero(np.diff(groups[order], prepend=groups[order][:1] - 1))
    for part in np.split(order, firsts[1:]):
        ats, nanos = (table[AT][part] / 1e6).tolist(), table[_NANO][part].tolist()
        tenant, key, workload = callers[int(place[part[0]])]
        yield Charge(holder, min(ats), tenant, key, workload, sum(nanos), (ats, nanos))


def _mark_rows(session: Session) -> None:
    """Marks the ids of rows that were entered before ids had bits; once."""
    after = 0
    while rows := session.execute(
        f"SELECT number, id FROM ledger_entry WHERE number > ? ORDER BY number LIMIT {_MARKED_AT_ONCE}", (after,)
    ):
        admit(session, [row[1] for row in rows])
        after = int(rows[-1][0])
    set_count(session, MARKED, 1)


def _copy(session: Session, rows: list[EntryRow]) -> int:
    """The same as inserting row by row, by the server's bulk copy; straight, unless something was there already."""
    from psycopg.errors import UniqueViolation

    try:
        with session.raw.transaction():
            _copy_into(session, "ledger_entry", rows)
        return len(rows)
    except UniqueViolation:  # rare: what came twice is passed over row by row
        session.change("CREATE TEMP TABLE IF NOT EXISTS arriving (LIKE ledger_entry) ON COMMIT DELETE ROWS")
        session.change("TRUNCATE arriving")
        _copy_into(session, "arriving", rows)
        return session.change("INSERT INTO ledger_entry SELECT * FROM arriving ON CONFLICT (id) DO NOTHING")


def _copy_into(session: Session, name: str, rows: list[EntryRow]) -> None:
    with session.raw.cursor() as cursor, cursor.copy(f"COPY {name} ({_COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
