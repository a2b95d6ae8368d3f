"""Plans nearly as cheap as the best that differ most from it, with their price."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from tripoint.domain.near_plan import NearPlan
from tripoint.domain.plan import Plan
from tripoint.engines.placement.decode import decode
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.program import FloatArray, Program
from tripoint.engines.placement.moved import moved
from tripoint.engines.placement.settle import undiscounted_usd
from tripoint.engines.placement.tradeoff.front import aimed, under
from tripoint.engines.placement.tradeoff.measures import Measure
from tripoint.engines.placement.tradeoff.near import (
    ALIKE,
    NAMES,
    Ground,
    elsewhere,
    ground,
    most_unlike,
    shares,
    within,
)
from tripoint.usecases.solving import Clock, Solver, Stop

_TOLD = 6
"""Moves told of each."""


class _Found(NamedTuple):
    """A plan that is the least in a measure."""

    names: tuple[str, ...]
    values: FloatArray
    least: float


class Wanted(NamedTuple):
    """Which plans are wanted."""

    most: int
    """At most so many."""
    share: float
    """They cost at most so much more, as a share of the plan's discounted cost."""


def near_plans(
    instance: Instance, plan: Plan, values: FloatArray, wanted: Wanted, solve: Solver, clock: Clock, should_stop: Stop
) -> tuple[NearPlan, ...]:
    """The plan itself, then those found, each with what it is best in; only itself where none differs.

    `values` are the plan's in the instance's program.
    """
    around = ground(*formulate(instance), values)
    found: list[_Found] = []
    for measure in around.measures:
        if should_stop() or not measure.columns:
            continue
        clock.enter(f"within {wanted.share:.3g} of the cost: {NAMES[measure.name]}")
        known = min((around.start, *(each.values for each in found)), key=measure.of)
        best = _best_in(around, within(around, wanted.share, measure), measure, known, solve)
        if best is not None:
            found.append(best)
    placed = [shares(around.form, around.start), *(shares(around.form, each.values) for each in found)]
    chosen = most_unlike(placed, wanted.most)
    told = [_told(around, plan, _Found(("this plan",), around.start, math.nan), placed[0], placed[0])]
    for number in chosen:
        alike = [each.names[0] for index, each in enumerate(found, 1) if _is_alike(index, number, placed, chosen)]
        mine = found[number - 1]._replace(names=tuple(dict.fromkeys((*found[number - 1].names, *alike))))
        told.append(_told(around, plan, mine, placed[number], placed[0]))
    return tuple(told)


def _is_alike(index: int, number: int, placed: Sequence[dict[tuple[str, str], float]], chosen: Sequence[int]) -> bool:
    """True for a plan that was not chosen because it is the chosen one again."""
    return index not in chosen and elsewhere(placed[index], placed[number]) < ALIKE


def _best_in(around: Ground, program: Program, measure: Measure, start: FloatArray, solve: Solver) -> _Found | None:
    """The least of the measure, then the cheapest plan that has no more of it; `None` where the plan is as good."""
    least = solve(aimed(program, measure), start)
    if not least.values.size:
        return None
    own, reached = measure.of(around.start), measure.of(least.values)
    if reached >= own - (0.5 if measure.is_whole else 1e-3 * abs(own)):
        return None
    cheapest = solve(under(program, reached), least.values)
    values = cheapest.values if cheapest.values.size else least.values
    return _Found((NAMES[measure.name],), values, least.bound)


def _told(
    around: Ground, plan: Plan, found: _Found, here: dict[tuple[str, str], float], own: dict[tuple[str, str], float]
) -> NearPlan:
    form, values = around.form, found.values
    usd, base = undiscounted_usd(form, values), undiscounted_usd(form, around.start)
    decisions = decode(form, values)
    other = replace(plan, placements=decisions.placements, purchases=decisions.purchases)
    measured = {measure.name: measure.of(values) for measure in around.measures}
    return NearPlan(
        name=", ".join(found.names),
        undiscounted_usd=usd,
        npv_usd=float(around.program.cost @ values),
        more_usd=usd - base,
        vendors=round(measured["vendors"]),
        moves=round(measured["moves"]),
        egress_tb=measured["egress"],
        carbon_t=measured["carbon"],
        elsewhere=elsewhere(here, own),
        least=found.least if math.isfinite(found.least) else None,
        moved=tuple(str(each) for each in moved(plan, other)[:_TOLD]),
    )
