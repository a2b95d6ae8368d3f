"""What runs at scale tell: figures of a plan, those of HiGHS alone beside it, and the columns for both."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping
from typing import Any

from benchmarks.measure import short
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.apps.wiring import load_catalog
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import SolveLimits

HEADS = ("estate", "offers", "columns", "integers", "strategy", "cost", "bound", "gap")
"""Heads of `cells`."""


def offers_of(loaded: LoadedEstate) -> int:
    """Offers of an estate: pools, each with every way of buying its nodes."""
    return sum(len(pool.offers) for pool in prepare(loaded.estate, load_catalog(), loaded.profiles).pools)


def told_of(found: Plan, offers: int, wall: float, processor: float) -> dict[str, Any]:
    """Figures of a plan that was solved in this process, in `wall` and `processor` seconds."""
    told = found.solve
    assert told is not None
    return {
        "offers": offers,
        "columns": told.columns,
        "integers": told.integers,
        "strategy": told.strategy,
        "usd": told.incumbent_usd,
        "bound": told.bound_usd,
        "gap": told.gap,
        "wall": wall,
        "cpu": processor,
        "solve": told.seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def alone(loaded: LoadedEstate, gap: float, seconds: float) -> dict[str, Any]:
    """HiGHS on the whole program with both cores, for as long and as close as ours was asked."""
    program = formulate(prepare(loaded.estate, load_catalog(), loaded.profiles))[0].program()
    before = time.process_time()
    found = HighsSolver().solve(
        program, SolveLimits(gap=gap, seconds=seconds, threads=2), lambda state: None, lambda: False
    )  # fmt: skip
    return {
        "usd": found.objective if found.values.size else None,
        "gap": found.gap if found.values.size else None,
        "seconds": found.seconds,
        "cpu": time.process_time() - before,
    }


def cells(name: str, told: Mapping[str, Any]) -> tuple[str, ...]:
    """A row's beginning, under `HEADS`."""
    counts = (f"{told[key]:,}" for key in ("columns", "integers"))
    money = (f"{told[key]:,.0f}" for key in ("usd", "bound"))
    return (name, str(told["offers"]), *counts, told["strategy"], *money, f"{told['gap']:.3%}")


def gap_of(told: Mapping[str, Any]) -> str:
    """The gap HiGHS alone came to; `none` without a plan."""
    return "none" if told["gap"] is None else f"{told['gap']:.3%}"


def times(told: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """Seconds or megabytes of those names, short."""
    return tuple(short(told[name]) for name in names)
