"""Drive a strategy: solve what it asks for, several programs at a time, and tell it what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from tripoint.engines.placement.milp.asking import Answers, Asking, Batch, Outcome, Task
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

    def best(self) -> float:
        """Of what was told on the way and what was proven at the end."""
        return max((self.bound, *(future.result().bound for future in self.running if future.done())))


def drive(
    asking: Asking[Outcome],
    solver: MilpSolver,
    *,
    threads: int = 2,
    progress: Callable[[SolveProgress], None] = lambda state: None,
    tell: Callable[[Answers], None] = lambda answers: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """What the strategy ends with.

    Raises:
        SolverError: the solver failed on a program.
    """
    started = time.perf_counter()
    beside = _Beside()
    with ThreadPoolExecutor(max_workers=threads + 1) as pool:

        def run(task: Task, seen: Callable[[SolveProgress], None], stop: Callable[[], bool]) -> Future[Solution]:
            return pool.submit(solver.solve, task.program, task.limits, seen, stop, task.start)

        try:
            batch: Batch = next(asking)
            while True:
                if batch.beside is not None:
                    beside.running.append(run(batch.beside, beside.heard, lambda: beside.is_over or should_stop()))
                waiting = [run(task, progress, should_stop) for task in batch.tasks]
                solutions = tuple(future.result() for future in waiting)
                seconds = time.perf_counter() - started
                answers = Answers(solutions=solutions, bound=beside.best(), seconds=seconds)
                tell(answers)
                batch = asking.send(answers)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome
        finally:
            beside.is_over = True
