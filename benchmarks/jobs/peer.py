"""SkyPilot's side: its optimiser on the cases it is given, in an interpreter of its own; JSON in, JSON out.

Its catalogue is read from files under its home, which the caller wrote; which clouds are enabled is answered here,
since asking them needs credentials. Everything else is its own code: candidates, prices, egress, dynamic programme on
chains, integer programme on other graphs. Stages are timed around its own functions.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import sky  # type: ignore[import-not-found]  # lives in an environment of its own
from sky import check, clouds
from sky.optimizer import Optimizer  # type: ignore[import-not-found]  # likewise

MOST_GB = 200_000


def main() -> None:
    """Read cases from standard input, optimise each, print what came of them."""
    asked = json.load(sys.stdin)
    enabled = [getattr(clouds, name)() for name in asked["clouds"]]
    check.get_cached_enabled_clouds_or_refresh = lambda *words, **more: enabled
    answer = {
        "version": sky.__version__,
        "egress": {name: _shape(cloud) for name, cloud in zip(asked["clouds"], enabled, strict=True)},
        "cases": [_case(case) for case in asked["cases"]],
    }
    print()
    json.dump(answer, sys.stdout)  # its own words come before, on lines of their own


def _shape(cloud: Any) -> dict[str, Any]:
    """Its egress charge for every whole GB: where one more GB costs less, and the charge of a few volumes."""
    costs = [cloud.get_egress_cost(float(gb)) for gb in range(MOST_GB + 1)]
    falls = [[gb, costs[gb - 1], costs[gb]] for gb in range(1, MOST_GB + 1) if costs[gb] < costs[gb - 1] - 1e-9]
    return {"falls": falls, "first_gb": costs[1], "second_gb": costs[2] - costs[1]}


def _case(case: dict[str, Any]) -> dict[str, Any]:
    with sky.Dag() as graph:
        tasks = [_task(number, asked) for number, asked in enumerate(case["tasks"])]
        for sender, receiver in case["edges"]:
            tasks[sender] >> tasks[receiver]
    stages: dict[str, Any] = {}
    whole = ("_estimate_nodes_cost_or_time", "_optimize_by_dp", "_optimize_by_ilp")
    kept = {name: getattr(Optimizer, name) for name in whole}
    for name, run in kept.items():
        setattr(Optimizer, name, staticmethod(_noted(run, name, stages)))
    started, worked = time.perf_counter(), _processor_s()
    try:
        Optimizer.optimize(graph, quiet=True)
    finally:
        for name, run in kept.items():
            setattr(Optimizer, name, staticmethod(run))
    seconds, processor_s = time.perf_counter() - started, _processor_s() - worked
    way = "ilp" if "_optimize_by_ilp" in stages else "dp"
    solved = stages[f"_optimize_by_{way}"]
    return {
        "name": case["name"],
        "way": way,
        "objective": solved["answer"][1],
        "whole_s": seconds,
        "whole_cpu_s": processor_s,
        "solve_s": solved["seconds"],
        "candidates": sum(len(each) for each in stages["_estimate_nodes_cost_or_time"]["answer"][0].values()) - 2,
        "places": [[str(task.best_resources.cloud).lower(), task.best_resources.region] for task in tasks],
    }


def _processor_s() -> float:
    """Of this process and of those it ran, which its solver is."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _task(number: int, asked: dict[str, Any]) -> Any:
    task = sky.Task(f"task-{number}")
    task.set_resources(sky.Resources(accelerators={asked["gpu"]: asked["count"]}))
    task.set_time_estimator(lambda resources: asked["hours"] * 3600.0)
    task.set_outputs(f"s3://task-{number}", asked["output_gb"])
    return task


def _noted(run: Callable[..., Any], name: str, stages: dict[str, Any]) -> Callable[..., Any]:
    def noted(*words: Any, **more: Any) -> Any:
        started = time.perf_counter()
        answer = run(*words, **more)
        stages[name] = {"answer": answer, "seconds": time.perf_counter() - started}
        return answer

    return noted


if __name__ == "__main__":
    main()
