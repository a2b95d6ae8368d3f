"""The bars the product sets itself, and whether a run met them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.gateway.rounds import DIRECT, MODES, Sample
from benchmarks.measure import say, short, table

US = "tripoint"
COMPILED = "tripoint, compiled"
ALONE = "tripoint, compiled, no ledger"


@dataclass(frozen=True, slots=True)
class Bar:
    """At least this many times the peer's requests, or events, per second of CPU time."""

    mode: str
    """Mode it is measured in."""
    peer: str
    """Compared with."""
    least: float
    """Ratio to reach."""
    of: Callable[[Sample], float]
    """What is compared, less is better."""


def _request(sample: Sample) -> float:
    return sample.cpu_us


def _event(sample: Sample) -> float:
    return sample.cpu_us_event


BARS = (
    Bar("saturation", "nginx", 0.6, _request),
    Bar("saturation", "Envoy", 1.5, _request),
    Bar("saturation", "vLLM router", 1.8, _request),
    Bar("saturation", "SGLang router", 1.8, _request),
    Bar("saturation", "LiteLLM", 300, _request),
    Bar("saturation", "Portkey", 100, _request),
    Bar("streams", "nginx", 0.85, _event),
    Bar("prompts", "nginx", 0.8, _request),
)
ADDED_MS = 0.05
"""Most a request may take longer than through nginx, median at the paced load, ms."""
WORKER_MIB = 45.0
"""Most memory of a worker with 400 open streams, MiB."""


def median(values: Sequence[float]) -> float:
    """Median; not a number when there are none."""
    return statistics.median(values) if values else float("nan")


def of(samples: Sequence[Sample], mode: str, name: str) -> list[Sample]:
    """Samples of one mode and entrant, in the order of the rounds."""
    return [sample for sample in samples if sample.mode == mode and sample.name == name]


def ratios(ours: Sequence[Sample], theirs: Sequence[Sample], measure: Callable[[Sample], float]) -> list[float]:
    """How many times as much a second of CPU time does here as there, round by round."""
    return [measure(b) / measure(a) for a, b in zip(ours, theirs, strict=False) if measure(a) > 0]


def _told(value: float, least: float) -> str:
    return "met" if value >= least else "missed"


def _spread(values: Sequence[float]) -> str:
    return f"{short(median(values))} ({short(min(values))}-{short(max(values))})" if values else "-"


def print_mode(samples: Sequence[Sample], mode: str) -> None:
    """One table: what each costs."""
    names = list(dict.fromkeys(sample.name for sample in samples if sample.mode == mode))
    direct = median([s.p50_us for s in of(samples, mode, DIRECT)])
    say(f"### {mode}: {MODES[mode].title}\n")
    rows = []
    for name in names:
        found = of(samples, mode, name)
        cpu = median([s.cpu_us for s in found])
        per_event = [s.cpu_us_event for s in found if s.events]
        added = f"{(median([s.p50_us for s in found]) - direct) / 1000:.3f}" if direct == direct else "-"
        rows.append(
            (
                name,
                _spread([s.cpu_us for s in found]) if cpu else "-",
                f"{1e6 / cpu:,.0f}" if cpu else "-",
                f"{1e6 / median(per_event):,.0f}" if per_event and median(per_event) else "-",
                f"{median([s.p50_us for s in found]) / 1000:.3f}",
                added,
                f"{median([s.rate for s in found]):,.0f}",
                f"{median([s.busy for s in found]):.2f}",
                f"{median([s.worker_mib for s in found]):.0f}",
                f"{median([s.total_mib for s in found]):.0f}",
                f"{sum(s.failed for s in found)}",
                f"{median([s.others for s in found]):.2f}",
            )
        )
        for complaint in sorted({s.complaint for s in found if s.complaint}):
            say(f"{name}: {complaint}")
    heads = ("CPU us/request", "requests/core", "events/core", "p50 ms", "added ms", "requests/s")
    table(("", *heads, "busy", "MiB", "all MiB", "failed", "others"), rows)


def print_verdicts(samples: Sequence[Sample], versions: dict[str, str]) -> int:
    """Ratio, bar and verdict of all that was measured, as written and compiled; how many were missed as written."""
    rows = _judged(samples, versions, US)
    judged = (
        ("verdict", rows),
        ("verdict on the compiled one", _judged(samples, versions, COMPILED)),
        ("verdict on the compiled one without its ledger beside", _judged(samples, versions, ALONE)),
    )
    for name, found in judged:
        if found:
            say(f"### {name}\n")
            table(("measure", "against", "median (spread)", "bar", ""), found)
    return sum(row[-1] == "missed" for row in rows)


def _judged(samples: Sequence[Sample], versions: dict[str, str], us: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for bar in BARS:
        found = ratios(of(samples, bar.mode, us), of(samples, bar.mode, bar.peer), bar.of)
        if found:
            what = "events per core" if bar.of is _event else "requests per core"
            against = f"{bar.peer} {versions[bar.peer]}"
            told = _told(median(found), bar.least)
            rows.append((f"{bar.mode}: {what}", against, f"{_spread(found)}x", f"at least {bar.least:g}x", told))
    ours, theirs = of(samples, "paced", us), of(samples, "paced", "nginx")
    if ours and theirs:
        more = [(a.p50_us - b.p50_us) / 1000 for a, b in zip(ours, theirs, strict=True)]
        told = _told(-median(more), -ADDED_MS)
        against = f"nginx {versions['nginx']}"
        rows.append(("paced: p50 beyond", against, f"{median(more):+.3f} ms", f"at most {ADDED_MS:+.2f} ms", told))
    memory = [s.worker_mib for s in of(samples, "memory", us)]
    if memory:
        told = _told(-max(memory), -WORKER_MIB)
        rows.append(("memory of a worker", "-", f"{max(memory):.1f} MiB", f"at most {WORKER_MIB:g} MiB", told))
    return rows
