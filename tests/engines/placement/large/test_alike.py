"""Workloads that are alike, counted and told apart again: the same cost as the program that never counted them."""

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
from tripoint.domain.units import WorkloadId
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.large.alike import Counted, bounded, come_apart, counted, told_apart
from tripoint.engines.placement.milp.program import FloatArray, Program, ProgramBuilder, SolveLimits
from tripoint.engines.placement.settle import undiscounted_usd
from tripoint.testing.strategies import small_estates
from tripoint.usecases.drive import drive
from tripoint.usecases.solving import Clock, by_size

LIMITS = SolveLimits(gap=1e-6, seconds=120.0, nodes=5_000, threads=1)


def apart(program: Program, small: Counted, values: FloatArray) -> FloatArray:
    """A plan of the whole, or none."""
    return drive(come_apart(program, small, values, LIMITS), HighsSolver(), threads=1)


def several(estate: Estate, copies: int) -> Estate:
    """The estate with its first workload several times, under other names."""
    first, *others = estate.workloads
    alike = [replace(first, id=WorkloadId(f"{first.id}-{number}")) for number in range(copies)]
    return replace(estate, workloads=(*alike, *others))


def seats(sizes: tuple[float, ...], room: tuple[float, ...], costs: tuple[float, ...]) -> Program:
    """Whole workloads that take so much room each, at places with so much room, at a cost by place."""
    builder = ProgramBuilder()
    for number in range(len(sizes)):
        for place in range(len(room)):
            builder.column(f"present[w{number},{place},p0]", upper=1.0, integer=True)
    count = len(room)
    for number in range(len(sizes)):
        terms = [(number * count + place, 1.0) for place in range(count)]
        builder.row("indivisible", f"w{number}", terms, lower=1.0, upper=1.0)
    for place, limit in enumerate(room):
        builder.row("power", f"{place}", [(n * count + place, size) for n, size in enumerate(sizes)], upper=limit)
    return builder.build([size * cost for size in sizes for cost in costs])


def cheapest(program: Program) -> float:
    """By trying every combination of yes and no."""
    tried = (np.array(values, dtype=float) for values in itertools.product((0.0, 1.0), repeat=program.columns))
    return min((float(program.cost @ v) for v in tried if program.worst_violation(v) < 1e-9), default=float("inf"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([1.0, 2.0]), min_size=2, max_size=5),
    st.tuples(st.integers(0, 6), st.integers(0, 8)),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
)
def test_counts_come_apart_into_the_cheapest_plan(
    sizes: list[float], room: tuple[int, int], costs: tuple[int, int]
) -> None:
    """Against all combinations: as cheap, whole, and within every row; or impossible for both."""
    program = seats(tuple(sizes), tuple(map(float, room)), tuple(map(float, costs)))
    small = counted(program)
    assume(small is not None)
    assert small is not None
    assert small.program.columns == 2 * len(set(sizes))
    best, found = cheapest(program), highs(small.program)
    assert bool(found.values.size) == (best < float("inf"))
    if found.values.size:
        values = apart(program, small, found.values)
        assert float(program.cost @ values) == pytest.approx(best)
        assert program.worst_violation(values) < 1e-6


@pytest.mark.timeout(300)
@settings(max_examples=15, deadline=None)
@given(small_estates(), st.integers(2, 4))
def test_a_counted_estate_costs_the_same_to_the_cent(estate: Estate, copies: int) -> None:
    """The same workload several times: what is told apart costs what was counted; its bound holds for the whole."""
    form, _ = formulate(instance_of(several(estate, copies)))
    program = form.program()
    small = counted(program)
    assert small is not None
    assert small.program.columns < program.columns
    found, best = highs(small.program), highs(program)
    assume(best.values.size > 0)
    assert found.bound <= best.objective * (1 + 1e-6) + 1e-6
    values = apart(program, small, found.values)
    if values.size:
        assert program.worst_violation(values) < 1e-4
        assert float(program.cost @ values) <= found.objective + 0.005
        assert float(program.cost @ values) >= best.bound - 1e-6 * abs(best.bound) - 1e-6
        assert undiscounted_usd(form, values) > 0.0
    answer = by_size(HighsSolver(), LIMITS, Clock(lambda state: None, 0.0), lambda: False)(program)
    assert answer.bound <= best.objective * (1 + 1e-6) + 1e-6
    assert best.bound <= answer.objective * (1 + 1e-6) + 1e-6
    assert program.worst_violation(answer.values) < 1e-4


def test_workloads_that_differ_are_left_alone() -> None:
    """Another size, cost, bound, kind of column or of row: not alike, and nothing is counted."""
    program = seats((1.0, 1.0), (1.0, 1.0), (1.0, 2.0))
    assert counted(program) is not None
    last = np.arange(program.columns) == program.columns - 1
    others = (
        seats((1.0, 2.0), (1.0, 1.0), (1.0, 2.0)),
        replace(program, cost=program.cost + last),
        replace(program, upper=program.upper - last / 2),
        replace(program, is_integer=program.is_integer & ~last),
        replace(program, row_families=("demand", *program.row_families[1:])),
        replace(program, row_upper=program.row_upper + (np.arange(program.rows) == 0)),
    )
    assert [counted(other) for other in others] == [None] * len(others)


@given(st.lists(st.floats(0.0, 9.0), min_size=8, max_size=8))
def test_sums_are_shared_out_in_equal_parts(values: list[float]) -> None:
    """What is summed stays the sum, and two that are alike get the same."""
    program = seats((1.0, 1.0, 3.0, 1.0), (1.0, 1.0), (1.0, 2.0))
    small = counted(program)
    assert small is not None
    equal = small.shared_out(small.summed(np.array(values)))
    assert small.summed(equal) == pytest.approx(small.summed(np.array(values)))
    assert equal[[0, 1]] == pytest.approx(equal[[2, 3]])
    assert equal[[4, 5]] == pytest.approx(values[4:6])


def test_counts_that_do_not_come_apart_are_told_as_such() -> None:
    """Two of size three in two rooms of three halves each: as a sum they fit, one by one they do not."""
    program = seats((3.0, 3.0), (4.5, 1.5), (1.0, 2.0))
    small = counted(program)
    assert small is not None
    assert apart(program, small, np.array([1.5, 0.5])).size == 0
    limits = replace(LIMITS, threads=1)
    answer = by_size(HighsSolver(), limits, Clock(lambda state: None, 0.0), lambda: False)(program)
    assert not answer.values.size


def test_a_bound_of_the_counted_program_serves_the_whole() -> None:
    """The better of both, never above the plan."""
    program = seats((1.0, 1.0), (1.0, 1.0), (1.0, 2.0))
    small = counted(program)
    assert small is not None
    found = highs(small.program)
    answer = told_apart(program, found, apart(program, small, found.values))
    assert answer.objective == pytest.approx(3.0)
    assert answer.strategy.endswith("alike counted")
    assert bounded(answer, 99.0).bound == answer.objective
    assert bounded(answer, -99.0).bound == answer.bound
