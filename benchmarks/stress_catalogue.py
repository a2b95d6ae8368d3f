"""How long does the whole catalogue take, as `tripoint stress` plays it by default?

The plan of an estate is tried against every scenario, on all cores: with the search for where objectives break, which
is what users get, and without it. The estate is planned before the clock starts. Processor seconds are told beside the
wall: a busy machine stretches the one and hardly the other.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from benchmarks.measure import ROOT, say, short, spent_s, start, table
from tripoint.adapters.trials_process import ProcessTrials
from tripoint.apps import trials as playing
from tripoint.apps import wiring
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.domain.stress import Order, StressReport, Trial
from tripoint.usecases.plan import PlanOptions
from tripoint.usecases.stressing.options import StressOptions

ESTATE = ROOT / "src" / "tripoint" / "templates" / "three-layer"
GOAL = "300 s"
_GAP = 0.001
_LONGEST_S = 60.0


class Counting:
    """Plays trials as the product does, and counts them and their events."""

    def __init__(self) -> None:
        self._trials: ProcessTrials | None = ProcessTrials()
        self.processes = self._trials.processes
        self.trials = self.events = 0

    def played(
        self, play: Callable[[Order], Trial], orders: Sequence[Order], should_stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Trial]]:
        """See `ports.Trials`."""
        assert self._trials is not None
        for place, trial in self._trials.played(play, orders, should_stop):
            self.trials += 1
            self.events += trial.events
            yield place, trial

    def dismiss(self) -> None:
        """Ends the processes, so that what they took can be told."""
        self._trials = None


class Run(NamedTuple):
    """What one run took."""

    report: StressReport
    """Its answer."""
    wall_s: float
    """From begin to answer, s."""
    cpu_s: float
    """Of all processes, s."""
    trials: int
    """Played, each counted once."""
    events: int
    """Of those request by request."""


def run(loaded: LoadedEstate, plan: Plan, options: StressOptions) -> Run:
    """Tries the plan against the whole catalogue."""
    trials = Counting()
    before, began = spent_s(), time.perf_counter()
    report = playing.stress(loaded, wiring.load_catalog(), plan, playing.load_scenarios(), options, trials=trials)
    wall_s = time.perf_counter() - began
    trials.dismiss()
    return Run(report, wall_s, spent_s() - before, trials.trials, trials.events)


def main(arguments: Sequence[str] | None = None) -> None:
    """Plan, try with the search and without it, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.stress_catalogue")
    parser.add_argument("--trials", type=int, default=200, help="trials of each scenario")
    parser.add_argument("--estate", default=str(ESTATE), help="estate that is planned and tried")
    parser.add_argument("--only-default", action="store_true", help="leave out the run without the search")
    options = parser.parse_args(arguments)
    start("The whole catalogue")
    loaded = wiring.load_estate(options.estate)
    plan = wiring.plan(loaded, PlanOptions(gap=_GAP, seconds=_LONGEST_S))
    jobs = [("with the search for edges (default)", StressOptions(trials=options.trials))]
    if not options.only_default:
        jobs.append(("without it", StressOptions(trials=options.trials, search_trials=0)))
    rows = []
    for name, asked in jobs:
        load = os.getloadavg()[0]
        done = run(loaded, plan, asked)
        rows.append(
            (
                name, f"{len(done.report.scenarios)}", f"{done.trials:,}", f"{short(done.wall_s)} s",
                f"{short(done.cpu_s)} s", f"{done.events / done.cpu_s:,.0f}", f"{load:.1f}", GOAL,
            )
        )  # fmt: skip
    told = "wall", "processor time", "events per processor second", "load before", "goal"
    table(("the catalogue", "scenarios", "trials", *told), rows)
    say(f"{options.trials} trials of each scenario that is played; the others are planned anew or mean nothing there.")


if __name__ == "__main__":
    main()
