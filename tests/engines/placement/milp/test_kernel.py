"""A plan in hand when the whole program gave none in time."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import assume, given, settings
from tests.factories.planning import highs, instance_of

from tripoint.domain.estate import Estate
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.milp.kernel import kernel, relaxation, rescue
from tripoint.engines.placement.milp.program import Program, ProgramBuilder, Solution, SolutionStatus
from tripoint.testing.strategies import small_estates

NOTHING = Solution(
    status=SolutionStatus.UNKNOWN,
    values=np.zeros(0),
    objective=math.inf,
    bound=-math.inf,
    gap=math.inf,
    seconds=1.0,
    nodes=0,
    was_interrupted=True,
    strategy="monolithic",
)


def program_of(estate: Estate) -> Program:
    """The whole program of an estate."""
    form, _ = formulate(instance_of(estate))
    return form.program()


@settings(max_examples=15)
@given(small_estates())
def test_what_the_kernel_finds_is_a_plan_of_the_whole_program_with_a_bound_that_holds(estate: Estate) -> None:
    """Rows and bounds of the whole program hold, and its optimum lies between the bound and the plan."""
    program = program_of(estate)
    found = rescue(program, NOTHING, highs)
    assume(found.values.size)
    best = highs(program)
    assert program.worst_violation(found.values) < 1e-5
    assert found.bound <= best.objective * (1 + 1e-6) + 1e-6
    assert best.objective <= found.objective * (1 + 1e-5) + 1e-6
    assert found.strategy == "kernel"
    assert found.was_interrupted


def covering(demand: float) -> Program:
    """Two integer columns of which the relaxation uses only the cheap one, at most two of each."""
    builder = ProgramBuilder()
    cheap = builder.column("cheap", upper=2.0, integer=True)
    dear = builder.column("dear", upper=2.0, integer=True)
    builder.row("cover", "demand", [(cheap, 3.0), (dear, 1.0)], lower=demand)
    return builder.build([1.0, 5.0])


def test_the_kernel_keeps_what_the_relaxation_leaves_out_at_zero() -> None:
    """Four units take 1.33 of the cheap column and none of the dear one."""
    program = covering(4.0)
    assert kernel(program, highs(relaxation(program))).upper.tolist() == [2.0, 0.0]


def test_a_program_whose_relaxation_is_infeasible_is_known_to_be() -> None:
    """Nine units cannot be covered by eight."""
    assert rescue(covering(9.0), NOTHING, highs).status is SolutionStatus.INFEASIBLE


def test_a_solver_out_of_time_leaves_nothing() -> None:
    """Without even a relaxation the answer stays unknown, not wrong."""
    found = rescue(covering(4.0), NOTHING, lambda program: NOTHING)
    assert found.status is SolutionStatus.UNKNOWN
    assert not found.values.size
