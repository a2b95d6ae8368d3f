"""One CSV file to typed rows of one table, with errors that name file and line.

The columns are read off the table's dataclass, so a field added there is a column needed here.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar, get_type_hints

from tripoint.adapters.catalog_csv.cells import CellError, Converter, converter_for
from tripoint.domain.errors import InternalError
from tripoint.domain.provenance import Provenance

Row = TypeVar("Row")

NOTE = "note"
"""Column for human readers; tables whose dataclass has no such field drop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file split into cells, every row as long as the header."""

    file: str
    """File name, for errors."""
    headers: tuple[str, ...]
    """Column names."""
    rows: tuple[tuple[int, list[str]], ...]
    """1-based line and cells of every row."""

    def column(self, header: str) -> tuple[str, ...]:
        """Cells of one column; none when the sheet has no such column."""
        if header not in self.headers:
            return ()
        at = self.headers.index(header)
        return tuple(cells[at] for _, cells in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table and the field it fills."""

    header: str
    """Name in the file's first line."""
    field: str
    """Name of the dataclass field."""
    convert: Converter
    """Cell to value."""
    default: Any
    """Value of an empty cell; `MISSING` where the converter decides."""


def read_sheet(file: str, content: str) -> Sheet:
    """The cells of a CSV text, after checking that all rows have the header's length."""
    reader = csv.reader(content.splitlines())
    headers = tuple(next(reader, ()))
    rows = []
    for cells in reader:
        if len(cells) != len(headers):
            where = f"{file}:{reader.line_num}"
            raise InternalError(f"{len(cells)} cells where the header has {len(headers)}, at {where}")
        rows.append((reader.line_num, cells))
    return Sheet(file=file, headers=headers, rows=tuple(rows))


def read_rows(sheet: Sheet, kind: type[Row], renames: Mapping[str, str]) -> tuple[Row, ...]:
    """All rows as `kind`; `renames` maps a field to its column where the names differ."""
    own = _columns(kind, renames)
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # every row type is a dataclass
    is_sourced = "provenance" in names
    shared = _columns(Provenance, {}) if is_sourced else ()
    check_headers(sheet, tuple(column.header for column in own + shared if column.header != NOTE))
    place_own, place_shared = _placed(sheet, own), _placed(sheet, shared)
    build: Callable[..., Row] = kind
    rows = []
    for line, cells in sheet.rows:
        values = _values(sheet, line, cells, place_own)
        if is_sourced:
            values["provenance"] = Provenance(**_values(sheet, line, cells, place_shared))
        rows.append(build(**values))
    return tuple(rows)


def check_headers(sheet: Sheet, needed: tuple[str, ...]) -> None:
    """Raises `InternalError` unless the sheet has exactly the columns `needed`, and perhaps a note."""
    missing = [name for name in needed if name not in sheet.headers]
    unknown = [name for name in sheet.headers if name not in needed and name != NOTE]
    twice = [name for name in sheet.headers if sheet.headers.count(name) > 1]
    if missing or unknown or twice:
        wanted = ", ".join(f"`{name}`" for name in needed)
        wrong = f"missing {missing}, unknown {unknown}, repeated {twice}"
        raise InternalError(f"wrong columns at {sheet.file}:1: {wrong}; needed are {wanted}")


def _columns(kind: type[Any], renames: Mapping[str, str]) -> tuple[Column, ...]:
    hints = get_type_hints(kind)
    return tuple(
        Column(
            header=renames.get(field.name, field.name),
            field=field.name,
            convert=converter_for(hints[field.name]),
            default=field.default,
        )
        for field in fields(kind)
        if field.name != "provenance"
    )


def _placed(sheet: Sheet, columns: tuple[Column, ...]) -> tuple[tuple[int, Column], ...]:
    """Columns with their position; a note the sheet does not have stays at its default."""
    return tuple((sheet.headers.index(c.header), c) for c in columns if c.header in sheet.headers)


def _values(sheet: Sheet, line: int, cells: list[str], columns: tuple[tuple[int, Column], ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for at, column in columns:
        cell = cells[at]
        if not cell and column.default is not MISSING:
            values[column.field] = column.default
            continue
        try:
            values[column.field] = column.convert(cell)
        except CellError as error:
            where = f"column `{column.header}` at {sheet.file}:{line}"
            raise InternalError(f"`{cell}` where {error} is needed, in {where}") from None
    return values
