"""Writes an export as CSV or Parquet, whole or not at all.

CSV needs the standard library only. For Parquet the parts of the rows are handed to DuckDB, which joins them: a million
rows are then no more work than their numbers.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tripoint.adapters.atomic_file import replacing
from tripoint.adapters.focus_files.session import literal, open_session, quoted
from tripoint.engines.governance.focus.columns import Column, Kind, Part, amount_texts, decimal_text
from tripoint.engines.governance.focus.meters import Amount
from tripoint.engines.governance.focus.parts import Line, Period, Sku
from tripoint.engines.governance.focus.sheet import Sheet

_PARTS: Final = (Part.PERIOD, Part.LINE, Part.SKU)
_FIELDS: Final = {Part.PERIOD: Period._fields, Part.LINE: Line._fields, Part.SKU: Sku._fields}
_PRICE: Final = "DECIMAL(24, 12)"
_OWN: Final = (Part.PERIOD, Part.AMOUNT)
"""Parts that a row shares with few others."""
_MOST_SHARED: Final = 50_000
"""Most texts of lines and SKUs that are kept at hand."""
_NULL: Final = "\x00"
"""Stands for null in what is handed to DuckDB, and for what is filled in later in a line; no name can hold it."""


def write_csv(path: Path, columns: Sequence[Column], sheets: Iterable[Sheet]) -> int:
    """Writes the rows of all sheets; how many.

    Raises `FileError` when the file cannot be written, and then leaves the one that was there.
    """
    form = _Form(columns)
    count = 0
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerow(column.name for column in columns)
        for sheet in sheets:
            stream.writelines(form.lines(sheet))
            count += sheet.size
    return count


class _Form:
    """Rows as lines of CSV: what a line and a SKU say is made once, however many rows share them."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        own = [each for each in columns if each.part in _OWN]
        self._times = [each.fact for each in own if each.part is Part.PERIOD]
        self._amounts = [each for each in own if each.part is Part.AMOUNT]
        places = {each.name: place for place, each in enumerate(sorted(own, key=lambda each: _OWN.index(each.part)))}
        self._in_order = itemgetter(*(places[each.name] for each in own))
        self._periods: list[tuple[str, ...]] = []
        self._parts: tuple[list[Line], list[Sku]] = ([], [])
        self._shared: dict[tuple[int, int], str] = {}

    def lines(self, sheet: Sheet) -> Iterator[str]:
        """A line for each row of the sheet, which must come after those before it."""
        self._periods += [tuple([str(getattr(each, fact)) for fact in self._times]) for each in sheet.periods]
        self._parts[0].extend(sheet.lines)
        self._parts[1].extend(sheet.skus)
        if len(self._shared) > _MOST_SHARED:
            self._shared.clear()
        for row, amounts in zip(sheet.numbers(), self._texts(sheet), strict=True):
            period, line, sku = row
            shared = self._shared.get((line, sku))
            if shared is None:
                shared = self._shared[line, sku] = self._form_of(self._parts[0][line], self._parts[1][sku])
            yield shared % self._in_order((*self._periods[period], *amounts))

    def _texts(self, sheet: Sheet) -> Iterator[tuple[str, ...]]:
        """What the columns of amounts show, row by row."""
        for rows in sheet.amounts():
            yield from zip(*[amount_texts(each, rows[each.fact]) for each in self._amounts], strict=True)

    def _form_of(self, line: Line, sku: Sku) -> str:
        """The whole row, with `%s` where its period and its amounts belong."""
        of = {Part.LINE: line, Part.SKU: sku}
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerow(
            [getattr(of[each.part], each.fact) if each.part in of else _NULL for each in self._columns]
        )
        return text.getvalue().replace("%", "%%").replace(_NULL, "%s")


def write_parquet(path: Path, columns: Sequence[Column], sheets: Iterable[Sheet]) -> int:
    """As `write_csv`; raises `MissingExtraError` without DuckDB."""
    with (
        replacing(path) as part,
        tempfile.TemporaryDirectory(prefix=".tripoint-focus-", dir=path.parent) as folder,
        open_session(str(path), Path(folder)) as session,
    ):
        files = {each: Path(folder) / f"{each}.csv" for each in _PARTS}
        session.execute(f"CREATE TABLE amount ({', '.join(f'{name} BIGINT' for name in (*_NUMBERS, *_AMOUNTS))})")
        count = _stage(session, files, sheets)
        for name in _PARTS:
            _load(session, name, files[name], dict.fromkeys(_FIELDS[name], "VARCHAR"))
            _convert(session, name, columns)
        chosen = ", ".join(f"{_expression(column)} AS {quoted(column.name)}" for column in columns)
        joined = " ".join(f"JOIN {name} ON {name}.number = amount.{name}_number" for name in _PARTS)
        session.execute(
            f"COPY (SELECT {chosen} FROM amount {joined}) TO {literal(str(part))} (FORMAT parquet, COMPRESSION zstd)"
        )
    return count


_NUMBERS: Final = tuple(f"{name}_number" for name in _PARTS)
_AMOUNTS: Final = Amount._fields


def _stage(session: Any, files: dict[Part, Path], sheets: Iterable[Sheet]) -> int:
    """Writes each part once, and hands over the rows as numbers only."""
    streams = {name: file.open("w", encoding="utf-8", newline="") for name, file in files.items()}
    try:
        writers = {name: csv.writer(stream, lineterminator="\n") for name, stream in streams.items()}
        numbers = dict.fromkeys(_PARTS, 0)
        count = 0
        for sheet in sheets:
            for name, new in zip(_PARTS, (sheet.periods, sheet.lines, sheet.skus), strict=True):
                first = numbers[name]
                writers[name].writerows(
                    (number, *(_NULL if value is None else value for value in each))
                    for number, each in enumerate(new, first)
                )
                numbers[name] = first + len(new)
            _add_rows(session, sheet)
            count += sheet.size
        return count
    finally:
        for stream in streams.values():
            stream.close()


def _add_rows(session: Any, sheet: Sheet) -> None:
    if sheet.many is not None:
        _add(session, (sheet.many.periods, sheet.many.lines, sheet.many.skus, *sheet.many.amounts))
    if sheet.rows:
        columns = zip(*((row.period, row.line, row.sku, *row.amount) for row in sheet.rows), strict=True)
        _add(session, [_column(each) for each in columns])


def _column(values: Sequence[int | None]) -> npt.NDArray[np.int64]:
    nothing = [value is None for value in values]
    known = np.array([0 if value is None else value for value in values], np.int64)
    return np.ma.masked_array(known, nothing) if any(nothing) else known


def _add(session: Any, columns: Sequence[npt.NDArray[np.int64]]) -> None:
    names = (*_NUMBERS, *_AMOUNTS)
    session.register("arriving", dict(zip(names, columns, strict=True)))
    session.execute(f"INSERT INTO amount SELECT {', '.join(names)} FROM arriving")
    session.unregister("arriving")


def _load(session: Any, name: Part, file: Path, types: dict[str, str]) -> None:
    known = {"number": "BIGINT", **types}
    described = ", ".join(f"{literal(column)}: {literal(type_)}" for column, type_ in known.items())
    session.execute(
        f"CREATE TABLE {name} AS SELECT * FROM read_csv({literal(str(file))}, columns={{{described}}}, header=false,"
        f" auto_detect=false, delim=',', quote='\"', escape='\"', nullstr={literal(_NULL)})"
    )


def _convert(session: Any, name: Part, columns: Sequence[Column]) -> None:
    """Gives the facts of a part their types, once for all rows that point at it."""
    for kind, type_ in ((Kind.INSTANT, "TIMESTAMPTZ"), (Kind.DECIMAL, _PRICE)):
        for fact in sorted({each.fact for each in columns if each.part is name and each.kind is kind}):
            session.execute(f"ALTER TABLE {name} ALTER {quoted(fact)} TYPE {type_}")


def _expression(column: Column) -> str:
    """SQL that gives a column its value and its type."""
    if column.part is not Part.AMOUNT:
        return f"{column.part}.{quoted(column.fact)}"
    value = f"amount.{column.fact}"
    if column.kind is not Kind.DECIMAL:
        return value
    if not column.scale:
        return f"CAST({value} AS DECIMAL(18, 0))"
    unit = f"CAST('{decimal_text(1, column.scale)}' AS DECIMAL({column.scale + 1}, {column.scale}))"
    width = 18 if column.scale <= 6 else 30
    return f"CAST(CAST({value} AS DECIMAL(19, 0)) * {unit} AS DECIMAL({width}, {column.scale}))"
