"""A second solver: tries every assignment of the integer columns. The tests' oracle for tiny programs.

It shares nothing with branch and bound: integers are enumerated, and the continuous rest is left to whatever linear
solver it is given. Exponential, so it refuses programs with more than `most` assignments.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from tripoint.domain.errors import SolverError
from tripoint.engines.placement.milp.program import (
    FloatArray,
    Program,
    Solution,
    SolutionStatus,
    SolveLimits,
    SolveProgress,
)

LinearSolve = Callable[[Program], Solution]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhaustiveSolver:
    """Enumerates integers; `linear` solves what is left."""

    linear: LinearSolve
    """Solves a program without integers."""
    most: int = 20_000
    """Most assignments tried."""

    def solve(
        self,
        program: Program,
        limits: SolveLimits,
        progress: Callable[[SolveProgress], None],
        should_stop: Callable[[], bool],
        start: FloatArray | None = None,
    ) -> Solution:
        """The optimum, proven by trying everything.

        Raises:
            SolverError: more assignments than `most`.
        """
        del limits, progress, should_stop, start
        best: Solution | None = None
        for fixed in self._assignments(program):
            found = self.linear(fixed)
            if found.values.size and (best is None or found.objective < best.objective):
                best = found
        return _answer(best)

    def _assignments(self, program: Program) -> Iterator[Program]:
        columns = np.flatnonzero(program.is_integer)
        ranges = [range(math.ceil(program.lower[c]), math.floor(program.upper[c]) + 1) for c in columns]
        count = math.prod(len(values) for values in ranges)
        if count > self.most:
            raise SolverError(f"{count} assignments to try, {self.most} allowed", hint="use a smaller program")
        for values in itertools.product(*ranges):
            yield _fixed(program, columns.tolist(), values)


def _fixed(program: Program, columns: list[int], values: tuple[int, ...]) -> Program:
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[columns] = values
    upper[columns] = values
    return replace(program, lower=lower, upper=upper, is_integer=np.zeros_like(program.is_integer))


def _answer(best: Solution | None) -> Solution:
    if best is None:
        nothing: FloatArray = np.zeros(0)
        return Solution(
            status=SolutionStatus.INFEASIBLE,
            values=nothing,
            objective=math.inf,
            bound=math.inf,
            gap=math.inf,
            seconds=0.0,
            nodes=0,
            was_interrupted=False,
            strategy="exhaustive",
        )
    return replace(best, bound=best.objective, gap=0.0, strategy="exhaustive")
