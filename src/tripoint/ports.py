"""DOORS: a port exists only where two real implementations do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tripoint.engines.placement.milp.program import Program, Solution, SolveLimits, SolveProgress


class MilpSolver(Protocol):
    """Solves a program; HiGHS in production, exhaustive enumeration as the tests' oracle."""

    def solve(
        self,
        program: Program,
        limits: SolveLimits,
        progress: Callable[[SolveProgress], None],
        should_stop: Callable[[], bool],
    ) -> Solution:
        """Best solution within `limits`, always with a proven bound; never raises for an infeasible program."""
        ...
