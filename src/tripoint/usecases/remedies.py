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
from tripoint.engines.resilience.recovery.remedy import (
    Price,
    loss_told,
    no_remedy,
    not_enough,
    remedy_by,
    why_nothing,
)
from tripoint.engines.resilience.recovery.told import added
from tripoint.ports import MilpSolver
from tripoint.usecases.drive import drive

Tell = Callable[[str], None]
_NOTHING_USD = 1.0
"""A month; below it no cheaper change is looked for."""
_MOST_DETAILS = 2
"""Lines told of a conflict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """How remedies are searched."""

    solver: MilpSolver
    """Solves programs."""
    limits: SolveLimits
    """Of each solve."""
    tell: Tell = lambda phase: None
    """Called with each phase."""


class _Made(NamedTuple):
    """An estate planned again."""

    usd: float | None
    """What the whole costs over the horizon, undiscounted USD; `None` where no plan was found."""
    plan: Plan
    """The plan with its decisions; the one that is assessed where none was found."""
    program: Program | None = None
    """What was asked, where it is proven that no plan exists."""
    open_usd: float = 0.0
    """How much cheaper the best plan may be than the one found, undiscounted USD."""


@dataclass(frozen=True, slots=True)
class _Base:
    """What every remedy is compared with."""

    loaded: LoadedEstate
    catalog: Catalog
    plan: Plan
    pricing: Pricing
    usd: float
    open_usd: float
    planned: list[tuple[Estate, _Made]]
    """Estates planned so far: losses often ask for the same."""

    @property
    def months(self) -> int:
        return len(self.plan.periods) * self.plan.period_months


def remedies(
    loaded: LoadedEstate, catalog: Catalog, plan: Plan, missed: tuple[Reached, ...], pricing: Pricing
) -> tuple[Remedy, ...]:
    """For every objective that is missed the cheapest change that meets it, with its price; or that none does."""
    if not missed:
        return ()
    instance = prepare(loaded.estate, catalog, loaded.profiles)
    pricing.tell("planning again as it is")
    again = _planned(instance, plan, pricing)
    if again.usd is not None:
        usd, open_usd = again.usd, again.open_usd
    else:
        usd, open_usd = plan_usd(plan), 0.0 if plan.solve is None else _open_usd(plan.solve)
    base = _Base(loaded, catalog, plan, pricing, usd, open_usd, [])
    return tuple(_remedy(base, instance, each) for each in missed)


def plan_usd(plan: Plan) -> float:
    """What a plan costs over its horizon, undiscounted USD."""
    return 0.0 if plan.solve is None else plan.solve.undiscounted_usd


def _remedy(base: _Base, instance: Instance, missed: Reached) -> Remedy:
    """The cheapest change that meets the objective; the search ends with one that costs nothing."""
    best: Remedy | None = None
    nearest, why, short = missed, why_nothing(missed), ""
    none: Program | None = None
    for change in changes(instance, missed):
        base.pricing.tell(f"`{missed.workload}` after the loss of {loss_told(missed.disruption)}: {change.does}")
        made, found = _after(base, change)
        key = (missed.workload, missed.disruption)
        now = next((each for each in found if (each.workload, each.disruption) == key), None)
        if made.usd is None or now is None:
            none = made.program
            why = f"{'no plan was found' if none is None else 'no plan exists'} with {change.does}"
            continue
        if now.misses:
            if now.rta_s < nearest.rta_s or nearest is missed:
                nearest, short = now, not_enough(change, now)
            continue
        price = Price(
            usd_per_month=(made.usd - base.usd) / base.months + change.usd_per_month,
            open_usd_per_month=(made.open_usd + base.open_usd) / base.months if change.needs_plan else 0.0,
        )
        each = remedy_by(missed, change, now, added(base.plan, made.plan, missed.workload), price)
        best = each if best is None else min(best, each, key=lambda remedy: remedy.usd_per_month)
        if best.usd_per_month < _NOTHING_USD:
            break
    return best or no_remedy(
        missed, nearest, short or (why if none is None else f"{why}: {_limit(none, base.pricing)}")
    )


def _limit(program: Program, pricing: Pricing) -> str:
    """The limits that leave no plan, with the figures of the first of them."""
    conflict = explain(
        program, lambda each: pricing.solver.solve(each, pricing.limits, lambda state: None, lambda: False)
    )
    told = conflict.details[:_MOST_DETAILS]
    families = () if told and len(conflict.families) == 1 else (" + ".join(conflict.families),)
    return "; ".join((*families, *told))


def _after(base: _Base, change: Change) -> tuple[_Made, tuple[Reached, ...]]:
    """The whole estate planned with the change, and what it reaches; nothing where no plan was found."""
    instance = prepare(change.estate, base.catalog, base.loaded.profiles)
    if not change.needs_plan:
        return _Made(base.usd, base.plan), assess(instance, base.plan)
    asked = replace(change.estate, recovery=RecoveryRules())  # the planner does not read the block
    found = next((each for estate, each in base.planned if estate == asked), None)
    if found is None:
        found = _planned(instance, base.plan, base.pricing)
        base.planned.append((asked, found))
    return found, () if found.usd is None else assess(instance, found.plan)


def _planned(instance: Instance, plan: Plan, pricing: Pricing) -> _Made:
    """The best plan near this one."""
    recalled: list[FloatArray] = []

    def solve(program: Program) -> Solution:
        asked = revised(program, pricing.limits, recalled[0])
        found = drive(asked, pricing.solver, threads=pricing.limits.threads)
        if found.status is not SolutionStatus.UNKNOWN:
            return found
        return pricing.solver.solve(program, pricing.limits, lambda state: None, lambda: False)

    outcome = solve_instance(instance, solve, lambda form: recalled.append(recall(form, plan)))
    if outcome.summary is None or outcome.decisions is None:
        return _Made(None, plan, outcome.program if outcome.is_infeasible else None)
    decided = outcome.decisions
    return _Made(
        outcome.summary.undiscounted_usd,
        replace(
            plan,
            placements=decided.placements,
            pools=decided.pools,
            purchases=decided.purchases,
            expansions=decided.expansions,
            copies=decided.copies,
            standby=decided.standby,
            transfers=decided.transfers,
        ),
        open_usd=_open_usd(outcome.summary),
    )


def _open_usd(solve: SolveSummary) -> float:
    return solve.gap * abs(solve.undiscounted_usd)
