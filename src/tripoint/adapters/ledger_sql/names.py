"""Numbers for names: every line and every manner is kept once and found again by its number."""

from __future__ import annotations

from tripoint.adapters.ledger_sql.schema import LINE_NAMES, MANNER_NAMES
from tripoint.adapters.sql.database import Session
from tripoint.domain.ledger import EntryKind
from tripoint.domain.record import Ending
from tripoint.engines.governance.ledger.cubes import COARSE, FINE

LineKey = tuple[str, str, str, str, str, str, str, str, str]
"""Values of a line, in the order of `LINE_NAMES`."""
MannerKey = tuple[str, int, str, str, bool, str, bool]
"""Values of a manner, in the order of `MANNER_NAMES`."""
NO_MANNER: MannerKey = ("", 0, "", "", False, "", False)
"""How an adjustment came about: by no request."""
_MOST = 200_000
"""Names held in memory; more are looked up again."""
_FIND_LINE = f"SELECT id FROM ledger_line WHERE cube = ? AND {' AND '.join(f'{name} = ?' for name in LINE_NAMES)}"
_FIND_MANNER = f"SELECT id FROM ledger_manner WHERE {' AND '.join(f'{name} = ?' for name in MANNER_NAMES)}"
_PUT_LINE = f"INSERT INTO ledger_line VALUES ({', '.join('?' * (5 + len(LINE_NAMES)))})"
_PUT_MANNER = f"INSERT INTO ledger_manner VALUES ({', '.join('?' * (2 + len(MANNER_NAMES)))})"


class Names:
    """Lines and manners met so far; what a transaction added counts once it is committed."""

    def __init__(self) -> None:
        self._lines: dict[LineKey, int] = {}
        self._manners: dict[MannerKey, int] = {}
        self._coarse: dict[tuple[int, LineKey], int] = {}

    def forget(self) -> None:
        """Drops what is remembered: a transaction was undone."""
        self._lines.clear()
        self._manners.clear()
        self._coarse.clear()

    def line(self, session: Session, key: LineKey) -> int:
        """Number of a line; given one when it is new."""
        found = self._lines.get(key)
        if found is None:
            coarse = tuple(self._coarse_line(session, place, key) for place in range(len(COARSE)))
            found = _line(session, FINE.number, key, coarse)
            if len(self._lines) >= _MOST:
                self._lines.clear()
            self._lines[key] = found
        return found

    def manner(self, session: Session, key: MannerKey) -> int:
        """Number of a manner; given one when it is new."""
        found = self._manners.get(key)
        if found is None:
            api, status, ending, error, is_stream, reason, is_estimated = key
            values = (api, status, ending, error, int(is_stream), reason, int(is_estimated))
            rows = session.execute(_FIND_MANNER, values)
            found = int(rows[0][0]) if rows else take(session, "manner", 1)
            if not rows:
                is_failed = ending not in ("", Ending.OK)
                session.change(_PUT_MANNER, (found, *values, int(is_failed)))
            if len(self._manners) >= _MOST:
                self._manners.clear()
            self._manners[key] = found
        return found

    def _coarse_line(self, session: Session, place: int, key: LineKey) -> int:
        cube = COARSE[place]
        masked = tuple(value if name in cube.names else "" for name, value in zip(LINE_NAMES, key, strict=True))
        coarse: LineKey = masked  # type: ignore[assignment]  # as long as the key it is made from
        found = self._coarse.get((cube.number, coarse))
        if found is None:
            found = _line(session, cube.number, coarse, (0,) * len(COARSE))
            if len(self._coarse) >= _MOST:
                self._coarse.clear()
            self._coarse[cube.number, coarse] = found
        return found


def take(session: Session, name: str, count: int) -> int:
    """The first of `count` numbers nobody else has or will have; call with the ledger's lock held."""
    rows = session.execute("SELECT value FROM ledger_count WHERE name = ?", (name,))
    first = int(rows[0][0]) if rows else 1
    session.change(
        "INSERT INTO ledger_count VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, first + count),
    )
    return first


def line_of(kind: EntryKind | str, tenant: str, key: str, where: tuple[str, str, str, str], priced: tuple[str, str]
            ) -> LineKey:  # fmt: skip
    """A line; `where` is workload, model, site and upstream, `priced` tariff and price version."""
    return (str(kind), tenant, key, *where, *priced)


def _line(session: Session, cube: int, key: LineKey, coarse: tuple[int, ...]) -> int:
    rows = session.execute(_FIND_LINE, (cube, *key))
    if rows:
        return int(rows[0][0])
    number = take(session, "line", 1)
    session.change(_PUT_LINE, (number, cube, *key, *coarse))
    return number
