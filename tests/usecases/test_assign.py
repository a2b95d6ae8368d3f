"""Jobs that hand data on, and slices of requests over a mix of GPUs: the cheapest of all assignments is found."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from benchmarks import mix
from benchmarks.jobs.draw import Case, chain, graph, market
from benchmarks.jobs.ours import assignment
from hypothesis import given, settings
from hypothesis import strategies as st

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.engines.placement.assignment.problem import Assignment, bill
from tripoint.engines.placement.assignment.search import Effort
from tripoint.usecases.assign import assign

Draw = Callable[[int, int, int], Case]
FEW = settings(max_examples=15, deadline=None)
RATES = {"AWS": 0.09, "Azure": 0.0875, "Lambda": 0.0, "Nebius": 0.02}


def best_of_all(problem: Assignment) -> float:
    """The cheapest allowed assignment, by trying every one."""
    ranges = [range(a, b) for a, b in itertools.pairwise(problem.starts.tolist())]
    bills = (bill(problem, np.array(chosen, dtype=np.int32)) for chosen in itertools.product(*ranges))
    return min(found.usd for found in bills if found.excess == 0.0)


@FEW
@given(st.integers(0, 10_000), st.sampled_from((chain, graph)), st.integers(2, 3))
def test_jobs_that_hand_data_on_are_placed_as_well_as_can_be(seed: int, drawn: Draw, jobs: int) -> None:
    """Chains and graphs: no other choice of places costs less, and the bound says so."""
    case = drawn(jobs, 2, seed)
    problem = assignment(case, market(2, seed), RATES)
    found = assign(problem, Effort(gap=0.0), HighsSolver())
    assert found.usd == pytest.approx(best_of_all(problem))
    assert found.bound == pytest.approx(found.usd)
    assert found.usd == pytest.approx(bill(problem, found.chosen).usd)


@FEW
@given(st.lists(st.floats(0.5, 40.0), min_size=2, max_size=2), st.integers(1, 3), st.integers(0, 10_000))
def test_a_mix_of_gpus_is_as_cheap_as_can_be(loads: list[float], slices: int, seed: int) -> None:
    """Slices of requests over kinds of GPU: no other way to deal them out buys cheaper, alike or not."""
    random = np.random.default_rng(seed)
    rates = random.uniform(1.0, 20.0, (2, 2)) * np.where(random.random((2, 2)) < 0.2, 0.0, 1.0)
    rates[:, 0] = np.maximum(rates[:, 0], 1.0)
    problem = mix.assignment(rates, np.array(loads), (1.01, 3.67), slices)
    found = assign(problem, Effort(gap=0.0), HighsSolver())
    assert found.usd == pytest.approx(best_of_all(problem))
    assert found.bound == pytest.approx(found.usd)
