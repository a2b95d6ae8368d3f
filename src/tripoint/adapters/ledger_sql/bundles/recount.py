"""Sums over entries in bundles, for what no kept sum knows and for checking those that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from tripoint.adapters.ledger_sql.bundles.columns import unpack
from tripoint.adapters.ledger_sql.bundles.form import HOUR_US, records_of
from tripoint.adapters.ledger_sql.bundles.groups import Groups, grouped, joined
from tripoint.adapters.ledger_sql.schema import LINE_NAMES
from tripoint.adapters.record_batch import AT, FIGURES, LINE, Ints, LineBook, LineKey, RecordBatch
from tripoint.adapters.sql.database import Session
from tripoint.domain.ledger import Dimension, SpendQuery
from tripoint.engines.governance.ledger.cubes import MEASURES
from tripoint.engines.governance.ledger.days import day_number, day_text, hour_text

_AT_ONCE = 32
"""Bundles read at once."""
_JOINED = 200
"""Groups of bundles that are kept apart before they are summed up."""
_PLACES: Final = MappingProxyType({Dimension(name): place for place, name in enumerate((*LINE_NAMES, "day", "hour"))})
_NOBODY = (1 << 40) - 1
"""A line there is none of."""
_NO_LINE: LineKey = ("", "", "", "", "", "", "", "", "")


class Recount(NamedTuple):
    """Sums by hour and line."""

    groups: Groups
    """The sums; slots are hours."""
    keys: Mapping[int, LineKey]
    """What each line means."""


def from_columns(session: Session, query: SpendQuery, by: Sequence[Dimension] | None = None) -> Recount:
    """What the columns of the query's days add up to, its choices looked at.

    Where only `by` will be asked of it, what that does not tell apart is one group from the first.
    """
    keys = _keys(session)
    chosen = _chosen(query)
    wanted = None
    if chosen:
        keys = {line: key for line, key in keys.items() if all(key[place] in values for place, values in chosen)}
        wanted = np.array(sorted(keys), np.int64)
    fold = None if by is None else _Fold.of(by, keys)
    parts = []
    for _, table in _tables(session, query):
        taken = table if wanted is None else table[:, np.isin(table[LINE], wanted)]
        hours, lines = taken[AT] // HOUR_US, taken[LINE]
        if fold is not None:
            hours, lines = fold.slots(hours), fold.lines(lines)
        parts.append(grouped(hours, lines, taken[FIGURES:]))
        if len(parts) >= _JOINED:
            parts = [joined(parts)]
    return Recount(_joined(parts), keys)


def from_records(session: Session, query: SpendQuery) -> Recount:
    """What the records themselves add up to, on the query's days; nothing else of it is looked at."""
    book = LineBook()
    parts: list[Groups] = []
    for bundle, table in _tables(session, query):
        (kept,) = session.execute("SELECT records FROM ledger_body WHERE bundle = ?", (bundle,))[0]
        found = RecordBatch(records_of(kept, table), book).table
        parts.append(grouped(found[AT] // HOUR_US, found[LINE], found[FIGURES:]))
        if len(parts) >= _JOINED:
            parts = [joined(parts)]
    return Recount(_joined(parts), dict(enumerate(book.keys)))


def told_by(recount: Recount, by: Sequence[Dimension]) -> dict[tuple[str, ...], list[int]]:
    """The sums by those dimensions, in the order of `MEASURES`."""
    fold = _Fold.of(by, recount.keys)
    groups = grouped(fold.slots(recount.groups.slots), fold.lines(recount.groups.lines), recount.groups.sums)
    texts = {hour: (day_text(hour // 24), hour_text(hour)) for hour in np.unique(groups.slots).tolist()}
    places = [_PLACES[each] for each in by]
    found: dict[tuple[str, ...], list[int]] = {}
    for hour, line, *sums in zip(groups.slots.tolist(), groups.lines.tolist(), *groups.sums.tolist(), strict=True):
        told = (*recount.keys.get(line, _NO_LINE), *texts[hour])
        found[tuple([told[place] for place in places])] = sums
    return found


class _Fold(NamedTuple):
    """What some dimensions do not tell apart: hours that count as one, and lines that do."""

    by: Sequence[Dimension]
    """The dimensions."""
    first: Ints
    """[line] the first line that they tell the same of; the last place is that of lines beyond."""

    @classmethod
    def of(cls, by: Sequence[Dimension], keys: Mapping[int, LineKey]) -> _Fold:
        """Of these lines; any other counts as one more that means nothing."""
        places = [LINE_NAMES.index(each.value) for each in by if each not in (Dimension.DAY, Dimension.HOUR)]
        firsts: dict[tuple[str, ...], int] = {}
        known = sorted(keys)
        first = [firsts.setdefault(tuple([keys[line][place] for place in places]), line) for line in known]
        nobody = firsts.get(tuple([_NO_LINE[place] for place in places]), _NOBODY)
        every = np.full(known[-1] + 2 if known else 1, nobody, np.int64)
        every[known] = first
        return cls(by, every)

    def slots(self, hours: Ints) -> Ints:
        """The first of the hours that count as one."""
        if Dimension.HOUR in self.by:
            return hours
        return hours // 24 * 24 if Dimension.DAY in self.by else np.zeros_like(hours)

    def lines(self, lines: Ints) -> Ints:
        """The first of the lines that count as one."""
        return self.first[np.minimum(lines, len(self.first) - 1)]


def _joined(parts: list[Groups]) -> Groups:
    nothing = np.empty(0, np.int64)
    return joined(parts) if parts else Groups(nothing, nothing, np.empty((len(MEASURES), 0), np.int64))


def _keys(session: Session) -> dict[int, LineKey]:
    """Every line that is not a coarse one."""
    rows = session.execute(f"SELECT id, {', '.join(LINE_NAMES)} FROM ledger_line WHERE cube = 0")
    return {int(id): (kind, *names) for id, kind, *names in rows}


def _chosen(query: SpendQuery) -> list[tuple[int, frozenset[str]]]:
    """Which values are wanted, by their place in a line."""
    named = ("tenant", "key", "workload", "model", "site", "upstream")
    wanted = [(name, getattr(query, name)) for name in named]
    found = [(LINE_NAMES.index(name), frozenset((value,))) for name, value in wanted if value is not None]
    if query.kinds:
        found.append((LINE_NAMES.index("kind"), frozenset(map(str, query.kinds))))
    return found


def _tables(session: Session, query: SpendQuery) -> Iterator[tuple[int, Ints]]:
    """Bundles of the query's days, each with its table."""
    where, values = _days(query)
    firsts = [
        row[0] for row in session.execute(f"SELECT first FROM ledger_bundle WHERE {where} ORDER BY first", values)
    ]
    for place in range(0, len(firsts), _AT_ONCE):
        part = firsts[place : place + _AT_ONCE]
        places = ", ".join("?" * len(part))
        for bundle, kept in session.execute(
            f"SELECT bundle, columns FROM ledger_body WHERE bundle IN ({places})", part
        ):
            yield int(bundle), unpack(kept)


def _days(query: SpendQuery) -> tuple[str, list[Any]]:
    where, values = ["first > 0"], list[Any]()
    for condition, day in (("day >= ?", query.since), ("day <= ?", query.until)):
        if day is not None:
            where.append(condition)
            values.append(day_number(day))
    return " AND ".join(where), values
