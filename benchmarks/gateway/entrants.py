"""Entrants: every gateway of a run is started, paused while others are measured, and started anew for each round.

Processes of one build were measured to differ by up to 15 % side by side. A run whose entrants live through all its
rounds judges the luck of one start.
"""

from __future__ import annotations

import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.gateway.peers import MODEL, Ground, Peer, Start
from benchmarks.gateway.processes import Running, free_port, until
from benchmarks.measure import ROOT, say

WORK = ROOT / "out" / "bench" / "gateway"
GATEWAY_CORE = 1
START_LIMIT_S = 90.0
RENEWED_S = 8.0
"""Who answers within this time of being started is started anew for each round; slower ones would double a run."""


@dataclass(slots=True)
class Entrant:
    """A gateway in the run."""

    peer: Peer
    version: str
    upstream_port: int
    port: int
    start: Start
    running: Running
    took_s: float = 0.0
    """From its start until it answered, s."""

    @property
    def name(self) -> str:
        """Shown in tables."""
        return self.peer.name

    @property
    def is_renewed(self) -> bool:
        """True where it starts quickly enough to be started anew for each round."""
        return self.took_s <= RENEWED_S

    def renew(self) -> None:
        """Ends it and starts it anew, paused once it answers.

        Raises:
            RuntimeError: It does not answer this time.
        """
        self.running.end()
        fresh = _start(self.peer, self.version, self.upstream_port)
        self.port, self.start, self.running = fresh.port, fresh.start, fresh.running
        why = _wait(self)
        if why:
            raise RuntimeError(f"{self.name} {self.version}: does not answer once it was started anew ({why})")
        self.running.pause()


@contextmanager
def started(peers: Sequence[Peer], upstream_port: int) -> Iterator[list[Entrant]]:
    """Every installed peer, answering and paused; those that are missing or do not answer are told and left out."""
    entrants: list[Entrant] = []
    try:
        for peer in peers:
            version = peer.version()
            if not version:
                say(f"{peer.name}: not installed, left out")
                continue
            entrant = _start(peer, version, upstream_port)
            entrants.append(entrant)
            why = _wait(entrant)
            if why:
                say(f"{peer.name} {version}: does not answer, left out ({why})")
                entrants.remove(entrant)
                entrant.running.end()
                continue
            when = "anew for each round" if entrant.is_renewed else "slow to start: one process for all rounds"
            memory = entrant.running.memory_mib()[1]
            say(f"{peer.name} {version}: ready after {entrant.took_s:.1f} s, {memory:.0f} MiB; {when}")
            entrant.running.pause()
        yield entrants
    finally:
        for entrant in entrants:
            entrant.running.end()


def _start(peer: Peer, version: str, upstream_port: int) -> Entrant:
    folder = WORK / "run" / peer.name.replace(" ", "-").replace(",", "")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ground = Ground(folder=folder, port=free_port(), extra_port=free_port(), upstream=upstream_port)
    start = peer.start(ground)
    running = Running(start.command, GATEWAY_CORE, folder / "log", start.env)
    return Entrant(peer, version, upstream_port, ground.port, start, running)


def _wait(entrant: Entrant) -> str:
    """Why it does not answer; empty once it does, its time noted."""
    began = time.monotonic()
    why = until(lambda: _not_ready(entrant), START_LIMIT_S)
    entrant.took_s = time.monotonic() - began
    return why


def _not_ready(entrant: Entrant) -> str:
    if entrant.running.has_ended:
        return "it has ended; see its log"
    body = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}
    headers = dict(line.split(": ", 1) for line in entrant.start.headers)
    request = urllib.request.Request(
        f"http://127.0.0.1:{entrant.port}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return "" if b"total_tokens" in answer.read() else "an answer without usage"
    except urllib.error.HTTPError as error:
        return f"{error.code}: {error.read()[:200]!r}"
    except OSError as error:
        return str(error)
