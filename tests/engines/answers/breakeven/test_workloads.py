"""Break-even rows of real estates: the policy filter, the twin, what JSON can carry, the sentence."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from tests.factories.answering import ON_DEMAND, cage, chat, cloud, commitment, decided, estate, job, placed, states
from tests.factories.planning import instance_of

from tripoint.domain.estate import Estate
from tripoint.domain.plan import BreakEven
from tripoint.domain.policy import Policies, ResidencyRule
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.units import SiteId, WorkloadId
from tripoint.engines.answers.breakeven.appetite import appetite
from tripoint.engines.answers.breakeven.ways import firm_ways, total
from tripoint.engines.answers.breakeven.workloads import all_contests, break_evens
from tripoint.engines.placement.columns.coefficients import busy_hours_per_share
from tripoint.engines.placement.instance.instance import Instance
from tripoint.testing.strategies import small_estates

BOTH = (PurchaseOption.ON_DEMAND, PurchaseOption.COMMITTED)


def rows(declared: Estate) -> dict[str, BreakEven]:
    """Rows by subject, of a plan that uses every pool with one node."""
    instance = instance_of(declared)
    return rows_of(instance)


def rows_of(instance: Instance) -> dict[str, BreakEven]:
    """Rows by subject."""
    nodes = [
        state
        for pool in instance.pools
        for state in states(instance, pool.spec.id, (1.0,) * len(instance.periods), owned=2.0)
    ]
    return {row.subject: row for row in break_evens(instance, decided(*nodes), all_contests(instance))}


def test_batch_work_pays_where_its_node_hours_do() -> None:
    """The threshold is the node's month over the rented hour less its energy, in tokens the node does in that time."""
    declared = estate(cage(), cloud(usd_per_hour=40.0), workloads=(job(),))
    instance = instance_of(declared)
    row = rows_of(instance)["job"]
    pool = next(pool for pool in instance.pools if pool.spec.id == "cage/dgx-h100")
    fit = next(lane.fit for lane in instance.lanes if lane.pool == instance.pools.index(pool))
    month, busy = total(pool.owned_month), total(pool.busy_hour)
    use = month / ((40.0 - busy) * 730.0)
    assert row.firm_usd_per_node_month == pytest.approx(month)
    assert row.elastic_usd_per_node_hour == pytest.approx(40.0)
    assert row.utilisation == pytest.approx(use)
    assert row.mtok_per_month == pytest.approx(use * 730.0 / fit.nodes_per_unit)


def test_busy_hours_are_the_statement_s() -> None:
    """Energy above idle follows the mean rate in both: the same node-hours, for waiting work and for the rest."""
    instance = instance_of(estate(cage(), cloud(), workloads=(chat(), job())))
    months = instance.estate.horizon.period_months
    for lane in (each for each in instance.lanes if each.fit.site == "cage"):
        asked, demand = appetite(instance, lane.workload), instance.demand(lane)
        assert asked is not None
        mtok = (demand.mtok_in[0] + demand.mtok_out[0]) / months
        blocks = instance.blocks if asked.is_waiting else (0,)
        charged = sum(busy_hours_per_share(instance, lane, 0, block) for block in blocks)
        assert sum(asked.busy_hours(lane.fit, mtok)) * months == pytest.approx(charged)


@pytest.mark.parametrize(("share", "firm"), [(1.0, "cage/dgx-h100 owned"), (0.001, "hall/dgx-h100 owned")])
def test_the_firm_way_named_is_the_plan_s_own(share: float, firm: str) -> None:
    """The hall is cheaper on paper; the plan lives in the cage, so its nodes are told, unless it is a trace of it."""
    hall = replace(cage(purchase_usd=100_000.0), id=SiteId("hall"))
    instance = instance_of(estate(cage(), hall, cloud(usd_per_hour=40.0), workloads=(job(),)))
    found = all_contests(instance)
    assert found[0][0].firm.label == "hall/dgx-h100 owned"
    decisions = decided(
        *states(instance, "cage/dgx-h100", (1.0,) * 4, owned=1.0),
        *states(instance, "cloud/p5.48xlarge", (1.0,) * 4),
        placements=(placed("job", "cage/dgx-h100", 0, share), placed("job", "cloud/p5.48xlarge", 0, 1.0 - share)),
    )
    row = next(each for each in break_evens(instance, decisions, found) if each.subject == "job")
    assert row.firm == firm


def test_the_term_told_is_the_one_the_plan_signs() -> None:
    """Three years are cheaper a month; the plan signs for one."""
    instance = instance_of(estate(cloud(usd_per_hour=40.0, options=BOTH), workloads=(job(),)))
    pool = "cloud/p5.48xlarge"
    decisions = decided(
        *states(instance, pool, (1.0,) * 4, committed=(1.0,) * 4),
        purchases=(commitment(pool, 1.0, 0, term_months=12),),
        placements=(placed("job", pool, 0, 1.0),),
    )
    row = next(each for each in break_evens(instance, decisions, all_contests(instance)) if each.subject == "job")
    assert row.firm == f"{pool} committed 1y"


def test_only_what_policy_allows_is_compared() -> None:
    """The cheap region is outside the EEA, so the dear one inside is the rival."""
    sites = (cage(), cloud("us", 10.0), cloud("eu", 90.0, region="eu-central-1"))
    free = rows(estate(*sites, workloads=(job(),)))["job"]
    rule = ResidencyRule(allow=("EEA",), workloads=(WorkloadId("job"),))
    bound = rows(estate(*sites, workloads=(job(),), policies=Policies(residency=(rule,))))["job"]
    assert free.elastic == "us/p5.48xlarge on_demand"
    assert bound.elastic == "eu/p5.48xlarge on_demand"
    assert bound.utilisation is not None
    assert free.utilisation is not None
    assert bound.utilisation < free.utilisation


def test_work_without_an_elastic_way_has_no_break_even() -> None:
    """Confined to the cage, there is nothing to compare with; training has pools but no tokens."""
    found = rows(estate(cage(), cloud(), workloads=(job(only_at=("cage",)),)))
    assert "job" not in found


def test_growing_demand_crosses_in_a_month_between_its_ends() -> None:
    """Demand at four fifths of the threshold, growing 25 % a year, reaches it after about a year."""
    sites = (cage(), cloud(usd_per_hour=40.0))
    at = rows(estate(*sites, workloads=(job(),)))["job"].mtok_per_month
    assert at is not None
    row = rows(estate(*sites, workloads=(job(mtok_per_month=0.8 * at, growth_per_year=0.25),)))["job"]
    assert row.demand_mtok_per_month == pytest.approx(0.8 * at)
    assert row.month == "2028-01"
    assert "2027-01" < row.month_early < row.month
    assert row.month_late > row.month
    assert "grows into it in 2028-01" in row.note


def test_demand_is_told_as_of_the_start_of_the_plan() -> None:
    """The first quarter is taken at its middle; the appetite goes back to its first day."""
    instance = instance_of(estate(cage(), cloud(), workloads=(job(mtok_per_month=5e5, growth_per_year=1.0),)))
    asked = appetite(instance, 0)
    assert asked is not None
    assert asked.mtok == pytest.approx(5e5)


def test_a_pool_meets_its_twin_before_any_substitute() -> None:
    """Committed nodes are compared with the same node on demand in the same pool, though another region is cheaper."""
    sites = (cloud("a", 50.0, options=BOTH), cloud("b", 20.0))
    row = rows(estate(*sites, workloads=(job(),)))["a/p5.48xlarge"]
    assert row.elastic == "a/p5.48xlarge on_demand"
    assert row.elastic_usd_per_node_hour == pytest.approx(50.0)
    assert [curve.label for curve in row.curves] == ["committed 1y", "committed 3y", "on_demand"]


def test_a_pool_nobody_rents_out_meets_what_does_its_work() -> None:
    """The cage's nodes and the cloud's do the same work per hour, so the rival costs what the cloud does."""
    found = rows(estate(cage(), cloud(usd_per_hour=33.0), workloads=(job(),)))["cage/dgx-h100"]
    assert found.elastic == "cloud/p5.48xlarge on_demand"
    assert found.elastic_usd_per_node_hour == pytest.approx(33.0)
    assert "the plan uses its firm nodes 50 % of the time" in found.note


def test_never_is_a_number_json_can_carry() -> None:
    """Renting for ten cents an hour beats a node whatever its use; no field is infinite."""
    found = rows(estate(cage(), cloud(usd_per_hour=0.1), workloads=(job(),)))
    assert found["job"].month == "beyond"
    assert found["job"].mtok_per_month is None
    assert found["job"].utilisation == 10.0
    assert "stays cheaper" in found["job"].note
    assert "never beats" in found["cage/dgx-h100"].note
    json.dumps([asdict(row) for row in found.values()], allow_nan=False)


def test_curves_cross_at_the_threshold() -> None:
    """An interactive workload's two curves have the same cost where the row says, and firm is below after it."""
    declared = estate(cage(), cloud(usd_per_hour=15.0), workloads=(chat(requests_per_s=400.0),))
    row = rows(declared)["chat"]
    firm, elastic = row.curves
    assert row.mtok_per_month is not None
    at = next(n for n, point in enumerate(firm.points) if math.isclose(point.x, row.mtok_per_month))
    if row.mtok_per_month > 0:
        assert firm.points[at].usd == pytest.approx(elastic.points[at].usd, rel=1e-5)
    assert firm.points[-1].usd < elastic.points[-1].usd


def test_held_nodes_are_kept_for_their_running_cost() -> None:
    """Where no node can be bought, keeping one is the firm way, and its write-off is no reason to keep it."""
    site = cage(held=2)
    pools = tuple(replace(pool, options=ON_DEMAND, purchase_usd=None) for pool in site.pools or ())
    instance = instance_of(estate(replace(site, pools=pools), cloud(), workloads=(job(),)))
    pool = next(pool for pool in instance.pools if pool.held)
    (way,) = firm_ways(instance, pool)
    assert way.option == "held"
    assert way.month_usd.value == pytest.approx(total(pool.held_running))


@settings(max_examples=25)
@given(small_estates())
def test_every_row_of_any_estate_can_be_written_and_ordered(declared: Estate) -> None:
    """Ranges enclose their value, numbers are finite, curves ascend and months are in order."""
    for row in rows(declared).values():
        json.dumps(asdict(row), allow_nan=False)
        low, at, high = row.utilisation_low, row.utilisation, row.utilisation_high
        assert low is not None
        assert at is not None
        assert high is not None
        assert 0.0 <= low <= at <= high
        if row.mtok_per_month is not None and row.mtok_low is not None:
            assert row.mtok_low <= row.mtok_per_month <= (row.mtok_high or math.inf)
        for curve in row.curves:
            xs = [point.x for point in curve.points]
            assert xs == sorted(xs)
        order = {"already": "0000", "beyond": "9999"}
        early, month, late = (order.get(m, m) for m in (row.month_early, row.month, row.month_late))
        assert early <= month <= late
