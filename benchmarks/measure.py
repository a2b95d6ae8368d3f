"""What the benchmarks share: time something several times, state the conditions, print a table.

Times are medians of wall-clock seconds with their spread, because a machine that does other work too makes single
times worthless. Nothing here passes or fails: speed is printed, never asserted.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Times:
    """Wall-clock seconds of several runs of one thing."""

    seconds: tuple[float, ...]
    """One per run."""

    @property
    def median(self) -> float:
        """Median, seconds."""
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        """Median and spread."""
        if len(self.seconds) == 1:
            return f"{short(self.median)} s (once)"
        return f"{short(self.median)} s ({short(min(self.seconds))}-{short(max(self.seconds))})"


def timed(run: Callable[[], Answer], repeat: int) -> tuple[Answer, Times]:
    """The last answer of `repeat` runs and how long each took."""
    seconds: list[float] = []
    for _ in range(max(1, repeat)):
        started = time.perf_counter()
        answer = run()
        seconds.append(time.perf_counter() - started)
    return answer, Times(tuple(seconds))


def alternated(runs: Sequence[Callable[[], object]], repeat: int) -> list[Times]:
    """Times of several things run in turn, so that a busy minute burdens all of them alike."""
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(max(1, repeat)):
        for place, run in zip(seconds, runs, strict=True):
            place.append(timed(run, 1)[1].median)
    return [Times(tuple(place)) for place in seconds]


def in_a_process(module: str, *arguments: str) -> dict[str, Any]:
    """What `python -m module arguments` prints as JSON: a process of its own, so that its peak memory is its own."""
    run = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def spent_s() -> float:
    """Processor seconds of this process and of those it had and has waited for."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def short(value: float) -> str:
    """Three significant digits, without an exponent for the sizes that occur here."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f}" if abs(value) >= 0.001 else f"{value:.2g}"


def ratio(value: float, against: float) -> str:
    """How many times `against` goes into `value`."""
    return f"{short(value / against)}x" if against > 0 else "-"


def say(text: str = "") -> None:
    """A line on standard output, at once."""
    print(text, flush=True)


def start(title: str) -> None:
    """The headline of a benchmark and the conditions it is run under."""
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    say(f"## {title}\n")
    say(
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"load average at start {load}\n"
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table, padded so that it reads well in a terminal too."""
    lines = [list(heads), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for number, line in enumerate(lines):
        say("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
        if number == 0:
            say("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    say()
