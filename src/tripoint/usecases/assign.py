"""Place whole workloads on shared offers, with proof."""

from __future__ import annotations

from collections.abc import Callable

from tripoint.engines.placement.assignment.problem import Assignment
from tripoint.engines.placement.assignment.search import Effort, Found, search
from tripoint.engines.placement.milp.asking import Answers
from tripoint.ports import MilpSolver
from tripoint.usecases.drive import drive


def assign(
    problem: Assignment,
    effort: Effort,
    solver: MilpSolver,
    *,
    tell: Callable[[Answers], None] = lambda answers: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Found:
    """The best assignment found within the effort, with its bound.

    Raises:
        SolverError: the solver failed on a part.
    """
    return drive(search(problem, effort), solver, threads=effort.threads, tell=tell, should_stop=should_stop)
