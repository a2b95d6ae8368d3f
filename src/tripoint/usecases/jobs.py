"""Plan jobs that hand data on: where each is best run, on what, and what that costs with the data moved.

Nothing is submitted: the answer says where jobs belong, not when they start.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import EstateError, Finding
from tripoint.domain.estate import Estate
from tripoint.domain.job import JobFile, JobPlan
from tripoint.domain.source import Positions
from tripoint.engines.answers.jobs.answer import answer, infeasible
from tripoint.engines.answers.jobs.board import board
from tripoint.engines.answers.jobs.ground import desk_of
from tripoint.engines.answers.jobs.market import market
from tripoint.engines.checks.jobs import check_jobs
from tripoint.engines.placement.handover.descent import cheapest, first_choice
from tripoint.engines.placement.handover.dominated import without_dominated
from tripoint.engines.placement.handover.formulate import formulate
from tripoint.engines.placement.handover.problem import Handovers, account, at_least
from tripoint.engines.placement.milp.program import IntArray, SolveLimits, SolveProgress
from tripoint.ports import MilpSolver
from tripoint.usecases.load import ordered
from tripoint.usecases.solving import UNWATCHED, ProgressState, Watch

_NOWHERE = Positions()
_SMALL = 2_000
"""Columns up to which a solver needs nothing to begin from."""


class JobSheet(NamedTuple):
    """Jobs to plan."""

    file: JobFile
    """As declared."""
    positions: Positions = _NOWHERE
    """Where everything stands in its file."""
    findings: tuple[Finding, ...] = ()
    """Mistakes of form, in whose place `file` has stand-ins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """How hard to look."""

    gap: float = 0.0
    """Relative gap at which the search ends."""
    seconds: float = 60.0
    """Longest search, seconds."""
    threads: int = 2
    """Threads of the solver."""


DEFAULTS = JobOptions()
"""As the command line has them."""


def plan_jobs(
    sheet: JobSheet,
    catalog: Catalog,
    solver: MilpSolver,
    options: JobOptions = DEFAULTS,
    *,
    estate: Estate | None = None,
    today: date,
    watch: Watch = UNWATCHED,
) -> JobPlan:
    """Where the jobs of a file are best run: at the estate's sites, else in every region the catalogue prices.

    Raises:
        EstateError: mistakes of form, and names and numbers that make no sense, each at its place.
        SolverError: the solver failed.
    """
    file, ground = sheet.file, market(catalog) if estate is None else estate
    unread = tuple(said.path for said in sheet.findings)
    wrong = (*sheet.findings, *check_jobs(file, ground, catalog, unread))
    if wrong:
        raise EstateError(ordered(sheet.positions.locate(said) for said in wrong))
    started = time.perf_counter()
    found = board(file, desk_of(file, ground, catalog, today), catalog)
    if found.stuck:
        return infeasible(found, file.name)
    at, bound = placed(found.problem, solver, options, watch)
    return answer(found, file.name, at, bound, time.perf_counter() - started)


def placed(
    problem: Handovers, solver: MilpSolver, options: JobOptions = DEFAULTS, watch: Watch = UNWATCHED
) -> tuple[IntArray, float]:
    """[stages] the place of each, and what no choice of places costs less than, USD.

    Raises:
        SolverError: the solver failed.
    """
    lean = without_dominated(problem)
    form = formulate(lean)
    is_small = form.program.columns <= _SMALL
    begun = cheapest(lean) if is_small else first_choice(lean)

    def heard(state: SolveProgress) -> None:
        watch.show(
            ProgressState(
                phase="placing jobs", incumbent=state.incumbent, bound=state.bound, gap=state.gap, seconds=state.seconds
            )
        )

    # On a small program a second thread, a jump or a start takes longer to begin than all the rest.
    threads = 1 if is_small else options.threads
    limits = SolveLimits(gap=options.gap, seconds=options.seconds, threads=threads, jumps=not is_small)
    start = None if is_small else form.values(lean, begun)
    solution = solver.solve(form.program, limits, heard, watch.should_stop, start)
    solved = (form.chosen(solution.values),) if solution.values.size else ()
    at = min((begun, *solved), key=lambda each: account(lean, each).usd)
    return at, max(solution.bound, at_least(lean))
