"""HiGHS keeps the promises of the solver port: what it found, what it proved, and how it was stopped."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.errors import SolverError
from tripoint.engines.placement.milp.program import (
    Program,
    ProgramBuilder,
    Solution,
    SolutionStatus,
    SolveLimits,
    SolveProgress,
)
from tripoint.testing.exhaustive import ExhaustiveSolver

NEVER: Callable[[], bool] = lambda: False  # noqa: E731 - a name reads better than a nested function
EXACT = SolveLimits(gap=1e-9, seconds=60.0, threads=1)


def solve(
    program: Program,
    limits: SolveLimits = EXACT,
    progress: Callable[[SolveProgress], None] = lambda state: None,
    should_stop: Callable[[], bool] = NEVER,
) -> Solution:
    """HiGHS on a program, unwatched unless told otherwise."""
    return HighsSolver().solve(program, limits, progress, should_stop)


def hard(items: int = 60, sacks: int = 30) -> Program:
    """A knapsack in many dimensions: an answer is near, the proof is far."""
    draw = np.random.default_rng(0)
    builder = ProgramBuilder()
    columns = [builder.column(f"x{n}", upper=1.0, integer=True) for n in range(items)]
    for sack in range(sacks):
        weights = draw.integers(1, 100, items)
        terms = [(column, float(weight)) for column, weight in zip(columns, weights, strict=True)]
        builder.row("sack", f"s{sack}", terms, upper=float(weights.sum() // 3))
    return builder.build(-draw.integers(50, 100, items).astype(float))


def puzzle(items: int = 50) -> Program:
    """Five sums to hit exactly: no answer is near."""
    draw = np.random.default_rng(1)
    builder = ProgramBuilder()
    columns = [builder.column(f"x{n}", upper=1.0, integer=True) for n in range(items)]
    for number in range(5):
        weights = draw.integers(1, 100, items)
        half = float(weights.sum() // 2)
        terms = [(column, float(weight)) for column, weight in zip(columns, weights, strict=True)]
        builder.row("sum", f"s{number}", terms, lower=half, upper=half)
    return builder.build(draw.integers(1, 100, items).astype(float))


def between(lower: float, upper: float, *, integer: bool) -> Program:
    """One column, `lower <= 2 x <= upper`, at one unit of cost."""
    builder = ProgramBuilder()
    column = builder.column("x", upper=10.0, integer=integer)
    builder.row("range", "r", [(column, 2.0)], lower=lower, upper=upper)
    return builder.build(np.ones(1))


@pytest.mark.parametrize("integer", [False, True])
def test_infeasible_is_an_answer(integer: bool) -> None:
    """Proven without an incumbent: no values, no bound, no gap, and nobody interrupted it."""
    found = solve(between(21.0, 30.0, integer=integer))
    assert found.status is SolutionStatus.INFEASIBLE
    assert found.values.size == 0
    assert (found.objective, found.gap) == (math.inf, math.inf)
    assert not found.was_interrupted


def test_no_integer_between_three_and_three_and_a_half_is_infeasible_too() -> None:
    """The relaxation has a solution at 1.5; the program has none."""
    assert solve(between(3.0, 3.5, integer=False)).objective == pytest.approx(1.5)
    assert solve(between(3.0, 3.5, integer=True)).status is SolutionStatus.INFEASIBLE


def test_an_optimum_is_its_own_bound() -> None:
    """3 <= 2 x asks for x = 2, and integers come back whole."""
    found = solve(between(3.0, 20.0, integer=True))
    assert found.status is SolutionStatus.OPTIMAL
    assert found.values.tolist() == [2.0]
    assert (found.objective, found.bound, found.gap) == (2.0, 2.0, 0.0)
    assert found.strategy


def test_told_to_stop_it_keeps_the_best_so_far_with_its_bound() -> None:
    """Stopped as soon as there is an incumbent: a feasible plan, a proven bound below it, and it says so."""
    seen: list[float] = []
    found = solve(
        hard(),
        progress=lambda state: seen.append(state.incumbent or 0.0),
        should_stop=lambda: any(value < 0 for value in seen),
    )
    assert found.status is SolutionStatus.FEASIBLE
    assert found.was_interrupted
    assert hard().worst_violation(found.values) < 1e-6
    assert -math.inf < found.bound <= found.objective < 0
    assert found.gap == pytest.approx((found.objective - found.bound) / -found.objective)


def test_told_to_stop_at_once_it_has_nothing_and_claims_nothing() -> None:
    """Unknown: no incumbent, an infinite gap, interrupted."""
    found = solve(hard(), should_stop=lambda: True)
    assert found.status is SolutionStatus.UNKNOWN
    assert found.values.size == 0
    assert (found.objective, found.gap) == (math.inf, math.inf)
    assert found.was_interrupted


def test_a_node_limit_stops_the_same_way_every_time() -> None:
    """Three nodes are three nodes, whatever the clock does: same incumbent, same bound."""
    limits = SolveLimits(gap=1e-9, seconds=60.0, nodes=3, threads=1)
    one, two = solve(hard(), limits), solve(hard(), limits)
    assert one.status is SolutionStatus.FEASIBLE
    assert one.nodes <= 3
    assert one.was_interrupted
    assert one.bound < one.objective
    assert (one.objective, one.bound) == (two.objective, two.bound)
    assert one.values.tolist() == two.values.tolist()


def test_a_limit_before_the_first_incumbent_is_unknown_not_infeasible() -> None:
    """Nothing is proven about the puzzle yet."""
    found = solve(puzzle(), SolveLimits(seconds=60.0, nodes=0, threads=1))
    assert found.status is SolutionStatus.UNKNOWN
    assert found.values.size == 0
    assert found.was_interrupted


def test_a_wide_gap_ends_early_and_is_proven() -> None:
    """Ten percent is reached before the optimum, and the bound really is that near."""
    found = solve(hard(), SolveLimits(gap=0.1, seconds=60.0, threads=1))
    assert found.status is SolutionStatus.OPTIMAL
    assert not found.was_interrupted
    assert 0.0 < found.gap <= 0.1
    assert found.objective - found.bound == pytest.approx(found.gap * abs(found.objective))


def test_progress_shows_a_bound_that_never_passes_the_incumbent() -> None:
    """Time moves on, incumbents fall, bounds rise, and they do not cross."""
    states: list[SolveProgress] = []
    solve(hard(), SolveLimits(gap=1e-9, seconds=60.0, nodes=30, threads=1), states.append)
    both = [(s.incumbent, s.bound) for s in states if s.incumbent is not None and s.bound is not None]
    assert len(both) >= 3
    assert all(bound <= incumbent + 1e-6 for incumbent, bound in both)
    assert all(s.gap is not None and s.gap >= 0 for s in states if s.incumbent is not None and s.bound is not None)
    for before, after in itertools.pairwise(both):
        assert after[0] <= before[0] + 1e-6
        assert after[1] >= before[1] - 1e-6
    assert [s.seconds for s in states] == sorted(s.seconds for s in states)


def test_two_solves_in_one_process_may_use_different_threads() -> None:
    """A notebook that changes `threads` between runs gets the same answer, not silence."""
    first = solve(hard(), SolveLimits(gap=0.1, seconds=60.0, threads=1))
    second = solve(hard(), SolveLimits(gap=0.1, seconds=60.0, threads=2))
    assert first.status is SolutionStatus.OPTIMAL
    assert second.status is SolutionStatus.OPTIMAL


def test_the_objective_is_what_the_values_cost() -> None:
    """Integers come back within 1e-6 and are made whole; the objective reported is that of the values reported.

    x - y in [0, 1] and x + 2 y in [2, 3]: x = 1, y = 0.5 costs 2.5, give or take the tolerance of a row.
    """
    builder = ProgramBuilder()
    whole, rest = builder.column("x", upper=2.0, integer=True), builder.column("y", upper=5.0)
    builder.row("difference", "d", [(whole, 1.0), (rest, -1.0)], lower=0.0, upper=1.0)
    builder.row("sum", "s", [(whole, 1.0), (rest, 2.0)], lower=2.0, upper=3.0)
    program = builder.build(np.array([1.0, 3.0]))
    found = solve(program)
    assert found.objective == pytest.approx(2.5, abs=1e-5)
    assert found.objective == pytest.approx(float(program.cost @ found.values), abs=1e-12)
    assert found.bound <= found.objective


def test_the_simplex_begins_where_it_is_told_and_tells_where_it_ends() -> None:
    """One unit here or there for nothing: whatever it begins from is best already, and stays. A basis of another size
    or with a status that does not exist is none, and nothing is told to who does not ask."""
    builder = ProgramBuilder()
    terms = [(builder.column(name, upper=1.0), 1.0) for name in ("here", "there")]
    builder.row("unit", "u", terms, lower=1.0, upper=1.0)
    program = builder.build(np.zeros(2))
    for basis, values in ((bytes([1, 0, 0]), [1.0, 0.0]), (bytes([0, 1, 0]), [0.0, 1.0])):
        found = solve(program, replace(EXACT, basis=basis))
        assert found.values.tolist() == values
        assert found.basis == basis
    for useless in (b"", bytes(2), bytes([1, 0, 9])):
        found = solve(program, replace(EXACT, basis=useless))
        assert found.status is SolutionStatus.OPTIMAL
        assert len(found.basis) == 3
    assert solve(program).basis == b""
    assert solve(between(3.0, 3.5, integer=False), replace(EXACT, basis=b"")).basis != b""
    assert solve(between(3.0, 4.5, integer=True), replace(EXACT, basis=b"")).basis == b""


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A few small integers and a continuous column under a few rows with one or two sides."""
    builder = ProgramBuilder()
    integers = draw(st.integers(1, 4))
    columns = [builder.column(f"x{n}", upper=float(draw(st.integers(0, 3))), integer=True) for n in range(integers)]
    columns.append(builder.column("y", upper=5.0))
    for number in range(draw(st.integers(1, 3))):
        weights = [float(draw(st.integers(-4, 6))) for _ in columns]
        low = float(draw(st.integers(-5, 12)))
        high = low + float(draw(st.integers(0, 20)))
        builder.row("range", f"r{number}", list(zip(columns, weights, strict=True)), lower=low, upper=high)
    return builder.build(np.array([float(draw(st.integers(-3, 9))) for _ in columns]))


@settings(max_examples=80)
@given(programs())
def test_trying_everything_finds_the_same_optimum(program: Program) -> None:
    """Branch and bound against enumeration, feasible or not; the point it returns is feasible."""
    oracle = ExhaustiveSolver(linear=lambda fixed: solve(fixed)).solve(program, EXACT, lambda state: None, NEVER)
    found = solve(program)
    assert found.status is oracle.status
    if oracle.values.size:
        assert found.objective == pytest.approx(oracle.objective, abs=1e-4)
        assert program.worst_violation(found.values) < 1e-5


def test_figures_beyond_all_reckoning_are_told_with_their_row() -> None:
    """A matrix value HiGHS refuses: the row that holds it and how large it is, not "a bug"."""
    builder = ProgramBuilder()
    column = builder.column("x", upper=1.0)
    builder.row("power", "power of `hall`", [(column, 1.0)], upper=1.0)
    builder.row("capacity", "nodes of `hall/servers`", [(column, 3e16)], upper=1.0)
    with pytest.raises(SolverError) as raised:
        solve(builder.build([1.0]))
    assert "capacity: nodes of `hall/servers`, reaches 3e+16" in str(raised.value)
    assert raised.value.hint == "check the units of demands, sizes and prices there"
