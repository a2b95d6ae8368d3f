"""How long until a plan of many workloads is good, with proof, and how far does the solver alone get?

Single-period estates of `draw`: whole workloads, whole nodes, power, uplinks, sites that open, egress between pairs.
The peer is HiGHS on the whole program, built by us with every tightening we know, with both cores, on the same estate
in the same run. Bars are those this product set itself.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.measure import in_a_process, ratio, say, short, start, table

_ONE = "benchmarks.scale.one"


class Bar(NamedTuple):
    """A gap to be reached within a time."""

    workloads: int
    offers: int
    gap: float
    seconds: float


BARS = (
    Bar(1_000, 50, 5e-3, 20.0),
    Bar(5_000, 100, 5e-3, 30.0),
    Bar(10_000, 200, 1e-2, 60.0),
    Bar(10_000, 200, 5e-3, 300.0),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Build, search and solve whole, size by size."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.scale")
    parser.add_argument("sizes", nargs="*", help="e.g. 1000x50; all sizes of the bars otherwise")
    parser.add_argument("--stretch", type=float, default=1.5, help="how much longer than its bar a search may take")
    parser.add_argument("--whole", type=float, default=150.0, help="seconds for HiGHS alone; 0 leaves it out")
    options = parser.parse_args(arguments)
    bars = [bar for bar in BARS if not options.sizes or f"{bar.workloads}x{bar.offers}" in options.sizes]
    sizes = list(dict.fromkeys((bar.workloads, bar.offers) for bar in bars))
    start("Scale")
    _print_builds(sizes)
    searches: dict[tuple[int, int], dict[str, Any]] = {}
    for size in sizes:
        mine = [bar for bar in bars if (bar.workloads, bar.offers) == size]
        words = ["--gap", str(min(bar.gap for bar in mine)), "--seconds"]
        words.append(str(options.stretch * max(bar.seconds for bar in mine)))
        searches[size] = in_a_process(_ONE, "search", *map(str, size), *words)
    _print_searches(searches)
    wholes = {
        size: in_a_process(_ONE, "whole", *map(str, size), "--seconds", str(options.whole))
        for size in (sizes if options.whole > 0 else [])
    }
    _print_bars(bars, searches, wholes)


def _print_builds(sizes: Sequence[tuple[int, int]]) -> None:
    say("The whole program from the estate's arrays, and handed over to HiGHS, seconds.\n")
    rows = []
    for workloads, offers in sizes:
        told = in_a_process(_ONE, "build", str(workloads), str(offers))
        counts = [f"{told[name]:,}" for name in ("columns", "rows", "entries")]
        times = [short(told[name]) for name in ("build_s", "hand_over_s", "peak_mb")]
        rows.append((f"{workloads:,} x {offers}", *counts, *times))
    table(("estate", "columns", "rows", "entries", "build", "hand-over", "peak MB"), rows)


def _print_searches(searches: dict[tuple[int, int], dict[str, Any]]) -> None:
    say("What the search found and proved; USD per month, seconds, peak memory.\n")
    heads = ("estate", "cost", "bound", "by", "gap", "allowed", "rounds", "seconds", "CPU", "peak MB")
    rows = []
    for (workloads, offers), told in searches.items():
        rows.append(
            (
                f"{workloads:,} x {offers}",
                f"{told['usd']:,.0f}",
                f"{told['bound']:,.0f}",
                told["bounded_by"],
                f"{told['gap']:.3%}",
                "yes" if told["is_allowed"] else "NO",
                str(told["rounds"]),
                short(told["seconds"]),
                short(told["cpu_s"]),
                short(told["peak_mb"]),
            )
        )
    table(heads, rows)


def reached(path: Sequence[Sequence[float]], gap: float) -> float:
    """Seconds until cost and bound were within the gap; infinite when they never were."""
    for seconds, usd, bound in path:
        if usd - bound <= gap * usd:
            return seconds
    return math.inf


def _print_bars(
    bars: Sequence[Bar], searches: dict[tuple[int, int], dict[str, Any]], wholes: dict[tuple[int, int], dict[str, Any]]
) -> None:
    say("Seconds to a certified gap; HiGHS alone had the whole program and both cores.\n")
    rows = []
    for bar in bars:
        size = (bar.workloads, bar.offers)
        ours = reached(searches[size]["path"], bar.gap)
        whole = wholes.get(size)
        theirs = reached(whole["path"], bar.gap) if whole else math.nan
        rows.append(
            (
                f"{bar.workloads:,} x {bar.offers}",
                f"{bar.gap:.1%}",
                f"{bar.seconds:g}",
                _seconds(ours),
                "met" if ours <= bar.seconds else "missed",
                "-" if whole is None else _seconds(theirs, whole["seconds"]),
                "-" if whole is None or whole["usd"] is None else f"{whole['gap']:.2%}",
                ratio(theirs, ours) if math.isfinite(theirs) else "-",
            )
        )
    table(("estate", "gap", "bar", "tripoint", "", "HiGHS alone", "its gap", "ratio"), rows)


def _seconds(value: float, most: float = math.inf) -> str:
    if math.isfinite(value):
        return short(value)
    return f"not in {short(most)}" if math.isfinite(most) else "never"


if __name__ == "__main__":
    main()
