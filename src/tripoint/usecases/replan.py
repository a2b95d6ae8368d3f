"""Plan a changed estate quickly: no alternatives, no advice; the families in conflict only where they are wanted."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import SolverError
from tripoint.domain.plan import ConflictSet, Plan
from tripoint.domain.source import LoadedEstate
from tripoint.engines.answers.assemble import Frame, assemble, infeasible
from tripoint.engines.placement.conflict import explain, homeless
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import Program, Solution, SolveLimits
from tripoint.engines.placement.outcome import solve_instance
from tripoint.ports import MilpSolver
from tripoint.usecases.solving import Clock, Stop, by_size

_NO_PLAN = ConflictSet(families=(), details=(), hint="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replanning:
    """Plans one estate after the other."""

    solver: MilpSolver
    """What solves."""
    limits: SolveLimits
    """Of each solve; the gap decides how much two plans may differ by chance."""
    today: date
    """Decides which rows of the catalogue are old."""
    should_stop: Stop = lambda: False
    """True to end early."""

    def __call__(self, loaded: LoadedEstate, catalog: Catalog, *, is_explained: bool) -> Plan:
        """The plan; without one, the families in conflict where that is wanted.

        Raises:
            SolverError: a limit came before the first plan.
        """
        instance = prepare(loaded.estate, catalog, loaded.profiles)
        frame = Frame(loaded=loaded, instance=instance, options={}, today=self.today)
        nobody = homeless(instance)
        if nobody is not None:
            return infeasible(frame, nobody)
        clock = Clock(lambda state: None, time.perf_counter())
        solve = by_size(self.solver, self.limits, clock, self.should_stop)
        outcome = solve_instance(instance, solve)
        if outcome.is_infeasible:
            return infeasible(frame, explain(outcome.program, self._linear) if is_explained else _NO_PLAN)
        if outcome.summary is None:
            raise SolverError(
                f"no plan of the changed estate found within {outcome.solution.seconds:.0f} s",
                hint="give it more time with `--time-limit`, or try fewer scenarios with `--only`",
            )
        return assemble(replace(frame, instance=outcome.instance), outcome, ())

    def _linear(self, program: Program) -> Solution:
        return self.solver.solve(program, replace(self.limits, gap=1.0), lambda state: None, self.should_stop)
