"""Solving as every verb of the planner does it: by size, watched, and stopped when somebody asks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from tripoint.engines.placement.large.alike import bounded, come_apart, counted, told_apart
from tripoint.engines.placement.large.decomposed import decomposed, is_huge
from tripoint.engines.placement.milp.kernel import rescue
from tripoint.engines.placement.milp.program import (
    FloatArray,
    Program,
    Solution,
    SolutionStatus,
    SolveLimits,
    SolveProgress,
)
from tripoint.engines.placement.milp.staged import is_large, staged
from tripoint.ports import MilpSolver
from tripoint.usecases.drive import drive


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressState:
    """What a person watching wants to know."""

    phase: str
    """What is being done."""
    incumbent: float | None = None
    """Best objective so far, discounted USD."""
    bound: float | None = None
    """Proven bound so far, discounted USD."""
    gap: float | None = None
    """Relative gap."""
    seconds: float = 0.0
    """Seconds since the start."""


Show = Callable[[ProgressState], None]
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a run is watched and stopped."""

    show: Show = lambda state: None
    """Called with each state."""
    should_stop: Stop = lambda: False
    """True to stop with the best plan so far."""


UNWATCHED = Watch()
"""Nobody watches, nobody stops."""


@dataclass(slots=True)
class Clock:
    """Tells the phase and the time since the start; the only stateful thing here."""

    show: Show
    """Called with each state."""
    started: float
    """When the run began, seconds of a steady clock."""
    phase: str = ""
    """What is being done."""

    def enter(self, phase: str) -> None:
        """Begins a phase."""
        self.phase = phase
        self.show(ProgressState(phase=phase, seconds=time.perf_counter() - self.started))

    def solving(self, state: SolveProgress) -> None:
        """Tells how far the solve of this phase is."""
        self.show(
            ProgressState(
                phase=self.phase,
                incumbent=state.incumbent,
                bound=state.bound,
                gap=state.gap,
                seconds=time.perf_counter() - self.started,
            )
        )


def peak_mb() -> float:
    """Most memory this process has held so far, with that of the largest it waited for, MB; 0 where nobody counts."""
    if sys.platform == "win32":
        return 0.0
    import resource

    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / unit


class Solver(Protocol):
    """Solves one program after the other under the same limits."""

    def __call__(self, program: Program, start: FloatArray | None = None) -> Solution:
        """The best solution, begun from the values of a plan where given."""
        ...


def by_size(solver: MilpSolver, limits: SolveLimits, clock: Clock, should_stop: Stop) -> Solver:
    """Solves by size, from the values of a plan where given: a large program in stages, a small one whole.

    Where a limit comes before any plan of a small one, its kernel is tried. Workloads that are alike are counted.
    """

    def part(state: SolveProgress) -> None:
        clock.solving(replace(state, bound=None, gap=None))

    def counted_first(program: Program, start: FloatArray | None = None) -> Solution:
        small = counted(program)
        if small is None:
            return solve(program, start)
        found = solve(small.program, None if start is None else small.summed(start))
        if found.status is SolutionStatus.INFEASIBLE or not found.values.size:
            return found
        apart = come_apart(program, small, found.values, limits)
        whole = drive(apart, solver, threads=limits.threads, progress=part, should_stop=should_stop)
        if whole.size:
            return told_apart(program, found, whole)
        clock.enter(f"{clock.phase}: counts cannot be told apart, planning each workload by itself")
        return bounded(solve(program, start), found.bound)

    def solve(program: Program, start: FloatArray | None = None) -> Solution:
        if is_large(program):
            asking = decomposed(program, limits) if is_huge(program) else staged(program, limits, start)
            return drive(asking, solver, threads=limits.threads, progress=part, should_stop=should_stop)

        def once(each: Program) -> Solution:
            return solver.solve(each, limits, clock.solving, should_stop, start)

        found = once(program)
        if found.status is not SolutionStatus.UNKNOWN or should_stop():
            return found
        clock.enter(f"{clock.phase}: no plan yet, trying the kernel")
        return rescue(program, found, once)

    return counted_first
