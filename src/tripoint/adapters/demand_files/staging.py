"""Brings the columns a fit needs into the staging database, in file order, with what could not be parsed
counted.

Text files are read as text (no type is inferred from the first rows, so a late odd value cannot spoil the
read); a CSV row with the wrong number of fields and a line that is not a JSON object are set aside as malformed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tripoint.adapters.demand_files.formats import FileFormat
from tripoint.adapters.demand_files.session import Session
from tripoint.domain.errors import OptionError

MAX_LINE_BYTES = 8_000_000
"""Longest line read; longer ones are set aside as malformed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A staged file."""

    read: int
    """Rows staged."""
    malformed: int
    """Rows set aside."""
    notes: tuple[str, ...]
    """What was odd about the rows."""


def column_names(session: Session, file: FileFormat) -> tuple[str, ...]:
    """Columns of the file; of Parquet, whose schema only DuckDB reads, by asking it."""
    if file.content != "parquet":
        return file.columns
    described = session.rows("DESCRIBE SELECT * FROM read_parquet(?)", [session.readable(file.path)])
    return tuple(str(row[0]) for row in described)


def stage(session: Session, file: FileFormat, columns: Mapping[str, str], hashed: tuple[str, ...] = ()) -> Staged:
    """Create table `staged`: `row` (file order), `twin` (hash of the whole row, NULL if malformed), a column per role.

    Roles in `hashed` are stored as 64-bit hashes: enough to count tenants without keeping their names.
    """
    reader = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[file.content]
    relation, by_role, whole = reader(session, file, columns)
    picked = ", ".join(f"{f'hash({sql})' if role in hashed else sql} AS {role}_" for role, sql in by_role.items())
    session.run(
        f"CREATE TABLE staged AS SELECT row_number() OVER () AS row, {whole} AS twin, {picked} FROM {relation}",
        [session.readable(file.path)],
    )
    read = int(session.row("SELECT count(*) FROM staged")[0])
    rejected = _rejected(session) if file.content != "parquet" else 0
    invalid = 0
    if file.content == "jsonl":
        invalid = int(session.row("SELECT count(*) FROM staged WHERE twin IS NULL")[0])
    lost = file.lines - file.skip - (file.content == "csv") - read - rejected if file.content != "parquet" else 0
    notes = (
        (f"{lost:,} lines lie inside quoted fields, or were swallowed by a quote that is never closed",)
        if (lost > 0 and file.content == "csv")
        else ()
    )
    return Staged(read=read - invalid, malformed=rejected + invalid, notes=notes)


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _csv(session: Session, file: FileFormat, columns: Mapping[str, str]) -> tuple[str, dict[str, str], str]:
    """CSV relation, expression by role, and the hash of a row."""
    types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in file.columns)
    relation = (
        f"read_csv(?, columns={{{types}}}, auto_detect=false, header=true, skip={file.skip}, "
        f"delim={literal(file.delimiter)}, quote='\"', escape='\"', ignore_errors=true, store_rejects=true, "
        f"rejects_limit=0, max_line_size={MAX_LINE_BYTES}, buffer_size={4 * MAX_LINE_BYTES}, "
        f"compression={literal('gzip' if file.is_gzip else 'none')})"
    )
    by_role = {role: f"nullif(trim({quoted(name)}), '')" for role, name in columns.items()}
    return relation, by_role, _hash(file.columns)


def _jsonl(session: Session, file: FileFormat, columns: Mapping[str, str]) -> tuple[str, dict[str, str], str]:
    """JSON lines, each read as text and parsed once for all roles."""
    lines = (
        "read_csv(?, columns={'line': 'VARCHAR'}, auto_detect=false, header=false, delim='\x1f', quote='', "
        "escape='', ignore_errors=true, store_rejects=true, rejects_limit=0, "
        f"max_line_size={MAX_LINE_BYTES}, buffer_size={4 * MAX_LINE_BYTES}, "
        f"compression={literal('gzip' if file.is_gzip else 'none')})"
    )
    paths = ", ".join(literal(path) for name in columns.values() for path in _json_paths(name))
    is_object = "json_valid(line) AND starts_with(ltrim(line), '{')"
    relation = (
        f"(SELECT CASE WHEN {is_object} THEN hash(line) END AS twin, "
        f"CASE WHEN {is_object} THEN json_extract_string(line, [{paths}]) END AS fields "
        f"FROM {lines} WHERE trim(line) <> '')"
    )
    by_role = {role: f"coalesce(fields[{2 * at + 1}], fields[{2 * at + 2}])" for at, role in enumerate(columns)}
    return relation, by_role, "twin"


def _json_paths(name: str) -> tuple[str, str]:
    """A dotted name is either one key that holds dots or a path through nested objects."""
    return f'$."{name}"', "$" + "".join(f'."{part}"' for part in name.split("."))


def _parquet(session: Session, file: FileFormat, columns: Mapping[str, str]) -> tuple[str, dict[str, str], str]:
    """Parquet relation; columns keep their types."""
    by_role = {role: quoted(name) for role, name in columns.items()}
    return "read_parquet(?)", by_role, _hash(column_names(session, file))


def _hash(names: tuple[str, ...]) -> str:
    """Hash of all columns of a row."""
    return f"hash({', '.join(quoted(name) for name in names)})"


def _rejected(session: Session) -> int:
    """CSV lines DuckDB could not split into the header's columns."""
    return int(session.row("SELECT count(DISTINCT line) FROM reject_errors")[0])


def dropped_rows(session: Session, table: str, what: str) -> dict[str, int]:
    """Rows of `table` by the reason they were judged unusable; raises `OptionError` when fewer than two are left."""
    counts = {
        str(reason): int(count)
        for reason, count in session.rows(
            f"SELECT reason, count(*) FROM {table} WHERE reason IS NOT NULL GROUP BY ALL ORDER BY ALL"
        )
    }
    kept = int(session.row(f"SELECT count(*) FROM {table} WHERE reason IS NULL")[0])
    if kept < 2:
        told = ", ".join(f"{count:,} for {reason}" for reason, count in counts.items()) or "none dropped"
        raise OptionError(
            f"{kept} usable {what}{'' if kept == 1 else 's'}, 2 are needed to tell a rate; rows dropped: {told}",
            hint="check the mapped columns with `--map`",
        )
    return counts
