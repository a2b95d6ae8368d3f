"""How long does a month of a busy ledger take to become a FOCUS bill, against only writing as many rows?

The floor is DuckDB making rows of the same columns out of nothing and writing them as Parquet: no export through DuckDB
does less. The ledger itself is read in the time measured, through its own SQL.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.ledger.records import FIRST_DAY_S, records
from benchmarks.measure import ratio, say, short, start, table, timed
from tripoint.adapters.focus_files.write import write_csv, write_parquet
from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.domain.ledger import Piece, PriceRow, SpendQuery
from tripoint.domain.money import Tariff
from tripoint.engines.governance.focus.columns import Column, Kind, columns_of
from tripoint.engines.governance.focus.sheet import Sheet
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.focus import Exported, ExportOptions, export_bill

LIMIT_S = 10.0
"""What a million rows in Parquet may take, seconds."""
_BATCH = 20_000
_ME = local_actor("benchmark")


def filled(file: Path, count: int) -> SqlLedger:
    """A ledger of thirty days with every price its records name."""
    ledger = SqlLedger(connect(f"sqlite:///{file}"), lambda: FIRST_DAY_S)
    versions: dict[str, dict[str, Tariff]] = {}
    for first in range(0, count, _BATCH):
        part = tuple(records(first, min(_BATCH, count - first), count))
        ledger.load([Piece("usage-0-bench-0.seg", "bench", first, first + len(part), part)])
        for each in part:
            cost = int(each.model.rpartition("-")[2])
            tariff = Tariff(each.tariff, 100_000 + 50_000 * cost, 10_000, 400_000 + 200_000 * cost)
            versions.setdefault(each.prices, {})[each.tariff] = tariff
    for version, tariffs in versions.items():
        ledger.keep_prices(version, [PriceRow(each, each, each, each, "") for each in tariffs.values()], 0.0)
    return ledger


def export(ledger: SqlLedger, file: Path) -> Exported:
    """The whole ledger by day, in the format of the file's ending."""
    write = write_parquet if file.suffix == ".parquet" else write_csv

    def to_file(columns: Sequence[Column], sheets: Iterable[Sheet]) -> int:
        return write(file, columns, sheets)

    return export_bill(ledger, _ME, ExportOptions(), to_file)


def floor(file: Path, rows: int) -> None:
    """As many rows of the same columns, made of their number, written by DuckDB."""
    import duckdb

    values = {Kind.DECIMAL: "CAST(i AS DECIMAL(30, 9))", Kind.COUNT: "i", Kind.INSTANT: "to_timestamp(i)"}
    chosen = ", ".join(
        f'{values.get(each.kind, "CAST(i % 2000 AS VARCHAR)")} AS "{each.name}"' for each in columns_of("1.2")
    )
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            f"COPY (SELECT {chosen} FROM range({rows}) AS numbers(i)) TO '{file}' (FORMAT parquet, COMPRESSION zstd)"
        )


def measured(run: Callable[[], object], repeat: int) -> tuple[str, float, float]:
    """Times of a run as told, their median, and the processor's seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    times = timed(run, repeat)[1]
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / max(1, repeat)
    return str(times), times.median, cpu


def main(arguments: Sequence[str] | None = None) -> None:
    """Fills a ledger and exports it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=700_000, help="usage records in the ledger")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each")
    given = parser.parse_args(arguments)
    start("FOCUS export")
    with tempfile.TemporaryDirectory(prefix="tripoint-bench-") as folder:
        ledger = filled(Path(folder) / "store.db", given.records)
        parquet, text = Path(folder) / "bill.parquet", Path(folder) / "bill.csv"
        done = export(ledger, parquet)
        say(f"{given.records:,} requests, {done.days} days, {done.rows:,} rows of {len(columns_of('1.2'))} columns")
        told, median, cpu = measured(partial(export, ledger, parquet), given.repeat)
        floor_told, floor_median, floor_cpu = measured(
            partial(floor, Path(folder) / "f.parquet", done.rows), given.repeat
        )
        csv_told, _, csv_cpu = measured(partial(export, ledger, text), 1)
        (total,) = ledger.spend(SpendQuery(by=()))
        table(
            ("what", "time", "CPU s", "bytes"),
            [
                ("tripoint ledger export, Parquet", told, f"{cpu:.1f}", f"{parquet.stat().st_size:,}"),
                ("the floor: rows out of nothing", floor_told, f"{floor_cpu:.1f}", ""),
                ("tripoint ledger export, CSV", csv_told, f"{csv_cpu:.1f}", f"{text.stat().st_size:,}"),
            ],
        )
        per_million = median / done.rows * 1e6
        verdict = "met" if per_million < LIMIT_S else "missed"
        say(f"{ratio(median, floor_median)} of the floor")
        say(f"{short(per_million)} s a million rows, {verdict}: {LIMIT_S:g} s")
        say(f"its money is the ledger's: {'yes' if done.nano == total.nano else 'NO'}")
        ledger.close()


if __name__ == "__main__":
    main()
