"""Sites that are alike, summed and decided apart again: the same cost as the program that never summed them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.factories.planning import highs, instance_of

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.estate import Estate
from tripoint.domain.units import SiteId
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.large.places import Summed, decided_apart, summed
from tripoint.engines.placement.milp.program import FloatArray, Program, ProgramBuilder, SolutionStatus, SolveLimits
from tripoint.testing.strategies import small_estates
from tripoint.usecases.drive import drive
from tripoint.usecases.solving import Clock, by_size

LIMITS = SolveLimits(gap=1e-6, seconds=120.0, nodes=5_000, threads=1)


def apart(program: Program, small: Summed, values: FloatArray) -> FloatArray:
    """A plan of the whole, or none."""
    return drive(decided_apart(program, small, values, LIMITS), HighsSolver(), threads=1)


def halls(rooms: tuple[int, ...], sizes: tuple[int, ...], costs: tuple[int, ...]) -> Program:
    """Whole workloads in halls with so much room each, at a cost by hall; nodes are counted by hall as well."""
    builder = ProgramBuilder()
    present = {
        (work, hall): builder.column(f"present[w{work},h{hall}/node,p0]", upper=1.0, integer=True)
        for work in range(len(sizes))
        for hall in range(len(rooms))
    }
    nodes = [
        builder.column(f"buy[h{hall}/node,p0]", upper=float(room), integer=True) for hall, room in enumerate(rooms)
    ]
    for work in range(len(sizes)):
        terms = [(present[work, hall], 1.0) for hall in range(len(rooms))]
        builder.row("indivisible", f"w{work}", terms, lower=1.0, upper=1.0)
    for hall in range(len(rooms)):
        used = [(present[work, hall], float(size)) for work, size in enumerate(sizes)]
        builder.row("capacity", f"h{hall}", [*used, (nodes[hall], -1.0)], upper=0.0)
    return builder.build([0.0] * len(present) + [float(cost) for cost in costs])


def cheapest(program: Program) -> float:
    """By trying every combination."""
    ends = [np.arange(up + 1) for up in program.upper]
    tried = (np.array(values, dtype=float) for values in itertools.product(*ends))
    return min((float(program.cost @ v) for v in tried if program.worst_violation(v) < 1e-9), default=float("inf"))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.lists(st.integers(1, 3), min_size=1, max_size=2), st.integers(1, 5), st.integers(0, 3))
def test_sums_come_apart_into_the_cheapest_plan(room: int, sizes: list[int], cost: int, other: int) -> None:
    """Two halls alike and one that is not, against all combinations: as cheap, or impossible for both."""
    program = halls((room, room, other), tuple(sizes), (cost, cost, cost + 1))
    best = cheapest(program)
    small = summed(program)
    assert small is not None
    assert small.sites == (("h0", "h1"),) or other == room
    found = highs(small.program)
    bound = found.bound if found.values.size else float("inf")
    assert bound <= best + 1e-6
    answer = by_size(HighsSolver(), LIMITS, Clock(lambda state: None, 0.0), lambda: False)(program)
    if best < float("inf"):
        assert answer.objective == pytest.approx(best)
        assert program.worst_violation(answer.values) < 1e-6
        assert answer.bound <= best + 1e-6
    else:
        assert not answer.values.size


def test_halls_that_differ_are_left_alone() -> None:
    """Another cost, bound, entry or row: not alike, and nothing is summed."""
    program = halls((2, 2), (1, 2), (3, 3))
    assert summed(program) is not None
    last = np.arange(program.columns) == program.columns - 1
    others = (
        replace(program, cost=program.cost + last),
        replace(program, upper=program.upper - last),
        replace(program, is_integer=program.is_integer & ~last),
        replace(program, value=program.value + (np.arange(len(program.value)) == len(program.value) - 1)),
        replace(program, row_upper=program.row_upper + (np.arange(program.rows) == program.rows - 1)),
        replace(program, row_families=(*program.row_families[:-1], "power")),
        halls((2, 1), (1, 2), (3, 3)),
    )
    assert [summed(other) for other in others] == [None] * len(others)


def test_three_halls_are_one_sum() -> None:
    """Exchanges of the first with each other one join them all; an equal part of the sum each."""
    small = summed(halls((2, 2, 2), (1, 1), (3, 3, 3)))
    assert small is not None
    assert small.sites == (("h0", "h1", "h2"),)
    assert small.copies.tolist() == [3.0, 3.0, 3.0]
    assert small.program.upper.tolist() == [3.0, 3.0, 6.0]
    assert small.program.rows == 3
    assert small.summed(small.shared_out(np.array([3.0, 1.5, 6.0]))).tolist() == [3.0, 1.5, 6.0]


def twice(estate: Estate) -> Estate:
    """The estate with its last site declared once more under another name."""
    *others, last = estate.sites
    return replace(estate, sites=(*others, last, replace(last, id=SiteId(f"{last.id}-too"))))


@pytest.mark.timeout(300)
@settings(max_examples=15, deadline=None)
@given(small_estates())
def test_an_estate_with_a_site_twice_costs_what_the_whole_program_costs(estate: Estate) -> None:
    """The sums bound the whole; what is decided apart is a plan of it, within the gap of the best."""
    assume(not any(share.site == estate.sites[-1].id for work in estate.workloads for share in work.today))
    program = formulate(instance_of(twice(estate)))[0].program()
    best = highs(program)
    assume(best.values.size > 0)
    small = summed(program)
    assume(small is not None)
    assert small is not None
    assert small.program.columns < program.columns
    assert highs(small.program).bound <= best.objective * (1 + 1e-6) + 1e-6
    answer = by_size(HighsSolver(), LIMITS, Clock(lambda state: None, 0.0), lambda: False)(program)
    assert answer.status is not SolutionStatus.INFEASIBLE
    assert program.worst_violation(answer.values) < 1e-4
    assert answer.bound <= best.objective * (1 + 1e-6) + 1e-6
    assert best.bound <= answer.objective * (1 + 1e-6) + 1e-6
    assert answer.objective == pytest.approx(best.objective, rel=1e-4, abs=1.0)
