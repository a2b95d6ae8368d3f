from __future__ import annotations

import gzip
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from tests.factories.spending import ledger_of, price_row, priced_record

from tripoint.adapters.focus_files import session
from tripoint.adapters.focus_files.read import read_bill
from tripoint.adapters.focus_files.write import write_csv, write_parquet
from tripoint.domain.errors import FileError, MissingExtraError
from tripoint.domain.record import Usage
from tripoint.engines.governance.focus.columns import columns_of
from tripoint.testing.ledger_conformance import NOON
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.focus import ExportOptions, export_bill

HEADER = "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,BilledCost,ConsumedQuantity,Tags,SkuPriceDetails"
ROW = '2026-11-18T00:00:00Z,2026-11-19T00:00:00Z,Usage,1.25,3,"{""a"":""b""}",'


def written(file: Path, *lines: str) -> Path:
    """A file of these lines."""
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_a_bill_with_few_columns_is_read(tmp_path: Path) -> None:
    """What is missing is empty; costs that are missing are the billed one; numbers are exact."""
    file = written(tmp_path / "bill.csv", HEADER, ROW, ROW.replace("1.25", "0.000000000000000001"))
    first, second = read_bill(file)
    assert (first.place, first.start, first.end - first.start) == (2, 1_794_960_000.0, 86_400.0)
    assert (first.billed, first.effective, first.listed) == (Decimal("1.25"),) * 3
    assert (first.consumed, first.priced, first.tags, first.details) == (Decimal(3), None, {"a": "b"}, {})
    assert second.billed == Decimal("1e-18")


def test_packed_files_marks_and_zones_are_understood(tmp_path: Path) -> None:
    """A gzip file, a byte order mark, instants in another zone or without one."""
    text = "\ufeff" + "\n".join(
        (HEADER, ROW.replace("00:00:00Z", "01:00:00+01:00"), ROW.replace("T00:00:00Z", " 00:00:00"))
    )
    (tmp_path / "bill.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert {row.start for row in read_bill(tmp_path / "bill.csv.gz")} == {1_794_960_000.0}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("a,b", "1,2"), "no column ChargePeriodStart and no column ChargeCategory and no column BilledCost"),
        ((HEADER, ROW + ",more"), "line 2 has 8 fields, the header has 7"),
        ((HEADER, ROW, ROW.replace("1.25", "1,25")), "line 3 has 8 fields"),
        ((HEADER, ROW.replace("1.25", "nan")), r"line 2: `BilledCost` is `nan`, not a number"),
        ((HEADER, ROW.replace("1.25", "")), "line 2 has no `BilledCost`"),
        ((HEADER, ROW.replace("2026-11-18T00:00:00Z", "18.11.2026")), "`ChargePeriodStart` is `18.11.2026`"),
        ((HEADER, ROW, '"2026'), "not readable CSV"),
    ],
)
def test_damage_is_told_with_its_line(lines: tuple[str, ...], told: str, tmp_path: Path) -> None:
    """The column, the line and what is there."""
    with pytest.raises(FileError, match=told):
        list(read_bill(written(tmp_path / "bill.csv", *lines)))


@pytest.mark.parametrize(
    ("written_as", "told", "hint"),
    [
        (f"{HEADER}\n{ROW}\n".replace(",", ";").encode(), "its fields are separated by `;`", "export it with commas"),
        (f"{HEADER}\n{ROW}\n".replace(",", "\t").encode(), "its fields are separated by tabs", "export it with commas"),
        (f"{HEADER}\n{ROW}\n".encode("utf-16"), "not readable CSV: it is not UTF-8 text", "save the file as UTF-8"),
        (b"", "is empty", "name a FOCUS export"),
    ],
    ids=["semicolons", "tabs", "utf-16", "empty"],
)
def test_what_a_spreadsheet_makes_of_a_bill_is_told(written_as: bytes, told: str, hint: str, tmp_path: Path) -> None:
    """Another separator, another encoding, nothing at all: what it is and how it would do."""
    (tmp_path / "bill.csv").write_bytes(written_as)
    with pytest.raises(FileError, match=told) as raised:
        list(read_bill(tmp_path / "bill.csv"))
    assert hint in raised.value.hint


def test_what_is_no_file_of_its_kind_is_told(tmp_path: Path) -> None:
    """Missing, cut off, another kind, no text."""
    with pytest.raises(FileError, match="no such file"):
        list(read_bill(tmp_path / "none.parquet"))
    with pytest.raises(FileError, match="cannot read"):
        list(read_bill(tmp_path / "none.csv"))
    written(tmp_path / "bill.parquet", HEADER, ROW)
    with pytest.raises(FileError, match=r"bill\.parquet") as told:
        list(read_bill(tmp_path / "bill.parquet"))
    assert "damaged" in told.value.hint
    (tmp_path / "bill.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(FileError, match="not readable CSV"):
        list(read_bill(tmp_path / "bill.csv"))
    (tmp_path / "bill.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n{ROW}\n".encode())[:-9])
    with pytest.raises(FileError, match="cannot read"):
        list(read_bill(tmp_path / "bill.csv.gz"))


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """A disk that takes so many bytes a file and no more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_full_disk_leaves_the_old_file(ending: str, tmp_path: Path) -> None:
    """It is told, the bill that was there stays, and nothing half-written is left."""
    price = price_row("chat/a/llama", (200_000, 20_000, 800_000, 0))
    records = [
        priced_record(number, price, Usage(100, 10), key=f"key-{number}", at=NOON + number) for number in range(400)
    ]
    file = tmp_path / f"bill.{ending}"
    file.write_text("old")
    write = write_parquet if ending == "parquet" else write_csv
    with closing(ledger_of(tmp_path / "store.db", [price], records)) as ledger:
        sheets = []
        export_bill(
            ledger, local_actor("me"), ExportOptions(), lambda columns, found: len(sheets.extend(found) or columns)  # type: ignore[func-returns-value]  # the list itself is wanted
        )  # fmt: skip
    with files_up_to(10_000), pytest.raises(FileError, match=r"bill\."):
        write(file, columns_of("1.2"), sheets)
    assert file.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    assert write(file, columns_of("1.2"), sheets) == sum(sheet.size for sheet in sheets)
    assert os.stat(file).st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_parquet_without_its_extra_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install, and that CSV needs nothing."""
    monkeypatch.setattr(session, "duckdb", None)
    with pytest.raises(MissingExtraError, match="Parquet needs DuckDB") as told:
        write_parquet(tmp_path / "bill.parquet", columns_of("1.2"), [])
    assert "or use CSV" in (told.value.hint or "")
    assert list(tmp_path.iterdir()) == []


def test_a_real_bill_of_three_providers_is_read(shared_data: Path) -> None:
    """The FOCUS project's own sample, 1.0: every row, and its money."""
    files = [
        path for path in sorted((shared_data / "focus_1_0_sample").rglob("*.csv*")) if "focus" in path.name.lower()
    ]
    if not files:
        pytest.skip("the FOCUS 1.0 sample is not here")
    for file in files:
        rows = list(read_bill(file))
        assert rows
        assert all(row.end > row.start for row in rows)
