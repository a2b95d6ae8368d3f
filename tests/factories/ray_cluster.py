"""A Ray cluster of two nodes on this machine, trials on it, and the death of a node in the middle; run as a program.

It is a program of its own because Ray's threads and sockets outlive a test. It leaves `found.json`: the trials in
order, how many were there at each step, how many nodes took part, and what came of trials that go wrong.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.factories.estate_texts import TWO_REGIONS
from tests.factories.trials import Deadly, Line, Refusing, orders

from tripoint.adapters.trials_ray import RayTrials
from tripoint.apps.trials import play_trials
from tripoint.domain.errors import TripointError
from tripoint.domain.stress import Order, Trial

COUNT = 240
KILL_AFTER = 40
QUICK = {
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
"""How soon a node's death is noticed; by default it takes 20 seconds."""
SMALL: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80_000_000}
"""One core and the least memory Ray takes."""


@dataclass(frozen=True, slots=True)
class Marking:
    """Notes on which node of the cluster a trial was played."""

    folder: Path

    def __call__(self, order: Order) -> Trial:
        """One trial, slowly."""
        import ray

        (self.folder / f"node-{ray.get_runtime_context().get_node_id()}").touch()
        return Line(pause_s=0.05)(order)


def cluster() -> tuple[Any, Any]:
    """A cluster with one core on each of two nodes, and the second of them."""
    from ray.cluster_utils import Cluster

    whole = Cluster(
        initialize_head=True,
        head_node_args={**SMALL, "_system_config": QUICK},
    )
    second = whole.add_node(**SMALL)
    whole.wait_for_nodes()
    return whole, second


def reports(folder: Path) -> list[str]:
    """What `tripoint stress` finds on the cluster, and what it finds here."""
    estate = folder / "estate.yaml"
    estate.write_text(TWO_REGIONS, encoding="utf-8")
    told("plan", str(estate), "--out", str(folder / "plan"), "--gap", "0.001", "--no-baselines", "--quiet")
    tried = ("stress", str(estate), "--plan", str(folder / "plan"), "--trials", "6", "--no-search", "--quiet", "--json")
    only = ("--only", "node-loss", "--only", "process-loss")
    return [told(*tried, *only, "--on", place) for place in ("ray", "here")]


def told(*arguments: str) -> str:
    """What the program prints; a missed objective is an answer too."""
    run = subprocess.run([sys.executable, "-m", "tripoint", *arguments], capture_output=True, text=True, check=False)
    if run.returncode not in (0, 1):
        raise SystemExit(run.stderr)
    return run.stdout


def refusal(play: Callable[[Order], Trial]) -> str:
    """What a run of a few trials is refused with."""
    try:
        play_trials(play, orders(6), RayTrials())
    except TripointError as error:
        return f"{type(error).__name__}: {error.message} ({error.hint})"
    return ""


def main(folder: Path) -> None:
    """Plays the trials, kills a node in the middle, and leaves what came of it."""
    alone = refusal(Line())
    whole, second = cluster()
    os.environ["RAY_ADDRESS"] = whole.address
    seen: list[int] = []

    def progress(done: int, of_all: int) -> None:
        seen.append(done)
        if done == KILL_AFTER:
            whole.remove_node(second, allow_graceful=False)

    try:
        document = {
            "alone": alone,
            "reports": reports(folder),
            "trials": [
                asdict(each) for each in play_trials(Marking(folder), orders(COUNT), RayTrials(), progress=progress)
            ],
            "seen": seen,
            "nodes": len(list(folder.glob("node-*"))),
            "after a death": [
                asdict(each) for each in play_trials(Deadly(folder, at=2, times=1), orders(4), RayTrials())
            ],
            "deadly": refusal(Deadly(folder, at=3, times=99)),
            "refused": refusal(Refusing(at=3, is_bug=False)),
            "bug": refusal(Refusing(at=0, is_bug=True)),
        }
    finally:
        whole.shutdown()
    (folder / "found.json").write_text(json.dumps(document))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
