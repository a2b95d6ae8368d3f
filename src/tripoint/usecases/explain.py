"""Explain where a plan puts a workload: the next best place, what limits are worth, and why not elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import OptionError, SolverError
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.domain.units import seconds_told
from tripoint.engines.answers.explanation.explained import Barred, Explained, NodeValue, Otherwise, Value
from tripoint.engines.answers.explanation.question import Question, places, refuse_closed
from tripoint.engines.answers.homes import TOLD, homes_of, served
from tripoint.engines.placement import conflict
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.decode import decode
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import Program, Solution, SolutionStatus, SolveLimits, SolveProgress
from tripoint.engines.placement.revise import revised
from tripoint.engines.placement.settle import undiscounted_usd
from tripoint.engines.placement.why.barred import barred_nodes, with_node
from tripoint.engines.placement.why.choices import as_planned, open_sites, shut, whole_decisions
from tripoint.engines.placement.why.worth import (
    divisible,
    limits_of,
    loosened,
    whole_nodes,
    worths,
)
from tripoint.ports import MilpSolver
from tripoint.usecases.drive import drive
from tripoint.usecases.same_estate import estate_of

Tell = Callable[[str], None]
_MOST_WORTHS = 8
"""Limits told; each is a linear program."""
_MOST_NODES = 4
"""Pools whose next node is priced with all it takes; each is a linear program."""
_MOST_BARRED = 2
"""Pools whose next whole node does not fit and is priced all the same; each is planned again."""
_BARRED_SHARE = 0.5
"""Of the time the searches for other places took, for all of those together: they come on top of the answer."""
_LEAST_BARRED_S = 2.0
"""At least so long for each, seconds."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What every step needs."""

    instance: Instance
    workload: int
    base: Solution
    solver: MilpSolver
    limits: SolveLimits

    def solve(self, program: Program) -> Solution:
        return self.solver.solve(program, self.limits, _quiet, _never)


def explain(
    loaded: LoadedEstate, catalog: Catalog, plan: Plan, question: Question, solver: MilpSolver, limits: SolveLimits,
    tell: Tell,
) -> Explained:  # fmt: skip
    """Why the plan of an estate puts a workload where it does; `tell` is called with each phase.

    Raises:
        OptionError: the estate has no such workload or site, or the plan is none of this estate.
        SolverError: a limit came before an answer.
    """
    loaded = estate_of(plan, loaded)
    instance = prepare(loaded.estate, catalog, loaded.profiles)
    number, asked = places(loaded.estate, question)
    tell("finding the plan's shares again")
    form, _ = formulate(instance)
    held = as_planned(form, plan)
    base = None if held is None else solver.solve(held, limits, _quiet, _never)
    if base is None or not base.values.size:
        raise OptionError(
            "the plan is not one of this estate: its decisions do not hold here",
            hint="plan the estate again, or name the estate the plan was made for",
        )
    work = _Work(instance, number, base, solver, limits)
    homes = tuple(homes_of(instance, number, served(decode(form, base.values))))
    sites = [str(each.site.id) for each in instance.sites]
    may = open_sites(form, number)
    used = {home.site for home in homes if home.share >= TOLD}
    next_best = instead = None
    began = time.perf_counter()
    if homes:
        tell(f"planning without `{homes[0].site}` for `{question.workload}`")
        next_best = _otherwise(work, f"not at `{homes[0].site}`", frozenset({sites.index(homes[0].site)}), form)
    if asked is not None:
        if asked not in may:
            refuse_closed(question, instance.refusals)
        tell(f"planning `{question.workload}` at `{question.at}` alone")
        instead = _otherwise(work, f"only at `{question.at}`", frozenset(may) - {asked}, form)
    searched_s = time.perf_counter() - began
    tell("pricing the limits that bind")
    limits_worth, nodes_worth = _values(work, form)
    barred = _barred(work, form, plan, tell, searched_s)
    return Explained(
        summary=next(row for row in plan.workloads if row.id == question.workload),
        homes=homes,
        next_best=next_best,
        instead=instead,
        limits=limits_worth,
        nodes=nodes_worth,
        barred=barred,
        unused=tuple(sites[site] for site in may if sites[site] not in used),
        refusals=tuple(row for row in instance.refusals if row.workload == question.workload),
    )


def _otherwise(work: _Work, asked: str, closed: frozenset[int], base_form: Formulation) -> Otherwise:
    """The best plan near this one with these sites taken away from the workload."""
    form, _ = formulate(work.instance)
    shut(form, work.workload, closed)
    program = form.program()
    found = _again(work, program)
    if found.status is SolutionStatus.INFEASIBLE:
        why = conflict.explain(program, replace(work, limits=replace(work.limits, gap=1.0)).solve)
        return Otherwise(asked=asked, homes=(), worse_usd=0.0, worse_npv_usd=0.0, least_npv_usd=0.0, conflict=why)
    if not found.values.size:
        raise SolverError(
            f"no plan found within {seconds_told(work.limits.seconds)} with that choice taken away",
            hint="raise `--time-limit`",
        )
    return Otherwise(
        asked=asked,
        homes=tuple(homes_of(work.instance, work.workload, served(decode(form, found.values)))),
        worse_usd=undiscounted_usd(form, found.values) - undiscounted_usd(base_form, work.base.values),
        worse_npv_usd=found.objective - work.base.objective,
        least_npv_usd=min(found.bound, found.objective) - work.base.objective,
        was_interrupted=found.was_interrupted,
    )


def _again(work: _Work, program: Program) -> Solution:
    """The best plan of a changed program, sought around this plan first."""
    near = whole_decisions(program, work.base.values)
    found = drive(revised(program, work.limits, near), work.solver, threads=work.limits.threads)
    return work.solve(program) if found.status is SolutionStatus.UNKNOWN else found


def _barred(work: _Work, form: Formulation, plan: Plan, tell: Tell, searched_s: float) -> tuple[Barred, ...]:
    """Whole nodes that do not fit, each with what it lacks and what is saved with that; none where time ran out.

    `searched_s` is how long the searches for other places took, seconds.
    """
    program = form.program()
    limits = limits_of(form, program, work.workload)
    rows: list[Barred] = []
    nodes = barred_nodes(form, program, work.base.values, limits, work.workload)[:_MOST_BARRED]
    seconds = max(_LEAST_BARRED_S, _BARRED_SHARE * searched_s / max(1, len(nodes)))
    hurried = replace(work.limits, seconds=min(work.limits.seconds, seconds))
    for number, node in enumerate(nodes, start=1):
        tell(f"planning with room for one more node of `{node.pool}` ({number} of {len(nodes)})")
        changed = with_node(program, node)
        near = whole_decisions(changed, work.base.values)
        found = drive(revised(changed, hurried, near), work.solver, threads=hurried.threads)
        if found.values.size and math.isfinite(found.bound):
            rows.append(
                Barred(
                    node=node,
                    saved_usd=max(0.0, work.base.objective - found.objective),
                    most_usd=max(0.0, work.base.objective - min(found.bound, found.objective)),
                    open_usd=0.0 if plan.solve is None else max(0.0, plan.solve.incumbent_usd - plan.solve.bound_usd),
                )
            )
    return tuple(rows)


def _values(work: _Work, form: Formulation) -> tuple[tuple[Value, ...], tuple[NodeValue, ...]]:
    """Limits that bind, each solved again with one unit more, and whole nodes, with all that one takes more."""
    program = divisible(form.program(), work.base.values)
    around = work.solve(program)
    if not around.duals.size:
        return (), ()
    mine = limits_of(form, program, work.workload)
    binding = worths(mine, around.duals)[:_MOST_WORTHS]
    values = tuple(
        Value(worth=each, saved_usd=around.objective - work.solve(loosened(program, each.limit, 1.0)).objective)
        for each in binding
    )
    nodes = tuple(
        NodeValue(node=each, saved_usd=around.objective - work.solve(each.added(program)).objective)
        for each in whole_nodes(form, mine, binding)[:_MOST_NODES]
    )
    return values, nodes


def _quiet(state: SolveProgress) -> None:
    del state


def _never() -> bool:
    return False
