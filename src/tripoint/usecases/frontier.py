"""Cost against something else: the cheapest plan under each of several ceilings, and what each step costs."""

from __future__ import annotations

import time
from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.front import By, Front
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.conflict import homeless
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.ports import MilpSolver
from tripoint.usecases.fronts.ceilings import by_measure
from tripoint.usecases.fronts.classes import by_class
from tripoint.usecases.fronts.run import FrontierOptions, Run
from tripoint.usecases.solving import UNWATCHED, Clock, Watch, by_size


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
    run = Run(loaded, catalog, options, today, watch, solver, solve, clock)
    instance = prepare(loaded.estate, catalog, loaded.profiles)
    nobody = homeless(instance)
    if nobody is not None:
        return Front(by=options.by, unit="", points=(), conflict=nobody)
    return by_class(run, instance) if options.by is By.RESILIENCE else by_measure(run, instance)


__all__ = ["FrontierOptions", "frontier"]
