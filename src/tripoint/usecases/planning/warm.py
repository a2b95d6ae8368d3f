"""The plan: near an earlier one where there is one, afresh where there is none or nothing near it holds."""

from __future__ import annotations

from dataclasses import replace

from tripoint.domain.plan import Plan
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.program import FloatArray, Program, Solution, SolutionStatus, SolveLimits
from tripoint.engines.placement.milp.staged import is_large
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
_SEARCH_S, _NO_SEARCH_S = 0.5, 0.2
"""Where the simplex begins near its end, decisions and bound take a tenth of a second: a share below the first is cut
to the second, in which nobody searches, because searches so short saved
five millionths of the cost in the one plan looked at."""
_BASIS_PART, _LEAST_BASIS_S = 0.1, 1.0
"""The relaxation of a program solved whole is given that share of its time afterwards, and so much at least."""


def outcome_of(
    instance: Instance, solver: MilpSolver, options: PlanOptions, clock: Clock, should_stop: Stop, held: Held
) -> Outcome:
    """What comes of planning the instance, with what is `held` because it was decided over all outlooks."""
    limits = options.limits
    sized = by_size(solver, limits, clock, should_stop)
    earlier = options.previous

    def afresh(program: Program) -> Solution:
        found = sized(program)
        return found if should_stop() else _with_basis(program, found, solver, limits)

    if earlier is None or earlier.solve is None:
        return solve_instance(instance, afresh, lambda form: hold(form, held))
    recalled: list[FloatArray] = []

    def solve(program: Program) -> Solution:
        clock.enter("planning from the earlier plan")
        known = _known(earlier, program)
        near = replace(limits, seconds=min(limits.seconds, _search_s(earlier, known)))
        found = drive(
            revised(program, near, recalled[0], known),
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


def _search_s(earlier: Plan, known: Known) -> float:
    """Seconds after which nothing more is set free."""
    share = 0.0 if earlier.solve is None else earlier.solve.seconds * _WARM_PART
    return _NO_SEARCH_S if known.basis and share < _SEARCH_S else max(_LEAST_WARM_S, share)


def _known(earlier: Plan, program: Program) -> Known:
    """What the bound of an earlier plan says about the program now, and its prices where they fit."""
    before = unpacked(earlier.proof)
    if before is None or earlier.solve is None:
        return Known()
    proven = carried(before, earlier.solve.bound_usd, program)
    if before.prices.size != program.rows or before.cost.size != program.columns:
        return Known(proven=proven, basis=before.basis)
    return Known(proven=proven, prices=before.prices, costs=before.cost, basis=before.basis)


def _with_basis(program: Program, found: Solution, solver: MilpSolver, limits: SolveLimits) -> Solution:
    """What was found, with the place where the simplex ends on the relaxation, for planning again to begin there.

    A program solved whole says nothing of it; one too large for that takes as long from there as from nothing.
    """
    if not found.values.size or not program.integers or is_large(program):
        return found
    seconds = max(_LEAST_BASIS_S, found.seconds * _BASIS_PART)
    limits = replace(limits, seconds=seconds, basis=b"")
    return replace(found, basis=solver.solve(relaxation(program), limits, lambda state: None, lambda: False).basis)
