"""Entries of the ledger as Parquet, a file a day, counted again in the finished file before anybody relies on it."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec

from tripoint.adapters.atomic_file import replacing, sync_folder
from tripoint.adapters.focus_files.session import literal, open_session, quoted
from tripoint.domain.ledger import Entry
from tripoint.usecases.close import Kept

_TYPES: Final = {int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", str: "VARCHAR"}


def write_entries(path: Path, entries: Iterable[Entry]) -> Kept:
    """Writes a file of entries, whole or not at all, and tells what is in it once it is on disk for good.

    Columns are the fields of an `Entry`; attempts are JSON. Raises `FileError`, and `MissingExtraError` without DuckDB.
    """
    columns = {name: _TYPES.get(kind, "VARCHAR") for name, kind in get_type_hints(Entry).items()}
    with (
        replacing(path) as part,
        tempfile.TemporaryDirectory(prefix=".tripoint-close-", dir=path.parent) as folder,
        open_session(str(path), Path(folder)) as session,
    ):
        staged = Path(folder) / "entries.csv"
        with staged.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
            for entry in entries:
                writer.writerow((*map(_plain, entry[:-1]), msgspec.json.encode(entry.attempts).decode()))
        described = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
        chosen = ", ".join(f"{quoted(name)}" for name in columns)
        session.execute(
            f"COPY (SELECT {chosen} FROM read_csv({literal(str(staged))}, columns={{{described}}}, header=false,"
            f" auto_detect=false, delim=',', quote='\"', escape='\"', nullstr={literal(chr(0))}))"
            f" TO {literal(str(part))} (FORMAT parquet, COMPRESSION zstd)"
        )
        found = session.execute(
            "SELECT COUNT(*), COALESCE(SUM(nano), 0), COALESCE(SUM(requests), 0)"
            f" FROM read_parquet({literal(str(part))})"
        ).fetchone()
    sync_folder(path.parent)
    return Kept(int(found[0]), int(found[1]), int(found[2]))


def _plain(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else value
