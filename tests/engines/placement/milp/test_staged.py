"""A large program in stages: relaxation, kernel, parts around the best plan."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from tests.factories.planning import highs, instance_of

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.estate import Estate
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.milp.asking import Answers
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.pricing import reduced_costs
from tripoint.engines.placement.milp.program import Program, ProgramBuilder, Solution, SolutionStatus, SolveLimits
from tripoint.engines.placement.milp.staged import is_large, owners_of, staged
from tripoint.testing.strategies import small_estates
from tripoint.usecases.drive import drive

LIMITS = SolveLimits(gap=1e-6, seconds=120.0, nodes=2_000, threads=1)
"""A number of nodes, so that nothing depends on the clock."""


def in_stages(program: Program, limits: SolveLimits = LIMITS) -> Solution:
    """The staged answer."""
    return drive(staged(program, limits), HighsSolver(), threads=1)


def program_of(estate: Estate) -> Program:
    """The whole program of an estate."""
    form, _ = formulate(instance_of(estate))
    return form.program()


@pytest.mark.timeout(300)
@settings(max_examples=15, deadline=None)
@given(small_estates())
def test_stages_and_the_whole_agree_within_their_gaps(estate: Estate) -> None:
    """What stages find is a plan of the whole; the optimum lies between their bound and their plan."""
    program = program_of(estate)
    best = highs(program)
    found = in_stages(program)
    assert (found.status is SolutionStatus.INFEASIBLE) == (best.status is SolutionStatus.INFEASIBLE)
    assume(best.values.size > 0)
    assert program.worst_violation(found.values) < 1e-5
    assert found.bound <= best.objective * (1 + 1e-6) + 1e-6
    assert best.bound <= found.objective * (1 + 1e-6) + 1e-6
    assert found.bound <= found.objective
    assert found.objective <= best.objective * 1.05 + 1.0


def test_the_answer_tells_what_its_rows_are_worth_to_the_relaxation() -> None:
    """Seven units are asked for, the cheap ones give six: one more costs what a dear one does."""
    program = covering(7.0)
    assert in_stages(program).duals.tolist() == pytest.approx(highs(relaxation(program)).duals.tolist())
    assert in_stages(program).duals.tolist() == pytest.approx([5.0])


@pytest.mark.timeout(300)
@settings(max_examples=10, deadline=None)
@given(small_estates())
def test_the_same_stages_twice_are_the_same(estate: Estate) -> None:
    """Node limits, no clock: equal values."""
    program = program_of(estate)
    assert in_stages(program).values.tolist() == in_stages(program).values.tolist()


def covering(demand: float) -> Program:
    """Two integers of which the relaxation uses only the cheap one, at most two of each."""
    builder = ProgramBuilder()
    cheap = builder.column("cheap[a]", upper=2.0, integer=True)
    dear = builder.column("dear[a]", upper=2.0, integer=True)
    builder.row("cover", "demand", [(cheap, 3.0), (dear, 1.0)], lower=demand)
    return builder.build([1.0, 5.0])


def test_a_kernel_that_holds_no_plan_grows() -> None:
    """Whole twos of three units each, seven asked for: the relaxation never uses what the plan needs."""
    builder = ProgramBuilder()
    pair = builder.column("pair", upper=3.0, integer=True)
    odd = builder.column("odd", upper=1.0, integer=True)
    builder.row("exact", "demand", [(pair, 2.0), (odd, 1.0)], lower=5.0, upper=5.0)
    found = in_stages(builder.build([1.0, 9.0]))
    assert found.values.tolist() == [2.0, 1.0]
    assert found.objective == pytest.approx(11.0)


@pytest.mark.parametrize(("told", "is_believed"), [(5.99, True), (6.0, True), (6.000001, True), (6.5, False)])
def test_a_bound_above_a_plan_is_no_proof(told: float, is_believed: bool) -> None:
    """The program beside says that nothing costs less than `told`, and a plan costs 6: figures got the better of its
    cuts, so that what the relaxation says is the bound, and the answer is not as close as it was asked to be."""
    program = covering(7.0)
    relaxed, best = highs(relaxation(program)), highs(program)
    assert [best.objective, relaxed.bound] == pytest.approx([7.0, 7.0])
    relaxed, best = replace(relaxed, bound=4.0), replace(best, objective=6.0)
    asking = staged(program, replace(LIMITS, gap=0.01, nodes=None, seconds=2.0, threads=2))
    next(asking)
    asking.send(Answers(solutions=(relaxed,), bound=-math.inf, seconds=0.5))
    with pytest.raises(StopIteration) as ended:
        asking.send(Answers(solutions=(best,), bound=told, seconds=3.0))
    found: Solution = ended.value.value
    assert found.bound == pytest.approx(min(told, 6.0) if is_believed else 4.0)
    assert found.gap == pytest.approx(max(0.0, 6.0 - found.bound) / 6.0)
    assert (found.status is SolutionStatus.OPTIMAL) is is_believed


def test_infeasible_is_known_from_the_relaxation() -> None:
    """Nine units cannot be covered by eight."""
    found = in_stages(covering(9.0))
    assert found.status is SolutionStatus.INFEASIBLE
    assert not found.was_interrupted


def test_without_a_relaxation_nothing_is_claimed() -> None:
    """A solver out of time leaves the answer unknown and the bound infinite."""
    asking = staged(covering(4.0), LIMITS)
    next(asking)
    nothing = replace(highs(covering(9.0)), status=SolutionStatus.UNKNOWN, was_interrupted=True)
    with pytest.raises(StopIteration) as ended:
        asking.send(Answers(solutions=(nothing,), bound=-math.inf, seconds=1.0))
    found: Solution = ended.value.value
    assert found.status is SolutionStatus.UNKNOWN
    assert found.bound == -math.inf


def test_reduced_costs_are_zero_where_the_relaxation_is_inside() -> None:
    """A column strictly between its bounds costs, at the prices of the rows, exactly what it is worth."""
    program = covering(4.0)
    relaxed = highs(relaxation(program))
    costs = reduced_costs(program, relaxed.duals)
    assert relaxed.values == pytest.approx([4 / 3, 0.0])
    assert costs == pytest.approx([0.0, 5.0 - 1 / 3])


def test_shadow_prices_are_what_one_more_unit_costs() -> None:
    """The dual of the demand row is the change of the relaxation's cost for one more unit."""
    one, two = highs(relaxation(covering(4.0))), highs(relaxation(covering(5.0)))
    assert one.duals.tolist() == pytest.approx([two.objective - one.objective])


def test_binaries_belong_to_whom_their_name_says() -> None:
    """`present[chat,...]` is chat's; counts and continuous columns belong to nobody."""
    builder = ProgramBuilder()
    for name in ("present[chat,a,p0]", "present[chat,b,p0]", "copy[set,a,p0]"):
        builder.column(name, upper=1.0, integer=True)
    builder.column("buy[pool,p0]", integer=True)
    builder.column("serve[chat,a,p0,b0]", upper=1.0)
    owner, count = owners_of(builder.build(np.zeros(5)))
    assert owner.tolist() == [0, 0, 1, -1, -1]
    assert count == 2


def test_small_programs_are_left_to_the_solver() -> None:
    """Two columns are no reason for stages."""
    assert not is_large(covering(4.0))
