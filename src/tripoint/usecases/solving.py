"""Solving as every verb of the planner does it: by size, watched, and stopped when somebody asks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from tripoint.engines.placement.large.alike import bounded, come_apart, counted, told_apart
from tripoint.engines.placement.large.decomposed import decomposed, is_huge
from tripoint.engines.placement.large.places import decided_apart, summed
from tripoint.engines.placement.milp.asking import Asking, Outcome
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


_LEAST_PART = 0.2
"""Share of the time that is left at least to sites that are alike, to decide between them and to be planned alone."""
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

    Where a limit comes before any plan of a small one, its kernel is tried. Workloads that are alike are counted, sites
    that are alike summed.
    """
    return _BySize(solver, limits, clock, should_stop)


@dataclass(frozen=True, slots=True)
class _BySize:
    solver: MilpSolver
    limits: SolveLimits
    clock: Clock
    should_stop: Stop

    def __call__(self, program: Program, start: FloatArray | None = None) -> Solution:
        """Workloads that are alike are counted, and told apart in the answer."""
        small = counted(program)
        if small is None:
            return self._by_sites(program, start)
        found = self._by_sites(small.program, None if start is None else small.summed(start))
        if not found.values.size:
            return found
        whole = self._driven(come_apart(program, small, found.values, self.limits))
        if whole.size:
            return self._judged(told_apart(program, found, whole))
        self._enter("counts cannot be told apart, planning each workload by itself")
        return bounded(self._by_sites(program, start), found.bound)

    def _by_sites(self, program: Program, start: FloatArray | None) -> Solution:
        """Sites that are alike are summed; they decide between them what each does, or where that is dear, anew."""
        small = None if is_huge(program) else summed(program)
        if small is None:
            return self._solved(program, start, self.limits)
        found = self._solved(small.program, None if start is None else small.summed(start), self.limits)
        if not found.values.size:
            return found
        left = max(self.limits.seconds - found.seconds, self.limits.seconds * _LEAST_PART)
        whole = self._driven(decided_apart(program, small, found.values, replace(self.limits, seconds=left / 2)))
        apart = self._judged(told_apart(program, found, whole)) if whole.size else None
        if apart is not None and (apart.gap <= self.limits.gap or self.should_stop()):
            return apart
        self._enter("sites that are alike differ in the plan, planning each by itself")
        rest = replace(self.limits, seconds=left / 2)
        alone = bounded(self._solved(program, start if apart is None else apart.values, rest), found.bound)
        best = alone if apart is None or alone.objective <= apart.objective else bounded(apart, alone.bound)
        return self._judged(best)

    def _solved(self, program: Program, start: FloatArray | None, limits: SolveLimits) -> Solution:
        if is_large(program):
            if is_huge(program):
                return self._driven(decomposed(program, limits))
            return self._driven(staged(program, limits, start))

        def once(each: Program) -> Solution:
            return self.solver.solve(each, limits, self.clock.solving, self.should_stop, start)

        found = once(program)
        if found.status is not SolutionStatus.UNKNOWN or self.should_stop():
            return found
        self._enter("no plan yet, trying the kernel")
        return rescue(program, found, once)

    def _driven(self, asking: Asking[Outcome]) -> Outcome:
        def part(state: SolveProgress) -> None:
            self.clock.solving(replace(state, bound=None, gap=None))

        return drive(
            asking, self.solver, threads=self.limits.threads, progress=part, should_stop=self.should_stop
        )  # fmt: skip

    def _judged(self, found: Solution) -> Solution:
        """Optimal where its gap is small enough, whatever that of the smaller program was."""
        if found.status is not SolutionStatus.OPTIMAL or found.gap <= self.limits.gap:
            return found
        return replace(found, status=SolutionStatus.FEASIBLE, was_interrupted=True)

    def _enter(self, what: str) -> None:
        self.clock.enter(f"{self.clock.phase}: {what}")
