"""Few columns are solved over, all of them bear the proof."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.factories.planning import highs, instance_of

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.estate import Estate
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.milp.asking import Answers
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.pricing import groups_of, lagrangian, narrowed, nearest, promising
from tripoint.engines.placement.milp.program import Program, ProgramBuilder, SolutionStatus, SolveLimits
from tripoint.engines.placement.milp.staged import generated
from tripoint.testing.strategies import small_estates
from tripoint.usecases.drive import drive

LIMITS = SolveLimits(gap=1e-6, seconds=120.0, nodes=2_000, threads=1)


def program_of(estate: Estate) -> Program:
    """The whole program of an estate."""
    form, _ = formulate(instance_of(estate))
    return form.program()


@pytest.mark.timeout(300)
@settings(max_examples=15, deadline=None)
@given(small_estates(), st.integers(0, 1000))
def test_whatever_the_prices_the_bound_is_below_the_relaxation(estate: Estate, seed: int) -> None:
    """Prices drawn at random prove something below the relaxation; its own prices prove the relaxation itself."""
    program = program_of(estate)
    best = highs(relaxation(program))
    assume(best.values.size > 0)
    group = groups_of(program)
    drawn = np.random.default_rng(seed).normal(0.0, 1.0, program.rows) * np.abs(best.duals).mean()
    assert lagrangian(program, drawn, group) <= best.objective + 1e-6 * abs(best.objective) + 1e-6
    proven = lagrangian(program, best.duals, group)
    assert proven == pytest.approx(best.objective, rel=1e-4, abs=1e-2)
    assert proven <= best.objective * (1 + 1e-6) + 1e-6


@pytest.mark.timeout(300)
@settings(max_examples=15, deadline=None)
@given(small_estates())
def test_generated_columns_find_plans_of_the_whole_and_bounds_that_hold(estate: Estate) -> None:
    """The optimum of the whole lies between the bound and the plan; the plan breaks no row of the whole."""
    program = program_of(estate)
    best = highs(program)
    found = drive(generated(program, LIMITS), HighsSolver(), threads=1)
    assume(best.status is not SolutionStatus.INFEASIBLE and found.values.size > 0)
    assert len(found.values) == program.columns
    assert program.worst_violation(found.values) < 1e-5
    assert found.bound <= best.objective * (1 + 1e-6) + 1e-6
    assert best.bound <= found.objective * (1 + 1e-6) + 1e-6


def shared(costs: tuple[float, ...]) -> Program:
    """One unit shared out over columns of these costs, and a whole number that only costs."""
    builder = ProgramBuilder()
    columns = [builder.column(f"serve[{number}]", upper=1.0) for number in range(len(costs))]
    builder.column("buy", integer=True)
    builder.row("demand", "all", [(column, 1.0) for column in columns], lower=1.0, upper=1.0)
    return builder.build([*costs, 1.0])


def test_a_row_of_ones_is_a_group() -> None:
    """Its columns belong to it, the others to none."""
    assert groups_of(shared((3.0, 2.0, 5.0))).tolist() == [0, 0, 0, -1]


def test_the_cheapest_of_a_group_and_all_others_are_kept() -> None:
    """Two of three by worth, and the whole number whatever it costs."""
    program = shared((3.0, 2.0, 5.0))
    assert promising(program, groups_of(program), 2).tolist() == [True, True, False, True]
    assert nearest(np.array([1.0, 2.0, 0.0, 9.0]), groups_of(program), 1).tolist() == [False, False, True, True]


def test_the_first_prices_are_what_supply_costs() -> None:
    """A cheap share on dear nodes looks dearer than a dear share on cheap ones."""
    builder = ProgramBuilder()
    one, two = builder.column("serve[a]", upper=1.0), builder.column("serve[b]", upper=1.0)
    dear, cheap = builder.column("rent[a]"), builder.column("rent[b]")
    builder.row("demand", "all", [(one, 1.0), (two, 1.0)], lower=1.0, upper=1.0)
    builder.row("capacity", "a", [(one, 2.0), (dear, -1.0)], upper=0.0)
    builder.row("capacity", "b", [(two, 2.0), (cheap, -1.0)], upper=0.0)
    builder.row("obtainable", "a", [(dear, 1.0)], upper=1.0)
    program = builder.build([1.0, 2.0, 10.0, 3.0])
    assert promising(program, groups_of(program), 1).tolist() == [False, True, True, True]


def test_what_nothing_holds_back_is_kept_beside_the_cheapest() -> None:
    """One place has room for a tenth and is cheap, the other is dear and rented without limit: both are kept."""
    builder = ProgramBuilder()
    one, two = builder.column("serve[a]", upper=1.0), builder.column("serve[b]", upper=1.0)
    held, rent = builder.column("keep[a]", upper=1.0), builder.column("rent[b]")
    builder.row("demand", "all", [(one, 1.0), (two, 1.0)], lower=1.0, upper=1.0)
    builder.row("capacity", "a", [(one, 10.0), (held, -1.0)], upper=0.0)
    builder.row("capacity", "b", [(two, 10.0), (rent, -1.0)], upper=0.0)
    program = builder.build([1.0, 2.0, 1.0, 3.0])
    assert promising(program, groups_of(program), 1).tolist() == [True, True, True, True]


def test_a_narrow_program_is_the_whole_with_zeros() -> None:
    """Its rows are those of the whole; its values widen to values of the whole."""
    program = shared((3.0, 2.0, 5.0))
    narrow = narrowed(program, np.array([True, False, True, True]))
    assert narrow.program.column_names == ["serve[0]", "serve[2]", "buy"]
    assert narrow.program.rows == program.rows
    values = narrow.widened(np.array([0.25, 0.75, 1.0]))
    assert values.tolist() == [0.25, 0.0, 0.75, 1.0]
    assert program.activity(values).tolist() == narrow.program.activity(np.array([0.25, 0.75, 1.0])).tolist()


def test_without_a_relaxation_there_may_still_be_a_plan() -> None:
    """A solver that runs out of time on the relaxation is asked for a plan; costs alone prove the bound."""
    program = shared((3.0, 2.0, 5.0))
    asking = generated(program, LIMITS)
    next(asking)
    nothing = replace(highs(program), status=SolutionStatus.UNKNOWN, values=np.zeros(0), duals=np.zeros(0))
    batch = asking.send(Answers(solutions=(nothing,), bound=-math.inf, seconds=LIMITS.seconds))
    assert batch.tasks[0].program.integers == 1
    with pytest.raises(StopIteration) as ended:
        asking.send(Answers(solutions=(highs(batch.tasks[0].program),), bound=-math.inf, seconds=LIMITS.seconds))
    found = ended.value.value
    assert found.objective == pytest.approx(2.0)
    assert found.bound == pytest.approx(2.0)
    assert found.values.tolist() == [0.0, 1.0, 0.0, 0.0]
