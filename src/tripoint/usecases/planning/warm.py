"""The plan: near an earlier one where there is one, afresh where there is none or nothing near it holds."""

from __future__ import annotations

from dataclasses import replace

from tripoint.domain.plan import Plan
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.program import FloatArray, Program, Solution, SolutionStatus
from tripoint.engines.placement.outcome import Outcome, solve_instance
from tripoint.engines.placement.outlooks.choices import Held
from tripoint.engines.placement.outlooks.extensive import hold
from tripoint.engines.placement.proof.carry import carried
from tripoint.engines.placement.proof.kept import unpacked
from tripoint.engines.placement.recall import recall
from tripoint.engines.placement.revise import Known, revised
from tripoint.ports import MilpSolver
from tripoint.usecases.drive import drive
from tripoint.usecases.planning.options import PlanOptions
from tripoint.usecases.solving import Clock, Stop, by_size

_WARM_PART = 0.045
"""Share of the earlier solve's time after which planning from it sets nothing more free."""
_LEAST_WARM_S = 0.25


def outcome_of(
    instance: Instance, solver: MilpSolver, options: PlanOptions, clock: Clock, should_stop: Stop, held: Held
) -> Outcome:
    """What comes of planning the instance, with what is `held` because it was decided over all outlooks."""
    limits = options.limits
    afresh = by_size(solver, limits, clock, should_stop)
    earlier = options.previous
    if earlier is None or earlier.solve is None:
        return solve_instance(instance, afresh, lambda form: hold(form, held))
    near = replace(limits, seconds=min(limits.seconds, max(_LEAST_WARM_S, earlier.solve.seconds * _WARM_PART)))
    recalled: list[FloatArray] = []

    def solve(program: Program) -> Solution:
        clock.enter("planning from the earlier plan")
        found = drive(
            revised(program, near, recalled[0], _known(earlier, program)),
            solver,
            threads=limits.threads,
            progress=lambda state: clock.solving(replace(state, bound=None, gap=None)),
            should_stop=should_stop,
        )
        if found.status is not SolutionStatus.UNKNOWN or should_stop():
            return found
        clock.enter("planning afresh: the earlier plan does not hold")
        return afresh(program)

    def prepared(form: Formulation) -> None:
        hold(form, held)
        recalled.append(recall(form, earlier))

    return solve_instance(instance, solve, prepared)


def _known(earlier: Plan, program: Program) -> Known:
    """What the bound of an earlier plan says about the program now, and its prices where they fit."""
    before = unpacked(earlier.proof)
    if before is None or earlier.solve is None:
        return Known()
    proven = carried(before, earlier.solve.bound_usd, program)
    if before.prices.size != program.rows or before.cost.size != program.columns:
        return Known(proven=proven)
    return Known(proven=proven, prices=before.prices, costs=before.cost)
