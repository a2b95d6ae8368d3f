"""What must hold for the plan of any estate, drawn at random."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.factories.placement import chat, horizon, place, region, solved
from tests.factories.planning import highs, instance_of, planned

from tripoint.domain.estate import Estate
from tripoint.domain.purchase import NodePool, PurchaseOption
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.units import NodeTypeId, SiteId
from tripoint.domain.workload import Slo
from tripoint.engines.placement.columns.coefficients import is_energy
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.milp.program import SolutionStatus
from tripoint.engines.placement.outcome import Outcome, solve_instance
from tripoint.testing.strategies import small_estates

pytestmark = pytest.mark.timeout(300)
FEW = settings(max_examples=25)


def feasible(estate: Estate) -> Outcome:
    """The outcome of an estate that has a plan; others are drawn again."""
    outcome = planned(estate)
    assume(outcome.summary is not None)
    return outcome


@FEW
@given(small_estates())
def test_reported_cost_is_the_optimised_cost_to_the_cent(estate: Estate) -> None:
    """The charge rows add up to the objective before discounting, and the discounted sum to the incumbent."""
    outcome = feasible(estate)
    assert outcome.summary is not None
    total = sum(row.effective_usd for row in outcome.charges)
    assert total == pytest.approx(outcome.summary.undiscounted_usd, abs=0.005)
    discounted = sum(row.effective_usd * outcome.instance.discount[row.period] for row in outcome.charges)
    incumbent = outcome.summary.incumbent_usd - outcome.summary.penalties_usd
    assert discounted == pytest.approx(incumbent, abs=0.01, rel=1e-9)


@FEW
@given(small_estates())
def test_all_demand_is_placed_in_every_period_and_block(estate: Estate) -> None:
    """Shares of a workload add up to one: per block when callers wait, per period when work can."""
    outcome = feasible(estate)
    assert outcome.decisions is not None
    for workload in estate.workloads:
        mine = [row for row in outcome.decisions.placements if row.workload == workload.id]
        for period in outcome.instance.periods:
            here = [row for row in mine if row.period == period]
            if is_energy(workload):
                assert sum(row.share for row in here) == pytest.approx(1.0, abs=1e-5)
                continue
            for block in outcome.instance.blocks:
                assert sum(r.share for r in here if r.block == block) == pytest.approx(1.0, abs=1e-5)


@FEW
@given(small_estates())
def test_nodes_used_never_exceed_nodes_had(estate: Estate) -> None:
    """Owned, committed, rented and spot nodes cover what workloads occupy in every block."""
    outcome = feasible(estate)
    assert outcome.decisions is not None
    for state in outcome.decisions.pools:
        assert state.used <= state.owned + state.committed + state.on_demand + state.spot + 1e-4


@FEW
@given(small_estates())
def test_power_is_never_exceeded(estate: Estate) -> None:
    """Nameplate draw of the nodes in service stays within the declared envelope."""
    outcome = feasible(estate)
    assert outcome.decisions is not None
    for number, model in enumerate(outcome.instance.sites):
        kw: dict[str, float] = {p.spec.id: p.node_kw for p in outcome.instance.pools if p.site == number}
        for period in outcome.instance.periods if not model.site.kind.is_rented else ():
            states = [s for s in outcome.decisions.pools if s.pool in kw and s.period == period and not s.block]
            load = sum(state.owned * kw[state.pool] for state in states) / model.site.count
            assert load <= model.usable_kw + 1e-6


@FEW
@given(small_estates())
def test_the_bound_is_never_above_the_plan(estate: Estate) -> None:
    """The certificate is one: bound <= incumbent, and the gap is what lies between."""
    outcome = feasible(estate)
    assert outcome.summary is not None
    summary = outcome.summary
    assert summary.bound_usd <= summary.incumbent_usd + 1e-6
    assert outcome.program.worst_violation(outcome.solution.values) < 1e-5


@FEW
@given(small_estates())
def test_one_more_offer_never_costs_more(estate: Estate) -> None:
    """A further site may be ignored, so the best plan with it is no dearer."""
    before = feasible(estate)
    assert before.summary is not None
    more = Site(
        id=SiteId("extra"),
        kind=SiteKind.GPU_CLOUD,
        provider="coreweave",
        country="US",
        pools=(NodePool(node_type=NodeTypeId("hgx-h100"), options=(PurchaseOption.ON_DEMAND,)),),
    )
    after = planned(replace(estate, sites=(*estate.sites, more)))
    assert after.summary is not None
    assert after.summary.bound_usd <= before.summary.incumbent_usd * (1 + 1e-6)


@settings(max_examples=100)
@given(st.floats(0.2, 3.0), st.floats(1.0, 2.0), st.floats(220.0, 1000.0))
def test_more_demand_never_costs_less(rate: float, factor: float, ttft_ms: float) -> None:
    """Whatever carries more carries less as well; a line over the steps that is redrawn for each demand forgets it."""
    costs = []
    for each in (rate, rate * factor):
        load = chat(rate=each, slo=Slo(ttft_ms=ttft_ms))
        outcome = solved(place(region(), workloads=(load,), horizon=horizon(1)))
        assert outcome.summary is not None
        costs.append((outcome.summary.bound_usd, outcome.summary.incumbent_usd))
    assert costs[0][0] <= costs[1][1] * (1 + 1e-6)


@FEW
@given(small_estates())
def test_names_and_order_change_nothing(estate: Estate) -> None:
    """Workloads listed in reverse cost the same."""
    before = feasible(estate)
    after = planned(replace(estate, workloads=estate.workloads[::-1]))
    assert before.summary is not None
    assert after.summary is not None
    assert after.summary.incumbent_usd == pytest.approx(before.summary.incumbent_usd, rel=1e-4)


@FEW
@given(small_estates())
def test_the_same_program_is_solved_the_same_way_twice(estate: Estate) -> None:
    """Same estate, same seed: same columns, same values."""
    instance = instance_of(estate)
    first, _ = formulate(instance)
    second, _ = formulate(instance)
    one, two = highs(first.program()), highs(second.program())
    assert first.program().column_names == second.program().column_names
    assert one.status is two.status
    assert one.values.tolist() == two.values.tolist()


@FEW
@given(small_estates())
def test_a_tight_gap_is_proven_not_claimed(estate: Estate) -> None:
    """An optimal answer has its bound within the gap asked for."""
    outcome = solve_instance(instance_of(estate), lambda program: highs(program, gap=1e-3))
    assume(outcome.solution.status is SolutionStatus.OPTIMAL)
    assert outcome.solution.gap <= 1e-3 + 1e-9
