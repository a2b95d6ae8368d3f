"""Price what is missing: edit the estate, plan it again, and tell the difference and what it buys.

Both plans are searched near the one that is assessed and to the same gap, so the difference is that of the edit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan, SolveSummary
from tripoint.domain.recovery import Reached, RecoveryRules, Remedy
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.conflict import explain
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import FloatArray, Program, Solution, SolutionStatus, SolveLimits
from tripoint.engines.placement.outcome import solve_instance
from tripoint.engines.placement.recall import recall
from tripoint.engines.placement.revise import revised
from tripoint.engines.resilience.recovery.assess import assess
from tripoint.engines.resilience.recovery.changes import Change, changes
from tripoint.engines.resilience.recovery.choice import Choice, limits_told
from tripoint.engines.resilience.recovery.remedy import Price, loss_told
from tripoint.engines.resilience.recovery.told import added
from tripoint.ports import MilpSolver
from tripoint.usecases.drive import drive

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """How remedies are searched."""

    solver: MilpSolver
    """Solves programs."""
    limits: SolveLimits
    """Of each solve."""
    tell: Tell = lambda phase: None
    """Called with each phase."""

    def solve(self, program: Program) -> Solution:
        """One program as it stands, without progress."""
        return self.solver.solve(program, self.limits, lambda state: None, lambda: False)


class _Made(NamedTuple):
    """An estate planned again."""

    plan: Plan | None
    """The plan that is assessed with the decisions found; `None` where none were."""
    solve: SolveSummary | None = None
    """What it costs, and how close that is."""
    program: Program | None = None
    """What was asked, where it is proven that no plan exists."""


class _Base(NamedTuple):
    """What every remedy is compared with."""

    loaded: LoadedEstate
    catalog: Catalog
    plan: Plan
    pricing: Pricing
    solve: SolveSummary | None
    """Of the plan as it is, searched as those with a change are."""
    planned: list[tuple[Estate, _Made]]
    """Estates planned so far: losses often ask for the same."""


def remedies(
    loaded: LoadedEstate, catalog: Catalog, plan: Plan, missed: tuple[Reached, ...], pricing: Pricing
) -> tuple[Remedy, ...]:
    """For every objective that is missed the cheapest change that meets it, with its price; or that none does."""
    if not missed:
        return ()
    instance = prepare(loaded.estate, catalog, loaded.profiles)
    pricing.tell("planning again as it is")
    again = _planned(instance, plan, pricing)
    base = _Base(loaded, catalog, plan, pricing, again.solve or plan.solve, [])
    return tuple(_remedy(base, instance, each) for each in missed)


def _remedy(base: _Base, instance: Instance, missed: Reached) -> Remedy:
    """What meets this objective for least, of the changes that could."""
    choice = Choice(missed)
    impossible: Program | None = None
    for change in changes(instance, missed):
        base.pricing.tell(f"`{missed.workload}` after the loss of {loss_told(missed.disruption)}: {change.does}")
        made, found = _after(base, change)
        key = (missed.workload, missed.disruption)
        now = next((each for each in found if (each.workload, each.disruption) == key), None)
        if made.plan is None or now is None:
            impossible = made.program
            choice = choice.without_plan(change, is_proven=impossible is not None)
            continue
        choice = choice.reaching(change, now, added(base.plan, made.plan, missed.workload), _price(base, made, change))
        if choice.is_free:
            break
    wanted = impossible if choice.lacks_plan else None
    return choice.remedy("" if wanted is None else limits_told(explain(wanted, base.pricing.solve)))


def _price(base: _Base, made: _Made, change: Change) -> Price:
    """The difference of both plans, and what the change costs beside."""
    months = len(base.plan.periods) * base.plan.period_months
    more, still_open = 0.0, 0.0
    if change.needs_plan and made.solve is not None:
        before = 0.0 if base.solve is None else base.solve.undiscounted_usd
        more = made.solve.undiscounted_usd - before
        still_open = made.solve.open_usd + (0.0 if base.solve is None else base.solve.open_usd)
    return Price(usd_per_month=more / months + change.usd_per_month, open_usd_per_month=still_open / months)


def _after(base: _Base, change: Change) -> tuple[_Made, tuple[Reached, ...]]:
    """The whole estate planned with the change, and what it reaches; nothing where no plan was found."""
    instance = prepare(change.estate, base.catalog, base.loaded.profiles)
    if not change.needs_plan:
        return _Made(base.plan, base.solve), assess(instance, base.plan)
    asked = replace(change.estate, recovery=RecoveryRules())  # the planner does not read the block
    found = next((each for estate, each in base.planned if estate == asked), None)
    if found is None:
        found = _planned(instance, base.plan, base.pricing)
        base.planned.append((asked, found))
    return found, () if found.plan is None else assess(instance, found.plan)


def _planned(instance: Instance, plan: Plan, pricing: Pricing) -> _Made:
    """The best plan near this one."""
    recalled: list[FloatArray] = []

    def solve(program: Program) -> Solution:
        asked = revised(program, pricing.limits, recalled[0])
        found = drive(asked, pricing.solver, threads=pricing.limits.threads)
        return found if found.status is not SolutionStatus.UNKNOWN else pricing.solve(program)

    outcome = solve_instance(instance, solve, lambda form: recalled.append(recall(form, plan)))
    if outcome.decisions is None:
        return _Made(None, program=outcome.program if outcome.is_infeasible else None)
    return _Made(outcome.decisions.in_place_of(plan), outcome.summary)
