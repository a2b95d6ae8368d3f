"""Numbers for names: every line and every manner is kept once and found again by its number.

As long as they are not too many, all of them are held in memory: then what is not held is new, and no question is
asked. What another loader added meanwhile shows in the counters, and is read before anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tripoint.adapters.ledger_sql.schema import LINE_NAMES, MANNER_NAMES
from tripoint.adapters.record_batch import LineKey
from tripoint.adapters.sql.database import Row, Session
from tripoint.domain.record import Ending
from tripoint.engines.governance.ledger.cubes import COARSE, FINE

MannerKey = tuple[str, int, str, str, bool, str, bool]
"""Values of a manner, in the order of `MANNER_NAMES`."""
NO_MANNER: MannerKey = ("", 0, "", "", False, "", False)
"""How an adjustment came about: by no request."""
MARKED = "marked"
"""Counter that is set once every id has its bit, or never had one."""
MOST = 300_000
"""Lines held in memory; where there are more, each is looked up when it is first met again."""

_LINE = ", ".join(LINE_NAMES)
_COARSE = ", ".join(f"coarse_{cube.number}" for cube in COARSE)
_ASKED_AT_ONCE = 500
_IS_LINE = " AND ".join(f"{name} = ?" for name in LINE_NAMES)
_FIND_LINE = f"SELECT id, {_COARSE} FROM ledger_line WHERE cube = ? AND {_IS_LINE}"
_PUT_LINE = f"INSERT INTO ledger_line VALUES ({', '.join('?' * (2 + len(LINE_NAMES) + len(COARSE)))})"
_PUT_MANNER = f"INSERT INTO ledger_manner VALUES ({', '.join('?' * (2 + len(MANNER_NAMES)))})"
_KEPT = tuple(tuple(name in cube.names for name in LINE_NAMES) for cube in COARSE)


class Names:
    """Lines and manners; every transaction that adds any begins with `begin` and writes them with `flush`."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self.lines: dict[LineKey, int] = {}
        """Lines held; what is not among them is asked of `line`."""
        self._coarse: dict[tuple[int, LineKey], int] = {}
        self._coarse_of: dict[int, tuple[int, ...]] = {}
        """Coarse lines of each line held, in the order of `COARSE`."""
        self.manners: dict[MannerKey, int] = {}
        """Manners held, likewise."""
        self.next_entry = 1
        """Number of the next entry."""
        self.is_marked = False
        """True once `MARKED` is set."""
        self._session: Session | None = None
        self._is_whole = True
        """True while memory holds all lines there are."""
        self._next = {"line": 1, "manner": 1}
        self._new_lines: list[tuple[Any, ...]] = []
        self._new_manners: list[tuple[Any, ...]] = []

    def forget(self) -> None:
        """Drops what is remembered: a transaction was undone."""
        for held in (self.lines, self._coarse, self._coarse_of, self.manners, self._new_lines, self._new_manners):
            held.clear()
        self._is_whole = True
        self._next = {"line": 1, "manner": 1}

    def begin(self, session: Session) -> None:
        """Reads what others have added; call with the ledger's lock held."""
        self._session = session
        found: dict[str, int] = dict(session.execute("SELECT name, value FROM ledger_count"))
        if found.get("manner", 1) > self._next["manner"]:
            known = session.execute(f"SELECT id, {', '.join(MANNER_NAMES)} FROM ledger_manner")
            self.manners = {_manner_key(row[1:]): int(row[0]) for row in known}
        if found.get("line", 1) > self._next["line"] and self._is_whole:
            self._read_lines(session, int(found["line"]))
        for name in self._next:
            self._next[name] = int(found.get(name, 1))
        self.next_entry = int(found.get("entry", 1))
        self.is_marked = MARKED in found

    def line(self, key: LineKey) -> int:
        """Number of a line; given one when it is new."""
        found = self.lines.get(key)
        return self._met(key) if found is None else found

    def coarse_of(self, lines: Sequence[int]) -> list[tuple[int, ...]]:
        """Coarse lines of each line, in the order of `COARSE`; lines that are new must be known by `line`."""
        missing = [line for line in lines if line not in self._coarse_of]
        looked_up: dict[int, tuple[int, ...]] = {}
        if missing:
            assert self._session is not None  # begun
            self.flush()
            for first in range(0, len(missing), _ASKED_AT_ONCE):
                part = missing[first : first + _ASKED_AT_ONCE]
                sql = f"SELECT id, {_COARSE} FROM ledger_line WHERE id IN ({', '.join('?' * len(part))})"
                looked_up.update((int(row[0]), tuple(map(int, row[1:]))) for row in self._session.execute(sql, part))
        return [looked_up.get(line) or self._coarse_of[line] for line in lines]

    def manner(self, key: MannerKey) -> int:
        """Number of a manner; given one when it is new."""
        found = self.manners.get(key)
        if found is None:
            found = self.manners[key] = self._number("manner")
            api, status, ending, error, is_stream, reason, is_estimated = key
            is_failed = ending not in ("", Ending.OK)
            self._new_manners.append(
                (found, api, status, ending, error, int(is_stream), reason, int(is_estimated), int(is_failed))
            )
        return found

    def flush(self) -> None:
        """Writes what is new, and how far numbers are given."""
        session = self._session
        assert session is not None  # begun
        set_count(session, "entry", self.next_entry)
        for name, rows, statement in (
            ("line", self._new_lines, _PUT_LINE), ("manner", self._new_manners, _PUT_MANNER),
        ):  # fmt: skip
            if rows:
                session.many(statement, rows)
                set_count(session, name, self._next[name])
                rows.clear()

    def _met(self, key: LineKey) -> int:
        """Number of a line that memory does not hold."""
        row = None if self._is_whole else self._find(FINE.number, key)
        if row is None:
            coarse = tuple([self._coarse_line(place, key) for place in range(len(COARSE))])
            row = self._number("line"), *coarse
            self._new_lines.append((row[0], FINE.number, *key, *coarse))
        self._hold()
        found = self.lines[key] = row[0]
        self._coarse_of[found] = row[1:]
        return found

    def _coarse_line(self, place: int, key: LineKey) -> int:
        number = COARSE[place].number
        masked: Any = tuple([value if kept else "" for value, kept in zip(key, _KEPT[place], strict=True)])
        found = self._coarse.get((number, masked))
        if found is None:
            row = None if self._is_whole else self._find(number, masked)
            found = self._number("line") if row is None else row[0]
            if row is None:
                self._new_lines.append((found, number, *masked, *([0] * len(COARSE))))
            self._coarse[number, masked] = found
        return found

    def _find(self, cube: int, key: LineKey) -> tuple[int, ...] | None:
        """Number of a line in the store and those of its coarse lines."""
        assert self._session is not None  # begun
        rows = self._session.execute(_FIND_LINE, (cube, *key))
        return tuple(map(int, rows[0])) if rows else None

    def _number(self, name: str) -> int:
        found = self._next[name]
        self._next[name] = found + 1
        return found

    def _hold(self) -> None:
        """Makes room where too many lines are held."""
        if len(self.lines) + len(self._coarse) >= self._most:
            self.flush()  # what is looked up must be found
            self._let_go()

    def _let_go(self) -> None:
        """Holds none any more; from now on each is looked up."""
        for held in (self.lines, self._coarse, self._coarse_of):
            held.clear()
        self._is_whole = False

    def _read_lines(self, session: Session, until: int) -> None:
        if until - 1 > self._most:
            self._let_go()
            return
        first = self._next["line"]
        for row in session.execute(f"SELECT id, cube, {_LINE}, {_COARSE} FROM ledger_line WHERE id >= ?", (first,)):
            key: Any = tuple(row[2 : 2 + len(LINE_NAMES)])
            if row[1] == FINE.number:
                self.lines[key] = int(row[0])
                self._coarse_of[int(row[0])] = tuple(map(int, row[2 + len(LINE_NAMES) :]))
            else:
                self._coarse[int(row[1]), key] = int(row[0])


def set_count(session: Session, name: str, value: int) -> None:
    """Sets a counter."""
    session.change(
        "INSERT INTO ledger_count VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
    )


def count_of(session: Session, name: str) -> int:
    """A counter as it stands, 1 before it was ever set."""
    rows = session.execute("SELECT value FROM ledger_count WHERE name = ?", (name,))
    return int(rows[0][0]) if rows else 1


def _manner_key(row: Row | Sequence[Any]) -> MannerKey:
    api, status, ending, error, is_stream, reason, is_estimated = row
    return (api, int(status), ending, error, bool(is_stream), reason, bool(is_estimated))
