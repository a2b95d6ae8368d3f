"""Rounds: every gateway is measured in turn, all others paused, so that a busy minute burdens all of them alike."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.gateway.entrants import WORK, Entrant
from benchmarks.gateway.peers import KEY, MODEL, UPSTREAM_MODEL
from benchmarks.gateway.processes import Neighbours, Running, pinned

SOURCES = Path(__file__).resolve().parent
LOAD_CORE = 0
TOKENS, GAP_US = 64, 10_000
BEFORE_S = 0.3
"""How long others are watched before each sample."""
AFTER_S = 1.4
"""Until a ledger process has entered what was recorded in the sample: it gathers for a second, and that is counted."""
DISTURBED = 0.05
"""A sample is disturbed where others took more than this share of the machine, before or during it."""
DIRECT = "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One kind of load."""

    name: str
    """Named so on the command line."""
    title: str
    """What it is, for people."""
    connections: int = 64
    """Connections of the driver."""
    seconds: float = 1.5
    """Length of one sample."""
    rate: float = 0.0
    """Requests per second of an open loop; 0 for a closed one."""
    prompt_bytes: int = 600
    """Length of the prompt's text; the request is about 0.3 kB longer."""
    is_stream: bool = False
    """True for streamed answers."""
    spread_us: int = 0
    """Streams begin this far apart altogether, so that their events do not fall together."""
    is_in_step: bool = False
    """True where all streams go on at the same instants, as those of one engine do; else each by its own beginning."""
    is_direct: bool = False
    """True when the upstream is also asked without a gateway."""
    is_renewed: bool = True
    """True where each round has a process of its own of every gateway that starts quickly."""


MODES = {
    mode.name: mode
    for mode in (
        Mode(name="saturation", title="64 connections, 0.9 kB in, 0.8 kB out"),
        Mode(
            name="streams",
            title=f"100 streams of {TOKENS} tokens, one every {GAP_US // 1000} ms, in step",
            connections=100,
            is_stream=True,
            is_in_step=True,
        ),
        Mode(
            name="streams-begun",
            title="the same streams, each one's words counted from when its request came",
            connections=100,
            is_stream=True,
        ),
        Mode(
            name="streams-apart",
            title="the same streams, out of step",
            connections=100,
            is_stream=True,
            spread_us=GAP_US,
        ),
        Mode(
            name="paced",
            title="500 requests a second on a fixed schedule",
            connections=256,
            rate=500,
            seconds=2,
            is_direct=True,
        ),
        Mode(name="prompts", title="prompts of 300 kB, 8 connections", connections=8, prompt_bytes=300_000),
        Mode(
            name="memory",
            title="400 open streams",
            connections=400,
            is_stream=True,
            spread_us=GAP_US,
            is_renewed=False,
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one run of the driver saw."""

    mode: str
    """Name of the mode."""
    name: str
    """Who was measured."""
    answered: int
    """Good answers."""
    failed: int
    """All others, those that never came included."""
    complaint: str
    """What was wrong with them, empty when nothing."""
    cpu_us: float
    """CPU time a request of all processes, microseconds."""
    path_us: float
    """That of those that carry requests: the same but for who keeps a ledger beside."""
    events: int
    """Events of the streams."""
    cpu_us_event: float
    """CPU time an event of all processes, microseconds."""
    path_us_event: float
    """That of those that carry requests."""
    p50_us: float
    """Median latency, microseconds."""
    p99_us: float
    """99th percentile."""
    first_us: float
    """Median time to the first byte of the body."""
    rate: float
    """Good answers per second of wall clock."""
    busy: float
    """Share of its core it used."""
    worker_mib: float
    """Proportional set size of the largest worker, MiB; while the streams were open, in the mode that asks for it."""
    total_mib: float
    """That of all its processes."""
    others: float
    """Share of the machine others took, just before or meanwhile, whichever was more."""
    takes: int = 1
    """How often it was taken until nobody disturbed it; the least disturbed is this one."""

    @property
    def is_disturbed(self) -> bool:
        """True when its figures say more about the machine than about the gateway."""
        return self.others > DISTURBED


def build() -> None:
    """Compiles the upstream and the driver where they are older than their source."""
    WORK.mkdir(parents=True, exist_ok=True)
    for name in ("mock_upstream", "load_driver"):
        source, binary = SOURCES / f"{name}.c", WORK / name
        if not binary.is_file() or binary.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", str(binary), str(source)], check=True)


class Upstream(NamedTuple):
    """The mock upstream."""

    port: int
    """Where it listens on 127.0.0.1."""
    pid: int
    """Its process."""


@contextmanager
def upstream() -> Iterator[Upstream]:
    """The mock upstream, for as long as it is needed."""
    options = ("--tokens", str(TOKENS), "--gap-us", str(GAP_US), "--expect", UPSTREAM_MODEL, "--forbid", KEY)
    command = pinned([str(WORK / "mock_upstream"), "--port", "0", *options], LOAD_CORE)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        yield Upstream(int(process.stdout.readline()), process.pid)
    finally:
        process.stdin.close()
        process.wait(5)
        process.stdout.close()


def seen_upstream(port: int) -> dict[str, int]:
    """What the upstream has counted so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats", timeout=5) as answer:
        return {name: value for name, value in json.load(answer).items() if isinstance(value, int)}


def measure(
    modes: Sequence[Mode], entrants: Sequence[Entrant], rounds: int, behind: Upstream, retakes: int
) -> list[Sample]:
    """Samples of every mode and entrant, each after a load like its own that warms it and is thrown away.

    Who starts quickly is started anew before that, but in a mode that does not ask for it. A sample that others
    disturbed is taken again, of the same process, up to `retakes` times, and the least disturbed one counts.
    """
    samples: list[Sample] = []
    for mode in modes:
        chosen = [e for e in entrants if not e.peer.rules or mode.name in e.peer.rules]
        for number in range(rounds):
            # Each round begins with another one, so that nobody is always measured after the same neighbour.
            turned = chosen[number % len(chosen) :] + chosen[: number % len(chosen)] if chosen else []
            for taker in (None, *turned) if mode.is_direct else turned:
                if taker and mode.is_renewed and taker.is_renewed:
                    taker.renew()
                _warm(mode, taker, behind)
                samples.append(_undisturbed(mode, taker, behind, retakes))
    return samples


def _warm(mode: Mode, entrant: Entrant | None, behind: Upstream) -> None:
    """One load of the mode that nobody looks at."""
    if entrant:
        entrant.running.go_on()
    _drive(mode, entrant, behind)
    if entrant:
        time.sleep(AFTER_S)  # what it recorded is entered before it counts
        entrant.running.pause()


def _undisturbed(mode: Mode, entrant: Entrant | None, behind: Upstream, retakes: int) -> Sample:
    best = _sample(mode, entrant, behind)
    takes = 1
    while best.is_disturbed and takes <= retakes:
        takes += 1
        best = min(best, _sample(mode, entrant, behind), key=lambda sample: sample.others)
    return replace(best, takes=takes)


def _sample(mode: Mode, entrant: Entrant | None, behind: Upstream) -> Sample:
    running = entrant.running if entrant else None
    ours = [os.getpid(), behind.pid, *(running.pids if running else ())]
    neighbours = Neighbours(ours)
    time.sleep(BEFORE_S)
    others = neighbours.share()
    if running:
        running.go_on()
        time.sleep(0.1)
    memory = _Watch(running if mode.name == "memory" else None)
    neighbours = Neighbours(ours)
    before, began = running.cpu_s() if running else (0.0, 0.0), time.perf_counter()
    seen = _drive(mode, entrant, behind)
    took = time.perf_counter() - began
    others = max(others, neighbours.share())
    time.sleep(AFTER_S if running else 0.0)
    after = running.cpu_s() if running else (0.0, 0.0)
    cpu_s, path_s = after[0] - before[0], after[1] - before[1]
    worker_mib, total_mib = memory.most(running)
    if running:
        running.pause()
    answered, failed = seen["good"], seen["bad"] + seen["hung"] + seen["unsent"]
    all_told = max(1, answered + seen["bad"])
    return Sample(
        mode=mode.name,
        name=entrant.name if entrant else DIRECT,
        answered=answered,
        failed=failed,
        complaint=_complaint(seen),
        cpu_us=cpu_s * 1e6 / all_told,
        path_us=path_s * 1e6 / all_told,
        events=seen["events"],
        cpu_us_event=cpu_s * 1e6 / max(1, seen["events"]),
        path_us_event=path_s * 1e6 / max(1, seen["events"]),
        p50_us=seen["p50"],
        p99_us=seen["p99"],
        first_us=seen["first50"],
        rate=answered / seen["took_s"],
        busy=cpu_s / took,
        worker_mib=worker_mib,
        total_mib=total_mib,
        others=others,
    )


def _drive(mode: Mode, entrant: Entrant | None, behind: Upstream) -> dict[str, Any]:
    """What the driver saw."""
    pace = "step" if mode.is_in_step else "own"
    with urllib.request.urlopen(f"http://127.0.0.1:{behind.port}/pace/{pace}", timeout=5) as told:
        told.read()
    command = _driver(mode, entrant, behind.port)
    ran = subprocess.run(command, capture_output=True, text=True, timeout=mode.seconds + 40, check=True)
    seen: dict[str, Any] = json.loads(ran.stdout)
    return seen


def _driver(mode: Mode, entrant: Entrant | None, upstream_port: int) -> list[str]:
    headers: tuple[str, ...] = ()
    port, connections = upstream_port, mode.connections
    if entrant:
        port = entrant.start.stream_port if mode.is_stream and entrant.start.stream_port else entrant.port
        headers = entrant.start.headers
        if mode.name.startswith("streams"):
            connections = min(connections, entrant.peer.stream_connections)
    options = {
        "port": port,
        "connections": connections,
        "seconds": mode.seconds,
        "rate": mode.rate,
        "bytes": mode.prompt_bytes,
        "stream": int(mode.is_stream),
        "spread-us": mode.spread_us,
        "model": MODEL,
    }
    words = [str(WORK / "load_driver")]
    for name, value in options.items():
        words += [f"--{name}", str(value)]
    for line in headers:
        words += ["--header", line]
    return pinned(words, LOAD_CORE)


def _complaint(seen: dict[str, int]) -> str:
    told = {
        f"status {seen['first_bad']}": seen["bad_status"],
        "cut short": seen["incomplete"],
        "never answered": seen["hung"],
        "never asked": seen["unsent"],
    }
    return ", ".join(f"{count} x {what}" for what, count in told.items() if count)


class _Watch:
    """Looks at the memory of a process several times while the driver runs; not while CPU time is what counts."""

    def __init__(self, running: Running | None) -> None:
        self._running = running
        self._found: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        if running:
            self._thread.start()

    def _look(self) -> None:
        assert self._running
        while not self._stop.wait(0.3):
            self._found.append(self._running.memory_mib())

    def most(self, running: Running | None) -> tuple[float, float]:
        """The most seen; what it is now when nobody looked."""
        if self._running:
            self._stop.set()
            self._thread.join()
        elif running:
            self._found.append(running.memory_mib())
        return max(self._found, default=(0.0, 0.0))
