"""How fast is the ledger, against what no ledger can beat? `python -m benchmarks.ledger`."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.ledger.ingest import BATCH, Sample, fill, sample, ways
from benchmarks.ledger.records import empty
from benchmarks.measure import ROOT, ratio, say, short, start, table, timed
from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.domain.ledger import Dimension, EntryKind, SpendQuery
from tripoint.engines.governance.ledger.days import day_of

_D = Dimension
_BARS = {"tripoint on SQLite": 100_000, "tripoint on PostgreSQL": 50_000}
"""Records a second these are to reach at least."""


def queries(today: str) -> list[tuple[str, SpendQuery, float]]:
    """Questions, and how long each may take at ten million records, ms."""
    all_of_it = SpendQuery(by=(_D.DAY, _D.TENANT, _D.MODEL, _D.SITE), kinds=(EntryKind.USAGE,), most=1000)
    return [
        ("today by tenant", SpendQuery(by=(_D.TENANT,), since=today, until=today), 10.0),
        ("thirty days by model", SpendQuery(by=(_D.MODEL,)), 120.0),
        ("one tenant by day", SpendQuery(by=(_D.DAY,), tenant="tenant-7"), 120.0),
        ("day x tenant x model x site, dearest 1,000", all_of_it, 120.0),
    ]


def print_ingest(samples: Sequence[Sample], count: int) -> None:
    """A row for each way, in the order of the first round."""
    rows = []
    best: dict[str, float] = {}
    for name in dict.fromkeys(each.name for each in samples):
        rates = [count / each.seconds for each in samples if each.name == name]
        cpu = statistics.median(each.cpu_s / count * 1e6 for each in samples if each.name == name)
        best[name] = statistics.median(rates)
        bar = _BARS.get(name)
        verdict = "" if bar is None else f"{'met' if best[name] >= bar else 'missed'}: at least {bar:,}"
        spread = f"{short(min(rates))}-{short(max(rates))}"
        rows.append((name, f"{best[name]:,.0f} ({spread})", f"{cpu:.2f}", verdict))
    table(("way", "records/s", "CPU us/record", "bar"), rows)
    for ours, floor in (("tripoint on SQLite", "SQLite, INSERT only, commit a batch"),
                        ("tripoint on PostgreSQL", "PostgreSQL, COPY only, commit a batch")):  # fmt: skip
        if ours in best and floor in best:
            say(f"{ours}: {ratio(best[ours], best[floor])} of `{floor}`, of the same run")
    say()


def print_queries(ledger: SqlLedger, total: int, repeat: int) -> None:
    """A row for each question."""
    last = max(row.by[0] for row in ledger.spend(SpendQuery(by=(_D.DAY,))))
    rows = []
    for name, query, bar_ms in queries(last):
        found, times = timed(lambda query=query: ledger.spend(query), repeat)  # type: ignore[misc]  # bound per turn
        verdict = "met" if times.median * 1e3 < bar_ms else "missed"
        rows.append((name, f"{len(found):,}", f"{times.median * 1e3:.1f}", f"{verdict}: below {bar_ms:g}"))
    table((f"question at {total:,} records", "rows", "ms", "bar"), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures both and prints tables."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.ledger")
    parser.add_argument("--count", type=int, default=300_000, help="records loaded by each way in a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each way once in each")
    parser.add_argument("--rows", type=int, default=10_000_000, help="records of the ledger that is asked; 0 for none")
    options = parser.parse_args(arguments)
    start("Ledger")
    work = ROOT / "out" / "bench" / "ledger"
    empty(work)
    work.mkdir(parents=True)
    with ExitStack() as stack:
        url = _server(stack)
        chosen = ways(work, options.count, url)
        samples = [sample(way, work) for _ in range(options.rounds) for way in chosen]
        say(f"{options.count:,} records, {BATCH:,} a transaction; the day is {day_of(1_793_491_200.0)}\n")
        print_ingest(samples, options.count)
    if options.rows:
        ledger = fill(work, options.rows, say)
        print_queries(ledger, options.rows, 9)
        ledger.close()
    empty(work)


def _server(stack: ExitStack) -> str:
    """A PostgreSQL server of its own, as the tests start one; empty where there is none."""
    from tests.factories.postgres import postgres_server, server_tools

    if server_tools() is None:
        say("PostgreSQL is not installed and is left out\n")
        return ""
    return stack.enter_context(postgres_server()).make("bench")


if __name__ == "__main__":
    main()
