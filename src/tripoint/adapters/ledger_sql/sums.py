"""Spend: from the smallest sums that know the answer, else from the entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import add
from types import MappingProxyType
from typing import Any

from tripoint.adapters.sql.database import Session
from tripoint.domain.errors import OptionError
from tripoint.domain.ledger import Dimension, Spend, SpendQuery
from tripoint.domain.tenancy import Scope
from tripoint.engines.governance.ledger.cubes import MEASURES, Cube, cube_for, is_row_for_row
from tripoint.engines.governance.ledger.days import day_number, day_text, hour_text

_SUMS = ", ".join(f"SUM(s.{name})" for name in MEASURES)
_KEPT = ", ".join(f"s.{name}" for name in MEASURES)
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
        return from_entries(session, query)
    return _answer(session, query, _from_sums(query, cube))


def first_day(session: Session) -> int:
    """The first day whose entries are all kept, in days since 1970; 0 when nothing was ever dropped."""
    rows = session.execute("SELECT value FROM ledger_count WHERE name = 'pruned'")
    return int(rows[0][0]) if rows else 0


def from_entries(session: Session, query: SpendQuery) -> tuple[Spend, ...]:
    """The same computed anew from the entries, however long it takes."""
    if not session.execute("SELECT 1 FROM ledger_bundle LIMIT 1"):
        return _answer(session, query, _from_entries(query))
    from tripoint.adapters.ledger_sql.bundles.recount import from_columns, told_by

    return with_bundles(session, query, told_by(from_columns(session, query, query.by), query.by))


def with_bundles(session: Session, query: SpendQuery, sums: Mapping[tuple[str, ...], list[int]]) -> tuple[Spend, ...]:
    """Sums over the entries that are rows, and these over those that are in bundles, as one answer."""
    every = replace(query, most=None)
    whole = {row.by: row for row in _answer(session, every, _from_entries(every))}
    for by, more in sums.items():
        known = whole.get(by, Spend(by, *([0] * len(more))))
        whole[by] = Spend(by, *map(add, known[1:], more))
    found = [whole[by] for by in sorted(whole)]
    if query.most is not None:
        found = sorted(found, key=lambda row: -row.nano)[: query.most]
    return tuple(found)


def _answer(session: Session, query: SpendQuery, asked: tuple[str, list[Any]]) -> tuple[Spend, ...]:
    width = len(query.by)
    rows = session.execute(*asked)
    if rows and not all(isinstance(value, int) for value in rows[0][width:]):  # sums of one database are decimals
        rows = [(*row[:width], *(int(value or 0) for value in row[width:])) for row in rows]
    for place, dimension in enumerate(query.by):
        text = _TEXT.get(dimension)
        if text is not None:
            known = {number: text(number) for number in {row[place] for row in rows}}
            rows = [(*row[:place], known[row[place]], *row[place + 1 :]) for row in rows]
    found = [Spend._make((row[:width], *row[width:])) for row in rows]
    return tuple(found) if width else tuple(row for row in found if any(row[1:]))


_TEXT: Mapping[Dimension, Callable[[Any], str]] = MappingProxyType({Dimension.DAY: day_text, Dimension.HOUR: hour_text})


def _from_sums(query: SpendQuery, cube: Cube) -> tuple[str, list[Any]]:
    if is_row_for_row(query, cube):
        return _row_for_row(query, cube)
    where, values = _slots(query, cube)
    times = {each: _time(each, cube) for each in (Dimension.DAY, Dimension.HOUR)}
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
    grouped = f" GROUP BY {places}" if by else ""
    filtered = f" WHERE {' AND '.join(where)}" if where else ""
    sums = f"SELECT {''.join(f'{each}, ' for each in by)}{source}{filtered}{grouped}"
    if query.most is None:
        return f"{sums} ORDER BY {places}" if by else sums, values
    return f"{sums} ORDER BY {len(by) + MEASURES.index('nano') + 1} DESC{f', {places}' if by else ''} LIMIT ?", [
        *values,
        query.most,
    ]


def _row_for_row(query: SpendQuery, cube: Cube) -> tuple[str, list[Any]]:
    """Kept sums as they are: the dearest are found by their money first, and get their names then."""
    where, values = _slots(query, cube)
    picked = chosen(query)
    for column, wanted in picked.items():
        # Nearly all are of one kind: the few others are passed over. Of anything else few are wanted.
        is_kind = column == "kind"
        lines = f"SELECT id FROM ledger_line WHERE cube = ? AND {column} {'NOT ' * is_kind}IN ({_places(wanted)})"
        where.append(f"s.line {'NOT ' * is_kind}IN ({lines})")
        values += [cube.number, *wanted]
    by = ", ".join(_time(dimension, cube) or f"l.{dimension.value}" for dimension in query.by)
    places = ", ".join(str(place) for place in range(1, len(query.by) + 1))
    kept = f"SELECT s.cube, s.slot, s.line FROM ledger_spend s WHERE {' AND '.join(where)}"
    order = places
    if query.most is not None:
        kept += " ORDER BY s.nano DESC LIMIT ?"
        values.append(query.most)
        order = f"s.nano DESC, {places}"
    found = f"({kept}) k JOIN ledger_spend s ON s.cube = k.cube AND s.slot = k.slot AND s.line = k.line"
    return f"SELECT {by}, {_KEPT} FROM {found} JOIN ledger_line l ON l.id = s.line ORDER BY {order}", values


def _slots(query: SpendQuery, cube: Cube) -> tuple[list[str], list[Any]]:
    """Conditions on the cube and its time."""
    per_day = 24 if cube.slot == "hour" else 1
    where, values = ["s.cube = ?"], [cube.number]
    if query.since is not None:
        where.append("s.slot >= ?")
        values.append(day_number(query.since) * per_day)
    if query.until is not None:
        where.append("s.slot < ?")
        values.append((day_number(query.until) + 1) * per_day)
    return where, values


def _time(dimension: Dimension, cube: Cube) -> str:
    """Day or hour of a kept sum, empty for other dimensions."""
    if dimension is Dimension.DAY:
        return "s.slot / 24" if cube.slot == "hour" else "s.slot"
    return "s.slot" if dimension is Dimension.HOUR else ""


def _places(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


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
