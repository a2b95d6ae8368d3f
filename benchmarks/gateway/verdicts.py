"""The bars the product sets itself, and whether a run met them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.gateway.rounds import DIRECT, DISTURBED, MODES, Sample
from benchmarks.measure import say, short, table

US = "tripoint"
COMPILED = "tripoint, compiled"
ALONE = "tripoint, compiled, no ledger"
ACCOUNTS = "tripoint, accounts"
COMPILED_ACCOUNTS = "tripoint, compiled, accounts"


@dataclass(frozen=True, slots=True)
class Bar:
    """At least this many times the peer's requests, or events, per second of CPU time."""

    mode: str
    """Mode it is measured in."""
    peer: str
    """Compared with."""
    least: float
    """Ratio to reach."""
    is_of_events: bool = False
    """True where events count rather than requests."""


BARS = (
    Bar("saturation", "nginx", 0.6),
    Bar("saturation", "Envoy", 1.5),
    Bar("saturation", "vLLM router", 1.8),
    Bar("saturation", "SGLang router", 1.8),
    Bar("saturation", "LiteLLM", 300),
    Bar("saturation", "Portkey", 100),
    Bar("streams", "nginx", 0.85, is_of_events=True),
    Bar("streams-begun", "nginx", 0.85, is_of_events=True),
    Bar("prompts", "nginx", 0.8),
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


class Measured(NamedTuple):
    """What a bar is held against: one figure for each round that nobody disturbed, or for all where none was quiet."""

    path: list[float]
    """Of those who carry requests."""
    whole: list[float]
    """Of the product as it is started: the ledger process counted too."""
    rounds: int
    """Rounds there were."""
    is_disturbed: bool
    """True where no round was quiet, so that nothing is proven."""


def ratios(samples: Sequence[Sample], bar: Bar, us: str) -> Measured:
    """How many times as much a second of CPU time does here as there, round by round."""
    pairs, rounds, is_disturbed = _pairs(samples, bar.mode, us, bar.peer)

    def times(cost: Callable[[Sample], float]) -> list[float]:
        return [cost(b) / cost(a) for a, b in pairs if cost(a) > 0]

    if bar.is_of_events:
        return Measured(times(lambda s: s.path_us_event), times(lambda s: s.cpu_us_event), rounds, is_disturbed)
    return Measured(times(lambda s: s.path_us), times(lambda s: s.cpu_us), rounds, is_disturbed)


def _pairs(samples: Sequence[Sample], mode: str, us: str, peer: str) -> tuple[list[tuple[Sample, Sample]], int, bool]:
    """Samples of ours and of a peer by rounds, quiet ones only where there are any; how many rounds there were, and
    whether none was quiet.
    """
    both = list(zip(of(samples, mode, us), of(samples, mode, peer), strict=False))
    quiet = [pair for pair in both if not any(each.is_disturbed for each in pair)]
    return quiet or both, len(both), bool(both) and not quiet


def _told(value: float, least: float, *, is_disturbed: bool = False) -> str:
    if is_disturbed:
        return "disturbed"
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
                _spread([s.path_us for s in found]) if cpu else "-",
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
                f"{sum(s.is_disturbed for s in found)} of {len(found)}",
            )
        )
        for complaint in sorted({s.complaint for s in found if s.complaint}):
            say(f"{name}: {complaint}")
    cpu_heads = ("data path us/request", "all us/request")
    heads = ("requests/core", "events/core", "p50 ms", "added ms", "requests/s")
    table(("", *cpu_heads, *heads, "busy", "MiB", "all MiB", "failed", "others", "disturbed"), rows)
    _print_retakes([sample for sample in samples if sample.mode == mode])


def _print_retakes(samples: Sequence[Sample]) -> None:
    """Says what was taken again, and what stayed disturbed all the same."""
    again = sum(sample.takes - 1 for sample in samples)
    left = sum(sample.is_disturbed for sample in samples)
    if again or left:
        say(
            f"Others took more than {DISTURBED:.0%} of the machine: {again} samples were taken again, and {left} of "
            f"{len(samples)} stayed disturbed, which no verdict is founded on.\n"
        )


def print_verdicts(samples: Sequence[Sample], versions: dict[str, str]) -> int:
    """Ratio, bar and verdict of all that was measured, as written and compiled; how many were missed as written.

    Each is told twice: of the data path, which is what the bars name, and with the process that keeps the ledger.
    """
    rows = _judged(samples, versions, US)
    judged = (
        ("verdict", rows),
        ("verdict on the compiled one", _judged(samples, versions, COMPILED)),
        ("verdict on the compiled one without its ledger beside", _judged(samples, versions, ALONE)),
        ("verdict with tenants, budgets and a durable ledger", _judged(samples, versions, ACCOUNTS)),
        ("verdict on the compiled one with them", _judged(samples, versions, COMPILED_ACCOUNTS)),
    )
    heads = ("measure", "against", "bar", "worker (data path)", "", "with the ledger process", "", "quiet rounds")
    for name, found in judged:
        if found:
            say(f"### {name}\n")
            table(heads, found)
    return sum(row[4] == "missed" for row in rows)


def _judged(samples: Sequence[Sample], versions: dict[str, str], us: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for bar in BARS:
        found = ratios(samples, bar, us)
        if found.path:
            what = "events per core" if bar.is_of_events else "requests per core"
            cells = []
            for figures in (found.path, found.whole):
                told = _told(median(figures), bar.least, is_disturbed=found.is_disturbed)
                cells += [f"{_spread(figures)}x", told]
            against = f"{bar.peer} {versions[bar.peer]}"
            rounds = f"{0 if found.is_disturbed else len(found.path)} of {found.rounds}"
            rows.append((f"{bar.mode}: {what}", against, f"at least {bar.least:g}x", *cells, rounds))
    pairs, all_told, is_disturbed = _pairs(samples, "paced", us, "nginx")
    if pairs:
        more = median([(a.p50_us - b.p50_us) / 1000 for a, b in pairs])
        told = _told(-more, -ADDED_MS, is_disturbed=is_disturbed)
        rounds = f"{0 if is_disturbed else len(pairs)} of {all_told}"
        against = f"nginx {versions['nginx']}"
        bar_told = f"at most {ADDED_MS:+.2f} ms"
        rows.append(("paced: p50 beyond", against, bar_told, f"{more:+.3f} ms", told, "-", "", rounds))
    memory = [s.worker_mib for s in of(samples, "memory", us)]
    if memory:
        told = _told(-max(memory), -WORKER_MIB)
        bar_told = f"at most {WORKER_MIB:g} MiB"
        rows.append(("memory of a worker", "-", bar_told, f"{max(memory):.1f} MiB", told, "-", "", "-"))
    return rows
