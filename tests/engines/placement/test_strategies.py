"""Every strategy agrees with the whole program within its gap, on everything that ships; rules only ever cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from tests.factories.planning import catalog, highs, planned

import tripoint
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.estate import Estate
from tripoint.domain.policy import Budget, Policies
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.large.decomposed import decomposed
from tripoint.engines.placement.milp.asking import Asking
from tripoint.engines.placement.milp.program import Program, Solution, SolveLimits
from tripoint.engines.placement.milp.staged import generated, staged
from tripoint.testing.strategies import small_estates
from tripoint.usecases.drive import drive

ROOT = Path(__file__).parents[3]
SHIPPED = sorted(
    folder
    for place in (ROOT / "examples", ROOT / "src" / "tripoint" / "templates")
    for folder in place.iterdir()
    if (folder / "estate.yaml").is_file()
)
LIMITS = SolveLimits(gap=2e-2, seconds=600.0, nodes=1, threads=1)
Strategy = Callable[[Program, SolveLimits], Asking[Solution]]


def in_portions(program: Program, limits: SolveLimits) -> Asking[Solution]:
    """Three portions, whatever the size."""
    return decomposed(program, limits, size=program.columns // 3 + 1)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("strategy", [staged, generated, in_portions], ids=["staged", "generated", "portions"])
@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_strategy_agrees_with_the_whole_on_what_ships(folder: Path, strategy: Strategy) -> None:
    """Whole and strategy bound each other: neither's bound passes the other's plan, and the plan breaks no row."""
    loaded = tripoint.load_estate(folder)
    form, _ = formulate(prepare(loaded.estate, catalog(), loaded.profiles))
    program = form.program()
    whole = highs(program, gap=2e-2, nodes=1)
    found = drive(strategy(program, LIMITS), HighsSolver(), threads=1)
    assert found.values.size
    assert program.worst_violation(found.values) < 1e-4
    assert found.bound <= whole.objective * (1 + 1e-6)
    assert whole.bound <= found.objective * (1 + 1e-6)
    assert found.bound <= found.objective


@settings(max_examples=10, deadline=None)
@given(small_estates())
def test_one_policy_less_never_costs_more(estate: Estate) -> None:
    """A budget a little above what the plan costs in its dearest period, taken away: the plan gets no dearer."""
    free = planned(estate)
    assume(free.summary is not None)
    assert free.summary is not None
    by_period: dict[int, float] = {}
    for row in free.charges:
        by_period[row.period] = by_period.get(row.period, 0.0) + row.effective_usd
    budget = Budget(usd_per_period=max(by_period.values()) * 1.01)
    ruled = planned(replace(estate, policies=Policies(budget=budget)))
    assume(ruled.summary is not None)
    assert ruled.summary is not None
    assert free.summary.bound_usd <= ruled.summary.incumbent_usd * (1 + 1e-6)


@settings(max_examples=10, deadline=None)
@given(small_estates())
def test_money_in_cents_changes_no_decision_worth_a_cent(estate: Estate) -> None:
    """A hundred times every cost: a hundred times the optimum."""
    outcome = planned(estate)
    assume(outcome.summary is not None)
    cents = highs(replace(outcome.program, cost=outcome.program.cost * 100.0))
    assert cents.objective == pytest.approx(outcome.solution.objective * 100.0, rel=1e-4, abs=1.0)
