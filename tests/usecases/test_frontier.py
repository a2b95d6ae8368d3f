"""Cost against something else, on the estate whose answer can be checked with a pencil."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.factories.planning import catalog

from tripoint.adapters.estate_yaml import load_estate_file
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.errors import OptionError
from tripoint.domain.estate import Estate
from tripoint.domain.front import By, Front
from tripoint.domain.plan import Plan
from tripoint.domain.policy import Budget
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.milp.program import (
    FloatArray,
    Program,
    Solution,
    SolutionStatus,
    SolveLimits,
    SolveProgress,
)
from tripoint.usecases.frontier import FrontierOptions, frontier
from tripoint.usecases.fronts.ceilings import ceiling_label
from tripoint.usecases.load import load_estate
from tripoint.usecases.plan import PlanOptions, plan

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 22)


@cache
def loaded() -> LoadedEstate:
    """The shipped example."""
    return load_estate(ROOT / "examples" / "break-even", catalog(), load_estate_file)


@cache
def front(by: By) -> Front:
    """Of the shipped example, without a clock."""
    options = FrontierOptions(by=by, gap=1e-6, threads=1, nodes=5000)
    return frontier(loaded(), catalog(), HighsSolver(), options, today=TODAY)


@cache
def cheapest() -> Plan:
    """As `tripoint plan` finds it."""
    options = PlanOptions(gap=1e-6, threads=1, baselines=False)
    return plan(loaded(), catalog(), HighsSolver(), options, today=TODAY)


class Hurried:
    """Finds the cheapest plan and nothing better in any other aim before its time is up."""

    def __init__(self) -> None:
        """Nothing is solved yet."""
        self.first: tuple[Program, Solution] | None = None

    def solve(
        self,
        program: Program,
        limits: SolveLimits,
        progress: Callable[[SolveProgress], None],
        should_stop: Callable[[], bool],
        start: FloatArray | None = None,
    ) -> Solution:
        """The first program's solution, or that again without a proof where another thing is sought."""
        if self.first is not None and not np.array_equal(self.first[0].cost, program.cost):
            return replace(self.first[1], status=SolutionStatus.FEASIBLE, bound=0.0)
        found = HighsSolver().solve(program, limits, progress, should_stop, start)
        self.first = self.first or (program, found)
        return found


def of(estate: Estate, by: By) -> Front:
    """Of a changed estate."""
    options = FrontierOptions(by=by, gap=1e-6, threads=1, nodes=5000)
    return frontier(replace(loaded(), estate=estate), catalog(), HighsSolver(), options, today=TODAY)


def test_less_carbon_costs_more_and_each_point_is_proven() -> None:
    """Values rise as costs fall; each keeps its ceiling; bounds lie below; the last is the plan of `tripoint plan`."""
    found = front(By.CARBON)
    assert len(found.points) >= 3
    values, costs = [point.value for point in found.points], [point.npv_usd for point in found.points]
    assert values == sorted(values)
    assert costs == sorted(costs, reverse=True)
    assert cheapest().solve is not None
    assert found.points[-1].npv_usd == pytest.approx(cheapest().solve.incumbent_usd)  # type: ignore[union-attr]  # above
    for point in found.points:
        assert point.bound_usd <= point.npv_usd
        assert point.gap <= 1e-5
        assert point.plan.solve is not None
        assert point.value == pytest.approx(sum(row.carbon_kg for row in point.plan.charges) / 1000.0, abs=1e-6)
        assert point.usd == pytest.approx(sum(row.effective_usd for row in point.plan.charges))
    assert found.least is not None
    assert found.least <= values[0] + 1e-9
    assert "whose emissions nobody publishes" in found.notes[-1]


def test_a_step_is_what_a_tonne_costs() -> None:
    """The difference of two costs over that of their emissions."""
    found = front(By.CARBON)
    one, other = found.points[:2]
    assert found.step_usd[0] == pytest.approx((one.npv_usd - other.npv_usd) / (other.value - one.value))
    assert found.step_usd[-1] is None
    assert found.unit_of_step == "a tonne saved"


def test_classes_of_resilience_cost_ever_more() -> None:
    """Nothing is declared there, so the lowest class is the estate as it is; cold costs only its token price."""
    found = front(By.RESILIENCE)
    assert [point.label.partition(":")[0] for point in found.points] == ["none", "cold", "warm", "hot"]
    costs = [point.npv_usd for point in found.points]
    assert costs == sorted(costs)
    assert costs[0] == pytest.approx(front(By.CARBON).points[-1].npv_usd)
    assert costs[1] - costs[0] <= 24.0
    assert all(row.mode == "hot" for row in found.points[-1].plan.standby)
    assert found.step_usd == (None,) * 4


def test_one_plan_that_is_best_in_both_is_the_whole_front() -> None:
    """All sites are equally far; one vendor beside oneself is the fewest and the cheapest."""
    for by in (By.LATENCY, By.VENDORS):
        assert len(front(by).points) == 1
        assert front(by).points[0].label == "the cheapest"


def test_a_front_of_one_plan_says_why_it_is_one() -> None:
    """The cheapest is proven the best in both; or the time is up before less of the measure is found."""
    assert front(By.VENDORS).notes == (
        "the cheapest plan has the fewest vendors as well: there is nothing to set against cost",
    )
    options = FrontierOptions(by=By.CARBON, gap=1e-6, threads=1, nodes=5000, seconds=30.0)
    found = frontier(loaded(), catalog(), Hurried(), options, today=TODAY)
    assert [point.label for point in found.points] == ["the cheapest"]
    assert found.notes[0] == (
        "no plan with lower emissions than the cheapest was found within 30 s: no ceiling was tried; "
        "raise `--time-limit`"
    )


def test_one_of_what_is_counted_is_told_in_the_singular() -> None:
    """A unit that is measured stays as it is."""
    labels = [ceiling_label(count, "vendors", is_whole=True) for count in (1, 2)]
    assert labels == ["at most 1 vendor", "at most 2 vendors"]
    assert ceiling_label(1, "ms", is_whole=False) == "at most 1 ms"


def test_what_cannot_be_measured_is_refused() -> None:
    """Nobody calls: there is no round trip."""
    estate = loaded().estate
    silent = replace(estate, workloads=tuple(replace(each, callers=()) for each in estate.workloads))
    with pytest.raises(OptionError, match="no interactive workload names its callers"):
        of(silent, By.LATENCY)


def test_without_a_plan_the_conflict_is_the_answer() -> None:
    """For a measure and for classes alike."""
    estate = loaded().estate
    poor = replace(estate, policies=replace(estate.policies, budget=Budget(usd_per_period=10.0)))
    for by in (By.CARBON, By.RESILIENCE):
        found = of(poor, by)
        assert found.points == ()
        assert found.conflict is not None
        assert "budget" in found.conflict.families


def test_a_workload_without_any_offer_is_told_at_once() -> None:
    """No site sells anything."""
    estate = loaded().estate
    bare = replace(estate, sites=tuple(replace(site, pools=(), apis=()) for site in estate.sites))
    found = of(bare, By.VENDORS)
    assert found.conflict is not None
    assert found.conflict.families[0] == "demand"


def test_a_class_without_a_plan_is_told_with_both_numbers() -> None:
    """A budget that pays for no second place: the classes above have no plan, and each note says by how much.

    Of a conflict's rules either may be told: what the budget allows and what is needed, or what is left and asked for.
    """
    estate = loaded().estate
    spent: dict[int, float] = {}
    for row in cheapest().charges:
        spent[row.period] = spent.get(row.period, 0.0) + row.effective_usd
    budget = Budget(usd_per_period=max(spent.values()) * 1.001)
    found = of(replace(estate, policies=replace(estate.policies, budget=budget)), By.RESILIENCE)
    assert found.points
    told = [note for note in found.notes if "no plan exists" in note]
    assert told
    assert all(
        "budget" in note and re.search(r"needs [\d.,]+ USD, allowed is|gets 0 .* needs 1", note) for note in told
    )
    assert any("allowed is" in note for note in told)
