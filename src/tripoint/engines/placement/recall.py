"""An earlier plan as values of this program's whole decisions: the way back from `decode`.

Names carry over: a site, pool, workload or dataset that is new has nothing to recall, one that is gone is forgotten.
"""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np

from tripoint.domain.decision import PurchaseAction
from tripoint.domain.plan import Plan
from tripoint.engines.placement.columns.coefficients import is_indivisible
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.milp.program import FloatArray

_TINY = 1e-6


def recall(form: Formulation, plan: Plan) -> FloatArray:
    """[columns] what the plan decided, as whole numbers; NaN where it says nothing or only shares and volumes."""
    values = np.full(form.builder.size, math.nan)
    _presence(form, plan, values)
    _nodes(form, plan, values)
    _held(form, plan, values)
    _steps_and_copies(form, plan, values)
    return values


def _presence(form: Formulation, plan: Plan, values: FloatArray) -> None:
    here = {(row.workload, row.pool, row.period) for row in plan.placements if row.share > _TINY}
    here |= _kept_open(form, here)
    known = {row.workload for row in plan.placements}
    for (workload, place, period), column in (*form.present.items(), *form.gathered.items()):
        name = form.workload_id(workload)
        if name in known:
            is_here = (name, place, period) in here
            if is_here or math.isnan(values[column]):
                values[column] = float(is_here)


def _kept_open(form: Formulation, here: set[tuple[str, str, int]]) -> set[tuple[str, str, int]]:
    """Token APIs between two uses, today's included: they keep no replica, so staying costs nothing and no move back.

    A plan tells shares, and there are none between; one place only is where an indivisible workload may be.
    """
    used: dict[tuple[str, str], list[int]] = defaultdict(list)
    for name, place, period in here:
        used[name, place].append(period)
    kept: set[tuple[str, str, int]] = set()
    for lane in form.instance.lanes:
        workload, place = form.instance.workload(lane), str(lane.fit.pool)
        periods = used.get((workload.id, place), [])
        if lane.pool is None and periods and not is_indivisible(workload):
            is_today = any(share.site == lane.fit.site for share in workload.today)
            first = 0 if is_today else min(periods)
            kept |= {(workload.id, place, period) for period in range(first, max(periods))}
    return kept


def _nodes(form: Formulation, plan: Plan, values: FloatArray) -> None:
    bought: dict[tuple[str, int], float] = defaultdict(float)
    signed: dict[tuple[str, int | None, int], float] = defaultdict(float)
    for row in plan.purchases:
        if row.action is PurchaseAction.BUY:
            bought[row.pool, row.order_period] += row.nodes
        elif row.action is PurchaseAction.COMMIT:
            signed[row.pool, row.term_months, row.order_period] += row.nodes
    for (pool, order), column in form.buy.items():
        model = form.instance.pools[pool]
        values[column] = round(bought[model.spec.id, order] / model.count)
    for (pool, index, start), column in form.commit.items():
        model = form.instance.pools[pool]
        term = model.terms[index].offer.term_months
        values[column] = round(signed[model.spec.id, term, start] / model.count)


def _held(form: Formulation, plan: Plan, values: FloatArray) -> None:
    """Held nodes less those retired so far."""
    retired: dict[tuple[str, int], float] = defaultdict(float)
    for row in plan.purchases:
        if row.action is PurchaseAction.RETIRE:
            retired[row.pool, row.order_period] += row.nodes
    for (pool, period), column in form.keep.items():
        model = form.instance.pools[pool]
        gone = sum(retired[model.spec.id, earlier] for earlier in range(period + 1)) / model.count
        values[column] = max(0.0, model.held - round(gone))


def _steps_and_copies(form: Formulation, plan: Plan, values: FloatArray) -> None:
    instance = form.instance
    taken = {(row.site, row.step, row.order_period) for row in plan.expansions}
    for (site, step, order), column in form.expand.items():
        model = instance.sites[site]
        values[column] = float((model.site.id, model.steps[step].id, order) in taken)
    known = {row.dataset for row in plan.copies}
    for (dataset, site, period), column in form.copy.items():
        name, place = instance.estate.datasets[dataset].id, instance.sites[site].site.id
        if name in known:
            values[column] = float(
                any(
                    row.dataset == name and row.site == place and row.from_period <= period <= row.to_period
                    for row in plan.copies
                )
            )
