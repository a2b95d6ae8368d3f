"""One period through `tripoint plan`'s own use case: how long until a snapshot of thousands of workloads is planned?

    python -m benchmarks.scale.snapshot              # 1,000 workloads x 50 offers
    python -m benchmarks.scale.snapshot 5000x100     # minutes

The estates are those of `full` with one period and one block: shared out as the planner likes, then with every workload
in one place. An offer is a pool and one way of buying its nodes. The peer is HiGHS on the whole program that the plan
was made from, with both cores, as close and as long as ours, in the same run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from benchmarks.measure import in_a_process, start, table
from benchmarks.scale.estates import drawn
from benchmarks.scale.telling import HEADS, alone, cells, gap_of, offers_of, times, told_of
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.apps.settings import read_settings
from tripoint.apps.wiring import load_catalog
from tripoint.domain.estate import Estate
from tripoint.domain.source import LoadedEstate
from tripoint.usecases.plan import PlanOptions, ProgressState, Watch, plan

_THIS = "benchmarks.scale.snapshot"
_GAP, _SECONDS = 5e-3, 60.0
_PHASES = ("resolving", "planning", "writing")


class Size(NamedTuple):
    """How many workloads over how many pools."""

    name: str
    workloads: int
    pools: int


SIZES = (Size("1000x50", 1_000, 15), Size("5000x100", 5_000, 30))
_WAYS = ("shared", "whole")


def main(arguments: Sequence[str] | None = None) -> None:
    """Plan each in a process of its own, then hand its program to HiGHS alone."""
    parser = argparse.ArgumentParser(description=__doc__, prog=f"python -m {_THIS}")
    parser.add_argument("names", nargs="*", help="sizes; 1000x50 where none is named")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--without-peer", action="store_true", help="leave out HiGHS alone")
    options = parser.parse_args(arguments)
    if options.one:
        size = next(size for size in SIZES if size.name == options.one[0])
        estate = _estate(size, options.one[1])
        json.dump(alone(_drawn(estate), _GAP, _SECONDS) if options.alone else _planned(estate), sys.stdout)
        return
    names = options.names or [SIZES[0].name]
    if unknown := set(names) - {size.name for size in SIZES}:
        parser.error(f"no such size: {', '.join(sorted(unknown))}")
    start("Snapshots, through plan")
    rows = []
    for name in names:
        for way in _WAYS:
            ours = in_a_process(_THIS, "--one", name, way)
            theirs = None if options.without_peer else in_a_process(_THIS, "--one", name, way, "--alone")
            rows.append(_row(f"{name}, {way}", ours, theirs))
    table((*HEADS, "whole run", "CPU", "solve", *_PHASES, "peak MB", "HiGHS alone", "its gap"), rows)


def _estate(size: Size, way: str) -> Estate:
    estate = drawn(size.workloads, size.pools, periods=1, blocks=1)
    if way == "shared":
        return estate
    return replace(estate, workloads=tuple(replace(each, is_indivisible=True) for each in estate.workloads))


def _planned(estate: Estate) -> dict[str, Any]:
    """The plan without alternatives, and the processor seconds of its phases."""
    catalog, today = load_catalog(), read_settings().today
    spent: dict[str, float] = dict.fromkeys(_PHASES, 0.0)
    phase, since = _PHASES[0], 0.0

    def show(state: ProgressState) -> None:
        nonlocal phase, since
        now = time.process_time()
        spent[phase] += now - since
        phase, since = next((each for each in _PHASES if state.phase.startswith(each)), phase), now

    loaded = _drawn(estate)
    offers = offers_of(loaded)
    since = time.process_time()
    wall, processor = time.perf_counter(), time.process_time()
    options = PlanOptions(gap=_GAP, seconds=_SECONDS, baselines=False)
    found = plan(loaded, catalog, HighsSolver(), options, today=today, watch=Watch(show=show))
    spent[phase] += time.process_time() - since
    told = told_of(found, offers, time.perf_counter() - wall, time.process_time() - processor)
    return {**told, "phases": spent}


def _drawn(estate: Estate) -> LoadedEstate:
    return LoadedEstate(estate=estate, profiles={}, digest="sha256:drawn")


def _row(name: str, ours: dict[str, Any], theirs: dict[str, Any] | None) -> tuple[str, ...]:
    peer = ("-", "-") if theirs is None else (*times(theirs, "seconds"), gap_of(theirs))
    phases = times(ours["phases"], *_PHASES)
    return (*cells(name, ours), *times(ours, "wall", "cpu", "solve"), *phases, *times(ours, "peak_mb"), *peer)


if __name__ == "__main__":
    main()
