"""One CSV file to typed rows of one table, with errors that name file and line.

The columns are read off the table's dataclass, so a field added there is a column needed here.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar, get_type_hints

from tripoint.adapters.catalog_csv.cells import CellError, Converter, converter_for
from tripoint.domain.errors import InternalError
from tripoint.domain.provenance import Provenance

Row = TypeVar("Row")

NOTE = "note"
"""Column for human readers; tables whose dataclass has no such field drop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a file and the field it fills."""

    header: str
    """Name in the file's first line."""
    field: str
    """Name of the dataclass field."""
    convert: Converter
    """Cell to value."""
    default: Any = MISSING
    """Value of an empty cell; `MISSING` where the converter decides."""


def read_rows(file: str, content: str, kind: type[Row], renames: Mapping[str, str]) -> tuple[Row, ...]:
    """All rows of a file as `kind`; `renames` maps a field to its column where the names differ."""
    own, shared = _columns(kind, renames), _columns(Provenance, {})
    is_sourced = "provenance" in {field.name for field in fields(kind)}  # type: ignore[arg-type]
    build: Callable[..., Row] = kind
    rows = []
    for line, cells in read_cells(file, content, _required(own + (shared if is_sourced else ()))):
        values = _values(file, line, own, cells)
        if is_sourced:
            values["provenance"] = Provenance(**_values(file, line, shared, cells))
        rows.append(build(**values))
    return tuple(rows)


def read_cells(file: str, content: str, headers: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells by header of every row, after checking the header line and the row's length."""
    reader = csv.reader(content.splitlines())
    found = next(reader, [])
    _check_headers(file, found, headers)
    for cells in reader:
        if len(cells) != len(found):
            raise InternalError(f"{len(cells)} cells where the header has {len(found)} at {file}:{reader.line_num}")
        yield reader.line_num, dict(zip(found, cells, strict=True))


def _check_headers(file: str, found: list[str], needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in found]
    unknown = [name for name in found if name not in needed and name != NOTE]
    if missing or unknown or len(set(found)) != len(found):
        wanted = ", ".join(f"`{name}`" for name in needed)
        raise InternalError(f"columns missing {missing}, unknown {unknown} at {file}:1; the table has {wanted}")


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


def _required(columns: tuple[Column, ...]) -> tuple[str, ...]:
    return tuple(column.header for column in columns if column.header != NOTE)


def _values(file: str, line: int, columns: tuple[Column, ...], cells: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in columns:
        cell = cells.get(column.header, "")
        if not cell and column.default is not MISSING:
            values[column.field] = column.default
            continue
        try:
            values[column.field] = column.convert(cell)
        except CellError as error:
            where = f"column `{column.header}` at {file}:{line}"
            raise InternalError(f"`{cell}` where {error} is needed, {where}") from None
    return values
