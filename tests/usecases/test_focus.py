from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.focus_rules import check_rows
from tests.factories.spending import entries, ledger_of, price_row, priced_record

from tripoint.adapters.focus_files.read import read_bill, read_texts
from tripoint.adapters.focus_files.write import write_csv, write_parquet
from tripoint.domain.bill import BillRow
from tripoint.domain.errors import AccessError, FileError, MissingError, OptionError
from tripoint.domain.ledger import Adjustment, Dimension, EntryKind, PriceRow, SpendQuery
from tripoint.domain.money import nano_of, usd
from tripoint.domain.record import Usage, UsageRecord
from tripoint.domain.tenancy import Actor, Role
from tripoint.engines.governance.focus.columns import VERSIONS, Column, columns_of
from tripoint.engines.governance.focus.restore import restore
from tripoint.engines.governance.focus.sheet import DIMENSIONS, Sheet
from tripoint.ports import Ledger
from tripoint.testing.ledger_conformance import NOON, idle
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.focus import Exported, ExportOptions, export_bill

Entries = tuple[tuple[PriceRow, ...], tuple[UsageRecord, ...], tuple[Adjustment, ...]]
ME = local_actor("me")
NAMES = tuple(Dimension(name) for name in DIMENSIONS)


@pytest.fixture(name="ledger")
def _ledger(tmp_path: Path) -> Iterator[Ledger]:
    price = price_row("chat/a/llama", (200_000, 20_000, 800_000, 1_500))
    records = [priced_record(number, price, Usage(120, 64, 40, 8), at=NOON + 3_600 * number) for number in range(30)]
    records += [priced_record(99, price, Usage(7, 3), tenant="globex", key="key-2")]
    adjusted = [
        idle(),
        idle("fix/1", -300, NOON)._replace(kind=EntryKind.CORRECTION, tenant="acme", upstream="a", reason="theirs"),
    ]
    with closing(ledger_of(tmp_path / "store.db", [price], records, adjusted)) as ledger:
        yield ledger


def exported(ledger: Ledger, file: Path, options: ExportOptions, actor: Actor = ME) -> Exported:
    """Written as the file's ending says."""
    write = write_parquet if file.suffix == ".parquet" else write_csv

    def to_file(columns: Sequence[Column], sheets: Iterable[Sheet]) -> int:
        return write(file, columns, sheets)

    return export_bill(ledger, actor, options, to_file)


@settings(max_examples=25)
@given(drawn=entries(), is_hourly=st.booleans(), ending=st.sampled_from(("csv", "parquet")))
def test_an_export_keeps_every_rule_and_reads_back_as_the_ledger(drawn: Entries, is_hourly: bool, ending: str) -> None:
    """FOCUS 1.2 rules, and an exact round trip of money and tokens, whatever was entered."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"bill.{ending}"
        with closing(ledger_of(Path(folder) / "store.db", *drawn)) as ledger:
            done = exported(ledger, file, ExportOptions(is_hourly=is_hourly))
            time = Dimension.HOUR if is_hourly else Dimension.DAY
            entered = ledger.spend(SpendQuery(by=(time, *NAMES)))
        texts = [row for _, row in read_texts(file)]
        assert check_rows([column.name for column in columns_of("1.2")], texts) == ()
        back = restore(read_bill(file), hourly=is_hourly)
        charged = [row for row in entered if any(row[4:])]  # what reached nobody is not on a bill
        assert [row for row in back if any(row[4:])] == charged
        assert (
            done.nano
            == sum(row.nano for row in entered)
            == nano_of(sum((row.effective for row in read_bill(file)), usd(0)))
        )
        assert done.rows == len(texts)


def test_both_formats_hold_the_same(ledger: Ledger, tmp_path: Path) -> None:
    """Value by value, in the same order of rows."""
    rows: list[list[BillRow]] = []
    for ending in ("csv", "parquet"):
        exported(ledger, tmp_path / f"bill.{ending}", ExportOptions())
        rows.append([row._replace(place=0) for row in read_bill(tmp_path / f"bill.{ending}")])
    key = lambda row: (row.start, row.end, row.sub_account, row.sku)  # noqa: E731  # said once, used twice
    assert sorted(rows[0], key=key) == sorted(rows[1], key=key)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_has_its_columns(ledger: Ledger, tmp_path: Path, version: str) -> None:
    """Later versions add and drop columns; the money stays."""
    file = tmp_path / "bill.csv"
    exported(ledger, file, ExportOptions(version=version))
    header = file.read_text().splitlines()[0].split(",")
    assert header == [column.name for column in columns_of(version)]
    assert ("ProviderName" in header) is (version in ("1.2", "1.3"))
    assert ("HostProviderName" in header) is (version != "1.2")
    assert ("CredentialId" in header) is (version == "1.5")
    first = next(row for _, row in read_texts(file) if row["SkuMeter"] == "Input Tokens")
    assert first["SkuPriceDetails"] == ('{"ModelId":"llama"}' if version == "1.5" else '{"x_ModelId":"llama"}')
    assert len(restore(read_bill(file))) == len(ledger.spend(SpendQuery(by=(Dimension.DAY, *NAMES))))


def test_a_bill_tells_tokens_idle_and_corrections(ledger: Ledger, tmp_path: Path) -> None:
    """Meters of a request, the hour nobody used, and a correction that is marked as one."""
    file = tmp_path / "bill.csv"
    done = exported(ledger, file, ExportOptions(until="2026-11-18"))
    rows = [row for _, row in read_texts(file)]
    told = {(row["x_EntryKind"], row["SkuMeter"]) for row in rows}
    meters = ("Input Tokens", "Cached Input Tokens", "Output Tokens", "Requests")
    assert told == {("idle", "Idle Capacity"), ("correction", "Unpriced"), *(("usage", meter) for meter in meters)}
    output = next(row for row in rows if row["SkuMeter"] == "Output Tokens" and row["SubAccountId"] == "acme")
    assert (output["ConsumedQuantity"], output["PricingQuantity"]) == ("768.0", "0.000768")
    assert (output["ContractedUnitPrice"], output["ContractedCost"]) == ("0.800000", "0.000614400000")
    held = next(row for row in rows if row["x_EntryKind"] == "idle")
    assert (held["ChargePeriodStart"], held["ChargePeriodEnd"]) == ("2026-11-18T12:00:00Z", "2026-11-18T13:00:00Z")
    assert (held["CapacityReservationStatus"], held["EffectiveCost"]) == ("Unused", "0.000005000")
    fixed = next(row for row in rows if row["x_EntryKind"] == "correction")
    assert (fixed["ChargeClass"], fixed["EffectiveCost"]) == ("Correction", "-0.000000300")
    assert (done.days, done.unpriced_nano) == (1, 0)


def test_costs_whose_prices_are_forgotten_are_told(tmp_path: Path) -> None:
    """They stand as lumps, and the export says how much that is."""
    price = price_row("chat/a/llama", (200_000, 20_000, 800_000, 0))
    records = [priced_record(1, price, Usage(100, 10))._replace(prices="old"), priced_record(2, price, Usage(100, 10))]
    with closing(ledger_of(tmp_path / "store.db", [price], records)) as ledger:
        done = exported(ledger, tmp_path / "bill.csv", ExportOptions())
    assert (done.nano, done.unpriced_nano) == (2 * records[0].nano, records[0].nano)


def test_who_is_bound_to_a_tenant_sees_that_one_only(ledger: Ledger, tmp_path: Path) -> None:
    """Not another's rows, and no idle capacity, which is the operator's."""
    file = tmp_path / "bill.csv"
    bound = Actor("eve", frozenset({Role.FINANCE}), "globex")
    exported(ledger, file, ExportOptions(), bound)
    assert {row["SubAccountId"] for _, row in read_texts(file)} == {"globex"}
    assert "acme" not in file.read_text()
    with pytest.raises(MissingError):
        exported(ledger, file, ExportOptions(tenant="acme"), bound)
    with pytest.raises(AccessError):
        exported(ledger, file, ExportOptions(), Actor("nobody", frozenset(), None))


def test_what_cannot_be_exported_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    """An unknown version, a day that is none, a file that cannot be: nothing is left behind."""
    with pytest.raises(OptionError, match=r"no FOCUS version `2\.0`"):
        exported(ledger, tmp_path / "bill.csv", ExportOptions(version="2.0"))
    with pytest.raises(OptionError, match="not a day"):
        exported(ledger, tmp_path / "bill.csv", ExportOptions(since="yesterday"))
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot write"):
        exported(ledger, tmp_path / "file" / "bill.csv", ExportOptions())
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith((".", "bill"))) == []


def test_another_s_bill_is_no_export(tmp_path: Path) -> None:
    """It is told with its line."""
    file = tmp_path / "other.csv"
    file.write_text("ChargePeriodStart,ChargeCategory,BilledCost\n2026-11-18T00:00:00Z,Usage,1.5\n")
    with pytest.raises(FileError, match="line 2 has no `x_EntryKind`"):
        restore(read_bill(file))
