"""One estate of the scale benchmark in a process of its own, so that its peak memory is its own; prints JSON."""

from __future__ import annotations

import argparse
import json
import math
import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.scale.draw import draw
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.engines.placement.assignment.formulate import formulate
from tripoint.engines.placement.assignment.layout import lay_out
from tripoint.engines.placement.assignment.problem import Assignment, bill
from tripoint.engines.placement.assignment.search import Effort
from tripoint.engines.placement.milp.program import SolveLimits, SolveProgress
from tripoint.usecases.assign import assign


def main(arguments: Sequence[str] | None = None) -> None:
    """Build, search or solve whole, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.scale.one")
    parser.add_argument("what", choices=("build", "search", "whole"))
    parser.add_argument("workloads", type=int)
    parser.add_argument("offers", type=int)
    parser.add_argument("--gap", type=float, default=5e-3)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    problem = draw(options.workloads, options.offers, options.seed)
    before = time.process_time()
    run = {"build": _build, "search": _search, "whole": _whole}[options.what]
    answer = run(problem, options.gap, options.seconds)
    answer["cpu_s"] = time.process_time() - before
    answer["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    json.dump(answer, sys.stdout)


def _build(problem: Assignment, gap: float, seconds: float) -> dict[str, Any]:
    """The program as arrays, then handed over to HiGHS, which is stopped at once."""
    del gap, seconds
    started = time.perf_counter()
    program = formulate(lay_out(problem))
    built = time.perf_counter()
    handed = time.perf_counter()
    if program.columns:
        HighsSolver().solve(program, SolveLimits(seconds=0.0), lambda state: None, lambda: True)
        handed = time.perf_counter()
    return {
        "columns": program.columns,
        "rows": program.rows,
        "entries": len(program.value),
        "build_s": built - started,
        "hand_over_s": handed - built,
    }


def _search(problem: Assignment, gap: float, seconds: float) -> dict[str, Any]:
    found = assign(problem, Effort(gap=gap, seconds=seconds), HighsSolver())
    paid = bill(problem, found.chosen) if found.chosen.size else None
    return {
        "usd": found.usd,
        "bound": found.bound,
        "bounded_by": found.bounded_by,
        "strategy": found.strategy,
        "gap": found.gap,
        "seconds": found.seconds,
        "rounds": found.rounds,
        "path": [list(step) for step in found.path if math.isfinite(step[1])],
        "is_allowed": paid is not None and paid.excess == 0.0 and math.isclose(paid.usd, found.usd, rel_tol=1e-9),
    }


def _whole(problem: Assignment, gap: float, seconds: float) -> dict[str, Any]:
    """HiGHS on the whole program, with both cores; every better plan and bound with its second."""
    path: list[list[float]] = []

    def note(state: SolveProgress) -> None:
        if state.incumbent is not None and state.bound is not None:
            path.append([state.seconds, state.incumbent, state.bound])

    limits = SolveLimits(gap=gap, seconds=seconds, threads=2)
    found = HighsSolver().solve(formulate(lay_out(problem)), limits, note, lambda: False)
    usd = found.objective if found.values.size else None
    return {"usd": usd, "bound": found.bound, "gap": found.gap, "seconds": found.seconds, "path": path}


if __name__ == "__main__":
    main()
