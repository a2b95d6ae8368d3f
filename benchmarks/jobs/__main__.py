"""Where should jobs that hand data on run: how long does the answer take, beside SkyPilot's optimiser?

Chains, which it solves by dynamic programming, and graphs, which it solves by an integer programme of one binary for
every two places of every two jobs. Both get the same market, jobs, run times and charges in the same run, and must
agree on the cost; its own plan is priced by our account too. SkyPilot lives in an environment of its own (`make bench`
makes it) and is asked in a process with an empty home, without credentials and without a network.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.jobs.draw import CLOUDS, FREE_GB, GPUS, Case, Row, chain, graph, market
from benchmarks.jobs.ours import Answer, Planned, bill_of, optimise, plan
from benchmarks.measure import ROOT, ratio, say, short, start, table

PEER = ROOT / "out" / "bench" / "skypilot" / "bin" / "python"
CASES = (chain(20, 5), chain(100, 5), chain(20, 20), graph(10, 5), graph(20, 5), graph(100, 5), graph(10, 20))
GOAL = 200.0
_HEADS = "InstanceType AcceleratorName AcceleratorCount vCPUs MemoryGiB Price SpotPrice Region GpuInfo"


def main(arguments: Sequence[str] | None = None) -> None:
    """Optimise every case both ways."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.jobs")
    parser.add_argument("--skypilot", type=Path, default=PEER, help="an interpreter that has SkyPilot")
    parser.add_argument("--most", type=int, default=100, help="leave out cases of more jobs")
    parser.add_argument("--regions", type=int, default=20, help="leave out markets of more regions")
    options = parser.parse_args(arguments)
    start("Jobs that hand data on")
    if not options.skypilot.is_file():
        say("SkyPilot is not installed; `make bench BENCH=jobs` installs it.")
        return
    cases = [case for case in CASES if len(case.jobs) <= options.most and case.regions <= options.regions]
    markets = {case.regions: market(case.regions) for case in cases}
    theirs = {regions: _asked(options.skypilot, rows, cases, regions) for regions, rows in markets.items()}
    told = next(iter(theirs.values()))
    say(f"SkyPilot {told['version']}.\n")
    _print_egress(told["egress"])
    rates = {cloud: shape["second_gb"] for cloud, shape in told["egress"].items()}
    warm = cases[0]
    optimise(warm, markets[warm.regions], rates)
    plan(warm, markets[warm.regions], rates)
    rows, beside = [], []
    for case in cases:
        answers = iter(theirs[case.regions]["cases"])
        other = next(each for each in answers if each["name"] == case.name)
        runs = [optimise(case, markets[case.regions], rates) for _ in range(5)]
        rows.append(_row(case, markets[case.regions], sorted(runs, key=lambda run: run.whole_s)[2], other))
        made = [plan(case, markets[case.regions], rates) for _ in range(5)]
        beside.append(_planned_row(case, sorted(made, key=lambda each: each.whole_s)[2], other))
    _print_cases(rows)
    _print_planned(beside)


def _asked(python: Path, rows: Sequence[Row], cases: Sequence[Case], regions: int) -> dict[str, Any]:
    """What SkyPilot says to the cases of one market, its catalogue written where it looks for it."""
    mine = [case for case in cases if case.regions == regions]
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / ".sky" / "catalogs" / "v8"
        for cloud, name in CLOUDS.items():
            sold = [row for row in rows if row.cloud == cloud]
            _write(folder / name / "vms.csv", _HEADS.split(), [_listed(row) for row in sold])
        named = [[gpu, str(list(CLOUDS))] for gpu in GPUS]
        _write(folder / "common" / "accelerators.csv", ["AcceleratorName", "Clouds"], named)
        asked = {"clouds": list(CLOUDS), "cases": [_spelled(case) for case in (_first(mine[0]), *mine)]}
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": home, "SKYPILOT_DISABLE_USAGE_COLLECTION": "1"}
        words = [str(python), str(ROOT / "benchmarks" / "jobs" / "peer.py")]
        run = subprocess.run(
            words, input=json.dumps(asked), env=environment, cwd=home, stdout=subprocess.PIPE, text=True, check=True
        )
    answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answer


def _first(case: Case) -> Case:
    """Two jobs beforehand, so that reading its catalogue counts against no case."""
    return case._replace(name="first", jobs=case.jobs[:2], edges=((0, 1),))


def _listed(row: Row) -> list[object]:
    count = GPUS[row.gpu][0]
    return [f"{count}x-{row.gpu}", row.gpu, count, 8 * count, 64 * count, row.usd_per_hour, "", row.region, ""]


def _spelled(case: Case) -> dict[str, Any]:
    jobs = [{**job._asdict(), "count": GPUS[job.gpu][0]} for job in case.jobs]
    return {"name": case.name, "tasks": jobs, "edges": case.edges}


def _write(path: Path, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        writer.writerows(rows)


def _print_egress(shapes: dict[str, dict[str, Any]]) -> None:
    say("Its charge for data that leaves a cloud, for every whole GB up to 200,000: where one more GB costs less.\n")
    rows = []
    for cloud, shape in shapes.items():
        falls = [f"{gb:,} GB: {before:,.2f} to {after:,.2f}" for gb, before, after in shape["falls"]]
        rows.append((cloud, f"{shape['second_gb']:g} USD/GB", "; ".join(falls) or "nowhere"))
    table(("cloud", "beyond the first GB", "falls at"), rows)
    say(f"Cases move less than any of these, {FREE_GB:g} GB of each transfer free as it has it: there both agree.\n")


def _row(case: Case, rows: Sequence[Row], ours: Answer, theirs: dict[str, Any]) -> tuple[str, ...]:
    priced = bill_of(ours.problem, rows, theirs["places"])
    is_equal = math.isclose(ours.found.usd, theirs["objective"], rel_tol=1e-6)
    is_proven = ours.found.bound >= ours.found.usd * (1 - 1e-9)
    is_met = is_equal and is_proven and theirs["whole_s"] >= GOAL * ours.whole_s
    return (
        case.name,
        str(len(case.edges)),
        f"{theirs['candidates']:,}",
        theirs["way"],
        f"{theirs['objective']:,.4f}",
        f"{priced:,.4f}",
        f"{ours.found.usd:,.4f}",
        f"{ours.found.bound:,.4f}",
        short(theirs["whole_s"]),
        short(theirs["solve_s"]),
        short(ours.whole_s),
        short(ours.solve_s),
        ratio(theirs["whole_s"], ours.whole_s),
        ratio(theirs["solve_s"], ours.solve_s),
        ratio(theirs["whole_cpu_s"], ours.cpu_s),
        "met" if is_met else "missed",
    )


def _print_cases(rows: Sequence[tuple[str, ...]]) -> None:
    say("Cost of all jobs, USD; seconds of the whole answer, and of the solver in it. Ours: median of five.\n")
    heads = ("case", "edges", "places", "its way", "its cost", "by our account", "ours", "bound")
    times = ("its whole", "its solver", "our whole", "our solver", "whole", "solver", "CPU", f"{GOAL:g}x, equal")
    table((*heads, *times), rows)


def _planned_row(case: Case, made: Planned, theirs: dict[str, Any]) -> tuple[str, ...]:
    is_equal = math.isclose(made.usd, theirs["objective"], rel_tol=1e-6)
    is_proven = made.bound >= made.usd * (1 - 1e-9)
    is_met = is_equal and is_proven and theirs["whole_s"] >= GOAL * made.whole_s
    return (
        case.name,
        f"{theirs['objective']:,.4f}",
        f"{made.usd:,.4f}",
        f"{made.bound:,.4f}",
        short(theirs["whole_s"]),
        short(made.whole_s),
        ratio(theirs["whole_s"], made.whole_s),
        "met" if is_met else "missed",
    )


def _print_planned(rows: Sequence[tuple[str, ...]]) -> None:
    say("The same by the program behind `tripoint jobs plan`, median of five.\n")
    heads = ("case", "its cost", "ours", "bound", "its whole", "our whole", "whole", f"{GOAL:g}x, equal")
    table(heads, rows)


if __name__ == "__main__":
    main()
