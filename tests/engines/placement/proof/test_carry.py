"""A bound proven before a change holds after it, or nothing is claimed: against the optimum of the changed program."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.factories.planning import catalog, highs

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.policy import Budget, ConcentrationCap, Policies
from tripoint.domain.purchase import OwnPrice
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.program import Program, ProgramBuilder, Solution
from tripoint.engines.placement.proof.carry import Carried, carried, with_proof
from tripoint.engines.placement.proof.kept import kept
from tripoint.testing.strategies import small_estates
from tripoint.usecases.plan import PlanOptions, plan

_TIGHT = 1e-6
prices = st.integers(1, 9).map(float)


@st.composite
def vendors(draw: st.DrawFn, places: int) -> Program:
    """Whole workloads at places of two vendors, nodes committed or rented, caps on what each vendor is paid."""
    builder = ProgramBuilder()
    count = draw(st.integers(1, 3))
    here = [
        [builder.column(f"present[w{w},{p},p0]", upper=1.0, integer=True) for p in range(places)] for w in range(count)
    ]
    commit = [builder.column(f"commit[{p},12m,p0]", upper=4.0, integer=True) for p in range(places)]
    rent = [builder.column(f"rent[{p},p0,b0]") for p in range(places)]
    unit = [(draw(prices), draw(prices)) for _ in range(places)]
    for columns in here:
        builder.row("demand", "once", [(column, 1.0) for column in columns], lower=1.0, upper=1.0)
    for p in range(places):
        use = [(columns[p], draw(st.sampled_from([0.5, 1.3, 2.7]))) for columns in here]
        builder.row("capacity", f"nodes of {p}", [*use, (commit[p], -1.0), (rent[p], -1.0)], upper=0.0)
    paid = [builder.column(f"spend[effective,{v},p0]") for v in ("a", "b")]
    for v, column in enumerate(paid):
        mine = [p for p in range(places) if p % 2 == v]
        terms = [term for p in mine for term in ((commit[p], unit[p][0]), (rent[p], unit[p][1]))]
        builder.row("spend", "paid", [*terms, (column, -1.0)], lower=0.0, upper=0.0)
    share = draw(st.sampled_from([0.4, 0.7, 1.0]))
    builder.row("concentration", "cap", [(paid[0], 1.0), *((column, -share) for column in paid)], upper=0.0)
    builder.row("budget", "budget", [(column, 1.0) for column in paid], upper=float(draw(st.integers(5, 60))))
    cost = np.zeros(builder.size)
    discount = draw(st.sampled_from([1.0, 0.9]))
    for p in range(places):
        cost[[commit[p], rent[p]]] = [discount * price for price in unit[p]]
    return builder.build(cost)


def dearer(program: Program, pool: int, by: float) -> Program:
    """What the pool's nodes cost, times `by`, in the objective and in what its vendor is paid."""
    names = [f"commit[{pool},12m,p0]", f"rent[{pool},p0,b0]"]
    columns = [list(program.column_names).index(name) for name in names]
    is_paid = np.repeat([family == "spend" for family in program.row_families], np.diff(program.starts))
    cost, value = program.cost.copy(), program.value.copy()
    cost[columns] *= by
    value[is_paid & np.isin(program.index, columns)] *= by
    return replace(program, cost=cost, value=value)


def assert_holds(proven: Carried, after: Program, best: Solution) -> None:
    """Neither the figure nor the row passes the optimum, and the row cuts off no plan."""
    margin = _TIGHT * (1.0 + abs(best.objective))
    assert proven.bound <= best.objective + margin
    assert float(proven.weights @ best.values) >= proven.least - margin
    relaxed = highs(relaxation(with_proof(after, proven)))
    assert relaxed.objective <= best.objective + margin
    assert relaxed.objective >= highs(relaxation(after)).objective - margin


@pytest.mark.no_cover
@settings(max_examples=150, deadline=None)
@given(st.integers(2, 4).flatmap(lambda places: vendors(places)), st.data())
def test_after_one_price_the_bound_holds_whatever_the_caps(before: Program, data: st.DataObject) -> None:
    """One pool gets dearer; caps and budget follow what is really paid. The optimum is never below the bound."""
    old = highs(before)
    assume(old.values.size > 0)
    pool = data.draw(st.integers(0, 1))
    after = dearer(before, pool, data.draw(st.sampled_from([1.1, 1.5, 3.0])))
    proven = carried(kept(before), old.bound, after)
    assert proven is not None
    best = highs(after)
    assert proven.bound == pytest.approx(old.bound, rel=1e-6)
    if best.values.size:
        assert_holds(proven, after, best)


@pytest.mark.no_cover
@settings(max_examples=60, deadline=None)
@given(vendors(3), st.data())
def test_after_tighter_limits_the_bound_holds(before: Program, data: st.DataObject) -> None:
    """Fewer nodes may be committed, less may be spent, and some costs change as they like."""
    old = highs(before)
    assume(old.values.size > 0)
    upper = before.upper - np.where(before.is_integer & (before.upper > 1), data.draw(st.integers(0, 3)), 0)
    share = data.draw(st.sampled_from([1.0, 0.8]))
    sides = np.where([family == "budget" for family in before.row_families], before.row_upper * share, before.row_upper)
    by = np.array([data.draw(st.sampled_from([0.5, 1.0, 2.0])) for _ in range(before.columns)])
    after = replace(before, upper=upper, row_upper=sides, cost=before.cost * by)
    proven = carried(kept(before), old.bound, after)
    assert proven is not None
    best = highs(after)
    if best.values.size:
        assert_holds(proven, after, best)


@settings(max_examples=60, deadline=None)
@given(vendors(3), st.data())
def test_where_costs_fall_the_bound_falls_no_further_than_the_deepest_cut(before: Program, data: st.DataObject) -> None:
    """Nodes rented without limit get cheaper: there is a bound all the same, and it holds."""
    old = highs(before)
    assume(old.values.size > 0)
    by = np.array([data.draw(st.sampled_from([0.8, 0.9, 1.0, 1.2])) for _ in range(before.columns)])
    by[before.cost > 0] *= 0.95
    after = replace(before, cost=before.cost * by)
    proven = carried(kept(before), old.bound, after)
    assert proven is not None
    assert proven.bound >= float(by[before.cost > 0].min()) * old.bound * (1 - _TIGHT) - _TIGHT
    assert_holds(proven, after, highs(after))


@given(vendors(2))
def test_where_plans_were_added_nothing_is_claimed(program: Program) -> None:
    """A wider bound, a looser row, a lower payment, another structure: no argument, no bound."""
    before = kept(program)
    looser = (
        replace(program, upper=program.upper + 1.0),
        replace(program, lower=program.lower - 1.0),
        replace(program, row_upper=program.row_upper + 1.0),
        replace(program, row_lower=program.row_lower - 1.0),
        dearer(program, 0, 0.5),
        replace(program, is_integer=~program.is_integer),
    )
    assert [carried(before, 1.0, other) for other in looser] == [None] * len(looser)
    assert carried(before, -math.inf, program) is None


def test_where_no_money_can_be_burnt_nothing_is_claimed() -> None:
    """The only column that its vendor is paid for may be bought three times at most, or stands under a limit."""
    for limit, upper in ((3.0, math.inf), (math.inf, 9.0)):
        builder = ProgramBuilder()
        rent, spend = builder.column("rent[a,p0,b0]", upper=limit), builder.column("spend[effective,a,p0]")
        builder.row("capacity", "nodes", [(rent, 1.0)], lower=1.0, upper=upper)
        builder.row("spend", "paid", [(rent, 2.0), (spend, -1.0)], lower=0.0, upper=0.0)
        program = builder.build([2.0, 0.0])
        more = replace(program, value=np.array([1.0, 3.0, -1.0]), cost=np.array([3.0, 0.0]))
        assert carried(kept(program), 2.0, more) is None


def planned(estate: Estate, previous: Plan | None = None) -> Plan:
    """The plan of an estate, from an earlier one where given."""
    loaded = LoadedEstate(estate=estate, profiles={}, digest="sha256:drawn")
    options = PlanOptions(gap=1e-6, nodes=5_000, threads=1, baselines=False, previous=previous)
    return plan(loaded, catalog(), HighsSolver(), options, today=date(2026, 11, 22))


@pytest.mark.timeout(300)
@settings(max_examples=8, deadline=None)
@given(small_estates())
def test_a_price_agreement_that_ends_keeps_the_bound(estate: Estate) -> None:
    """Ten percent off at the cloud, then list price, under a cap and a budget: the first bound still holds."""
    ruled = replace(
        estate,
        policies=Policies(
            concentration=(ConcentrationCap(max_share=1.0, provider="aws"),), budget=Budget(usd_per_period=1e9)
        ),
    )
    before = planned(replace(ruled, prices=(OwnPrice(provider="aws", discount=0.1),)))
    assume(before.solve is not None)
    after, afresh = planned(ruled, before), planned(ruled)
    assert before.solve is not None
    assert after.solve is not None
    assert afresh.solve is not None
    assert after.solve.bound_usd >= before.solve.bound_usd * (1 - 1e-6) - 1e-6
    assert after.solve.bound_usd <= afresh.solve.incumbent_usd * (1 + 1e-6) + 1e-6
