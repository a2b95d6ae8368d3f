"""A log larger than its memory limit is fitted inside it."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.adapters.demand_files.logs import START

pytest.importorskip("duckdb", reason="the extra `demand` is not installed")

ROWS = 2_000_000
FIT = """
import resource, sys
from tripoint.adapters.demand_files import read_trace
from tripoint.usecases.demand import FitOptions, fit_demand
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
profile = fit_demand(read_trace, sys.argv[1], FitOptions(memory_mb=128))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(profile.rows, round(profile.burstiness_cv, 2), profile.tenants, (peak - before) // 1024)
"""
HOLD = """
import csv, resource, sys
rows = list(csv.reader(open(sys.argv[1])))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def write_log(path: Path) -> None:
    """About 110 MB of requests, written in pieces."""
    draw, at, pieces = random.Random(1), START, []
    with path.open("w", encoding="utf-8") as stream:
        stream.write("timestamp,request_id,prompt_tokens,completion_tokens,user\n")
        for number in range(ROWS):
            at += draw.expovariate(3.0)
            pieces.append(f"{at:.6f},req-{number:012d}-abcdef,{number % 4096},{number % 811},user{number % 977}\n")
            if len(pieces) == 50_000:
                stream.writelines(pieces)
                pieces.clear()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is counted in other units elsewhere")
def test_two_million_rows_fit_in_a_quarter_of_the_memory_the_rows_would_take(tmp_path: Path) -> None:
    """Peak growth stays under 256 MB at a limit of 128 MB, while the rows held in Python take over 1 GB."""
    path = tmp_path / "big.csv"
    write_log(path)
    run = subprocess.run([sys.executable, "-c", FIT, str(path)], capture_output=True, text=True, check=True)
    rows, cv, tenants, grown_mb = run.stdout.split()
    assert (int(rows), float(cv), int(tenants)) == (ROWS, 1.0, 977)
    held = subprocess.run([sys.executable, "-c", HOLD, str(path)], capture_output=True, text=True, check=True)
    assert int(grown_mb) < 256
    assert int(held.stdout) > 4 * int(grown_mb)
