"""The program with decisions held, or with a choice taken away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tripoint.domain.plan import Plan
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.milp.program import FloatArray, Program
from tripoint.engines.placement.recall import recall

_TINY = 1e-6


def as_planned(form: Formulation, plan: Plan) -> Program | None:
    """The program with every whole decision the plan tells held; shares and volumes are found again.

    `None` where a decision is beyond what the estate allows; infeasible where they do not hold together.
    """
    places = {(form.workload_id(lane.workload), lane.fit.pool) for lane in form.instance.lanes}
    if any((row.workload, row.pool) not in places for row in plan.placements if row.share > _TINY):
        return None
    program = form.program()
    told = recall(form, plan)
    known = program.is_integer & ~np.isnan(told)
    whole = np.where(known, told, 0.0)
    if ((whole < program.lower) | (whole > program.upper))[known].any():
        return None
    return replace(program, lower=np.where(known, whole, program.lower), upper=np.where(known, whole, program.upper))


def whole_decisions(program: Program, values: FloatArray) -> FloatArray:
    """[columns] the whole decisions among the values; NaN for shares and volumes."""
    return np.where(program.is_integer, values, np.nan)


def shut(form: Formulation, workload: int, sites: frozenset[int]) -> None:
    """Takes these sites away from a workload: neither its demand nor its standby may be there."""
    for number, lane in form.lanes_of(workload):
        if lane.site not in sites:
            continue
        for period in form.instance.periods:
            for block in form.instance.blocks:
                if (number, period, block) in form.serve:
                    form.builder.bound(form.serve[number, period, block], upper=0.0)
            if (number, period) in form.standby:
                form.builder.bound(form.standby[number, period], upper=0.0)


def open_sites(form: Formulation, workload: int) -> tuple[int, ...]:
    """Sites where the workload may run, in the estate's order."""
    return tuple(sorted({lane.site for _, lane in form.lanes_of(workload)}))
