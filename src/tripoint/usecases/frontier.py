"""Cost against something else: the cheapest plan under each of several ceilings, and what each step costs."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from tripoint.domain.catalog import Catalog
from tripoint.domain.charge import carbon_unknown_usd
from tripoint.domain.errors import OptionError, SolverError
from tripoint.domain.plan import ConflictSet, Plan
from tripoint.domain.source import LoadedEstate
from tripoint.domain.units import seconds_told
from tripoint.engines.answers.assemble import Frame, assemble
from tripoint.engines.placement.columns.flows import Network
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.conflict import explain, homeless
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import Program, Solution, SolutionStatus, SolveLimits
from tripoint.engines.placement.outcome import Outcome, read_back, solve_instance
from tripoint.engines.placement.tradeoff.front import aimed, carried, ceilings, under, undominated, with_ceiling
from tripoint.engines.placement.tradeoff.measures import Measure, carbon, latency, vendors
from tripoint.engines.placement.tradeoff.resilience import Grade, graded
from tripoint.ports import MilpSolver
from tripoint.usecases.solving import UNWATCHED, Clock, Solver, Watch, by_size

_CONFLICT_S = 5.0


class By(StrEnum):
    """What cost is set against."""

    CARBON = "carbon"
    LATENCY = "latency"
    RESILIENCE = "resilience"
    VENDORS = "vendors"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierOptions:
    """Options of one run."""

    by: By
    """What cost is set against."""
    points: int = 6
    """Most plans sought."""
    gap: float = 1e-3
    """Relative gap at which a plan is good enough."""
    seconds: float = 60.0
    """Longest solve of each, seconds."""
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


class Point(NamedTuple):
    """A plan that no other found is better than in both."""

    label: str
    """What it is asked: `at most 1,234 t CO2e`, `hot`."""
    value: float
    """What the plan reaches: its measure, or its place among the classes of resilience."""
    usd: float
    """Cost over the horizon, USD."""
    npv_usd: float
    """The same discounted, USD: what plans are chosen by, stated penalties included."""
    bound_usd: float
    """No plan that is asked as much is proven to cost less, discounted USD."""
    gap: float
    """(npv_usd - bound_usd) / npv_usd."""
    plan: Plan
    """The plan behind it, without alternatives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Cost against a measure."""

    by: By
    """Which."""
    unit: str
    """Unit of the points' values; empty for classes."""
    points: tuple[Point, ...]
    """The smallest value first, which is the dearest; classes from the cheapest."""
    least: float | None = None
    """No plan is proven to have less of the measure; `None` for classes."""
    dominated: int = 0
    """Plans found that another beats in one without losing in the other, left out."""
    notes: tuple[str, ...] = ()
    """What was not found, and what the classes leave out."""
    conflict: ConflictSet | None = None
    """Why the estate has no plan at all."""

    @property
    def step_usd(self) -> tuple[float | None, ...]:
        """[points] discounted USD of each unit on the way from the next point to this one; `None` for classes."""
        if not self.unit or not self.points:
            return (None,) * len(self.points)
        pairs = pairwise(self.points)
        return (*((one.npv_usd - other.npv_usd) / (other.value - one.value) for one, other in pairs), None)

    @property
    def unit_of_step(self) -> str:
        """What a step is counted in."""
        return {By.CARBON: "a tonne saved", By.LATENCY: "a millisecond saved", By.VENDORS: "a vendor less"}.get(
            self.by, ""
        )


class _Run(NamedTuple):
    """What every step needs."""

    loaded: LoadedEstate
    catalog: Catalog
    options: FrontierOptions
    today: date
    watch: Watch
    solver: MilpSolver
    solve: Solver
    clock: Clock


def frontier(
    loaded: LoadedEstate,
    catalog: Catalog,
    solver: MilpSolver,
    options: FrontierOptions,
    *,
    today: date,
    watch: Watch = UNWATCHED,
) -> Front:
    """Plans from the least of the measure to the least cost, each with its proof; infeasible is an answer.

    Raises:
        OptionError: the estate has nothing to measure.
        SolverError: a limit came before the first plan.
    """
    clock = Clock(watch.show, time.perf_counter())
    clock.enter("resolving figures and fits")
    solve = by_size(solver, options.limits, clock, watch.should_stop)
    run = _Run(loaded, catalog, options, today, watch, solver, solve, clock)
    instance = prepare(loaded.estate, catalog, loaded.profiles)
    nobody = homeless(instance)
    if nobody is not None:
        return Front(by=options.by, unit="", points=(), conflict=nobody)
    return _by_class(run, instance) if options.by is By.RESILIENCE else _by_measure(run, instance)


def _by_measure(run: _Run, instance: Instance) -> Front:
    form, network = formulate(instance)
    measure = _measured(run.options.by, form, network)
    program = with_ceiling(form.program(), measure)
    run.clock.enter("the cheapest plan")
    cheapest = run.solve(program)
    if cheapest.status is SolutionStatus.INFEASIBLE:
        return Front(by=run.options.by, unit=measure.unit, points=(), conflict=_conflict(run, program))
    _must_be_found(cheapest, run.options.seconds)
    run.clock.enter(f"the least {measure.name}")
    least = run.solve(aimed(program, measure), cheapest.values)
    found, notes = _under_ceilings(run, program, measure, (least, cheapest))
    found.append(("the cheapest", cheapest))
    proven = carried([solution for _, solution in found])
    places = [(measure.of(solution.values), solution.objective) for solution in proven]
    kept = undominated(places)
    run.clock.enter("writing the answer")
    points = []
    for number in kept:
        label = found[number][0]
        outcome = read_back(form, network, program, proven[number])
        points.append(_point(run, outcome, label, places[number][0]))
    return Front(
        by=run.options.by,
        unit=measure.unit,
        points=tuple(points),
        least=least.bound if math.isfinite(least.bound) else None,
        dominated=len(places) - len(kept),
        notes=(*notes, *_unknown(run.options.by, points)),
    )


def _unknown(by: By, points: Sequence[Point]) -> tuple[str, ...]:
    """What the measure cannot see."""
    blind = sum(carbon_unknown_usd(point.plan.charges) > 0 for point in points) if by is By.CARBON else 0
    if not blind:
        return ()
    return (f"{blind} of {len(points)} plans buy tokens whose emissions nobody publishes; they count as nothing here",)


def _under_ceilings(
    run: _Run, program: Program, measure: Measure, ends: tuple[Solution, Solution]
) -> tuple[list[tuple[str, Solution]], tuple[str, ...]]:
    """The cheapest plan under each ceiling, the tightest first, each search begun from the plan before."""
    least, cheapest = ends
    if not least.values.size:
        return [], (f"the least {measure.name} was not found within {run.options.seconds:.0f} s",)
    found: list[tuple[str, Solution]] = []
    notes: list[str] = []
    start = least.values
    between = (measure.of(least.values), measure.of(cheapest.values))
    for ceiling in ceilings(*between, run.options.points - 1, is_whole=measure.is_whole):
        if run.watch.should_stop():
            return found, (*notes, "stopped early: ceilings that were not tried are left out")
        label = ceiling_label(ceiling, measure.unit, is_whole=measure.is_whole)
        run.clock.enter(label)
        solution = run.solve(under(program, ceiling), start)
        if solution.values.size:
            start = solution.values
            found.append((label, solution))
        else:
            notes.append(f"{label}: no plan found within {seconds_told(run.options.seconds)}")
    return found, tuple(notes)


def _measured(by: By, form: Formulation, network: Network) -> Measure:
    made = {By.CARBON: carbon, By.VENDORS: vendors}
    measure = latency(form, network) if by is By.LATENCY else made[by](form)
    if not measure.columns:
        why = {
            By.CARBON: "no offer has emissions that are known",
            By.LATENCY: "no interactive workload names its callers",
            By.VENDORS: "every site is one's own",
        }[by]
        raise OptionError(f"the estate has no {by} to set cost against: {why}", hint="choose another `--by`")
    return measure


def _by_class(run: _Run, instance: Instance) -> Front:
    """The estate planned anew with its recovery objectives lowered and raised; each class asks all a lower one does."""
    grades = graded(instance)
    found: list[tuple[Grade, Outcome]] = []
    notes = list(dict.fromkeys(note for grade in grades for note in grade.notes))
    conflicts: list[ConflictSet] = []
    for grade in grades:
        if run.watch.should_stop():
            notes.append("stopped early: classes that were not tried are left out")
            break
        run.clock.enter(f"resilience: {grade.label}")
        outcome = solve_instance(prepare(grade.estate, run.catalog, run.loaded.profiles), run.solve)
        if outcome.is_infeasible:
            conflicts.append(_conflict(run, outcome.program))
            notes.append(f"{grade.label}: no plan exists: {' + '.join(conflicts[-1].families)}")
        elif outcome.summary is None:
            notes.append(f"{grade.label}: no plan found within {seconds_told(run.options.seconds)}")
        else:
            found.append((grade, outcome))
    if not found:
        if conflicts:
            return Front(by=run.options.by, unit="", points=(), conflict=conflicts[0])
        raise SolverError(
            f"no plan of any class found within {run.options.seconds:.0f} s each", hint="raise `--time-limit`"
        )
    proven = tuple(reversed(carried([outcome.solution for _, outcome in reversed(found)])))
    kept = undominated([(-float(grade.rank), each.objective) for (grade, _), each in zip(found, proven, strict=True)])
    points = []
    for number in sorted(kept):
        grade, outcome = found[number]
        assert outcome.summary is not None
        mine = proven[number]
        summary = replace(outcome.summary, bound_usd=mine.bound, gap=mine.gap)
        points.append(_point(run, replace(outcome, solution=mine, summary=summary), grade.label, float(grade.rank)))
    return Front(
        by=run.options.by, unit="", points=tuple(points), dominated=len(found) - len(kept), notes=tuple(notes)
    )  # fmt: skip


def _point(run: _Run, outcome: Outcome, label: str, value: float) -> Point:
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


def _conflict(run: _Run, program: Program) -> ConflictSet:
    """Its families; each search for them is short, for there are many."""
    run.clock.enter("finding the conflict")
    limits = replace(run.options.limits, gap=1.0, seconds=min(run.options.seconds, _CONFLICT_S))

    def solve(each: Program) -> Solution:
        return run.solver.solve(each, limits, lambda state: None, run.watch.should_stop)

    return explain(program, solve)


def _must_be_found(solution: Solution, seconds: float) -> None:
    if not solution.values.size:
        hint = "raise `--time-limit`, or widen `--gap`"
        raise SolverError(f"no plan found within {seconds_told(seconds)}", hint=hint)


def ceiling_label(ceiling: float, unit: str, *, is_whole: bool) -> str:
    """What a plan under a ceiling is asked: `at most 20 t CO2e`, and of what is counted `at most 1 vendor`."""
    return f"at most {amount(ceiling)} {unit.removesuffix('s') if is_whole and ceiling == 1 else unit}"


def amount(value: float) -> str:
    """A measure as a person reads it."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"
