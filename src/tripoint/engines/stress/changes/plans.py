"""What planning an estate anew comes to, beside the plan it had: costs, limits, and each workload over the horizon."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.plan import Headroom, Plan
from tripoint.domain.policy import CostView, Policies
from tripoint.domain.stress import Outcome, Replanned
from tripoint.engines.stress.changes.prices import effective_usd, factor_of, factors_of
from tripoint.engines.stress.scenarios.knobs import Values

_HOLDABLE = (FaultKind.PRICE, FaultKind.BUDGET)
"""Faults the old decisions outlast: they cost something else, or too much."""


class Anew(NamedTuple):
    """An estate that was changed, planned anew."""

    plan: Plan
    """The plan; one without a solve where there is none."""
    given_up: tuple[str, ...]
    """Workloads that had to be left out of it."""
    conflict: tuple[str, ...]
    """Families of rules that left no plan with all workloads."""


def replanned(
    scenario: str, values: Values, faults: Sequence[Fault], before: Plan, anew: Anew, policies: Policies
) -> Replanned:
    """What the change costs: held on to the old decisions where they outlast it, and decided anew."""
    can_hold = all(fault.kind in _HOLDABLE for fault in faults)
    held_usd = effective_usd(before.charges, factors_of(faults)) if can_hold else None
    new_usd = effective_usd(anew.plan.charges, factors_of(())) if anew.plan.solve is not None else None
    is_held = (
        held_usd is not None and new_usd is not None and held_usd < new_usd and not anew.given_up
        and _is_still_a_plan(before, faults, policies)
    )  # fmt: skip
    limit = _first_limit(before if is_held else anew.plan)
    return Replanned(
        scenario=scenario,
        magnitudes=dict(values),
        usual_usd=effective_usd(before.charges, factors_of(())),
        held_usd=held_usd,
        new_usd=held_usd if is_held else new_usd,
        given_up=anew.given_up,
        conflict=anew.conflict,
        first_limit=limit.name if limit is not None else "",
        first_limit_at=limit.exhausted if limit is not None else "",
        is_held=is_held,
    )


def repriced(plan: Plan, faults: Sequence[Fault]) -> Plan:
    """The same decisions at changed prices."""
    factors = factors_of(faults)
    return replace(
        plan,
        charges=tuple(
            replace(each, effective_usd=each.effective_usd * factor_of(each, factors)) for each in plan.charges
        ),
    )


def outcomes(before: Plan, after: Plan, given_up: Sequence[str]) -> tuple[Outcome, ...]:
    """Each workload of the plan before over the horizon: placed whole or given up, and what it costs after."""
    limit = _first_limit(after)
    told = "" if limit is None else f"{limit.name} in {limit.exhausted}"
    margin = _margin(after)
    usual_usd, usd = _costs(before), _costs(after)
    return tuple(
        Outcome(
            workload=each.id, offered=1.0, answered=float(each.id not in given_up), late=0.0,
            shed=float(each.id in given_up), lost=0.0, outside=0.0, outage_s=0.0, stale_s=0.0,
            ttft_p99_ms=0.0, wait_p99_ms=0.0, usd=usd.get(each.id, 0.0), usual_usd=usual_usd.get(each.id, 0.0),
            margin=margin, first_limit=told,
        )
        for each in before.workloads
    )  # fmt: skip


def _is_still_a_plan(plan: Plan, faults: Sequence[Fault], policies: Policies) -> bool:
    """Whether the old decisions keep every rule at other prices: those of money are the only ones that may break.

    Under caps on a vendor's share of the money nothing is said.
    """
    if policies.concentration or any(fault.kind is not FaultKind.PRICE for fault in faults):
        return False
    if policies.budget is None:
        return True
    is_billed, factors = policies.budget.view is CostView.BILLED, factors_of(faults)
    spent: dict[int, list[float]] = {}
    for each in plan.charges:
        usd = each.billed_usd if is_billed else each.effective_usd
        spent.setdefault(each.period, []).append(usd * factor_of(each, factors))
    return all(math.fsum(rows) <= policies.budget.usd_per_period for rows in spent.values())


def _costs(plan: Plan) -> dict[str, float]:
    """Workload -> effective cost over the horizon, USD, what nobody is charged for spread in proportion."""
    own = {each.id: each.cost_usd for each in plan.workloads}
    spread = math.fsum(own.values())
    whole = math.fsum(charge.effective_usd for charge in plan.charges)
    return {name: usd * (whole / spread if spread > 0.0 else 1.0) for name, usd in own.items()}


def _first_limit(plan: Plan) -> Headroom | None:
    """The limit that is reached first, as the roadmap has it."""
    reached = [each for each in plan.headroom if each.exhausted]
    return min(reached, key=lambda each: each.exhausted) if reached else None


def _margin(plan: Plan) -> float:
    """Least free share of any limit over the horizon; 1 where nothing is limited."""
    shares = [
        1.0 - used / limit
        for each in plan.headroom
        for used, limit in zip(each.used, each.limit, strict=True)
        if limit > 0.0
    ]
    return max(-1.0, min(shares, default=1.0))
