"""What a file is, told by its content: CSV, JSON lines or Parquet, plain or gzip; and whether it is whole.

Reads the file once in small pieces (gzip checksums included), so a truncated download is refused before
anything is computed from it.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tripoint.domain.errors import FileError, OptionError

HEAD_BYTES = 1 << 20
"""Longest header line or first JSON line looked at."""
PIECE_BYTES = 1 << 20
SAMPLE_LINES = 1000
DELIMITERS = (",", ";", "\t", "|")
FOREIGN = {
    b"PK\x03\x04": ("a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV"),
    b"\x28\xb5\x2f\xfd": ("Zstandard-compressed", "decompress it with `zstd -d`, or use gzip"),
    b"BZh": ("bzip2-compressed", "decompress it with `bunzip2`, or use gzip"),
    b"\xfd7zXZ": ("xz-compressed", "decompress it with `unxz`, or use gzip"),
    b"\xff\xfe": ("UTF-16 text", "convert it with `iconv -f UTF-16 -t UTF-8`"),
    b"\xfe\xff": ("UTF-16 text", "convert it with `iconv -f UTF-16 -t UTF-8`"),
    b"ARROW1": ("an Arrow file", "write it as Parquet"),
    b"SQLite": ("an SQLite database", "export the table as CSV"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """How to open a file."""

    path: Path
    """Where it is."""
    content: str
    """`csv`, `jsonl` or `parquet`."""
    is_gzip: bool = False
    """Whether the text is gzip-compressed."""
    delimiter: str = ","
    """CSV: between fields."""
    skip: int = 0
    """CSV: comment and blank lines before the header."""
    columns: tuple[str, ...] = ()
    """CSV: header; JSON lines: names met in the first lines, nested ones with dots. Empty for Parquet."""
    lines: int = 0
    """Text: non-empty lines in the file, header and comments included."""


def inspect(path: str) -> FileFormat:
    """Look at a file; raises `OptionError` for what is not a log, `FileError` for what is damaged."""
    place = Path(path)
    head = _first_bytes(place)
    if head.startswith(b"PAR1"):
        _check_extension(place, "parquet")
        return FileFormat(path=place, content="parquet")
    _refuse_foreign(place, head)
    is_gzip = head.startswith(b"\x1f\x8b")
    start, lines = _read_through(place, is_gzip)
    if not start.strip():
        raise OptionError(f"`{place.name}` is empty", hint="name a log with a header line and at least two rows")
    text = _decoded(place, start)
    if text.lstrip().startswith("{"):
        _check_extension(place, "jsonl")
        return FileFormat(path=place, content="jsonl", is_gzip=is_gzip, columns=_json_names(place, text), lines=lines)
    if text.lstrip().startswith("["):
        raise OptionError(
            f"`{place.name}` is one JSON array, not one object per line",
            hint=f"convert it with `jq -c '.[]' {place.name}`",
        )
    _check_extension(place, "csv")
    delimiter, skip, columns = _csv_header(place, text)
    return FileFormat(
        path=place,
        content="csv",
        is_gzip=is_gzip,
        delimiter=delimiter,
        skip=skip,
        columns=columns,
        lines=lines,
    )


def _first_bytes(place: Path) -> bytes:
    """The first bytes of a regular file, or why they cannot be had."""
    if place.is_dir():
        raise OptionError(f"`{place}` is a folder", hint="name one file of it")
    with _reporting(place), place.open("rb") as stream:
        return stream.read(8)


def _refuse_foreign(place: Path, head: bytes) -> None:
    """Formats that are recognised only to be refused with a way out."""
    for magic, (what, way_out) in FOREIGN.items():
        if head.startswith(magic):
            raise OptionError(f"`{place.name}` is {what}, not CSV, JSON lines or Parquet", hint=way_out)


def _check_extension(place: Path, content: str) -> None:
    """A name that promises another format is refused: one of the two is wrong, and only the caller knows
    which.
    """
    promises = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
    named = [promises[suffix] for suffix in (part.lower() for part in place.suffixes) if suffix in promises]
    if named and named[-1] != content:
        names = {"csv": "CSV", "jsonl": "JSON lines", "parquet": "Parquet"}
        raise OptionError(
            f"`{place.name}` is named as {names[named[-1]]} but holds {names[content]}",
            hint="rename the file, or check that it is the one meant",
        )


def _read_through(place: Path, is_gzip: bool) -> tuple[bytes, int]:
    """First bytes of the text and count of non-empty lines; reading to the end verifies gzip's checksums."""
    head, lines, last, done = b"", 0, b"\n", 0
    try:
        with _reporting(place), gzip.open(place, "rb") if is_gzip else place.open("rb") as stream:
            while piece := stream.read(PIECE_BYTES):
                head += piece[: HEAD_BYTES - len(head)]
                lines += _line_ends(last + piece.replace(b"\r", b""))
                last, done = piece[-1:], done + len(piece)
    except EOFError as error:
        raise FileError(
            f"`{place.name}` is truncated: its gzip stream breaks off after {done / 1e6:.2f} MB of text",
            hint="copy or download the file again",
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise FileError(
            f"`{place.name}` is damaged: its gzip stream fails after {done / 1e6:.2f} MB of text ({error})",
            hint="copy or download the file again",
        ) from error
    return head, lines + (last not in (b"\n", b"\r"))


def _line_ends(text: bytes) -> int:
    """Ends of non-empty lines: newlines after anything but a newline."""
    is_newline = np.frombuffer(text, dtype=np.uint8) == ord("\n")
    return int(np.count_nonzero(is_newline[1:] & ~is_newline[:-1]))


def _decoded(place: Path, start: bytes) -> str:
    """Text of the first lines; a byte that is not text at all refuses the file."""
    if b"\x00" in start.partition(b"\n")[0]:
        raise OptionError(
            f"`{place.name}` is a binary file, not CSV, JSON lines or Parquet",
            hint="export the log as one of these",
        )
    return start.decode("utf-8-sig", errors="replace")


def _csv_header(place: Path, text: str) -> tuple[str, int, tuple[str, ...]]:
    """Delimiter, lines before the header, and column names."""
    lines = text.splitlines()
    skip = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    if skip == len(lines):
        raise OptionError(f"`{place.name}` holds comments only", hint="name a log with a header line and rows")
    header = lines[skip]
    if len(header.encode()) >= HEAD_BYTES - 4:
        raise OptionError(
            f"the first line of `{place.name}` is longer than {HEAD_BYTES / 1e6:.1f} MB",
            hint="name a log whose first line holds the column names",
        )
    delimiter = max(DELIMITERS, key=header.count)
    columns = tuple(name.strip() for name in next(csv.reader(io.StringIO(header), delimiter=delimiter)))
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise OptionError(f"`{place.name}` has more than one column named `{twice[0]}`", hint="rename one of them")
    if not any(any(letter.isalpha() for letter in name) for name in columns):
        raise OptionError(
            f"`{place.name}` has no header line: its first line is `{header[:80]}`",
            hint="put the column names on the first line",
        )
    if not any(line.strip() for line in lines[skip + 1 :]):
        raise OptionError(f"`{place.name}` holds a header line and no rows", hint="name a log with at least two rows")
    return delimiter, skip, columns


def _json_names(place: Path, text: str) -> tuple[str, ...]:
    """Names met in the first lines, nested objects with dots; lines that do not parse are counted later."""
    names: dict[str, None] = {}
    for line in text.splitlines()[:SAMPLE_LINES]:
        try:
            parsed = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(parsed, dict):
            names.update(dict.fromkeys(_flat(parsed)))
    if not names:
        raise OptionError(
            f"no line at the start of `{place.name}` is a JSON object",
            hint="name a file with one JSON object per line",
        )
    return tuple(names)


def _flat(parsed: dict[str, object], depth: int = 3) -> Iterator[str]:
    """Names of an object's values, `outer.inner` for objects within, to a depth that logs use."""
    for name, value in parsed.items():
        if isinstance(value, dict) and depth > 1:
            yield from (f"{name}.{inner}" for inner in _flat(value, depth - 1))
        else:
            yield name


@contextmanager
def _reporting(place: Path) -> Iterator[None]:
    """Turns the operating system's refusals into ours."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError):
        raise
    except OSError as error:
        raise FileError(
            f"cannot read `{place}`: {error.strerror or type(error).__name__}",
            hint="check the path and your rights to it",
        ) from error
