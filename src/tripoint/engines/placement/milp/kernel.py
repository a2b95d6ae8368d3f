"""A smaller program that is likely to hold a good plan: integers the linear relaxation leaves at zero stay there.

Used when a limit comes before the first plan of the whole program. Whatever it finds is a plan of the whole program,
and the whole program's bound still holds for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tripoint.engines.placement.milp.program import Program, Solution, SolutionStatus

_TINY = 1e-6


def relaxation(program: Program) -> Program:
    """The program without integrality."""
    return replace(program, is_integer=np.zeros_like(program.is_integer))


def kernel(program: Program, relaxed: Solution) -> Program:
    """Integer columns kept at 0 where the relaxation has them there; the others may take any value they could."""
    idle = program.is_integer & (relaxed.values < _TINY) & (program.lower <= 0.0)
    return replace(program, upper=np.where(idle, 0.0, program.upper))


def rescue(program: Program, nothing: Solution, solve: Callable[[Program], Solution]) -> Solution:
    """A plan from the kernel where the whole program gave none in time; `nothing` when there is none either."""
    relaxed = solve(relaxation(program))
    if relaxed.status is SolutionStatus.INFEASIBLE:
        return replace(nothing, status=SolutionStatus.INFEASIBLE)
    if not relaxed.values.size:
        return nothing
    found = solve(kernel(program, relaxed))
    if not found.values.size:
        return nothing
    bound = max(nothing.bound, relaxed.bound)
    seconds = nothing.seconds + relaxed.seconds + found.seconds
    return replace(
        found,
        status=SolutionStatus.FEASIBLE,
        bound=min(bound, found.objective),
        gap=gap_of(found.objective, bound),
        seconds=seconds,
        was_interrupted=True,
        strategy="kernel",
    )


def gap_of(objective: float, bound: float) -> float:
    """(objective - bound) / |objective|; infinite where either is not known."""
    if not math.isfinite(objective) or not math.isfinite(bound):
        return math.inf
    return max(0.0, objective - bound) / max(abs(objective), 1e-9)
