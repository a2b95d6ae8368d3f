"""Ceilings, bounds carried along them, and what is left undominated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.planning import highs

from tripoint.engines.placement.milp.program import Program, ProgramBuilder, Solution, SolutionStatus
from tripoint.engines.placement.tradeoff.front import aimed, carried, ceilings, under, undominated, with_ceiling
from tripoint.engines.placement.tradeoff.measures import Measure

DIRTY = Measure("carbon", "t CO2e", (1, 0), (1.0, 5.0))


def two_ways() -> Program:
    """Ten units, each done dirty for 1 (5 t) or clean for 4 (1 t)."""
    builder = ProgramBuilder()
    dirty, clean = builder.column("dirty", integer=True), builder.column("clean", integer=True)
    builder.row("demand", "ten", [(dirty, 1.0), (clean, 1.0)], lower=10.0)
    return builder.build([1.0, 4.0])


def solution(objective: float, bound: float) -> Solution:
    """Of no values: only what was proven matters."""
    return Solution(
        status=SolutionStatus.FEASIBLE, values=np.zeros(1), objective=objective, bound=bound, gap=0.0, seconds=0.0,
        nodes=0, was_interrupted=False, strategy="",
    )  # fmt: skip


def test_without_a_ceiling_nothing_changes() -> None:
    """The row is there and holds nothing."""
    program = with_ceiling(two_ways(), DIRTY)
    assert highs(program).objective == pytest.approx(10.0)
    assert program.row_families[-1] == "frontier"
    assert DIRTY.of(highs(program).values) == pytest.approx(50.0)
    assert highs(aimed(program, DIRTY)).objective == pytest.approx(10.0)


@pytest.mark.parametrize(("ceiling", "cost"), [(10.0, 40.0), (30.0, 25.0), (31.9, 25.0), (34.0, 22.0), (50.0, 10.0)])
def test_the_cheapest_under_a_ceiling_is_found(ceiling: float, cost: float) -> None:
    """Each unit done dirty saves 3 and adds 4 t: (ceiling - 10) / 4 of them, rounded down."""
    assert highs(under(with_ceiling(two_ways(), DIRTY), ceiling)).objective == pytest.approx(cost)


def test_ceilings_lie_between_the_least_and_the_cheapest() -> None:
    """Equally far apart, without the cheapest's own; every whole number where only those mean anything."""
    assert ceilings(10.0, 50.0, 4, is_whole=False) == (10.0, 20.0, 30.0, 40.0)
    assert ceilings(2.0, 5.0, 8, is_whole=True) == (2.0, 3.0, 4.0)
    assert ceilings(3.0, 3.0, 8, is_whole=True) == ()
    assert ceilings(3.0, 3.0 + 1e-9, 8, is_whole=False) == ()


def test_what_is_proven_for_a_looser_ceiling_holds_for_tighter_ones() -> None:
    """The second search proved little; the third proved more than it."""
    found = carried([solution(100.0, 90.0), solution(80.0, 10.0), solution(70.0, 69.0)])
    assert [each.bound for each in found] == [90.0, 69.0, 69.0]
    assert [each.gap for each in found] == pytest.approx([0.1, 11 / 80, 1 / 70])


def test_a_bound_is_never_above_its_plan() -> None:
    """Rounding of a looser bound does not make a plan look better than proven best."""
    assert carried([solution(50.0, 40.0), solution(50.0 + 1e-9, 50.0 + 1e-9)])[0].bound == 50.0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), max_size=12))
def test_what_is_left_dominates_all_that_is_not(points: list[tuple[int, int]]) -> None:
    """No kept point beats another kept one; every point left out is beaten or matched by a kept one."""
    kept = [points[number] for number in undominated(points)]
    for one in kept:
        assert not any(other != one and other[0] <= one[0] and other[1] <= one[1] for other in kept)
    for point in points:
        assert any(one[0] <= point[0] and one[1] <= point[1] for one in kept)
    assert len(set(kept)) == len(kept)


def test_a_front_of_the_tiny_program_falls() -> None:
    """Tighter costs more, and each start from the tighter plan is a plan of the looser program."""
    program = with_ceiling(two_ways(), DIRTY)
    costs = [highs(under(program, ceiling)) for ceiling in ceilings(10.0, 50.0, 5, is_whole=False)]
    assert [each.objective for each in costs] == pytest.approx([40.0, 34.0, 28.0, 22.0, 16.0])
    for tight, ceiling in zip(costs, ceilings(10.0, 50.0, 5, is_whole=False)[1:], strict=False):
        assert replace(under(program, ceiling)).worst_violation(tight.values) < 1e-6
