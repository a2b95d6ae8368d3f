"""What to order, sign, give up and build now, before one knows how demand and prices turn out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import OptionError, SolverError
from tripoint.domain.outlook import Outlook, Weighed
from tripoint.domain.source import LoadedEstate, Positions
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import Program, Solution, SolutionStatus
from tripoint.engines.placement.outlooks.choices import (
    DECLARED,
    TOGETHER,
    Held,
    alike,
    first_review,
    is_same,
    least_costs,
    start_of,
    weighed,
)
from tripoint.engines.placement.outlooks.declared import checked
from tripoint.engines.placement.outlooks.extensive import allows, choice_of, decided_now, extensive, holding
from tripoint.usecases.solving import Clock, Solver

_NOWHERE = Positions()


class Outlooks(NamedTuple):
    """Outlooks to decide over."""

    outlooks: tuple[Outlook, ...]
    """As declared."""
    positions: Positions = _NOWHERE
    """Where they stand in their file."""


class _Future(NamedTuple):
    """An outlook's program, or the estate's own."""

    name: str
    form: Formulation
    program: Program
    now: tuple[int, ...]


def weigh(loaded: LoadedEstate, catalog: Catalog, given: Outlooks, solve: Solver, clock: Clock) -> tuple[Weighed, Held]:
    """The best choice over all outlooks, with the others beside it, and its columns by name.

    Raises:
        OptionError: an outlook has no plan of its own.
        EstateError: an outlook makes no sense.
        SolverError: a limit came before an answer.
    """
    base = _future(loaded, catalog, None)
    names = [str(each.id) for each in loaded.estate.workloads]
    outlooks = checked(given.outlooks, names, base.form.instance.grid.periods, given.positions)
    futures = [_future(loaded, catalog, each) for each in outlooks]
    weights = [each.weight for each in outlooks]
    alone = [_alone(each, solve, clock) for each in futures]
    declared = _alone(base, solve, clock)
    own = [(base, declared), *zip(futures, alone, strict=True)]
    known = alike([(each.name, choice_of(each.program, each.now, found.values)) for each, found in own])
    tried = {name: _tried(name, held, futures, solve, clock) for name, held in known.items()}
    whole = extensive([each.program for each in futures], weights, [each.now for each in futures])
    clock.enter(f"outlooks: {TOGETHER}")
    together = solve(whole.program, start_of(whole, weights, list(tried.values())))
    if together.values.size:
        held = choice_of(futures[0].program, futures[0].now, together.values[whole.columns[0]])
        same = next((name for name, each in known.items() if is_same(each, held)), "")
        name = f"{TOGETHER}; {same}" if same else TOGETHER
        known[name] = held
        tried[name] = tried.pop(same) if same else _tried(name, held, futures, solve, clock)
        known.pop(same, None)
    best = least_costs(alone, list(tried.values()))
    bound = max(together.bound, sum(w * own.bound for w, own in zip(weights, alone, strict=True)))
    answer, name = weighed(outlooks, tried, best, bound)
    values = tried[name][0].values
    return replace(answer, decisions=first_review(futures[0].form, values)), known[name]


def _future(loaded: LoadedEstate, catalog: Catalog, outlook: Outlook | None) -> _Future:
    form, _ = formulate(prepare(loaded.estate, catalog, loaded.profiles, outlook))
    return _Future(DECLARED if outlook is None else outlook.id, form, form.program(), decided_now(form))


def _alone(future: _Future, solve: Solver, clock: Clock) -> Solution:
    clock.enter(f"outlooks: `{future.name}` alone" if future.name != DECLARED else f"outlooks: {DECLARED}")
    found = solve(future.program)
    if found.status is SolutionStatus.INFEASIBLE:
        hint = "plan the estate with its demand to see which limits conflict"
        raise OptionError(f"`{future.name}` has no plan of its own", hint=hint)
    if not found.values.size:
        raise SolverError(f"no plan found in time for `{future.name}`", hint="raise `--time-limit`")
    return found


def _tried(name: str, held: Held, futures: Sequence[_Future], solve: Solver, clock: Clock) -> tuple[Solution, ...]:
    """What becomes of a choice in each outlook; without values where no plan is left."""
    clock.enter(f"outlooks: what becomes of {name}")
    return tuple(
        solve(holding(each.program, each.now, held))
        if allows(each.program, each.now, held)
        else Solution.nothing(SolutionStatus.INFEASIBLE)
        for each in futures
    )
