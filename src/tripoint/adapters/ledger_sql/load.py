"""One load: entries, their sums, offsets and what budgets are charged, in one transaction or not at all.

Entries go in first, those known already are passed over by their id; then everything else is computed from the rows
that really came in. So sums cannot differ from entries, whatever is loaded twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tripoint.adapters.ledger_sql.names import Names
from tripoint.adapters.ledger_sql.rows import EntryRow, adjustment_rows, usage_rows
from tripoint.adapters.ledger_sql.schema import ENTRY_COLUMNS
from tripoint.adapters.sql.database import Engine, Session
from tripoint.domain.budget import Charge
from tripoint.domain.ledger import Adjustment, Loaded, Piece
from tripoint.engines.governance.ledger.cubes import COARSE, FINE, MEASURES

Charging = Callable[[Session, Sequence[Charge]], None]
"""Called within the transaction with what each entry that really came in cost."""
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


class Loading:
    """A load, within a transaction under way."""

    def __init__(self, session: Session, names: Names, charge: Charging | None) -> None:
        self._session = session
        self._names = names
        self._charge = charge

    def load(self, pieces: Sequence[Piece], adjustments: Sequence[Adjustment], holder: str) -> Loaded:
        """Enters what is new; `holder` is whose leases the adjustments are charged to."""
        session, names = self._session, self._names
        session.lock(LOCK)
        session.change(_FRESH)
        names.begin(session)
        added, told, moved = 0, 0, []
        for piece in pieces:
            if not self._advance(piece):
                moved.append(piece.source)
                continue
            session.many("INSERT INTO ledger_damage VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", piece.damage)
            first = names.next_entry
            rows = usage_rows(names, piece.records)
            told += len(rows)
            added += self._enter(rows, first, piece.holder)
        first = names.next_entry
        rows = adjustment_rows(names, adjustments)
        told += len(rows)
        added += self._enter(rows, first, holder)
        return Loaded(added, told - added, tuple(moved))

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
