"""Spend: from the smallest sums that know the answer, else from the entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tripoint.adapters.sql.database import Row, Session
from tripoint.domain.errors import OptionError
from tripoint.domain.ledger import Dimension, Spend, SpendQuery
from tripoint.domain.tenancy import Scope
from tripoint.engines.governance.ledger.cubes import MEASURES, Cube, cube_for
from tripoint.engines.governance.ledger.days import day_number, day_text, hour_text

_SUMS = ", ".join(f"SUM(s.{name})" for name in MEASURES)
_ENTRY_SUMS = ", ".join(
    {"failed": "SUM(s.requests * m.is_failed)", "estimated": "SUM(s.requests * m.is_estimated)"}.get(
        name, f"SUM(s.{name})"
    )
    for name in MEASURES
)
_DAY_US, _HOUR_US = 86_400_000_000, 3_600_000_000


def spend(session: Session, query: SpendQuery) -> tuple[Spend, ...]:
    """Sums over part of the ledger, in the order of the query's dimensions."""
    cube = cube_for(query)
    if cube is None:
        first = first_day(session)
        if first and (query.since is None or day_number(query.since) < first):
            raise OptionError(
                f"only the entries can tell this, and they are kept since {day_text(first)},"
                f" not since {query.since or 'the beginning'}",
                hint=f"ask from {day_text(first)} on, or by day instead of by hour",
            )
        return _answer(session, query, _from_entries(query))
    return _answer(session, query, _from_sums(query, cube))


def first_day(session: Session) -> int:
    """The first day whose entries are all kept, in days since 1970; 0 when nothing was ever dropped."""
    rows = session.execute("SELECT value FROM ledger_count WHERE name = 'pruned'")
    return int(rows[0][0]) if rows else 0


def from_entries(session: Session, query: SpendQuery) -> tuple[Spend, ...]:
    """The same computed anew from the entries, however long it takes."""
    return _answer(session, query, _from_entries(query))


def _answer(session: Session, query: SpendQuery, asked: tuple[str, list[Any]]) -> tuple[Spend, ...]:
    width = len(query.by)
    texts = [_TEXT.get(dimension, str) for dimension in query.by]

    def row_of(row: Row) -> Spend:
        by = tuple(text(value) for text, value in zip(texts, row[:width], strict=True))
        return Spend(by, *(int(value or 0) for value in row[width:]))

    rows = [row_of(row) for row in session.execute(*asked)]
    return tuple(row for row in rows if width or any(row[1:]))


_TEXT: Mapping[Dimension, Callable[[Any], str]] = MappingProxyType({Dimension.DAY: day_text, Dimension.HOUR: hour_text})


def _from_sums(query: SpendQuery, cube: Cube) -> tuple[str, list[Any]]:
    per_day = 24 if cube.slot == "hour" else 1
    times = {Dimension.DAY: "s.slot" if per_day == 1 else f"s.slot / {per_day}", Dimension.HOUR: "s.slot"}
    where, values = ["s.cube = ?"], [cube.number]
    if query.since is not None:
        where.append("s.slot >= ?")
        values.append(day_number(query.since) * per_day)
    if query.until is not None:
        where.append("s.slot < ?")
        values.append((day_number(query.until) + 1) * per_day)
    return _statement(query, f"{_SUMS} FROM ledger_spend s JOIN ledger_line l ON l.id = s.line", times, where, values)


def _from_entries(query: SpendQuery) -> tuple[str, list[Any]]:
    times = {Dimension.DAY: f"s.at_us / {_DAY_US}", Dimension.HOUR: f"s.at_us / {_HOUR_US}"}
    where: list[str] = []
    values: list[Any] = []
    if query.since is not None:
        where.append("s.at_us >= ?")
        values.append(day_number(query.since) * _DAY_US)
    if query.until is not None:
        where.append("s.at_us < ?")
        values.append((day_number(query.until) + 1) * _DAY_US)
    source = (
        f"{_ENTRY_SUMS} FROM ledger_entry s JOIN ledger_line l ON l.id = s.line JOIN ledger_manner m ON m.id = s.manner"
    )
    return _statement(query, source, times, where, values)


def _statement(
    query: SpendQuery, source: str, times: dict[Dimension, str], where: list[str], values: list[Any]
) -> tuple[str, list[Any]]:
    for column, wanted in chosen(query).items():
        where.append(f"l.{column} IN ({', '.join('?' * len(wanted))})")
        values += wanted
    by = [times.get(dimension) or f"l.{dimension.value}" for dimension in query.by]
    places = ", ".join(str(place) for place in range(1, len(by) + 1))
    grouped = f" GROUP BY {places} ORDER BY {places}" if by else ""
    filtered = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {''.join(f'{each}, ' for each in by)}{source}{filtered}{grouped}", values


def spent(session: Session, scope: Scope, first: int, last: int) -> int:
    """Effective cost of a scope on the days from `first` to `last`, inclusive, in days since 1970; nano-dollars.

    Within a transaction under way, so that a new budget counts exactly what was loaded before it.
    """
    since, until = day_text(first), day_text(last)
    query = SpendQuery(by=(), tenant=scope.tenant, key=scope.key, workload=scope.workload, since=since, until=until)
    return sum(row.nano for row in spend(session, query))


def chosen(query: SpendQuery) -> dict[str, list[str]]:
    """Wanted values by the line's column."""
    named = {
        "tenant": query.tenant, "key": query.key, "workload": query.workload, "model": query.model,
        "site": query.site, "upstream": query.upstream,
    }  # fmt: skip
    found = {column: [value] for column, value in named.items() if value is not None}
    if query.kinds:
        found["kind"] = [str(kind) for kind in query.kinds]
    return found
