"""Reads a bill in the FOCUS format, of any provider and of any version from 1.0 on, row by row.

Text is taken as it stands and numbers exactly; nothing is guessed. A column that is missing is empty, except for those
without which a row says nothing.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tripoint.adapters.focus_files.session import literal, open_session, quoted
from tripoint.domain.bill import BillRow
from tripoint.domain.errors import FileError

NEEDED: Final = ("ChargePeriodStart", "ChargeCategory", "BilledCost")
"""Columns a file must have to be a bill."""
_NULL: Final = "NULL"
"""How some exports of FOCUS 1.0 write null."""
_BATCH: Final = 10_000
_DAMAGED: Final = "the file is cut off or damaged; export or download it again"
_HINT: Final = "name a FOCUS export, CSV or Parquet, of version 1.0 or later"


def read_bill(path: Path) -> Iterator[BillRow]:
    """The rows of a bill; `.parquet` by its ending, `.gz` unpacked, everything else as CSV.

    Raises `FileError` with the line where a file cannot be read or is no bill.
    """
    for place, row in read_texts(path):
        yield _bill_row(path, place, row)


def read_texts(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a bill as they stand, by column, with their places; null values are left out."""
    yield from _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)


def _opened(path: Path) -> Any:
    try:
        if path.suffix.lower() == ".gz":
            return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise _unreadable(path, error) from error


def _csv(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with _opened(path) as stream:
            reader = csv.reader(stream, strict=True)
            header = next(reader, None) or []
            _check_separator(path, header)
            _check_header(path, header)
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise FileError(
                        f"`{path}` line {reader.line_num:,} has {len(cells)} fields, the header has {len(header)}",
                        hint=_DAMAGED,
                    )
                yield reader.line_num, {name: cell for name, cell in zip(header, cells, strict=True) if cell}
    except (OSError, EOFError) as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        told = f"`{path}` is not readable CSV: it is not UTF-8 text, for it holds the byte `0x{byte:02x}`"
        raise FileError(told, hint="save the file as UTF-8, or name the Parquet export") from error
    except csv.Error as error:
        raise FileError(f"`{path}` is not readable CSV: {error}", hint=_HINT) from error


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    if not path.exists():
        raise FileError(f"cannot read `{path}`: there is no such file", hint="check the path")
    with TemporaryDirectory(prefix="tripoint-focus-") as folder, open_session(str(path), Path(folder)) as session:
        source = f"read_parquet({literal(str(path))})"
        described = session.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        names = [str(row[0]) for row in described]
        _check_header(path, names)
        chosen = ", ".join(_as_text(str(row[0]), str(row[1])) for row in described)
        cursor = session.execute(f"SELECT {chosen} FROM {source}")
        number = 0
        while rows := cursor.fetchmany(_BATCH):
            for row in rows:
                number += 1
                yield number, {name: value for name, value in zip(names, row, strict=True) if value is not None}


def _as_text(name: str, type_: str) -> str:
    column = quoted(name)
    if type_.startswith("TIMESTAMP"):
        return f"strftime({column}, '%Y-%m-%dT%H:%M:%SZ')"
    if type_.startswith(("MAP", "STRUCT")):
        return f"CAST(to_json({column}) AS VARCHAR)"
    return f"CAST({column} AS VARCHAR)"


def _check_separator(path: Path, header: list[str]) -> None:
    """A spreadsheet writes other separators where commas are decimal marks."""
    if not header:
        raise FileError(f"`{path}` is empty", hint=_HINT)
    for mark, name in ((";", "`;`"), ("\t", "tabs")):
        if len(header) == 1 and header[0].count(mark) >= len(NEEDED) - 1:
            told = f"`{path}` is not a FOCUS bill: its fields are separated by {name}"
            raise FileError(told, hint="export it with commas, and with points in numbers")


def _check_header(path: Path, names: list[str]) -> None:
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise FileError(f"`{path}` is not a FOCUS bill: it has no column {' and no column '.join(missing)}", hint=_HINT)


def _unreadable(path: Path, error: Exception) -> FileError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    hint = "check the path and your rights to it" if isinstance(error, OSError) else _DAMAGED
    return FileError(f"cannot read `{path}`: {reason}", hint=hint)


def _bill_row(path: Path, place: int, texts: Mapping[str, str]) -> BillRow:
    row = {name: value for name, value in texts.items() if value != _NULL}
    text = row.get
    start = _instant(path, place, "ChargePeriodStart", text("ChargePeriodStart", ""))
    end = text("ChargePeriodEnd")
    billed = _number(path, place, row, "BilledCost")
    if billed is None:
        raise FileError(f"`{path}` line {place:,} has no `BilledCost`", hint="every row of a bill has one")
    effective = _number(path, place, row, "EffectiveCost")
    listed = _number(path, place, row, "ListCost")
    return BillRow(
        place=place,
        start=start,
        end=_instant(path, place, "ChargePeriodEnd", end) if end else start,
        category=text("ChargeCategory", ""),
        charge_class=text("ChargeClass", ""),
        provider=text("ProviderName") or text("ServiceProviderName") or "",
        service=text("ServiceName", ""),
        region=text("RegionId", ""),
        resource=text("ResourceId", ""),
        sub_account=text("SubAccountId", ""),
        sku=text("SkuId", ""),
        sku_price=text("SkuPriceId", ""),
        meter=text("SkuMeter", ""),
        description=text("ChargeDescription", ""),
        currency=text("BillingCurrency", ""),
        unit=text("ConsumedUnit", ""),
        consumed=_number(path, place, row, "ConsumedQuantity"),
        pricing_unit=text("PricingUnit", ""),
        priced=_number(path, place, row, "PricingQuantity"),
        billed=billed,
        effective=billed if effective is None else effective,
        listed=billed if listed is None else listed,
        details=_keys(text("SkuPriceDetails", "")),
        tags=_keys(text("Tags", "")),
        custom={name: value for name, value in row.items() if name.startswith("x_")},
        region_name=text("RegionName", ""),
        service_category=text("ServiceCategory", ""),
        pricing_category=text("PricingCategory", ""),
        commitment=text("CommitmentDiscountId", ""),
        commitment_category=text("CommitmentDiscountCategory", ""),
        commitment_type=text("CommitmentDiscountType", ""),
        commitment_status=text("CommitmentDiscountStatus", ""),
        sub_account_name=text("SubAccountName", ""),
        has_effective=effective is not None,
    )


def _instant(path: Path, place: int, column: str, value: str) -> float:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise FileError(
            f"`{path}` line {place:,}: `{column}` is `{value}`, not an instant",
            hint="FOCUS writes 2026-11-01T00:00:00Z",
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _number(path: Path, place: int, row: Mapping[str, str], column: str) -> Decimal | None:
    value = row.get(column)
    if value is None or value.lower() == "null":
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        found = Decimal("nan")
    if not math.isfinite(found):
        raise FileError(f"`{path}` line {place:,}: `{column}` is `{value}`, not a number", hint="correct the row")
    return found


def _keys(text: str) -> dict[str, str]:
    """Properties as texts; none where they are not an object of single values, which providers do send."""
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(each) for name, each in value.items() if each is not None} if isinstance(value, dict) else {}
