"""The least of a measure, the least cost, and the cheapest plans between them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tripoint.domain.charge import carbon_unknown_usd
from tripoint.domain.errors import OptionError
from tripoint.domain.front import By, Front, Point
from tripoint.domain.units import seconds_told
from tripoint.engines.placement.columns.flows import Network
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.program import Program, Solution, SolutionStatus
from tripoint.engines.placement.outcome import read_back
from tripoint.engines.placement.tradeoff.front import aimed, carried, ceilings, under, undominated, with_ceiling
from tripoint.engines.placement.tradeoff.measures import Measure, carbon, latency, vendors
from tripoint.usecases.fronts.run import Run, conflict, must_be_found, point


def by_measure(run: Run, instance: Instance) -> Front:
    """The cheapest plan under each of several ceilings on the measure.

    Raises:
        OptionError: the estate has nothing to measure.
        SolverError: a limit came before the first plan.
    """
    form, network = formulate(instance)
    measure = _measured(run.options.by, form, network)
    program = with_ceiling(form.program(), measure)
    run.clock.enter("the cheapest plan")
    cheapest = run.solve(program)
    if cheapest.status is SolutionStatus.INFEASIBLE:
        return Front(by=run.options.by, unit=measure.unit, points=(), conflict=conflict(run, program))
    must_be_found(cheapest, run.options.seconds)
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
        points.append(point(run, outcome, label, places[number][0]))
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
    run: Run, program: Program, measure: Measure, ends: tuple[Solution, Solution]
) -> tuple[list[tuple[str, Solution]], tuple[str, ...]]:
    """The cheapest plan under each ceiling, the tightest first, each search begun from the plan before."""
    least, cheapest = ends
    if not least.values.size:
        return [], (f"the least {measure.name} was not found within {run.options.seconds:.0f} s",)
    found: list[tuple[str, Solution]] = []
    notes: list[str] = []
    start = least.values
    between = (measure.of(least.values), measure.of(cheapest.values))
    sought = ceilings(*between, run.options.points - 1, is_whole=measure.is_whole)
    if not sought:
        return [], (_nothing_between(run, least),)
    for ceiling in sought:
        if run.watch.should_stop():
            return found, (*notes, "stopped early: ceilings that were not tried are left out")
        label = ceiling_label(ceiling, measure.unit, is_whole=measure.is_whole)
        run.clock.enter(label)
        solution = run.solve(under(program, ceiling), start)
        if solution.values.size:
            start = solution.values
            found.append((label, solution))
        else:
            notes.append(f"{label}: no plan found within {seconds_told(run.options.seconds)}{_at_least(solution)}")
    return found, tuple(notes)


def _nothing_between(run: Run, least: Solution) -> str:
    """Why no ceiling was tried."""
    less, lowest = {
        By.CARBON: ("lower emissions", "lowest emissions"),
        By.LATENCY: ("shorter round trips", "shortest round trips"),
        By.VENDORS: ("fewer vendors", "fewest vendors"),
    }[run.options.by]
    if least.status is SolutionStatus.OPTIMAL:
        return f"the cheapest plan has the {lowest} as well: there is nothing to set against cost"
    limit = seconds_told(run.options.seconds)
    return f"no plan with {less} than the cheapest was found within {limit}: no ceiling was tried; raise `--time-limit`"


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


def _at_least(solution: Solution) -> str:
    """What is known of the plans that were not found."""
    return f"; each costs at least {solution.bound:,.0f} USD" if math.isfinite(solution.bound) else ""


def ceiling_label(ceiling: float, unit: str, *, is_whole: bool) -> str:
    """What a plan under a ceiling is asked: `at most 20 t CO2e`, and of what is counted `at most 1 vendor`."""
    return f"at most {amount(ceiling)} {unit.removesuffix('s') if is_whole and ceiling == 1 else unit}"


def amount(value: float) -> str:
    """A measure as a person reads it."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"
