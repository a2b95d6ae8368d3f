"""What to order, sign, give up and build now, before one knows how demand and prices turn out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from tripoint.domain.catalog import Catalog
from tripoint.domain.decision import PurchaseAction
from tripoint.domain.errors import EstateError, Finding, OptionError, SolverError
from tripoint.domain.findings import clip, did_you_mean, finding, quoted
from tripoint.domain.outlook import Choice, Outlook, Weighed
from tripoint.domain.source import LoadedEstate, Positions, join_path
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.decode import decode
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import FloatArray, Program, Solution, SolutionStatus
from tripoint.engines.placement.outlooks.extensive import (
    Extensive,
    allows,
    choice_of,
    decided_now,
    extensive,
    holding,
)
from tripoint.usecases.solving import Clock, Solver

TOGETHER = "all outlooks together"
DECLARED = "as declared"
_MOST, _FEWEST, _LARGEST = 5, 2, 1000.0
_SAME = 1e-9
_NOWHERE = Positions()
_DECIDED = (PurchaseAction.BUY, PurchaseAction.COMMIT, PurchaseAction.RETIRE)

Held = Mapping[str, float]
"""What is decided here and now, by name of column."""


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


def checked(
    outlooks: Sequence[Outlook], workloads: Sequence[str], periods: Sequence[str], positions: Positions = _NOWHERE
) -> tuple[Outlook, ...]:
    """The outlooks with weights that add up to 1; `positions` are where they stand in their file.

    Raises:
        OptionError: too few or too many.
        EstateError: all that makes no sense, each at its place.
    """
    if not _FEWEST <= len(outlooks) <= _MOST:
        raise OptionError(f"{len(outlooks)} outlooks, expects {_FEWEST} to {_MOST}", hint="join those that are alike")
    wrong: list[Finding] = []
    for number, each in enumerate(outlooks):
        taken = {other.id for other in outlooks[:number]}
        wrong += _wrong(each, f"outlooks[{number}]", taken, workloads, periods)
    if wrong:
        raise EstateError(tuple(positions.locate(said) for said in wrong))
    total = sum(each.weight for each in outlooks)
    return tuple(replace(each, weight=each.weight / total) for each in outlooks)


def _wrong(
    outlook: Outlook, path: str, taken: set[str], workloads: Sequence[str], periods: Sequence[str]
) -> Iterator[Finding]:
    """What is wrong with an outlook, and what to do."""
    if outlook.id in taken:
        message = f"`{clip(outlook.id)}` is the id of another outlook"
        yield finding("TP1215", f"{path}.id", message, "give each outlook an id of its own")
    if not 0 < outlook.weight < float("inf"):
        message = f"is {outlook.weight:g}, expects more than 0"
        yield finding("TP1302", f"{path}.weight", message, "leave out what cannot happen")
    factors = {"demand": outlook.demand}
    factors |= {join_path("demand_of", name): value for name, value in outlook.demand_of.items()}
    factors |= {f"prices.{name}": value for name, value in outlook.prices.by_option.items()}
    for name, value in factors.items():
        if not 0 < value <= _LARGEST:
            message = f"the factor is {value:g}, expects more than 0 and at most {_LARGEST:g}"
            yield finding("TP1302", f"{path}.{name}", message, "1 is as declared")
    for name in outlook.demand_of:
        if name not in workloads:
            message = f"the estate has no workload `{clip(name)}`"
            hint = did_you_mean(name, workloads) or f"known: {quoted(workloads)}"
            yield finding("TP1211", join_path(f"{path}.demand_of", name), message, hint)
    if outlook.since and outlook.since not in periods:
        message = f"the plan has no period `{clip(outlook.since)}`"
        yield finding("TP1302", f"{path}.since", message, f"periods are {periods[0]} to {periods[-1]}")


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
    known = _alike([(base, declared), *zip(futures, alone, strict=True)])
    tried = {name: _tried(name, held, futures, solve, clock) for name, held in known.items()}
    whole = extensive([each.program for each in futures], weights, [each.now for each in futures])
    clock.enter(f"outlooks: {TOGETHER}")
    together = solve(whole.program, _start(whole, weights, list(tried.values())))
    if together.values.size:
        held = choice_of(futures[0].program, futures[0].now, together.values[whole.columns[0]])
        same = next((name for name, each in known.items() if _is_same(each, held)), "")
        name = f"{TOGETHER}; {same}" if same else TOGETHER
        known[name] = held
        tried[name] = tried.pop(same) if same else _tried(name, held, futures, solve, clock)
        known.pop(same, None)
    best = _best(alone, list(tried.values()))
    bound = max(together.bound, sum(w * own.bound for w, own in zip(weights, alone, strict=True)))
    answer, name = _answer(outlooks, tried, best, bound)
    values = tried[name][0].values
    return replace(answer, decisions=_decisions(futures[0].form, values)), known[name]


def _alike(own: Sequence[tuple[_Future, Solution]]) -> dict[str, Held]:
    """The choice of each plan by whose it is; those that are the same under one name."""
    found: list[tuple[list[str], Held]] = []
    for future, solution in own:
        held = choice_of(future.program, future.now, solution.values)
        name = DECLARED if future.name == DECLARED else f"as if `{future.name}` were certain"
        same = next((names for names, other in found if _is_same(other, held)), None)
        if same is None:
            found.append(([name], held))
        else:
            same.append(name)
    return {"; ".join(names): held for names, held in found}


def _is_same(one: Held, other: Held) -> bool:
    return all(one.get(name, 0.0) == other.get(name, 0.0) for name in {**one, **other})


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


def _start(whole: Extensive, weights: Sequence[float], tried: Sequence[Sequence[Solution]]) -> FloatArray | None:
    """Values of the best choice so far in the program over all outlooks; `None` where none holds in all of them."""
    found = [each for each in tried if all(one.values.size for one in each)]
    if not found:
        return None
    best = min(found, key=lambda each: sum(w * one.objective for w, one in zip(weights, each, strict=True)))
    return whole.joined([each.values for each in best])


def _best(alone: Sequence[Solution], tried: Sequence[Sequence[Solution]]) -> list[float]:
    """[outlook] the least cost anybody found in it."""
    return [
        min(own.objective, *(each[number].objective for each in tried if each[number].values.size))
        for number, own in enumerate(alone)
    ]


def _answer(
    outlooks: tuple[Outlook, ...], tried: Mapping[str, Sequence[Solution]], best: Sequence[float], bound: float
) -> tuple[Weighed, str]:
    """The choices by expected cost, those that leave some outlook without a plan last."""
    choices: list[Choice] = []
    for name, found in tried.items():
        costs = [each.objective for each in found if each.values.size]
        told = tuple(each.objective if each.values.size else None for each in found)
        if len(costs) < len(found):
            choices.append(Choice(name=name, expected_npv_usd=None, regret_npv_usd=None, npv_usd=told))
            continue
        expected = sum(each.weight * usd for each, usd in zip(outlooks, costs, strict=True))
        regret = max(usd - least for usd, least in zip(costs, best, strict=True))
        choices.append(Choice(name=name, expected_npv_usd=expected, regret_npv_usd=regret, npv_usd=told))
    possible = [each for each in choices if each.expected_npv_usd is not None]
    if not possible:
        raise SolverError("no choice leaves a plan in every outlook", hint="leave out the outlook that has none left")
    chosen = min(possible, key=lambda each: each.expected_npv_usd or 0.0)
    expected = chosen.expected_npv_usd or 0.0
    for each in possible:  # of choices as good, the one that was made for all outlooks
        if each.name.startswith(TOGETHER) and (each.expected_npv_usd or 0.0) - expected <= _SAME * abs(expected):
            chosen = each
    proven = min(bound, expected)
    return Weighed(
        outlooks=outlooks,
        choices=(chosen, *(each for each in choices if each is not chosen)),
        decisions=(),
        perfect_npv_usd=sum(each.weight * usd for each, usd in zip(outlooks, best, strict=True)),
        bound_npv_usd=proven,
        gap=(expected - proven) / max(abs(expected), 1e-9),
    ), chosen.name


def _decisions(form: Formulation, values: FloatArray) -> tuple[str, ...]:
    """What is ordered, signed, given up and built at the first review, as a person says it."""
    found = decode(form, values)
    periods, review_of = form.instance.grid.periods, form.instance.estate.horizon.review_of
    told = [
        f"{row.action} {row.nodes:g} nodes of `{row.pool}` in {periods[row.order_period]}"
        f"{f' for {row.term_months} months' if row.term_months else ''}"
        for row in found.purchases
        if row.action in _DECIDED and row.order_period >= 0 and review_of(row.order_period) == 0
    ]
    told += [
        f"build `{row.step}` at `{row.site}`, ordered in {periods[row.order_period]}"
        for row in found.expansions
        if review_of(row.order_period) == 0
    ]
    return tuple(told)
