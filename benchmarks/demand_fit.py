"""How fast is a demand fit, and in how much memory, against reading the same file at all?

The limit is DuckDB counting and summing the file's columns: nothing that reads the file with DuckDB does less. Both
run in processes of their own, in turn, each on the same file of generated requests with a weekly rhythm, tenants, and
a few broken rows as real logs have them.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Times, in_a_process, ratio, say, short, start, table

MODULE = "benchmarks.demand_fit"
DAYS = 28
_WRITE = """
copy (
  select
    strftime(to_timestamp(1767571200 + second), '%Y-%m-%dT%H:%M:%SZ') as timestamp,
    case when row % 100000 = 7 then '' else cast(greatest(1, cast(exp(6.5 + 1.1 * n1) as bigint)) as varchar) end
      as input_tokens,
    greatest(1, cast(exp(5.0 + 0.9 * n2) as bigint)) as output_tokens,
    'tenant-' || cast(hash(row * 3) % 40 as varchar) as tenant
  from (
    select
      row,
      u + 0.06 * {seconds} / {days} * sin(2 * pi() * u * {days} / {seconds}) as second,
      sqrt(-2 * ln(r1)) * cos(2 * pi() * r2) as n1,
      sqrt(-2 * ln(r1)) * sin(2 * pi() * r2) as n2
    from (
      select
        i as row,
        cast(i as double) / {rows} * {seconds} as u,
        (hash(i * 7 + 1) % 1000003 + 1) / 1000005.0 as r1,
        (hash(i * 11 + 2) % 1000003 + 1) / 1000005.0 as r2
      from range({rows}) as numbers(i)
    )
  )
  order by row
) to '{path}' (header, delimiter ',')
"""
_SCAN = """
select count(*), sum(try_cast(input_tokens as bigint)), sum(output_tokens),
  cast(min(timestamp) as varchar), cast(max(timestamp) as varchar), max(tenant)
from read_csv(?, header = true)
"""


def write_log(path: Path, rows: int) -> None:
    """A request log of `rows` requests over four weeks; the same rows give the same file."""
    import duckdb

    duckdb.sql(_WRITE.format(rows=rows, days=DAYS, seconds=DAYS * 86_400, path=path))


def fit(path: str) -> int:
    """Rows of the profile fitted to the log."""
    from tripoint.apps.wiring import fit_demand

    return fit_demand(path).rows


def scan(path: str) -> int:
    """Rows the plainest aggregate of every column counts."""
    import duckdb

    found = duckdb.execute(_SCAN, [path]).fetchone()
    return int(found[0]) if found else 0


JOBS = {"scan": scan, "fit": fit}


def work(job: str, path: str, rows: int) -> None:
    """One job in this process: prints its rows, seconds and peak memory as JSON."""
    import duckdb

    if job == "write":
        write_log(Path(path), rows)
        print(json.dumps({"rows": rows}))
        return
    duckdb.sql("select 1")  # loading the library is no part of the job
    before = peak_mb()
    started = time.perf_counter()
    told = JOBS[job](path)
    seconds = time.perf_counter() - started
    print(json.dumps({"rows": told, "seconds": seconds, "peak_mb": peak_mb(), "before_mb": before}))


def peak_mb() -> float:
    """Most memory this process has held, MB."""
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a log, then scan and fit it in turn."""
    parser = argparse.ArgumentParser(description=__doc__, prog=f"python -m {MODULE}")
    parser.add_argument("--rows", type=int, default=2_000_000, help="requests in the log")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each")
    parser.add_argument("--job", choices=["write", *JOBS], help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.job:
        work(options.job, options.file, options.rows)
        return
    start("Demand fit")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "requests.csv"
        # In a process of its own too: a child starts with its parent's peak memory.
        in_a_process(MODULE, "--job", "write", "--file", str(path), "--rows", str(options.rows))
        say(f"{options.rows:,} requests, {path.stat().st_size / 1e6:,.0f} MB of CSV.\n")
        answers = [
            (job, in_a_process(MODULE, "--job", job, "--file", str(path)))
            for _ in range(options.repeat)
            for job in JOBS
        ]
    found = {job: [answer for each, answer in answers if each == job] for job in JOBS}
    times = {job: Times(tuple(answer["seconds"] for answer in runs)) for job, runs in found.items()}
    table(
        ("job", "rows told", "median (spread)", "rows per second", "seconds, of the limit", "peak memory"),
        [
            (
                {"scan": "DuckDB count and sum (limit)", "fit": "tripoint demand fit"}[job],
                f"{runs[0]['rows']:,}",
                str(times[job]),
                short(options.rows / times[job].median),
                ratio(times[job].median, times["scan"].median),
                f"{max(run['peak_mb'] for run in runs):,.0f} MB ({max(run['before_mb'] for run in runs):,.0f} before)",
            )
            for job, runs in found.items()
        ],
    )


if __name__ == "__main__":
    main()
