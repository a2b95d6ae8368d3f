"""Drive the search for a certified assignment: solve what it asks for, several programs at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from tripoint.engines.placement.assignment.problem import Assignment
from tripoint.engines.placement.assignment.search import Answers, Batch, Effort, Found, Task, search
from tripoint.engines.placement.milp.program import Solution, SolveProgress
from tripoint.ports import MilpSolver


@dataclass(slots=True)
class _Beside:
    """The program that runs beside all others, and what it has proven so far."""

    bound: float = -float("inf")
    is_over: bool = False
    running: list[Future[Solution]] = field(default_factory=list)

    def heard(self, state: SolveProgress) -> None:
        if state.bound is not None:
            self.bound = max(self.bound, state.bound)


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
    started = time.perf_counter()
    beside = _Beside()
    asking = search(problem, effort)
    with ThreadPoolExecutor(max_workers=effort.threads + 1) as pool:

        def run(task: Task, progress: Callable[[SolveProgress], None], stop: Callable[[], bool]) -> Future[Solution]:
            return pool.submit(solver.solve, task.program, task.limits, progress, stop, task.start)

        try:
            batch: Batch = next(asking)
            while True:
                if batch.beside is not None:
                    beside.running.append(run(batch.beside, beside.heard, lambda: beside.is_over or should_stop()))
                waiting = [run(task, lambda state: None, should_stop) for task in batch.tasks]
                solutions = tuple(future.result() for future in waiting)
                bound = max((beside.bound, *(f.result().bound for f in beside.running if f.done())))
                seconds = time.perf_counter() - started
                answers = Answers(solutions=solutions, bound=bound, seconds=seconds)
                tell(answers)
                batch = asking.send(answers)
        except StopIteration as stop:
            found: Found = stop.value
            return found
        finally:
            beside.is_over = True
