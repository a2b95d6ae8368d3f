"""Reads a SkyPilot catalogue, the `vms.csv` of one cloud, row by row and as text."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from tripoint.domain.errors import FileError
from tripoint.domain.quote import CatalogueRow

NEEDED: Final = ("InstanceType", "Price", "Region")
"""Columns without which a file is no such catalogue."""
_HINT: Final = "name the `vms.csv` of one cloud from SkyPilot's catalogue"


def read_catalogue(path: Path) -> Iterator[CatalogueRow]:
    """The rows of the file; `.gz` is unpacked.

    Raises `FileError` with the line where the file cannot be read, is cut off or is no such catalogue.
    """
    try:
        with _opened(path) as stream:
            yield from _rows(path, stream)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise FileError(f"cannot read `{path}`: {reason}", hint="check the path and your rights to it") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"`{path}` is not readable CSV: {error}", hint=_HINT) from error


def _opened(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(path: Path, stream: TextIO) -> Iterator[CatalogueRow]:
    reader = csv.reader(stream, strict=True)
    header = next(reader, None) or []
    missing = [name for name in NEEDED if name not in header]
    if missing:
        told = ", ".join(f"`{name}`" for name in missing)
        raise FileError(f"`{path}` is not a SkyPilot catalogue: it has no column {told}", hint=_HINT)
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(header):
            raise FileError(
                f"`{path}` line {reader.line_num:,} has {len(cells)} fields, the header has {len(header)}",
                hint="the file is cut off or damaged; download it again",
            )
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
        yield CatalogueRow(
            place=reader.line_num,
            instance=row["InstanceType"],
            accelerator=row.get("AcceleratorName", ""),
            accelerators=row.get("AcceleratorCount", ""),
            price=row["Price"],
            spot_price=row.get("SpotPrice", ""),
            region=row["Region"],
            zone=row.get("AvailabilityZone", ""),
        )
