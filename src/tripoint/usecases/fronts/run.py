"""One run of the frontier: its options, and what each point takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import SolverError
from tripoint.domain.front import By, Point
from tripoint.domain.plan import ConflictSet
from tripoint.domain.source import LoadedEstate
from tripoint.domain.units import seconds_told
from tripoint.engines.answers.assemble import Frame, assemble
from tripoint.engines.placement.conflict import explain
from tripoint.engines.placement.milp.program import Program, Solution, SolveLimits
from tripoint.engines.placement.outcome import Outcome
from tripoint.ports import MilpSolver
from tripoint.usecases.solving import Clock, Solver, Watch

_CONFLICT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierOptions:
    """Options of one run."""

    by: By
    """What to trade cost against."""
    points: int = 6
    """Most plans sought."""
    gap: float = 1e-3
    """Relative gap at which a plan is good enough."""
    seconds: float = 60.0
    """Time limit of each solve, seconds."""
    seed: int = 0
    """Random seed of the solver."""
    threads: int = 2
    """Threads of the solver."""
    nodes: int | None = None
    """Branch-and-bound nodes of each, for runs that must not depend on the clock."""

    @property
    def limits(self) -> SolveLimits:
        """Of each solve."""
        return SolveLimits(
            gap=self.gap, seconds=self.seconds, nodes=self.nodes, seed=self.seed, threads=self.threads
        )  # fmt: skip


class Run(NamedTuple):
    """What every step needs."""

    loaded: LoadedEstate
    """The estate."""
    catalog: Catalog
    """Facts."""
    options: FrontierOptions
    """Of this run."""
    today: date
    """Decides which rows of the catalogue are old."""
    watch: Watch
    """Who looks on and may stop it."""
    solver: MilpSolver
    """What solves."""
    solve: Solver
    """The same, by size."""
    clock: Clock
    """Tells what is being done."""


def point(run: Run, outcome: Outcome, label: str, value: float) -> Point:
    """A point of the front, with its plan written out."""
    options = run.options
    stated = {"gap": f"{options.gap:g}", "time_limit_s": f"{options.seconds:g}", "seed": str(options.seed)}
    stated |= {"threads": str(options.threads), "baselines": "false", "frontier": f"{options.by}: {label}"}
    frame = Frame(loaded=run.loaded, instance=outcome.instance, options=stated, today=run.today)
    plan = assemble(frame, outcome, ())
    assert plan.solve is not None
    return Point(
        label=label,
        value=value,
        usd=plan.solve.undiscounted_usd,
        npv_usd=plan.solve.incumbent_usd,
        bound_usd=plan.solve.bound_usd,
        gap=plan.solve.gap,
        plan=plan,
    )


def conflict(run: Run, program: Program) -> ConflictSet:
    """Why a program has no plan; each search for them is short, for there are many."""
    run.clock.enter("finding the conflict")
    limits = replace(run.options.limits, gap=1.0, seconds=min(run.options.seconds, _CONFLICT_S))

    def solve(each: Program) -> Solution:
        return run.solver.solve(each, limits, lambda state: None, run.watch.should_stop)

    return explain(program, solve)


def must_be_found(solution: Solution, seconds: float) -> None:
    """Raises `SolverError` where a limit came before any plan."""
    if not solution.values.size:
        hint = "raise `--time-limit`, or widen `--gap`"
        raise SolverError(f"no plan found within {seconds_told(seconds)}", hint=hint)
