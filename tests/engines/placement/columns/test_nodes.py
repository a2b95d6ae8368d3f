"""Nodes over time: what is held, signed, bought, committed and rented, and when it may serve."""

from __future__ import annotations

import pytest
from tests.factories.placement import (
    chat,
    hall,
    horizon,
    place,
    region,
    rented,
    servers,
    solved,
    training,
)

from tripoint.domain.charge import ChargeKind, CommitmentStatus
from tripoint.domain.decision import Purchase, PurchaseAction
from tripoint.domain.purchase import Commitment, PurchaseOption
from tripoint.domain.site import ExpansionStep
from tripoint.engines.placement.columns.nodes import may_start
from tripoint.engines.placement.outcome import Outcome

ON_DEMAND, COMMITTED = PurchaseOption.ON_DEMAND, PurchaseOption.COMMITTED


def purchases(outcome: Outcome, action: PurchaseAction) -> list[Purchase]:
    """Node decisions of one kind."""
    assert outcome.decisions is not None
    return [row for row in outcome.decisions.purchases if row.action is action]


def owned(outcome: Outcome, pool: str = "hall/server") -> list[float]:
    """Owned nodes in service by period."""
    assert outcome.decisions is not None
    return [row.owned for row in outcome.decisions.pools if row.pool == pool and row.block == 0]


def committed_usd(outcome: Outcome) -> list[float]:
    """What commitments cost, by period."""
    periods = outcome.instance.periods
    rows = [row for row in outcome.charges if row.option == "committed"]
    return [sum(row.effective_usd for row in rows if row.period == period) for period in periods]


def test_a_signed_commitment_is_paid_to_its_end_used_or_not() -> None:
    """Two nodes at 40 USD that nobody may use: January to March in full, April, and nothing after it."""
    signed = rented(commitments=(Commitment(nodes=2, ends="2027-04", usd_per_hour=40.0),))
    estate = place(hall(), region(pools=(signed,)), workloads=(chat(only_at=("hall",)),), horizon=horizon(3))
    outcome = solved(estate)
    assert committed_usd(outcome) == pytest.approx([2 * 3 * 730 * 40, 2 * 730 * 40, 0.0])
    unused = [row for row in outcome.charges if row.option == "committed"]
    assert {row.status for row in unused} == {CommitmentStatus.UNUSED}
    (kept,) = [row for row in purchases(outcome, PurchaseAction.KEEP) if row.option == "committed"]
    assert (kept.nodes, kept.order_period, kept.until_period) == (2.0, -1, 1)


def test_a_commitment_that_ended_is_neither_paid_nor_there() -> None:
    """December was its last month."""
    signed = rented(commitments=(Commitment(nodes=2, ends="2026-12", usd_per_hour=40.0),))
    outcome = solved(place(region(pools=(signed,)), workloads=(chat(),)))
    assert committed_usd(outcome) == [0.0]
    assert outcome.decisions is not None
    assert {row.committed for row in outcome.decisions.pools} == {0.0}


def test_signed_nodes_are_used_before_anything_is_rented() -> None:
    """They are paid anyway: 1.5 of two are used, none rented."""
    signed = rented(commitments=(Commitment(nodes=2, ends="2027-03", usd_per_hour=49.0),))
    outcome = solved(place(region(pools=(signed,)), workloads=(chat(),)))
    assert outcome.decisions is not None
    (state,) = outcome.decisions.pools
    assert state.committed == 2.0
    assert state.on_demand == pytest.approx(0.0)
    assert state.used == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("periods", "term", "start", "may"),
    [
        (12, 4, 0, True),
        (12, 4, 10, True),
        (12, 4, 11, False),
        (12, 12, 0, True),
        (12, 12, 1, False),
        (4, 4, 0, True),
        (4, 4, 1, False),
        (2, 4, 0, False),
    ],
)
def test_a_commitment_does_not_leave_its_price_beyond_the_horizon(
    periods: int, term: int, start: int, may: bool
) -> None:
    """A year's may run over by half a year in a plan of three; longer ones must end within it."""
    assert may_start(periods, term, start) is may


def test_steady_load_is_committed_for_whole_terms() -> None:
    """13 replicas: 0.625 of a node costs 31.25 USD an hour on demand and 30 where a whole one is signed: two are."""
    pool = rented(ON_DEMAND, COMMITTED)
    load = chat(rate=17.0)
    outcome = solved(place(region(pools=(pool,)), workloads=(load,), horizon=horizon(4, review_months=12)))
    (row,) = purchases(outcome, PurchaseAction.COMMIT)
    assert (row.nodes, row.term_months, row.order_period, row.until_period) == (2.0, 12, 0, 3)
    assert committed_usd(outcome) == pytest.approx([2 * 3 * 730 * 30.0] * 4)


def test_a_commitment_is_signed_when_the_old_one_runs_out() -> None:
    """Reviews are yearly, but the quarter after a signed year ends is a moment to sign as well."""
    old = Commitment(nodes=1, ends="2027-06", usd_per_hour=30.0)
    pool = rented(ON_DEMAND, COMMITTED, commitments=(old,))
    estate = place(region(pools=(pool,)), workloads=(chat(),), horizon=horizon(8, review_months=24))
    columns = {name for name in solved(estate).program.column_names if name.startswith("commit[")}
    assert columns == {"commit[cloud/big,12m,p0]", "commit[cloud/big,12m,p2]"}


def test_held_nodes_nobody_needs_are_retired_but_their_book_value_is_paid() -> None:
    """Three are held, the load takes two; the third goes, its write-off stays until March."""
    pool = servers(held=3, held_until="2027-03")
    outcome = solved(place(hall(pool=pool), workloads=(chat(),), horizon=horizon(2)))
    assert owned(outcome) == [2.0, 2.0]
    (gone,) = purchases(outcome, PurchaseAction.RETIRE)
    assert (gone.nodes, gone.order_period) == (1.0, 0)
    book = [row for row in outcome.charges if row.kind is ChargeKind.AMORTISATION]
    assert {row.period for row in book} == {0}
    assert sum(row.effective_usd for row in book) == pytest.approx(3 * 3 * 4200.0)


def test_retired_nodes_do_not_come_back() -> None:
    """The run is over after the first quarter's work has shrunk to nothing; keeping falls and never rises."""
    load = chat(growth_per_year=-0.9)
    outcome = solved(place(hall(pool=servers(held=4)), workloads=(load,), horizon=horizon(4)))
    counts = owned(outcome)
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_bought_nodes_serve_when_they_have_arrived() -> None:
    """Ordered in January with four months of lead they serve from July; until then the cloud does."""
    pool = servers(lead_time_months=4)
    outcome = solved(place(hall(pool=pool), region(), workloads=(chat(),), horizon=horizon(4)))
    assert owned(outcome) == [0.0, 0.0, 2.0, 2.0]
    (order,) = purchases(outcome, PurchaseAction.BUY)
    assert (order.order_period, order.service_period) == (0, 2)
    assert outcome.decisions is not None
    sites = {(row.period, row.site) for row in outcome.decisions.placements}
    assert sites == {(0, "cloud"), (1, "cloud"), (2, "hall"), (3, "hall")}
    first = min(row.period for row in outcome.charges if row.kind is ChargeKind.AMORTISATION)
    assert first == 2
    assert {row.period for row in outcome.charges if row.kind is ChargeKind.PURCHASE} == {0}


def test_an_expansion_counts_when_it_is_built() -> None:
    """10 kW hold one server; another 10 kW take a quarter to build, and until then the second server has no power."""
    step = ExpansionStep(id="feed", adds_kw=10.0, one_off_usd=1800.0, usd_per_month=100.0, lead_time_months=3)
    site = hall(it_kw=10.0, expansion=(step,))
    outcome = solved(place(site, region(), workloads=(chat(),), horizon=horizon(3)))
    assert outcome.decisions is not None
    (taken,) = outcome.decisions.expansions
    assert (taken.order_period, taken.service_period, taken.adds_kw) == (0, 1, 10.0)
    assert owned(outcome) == [1.0, 2.0, 2.0]
    rows = [row for row in outcome.charges if row.resource == "feed"]
    assert {(row.period, row.kind, round(row.billed_usd), round(row.effective_usd)) for row in rows} == {
        (0, ChargeKind.EXPANSION, 1800, 0),
        (1, ChargeKind.FACILITY, 300, 300),
        (2, ChargeKind.FACILITY, 300, 300),
        (1, ChargeKind.AMORTISATION, 0, 30),
        (2, ChargeKind.AMORTISATION, 0, 30),
        (1, ChargeKind.CAPITAL, 0, 21),
        (2, ChargeKind.CAPITAL, 0, 21),
    }


def test_an_expansion_that_costs_more_than_it_saves_is_not_taken() -> None:
    """Ten million for ten kilowatts are 56,000 a month over 15 years: the cloud serves the rest."""
    step = ExpansionStep(id="feed", adds_kw=10.0, one_off_usd=10_000_000.0)
    outcome = solved(place(hall(it_kw=10.0, expansion=(step,)), region(), workloads=(chat(),)))
    assert outcome.decisions is not None
    assert outcome.decisions.expansions == ()
    assert owned(outcome) == [1.0]


def test_power_under_contract_is_paid_even_where_nothing_stands() -> None:
    """30 kW at 220 USD a month; two servers use 20 of them, and pay for those themselves."""
    outcome = solved(place(hall(contracted_kw=30.0), workloads=(chat(),)))
    slack = [row for row in outcome.charges if row.resource == "contracted power"]
    assert sum(row.effective_usd for row in slack) == pytest.approx(3 * 10 * 220.0)
    facility = [row for row in outcome.charges if row.kind is ChargeKind.FACILITY]
    assert sum(row.effective_usd for row in facility) == pytest.approx(3 * 30 * 220.0)


def test_a_gang_stands_in_one_site() -> None:
    """A run on 24 accelerators takes three nodes of one hall, however little work it has."""
    outcome = solved(place(hall(pool=servers(max_nodes=3)), workloads=(training(gpu_hours=100.0, gang=24),)))
    assert owned(outcome) == [3.0]


def test_a_gang_is_not_scattered_over_identical_sites() -> None:
    """Three halls with a node each are not three nodes in one hall: each needs three."""
    pool = servers(max_nodes=3)
    outcome = solved(place(hall(pool=pool, count=3), workloads=(training(gpu_hours=100.0, gang=24),)))
    assert owned(outcome) == [9.0]


def test_work_with_a_distant_deadline_may_use_the_whole_month() -> None:
    """Ten nodes' worth of work all month, due within two: it takes ten nodes."""
    load = training(gpu_hours=10 * 8 * 730.0, deadline_hours=1460.0)
    outcome = solved(place(region(), workloads=(load,)))
    assert outcome.decisions is not None
    assert sum(row.nodes for row in outcome.decisions.placements) == pytest.approx(10.0)


def test_nodes_rented_into_a_hall_draw_its_power_too() -> None:
    """10 kW hold one server, whoever it belongs to; the load takes 1.625."""
    pool = servers(options=(ON_DEMAND,), usd_per_hour=5.0)
    outcome = solved(place(hall(it_kw=10.0, pool=pool), region(), workloads=(chat(),)))
    assert outcome.decisions is not None
    at_hall = [row for row in outcome.decisions.pools if row.pool == "hall/server"]
    assert max(row.on_demand for row in at_hall) <= 1.0 + 1e-6


@pytest.mark.parametrize("growth", [-0.9, -0.4, 0.0, 1.5])
@pytest.mark.parametrize("elastic", [False, True])
def test_decisions_pools_and_charges_tell_the_same_nodes(growth: float, elastic: bool) -> None:
    """Of held nodes retired, kept and bought: who says it serves in a period is counted and paid in it, nobody else."""
    mine = hall(pool=servers(held=4, lead_time_months=4))
    beside = (region(pools=(rented(ON_DEMAND, COMMITTED),)),) if elastic else ()
    load = chat(growth_per_year=growth)
    outcome = solved(place(mine, *beside, workloads=(load,), horizon=horizon(6, review_months=6)))
    assert outcome.decisions is not None
    rows = outcome.decisions.purchases
    for period, count in enumerate(owned(outcome)):
        serving = [row for row in rows if row.option == "owned" and row.service_period <= period <= row.until_period]
        assert sum(row.nodes for row in serving) == count
        upkeep = [row for row in outcome.charges if (row.kind, row.period) == (ChargeKind.MAINTENANCE, period)]
        assert sum(row.quantity for row in upkeep) == pytest.approx(3 * count)
    for state in outcome.decisions.pools:
        rents = [row for row in rows if (row.pool, row.option) == (state.pool, "on_demand")]
        mean = sum(row.nodes for row in rents if row.service_period <= state.period <= row.until_period)
        assert mean == pytest.approx(_mean_rented(outcome, state.pool, state.period), abs=1e-3)
        signed = [row for row in rows if (row.pool, row.option) == (state.pool, "committed")]
        serving = [row for row in signed if row.service_period <= state.period <= row.until_period]
        assert sum(row.nodes for row in serving) == pytest.approx(state.committed)


def _mean_rented(outcome: Outcome, pool: str, period: int) -> float:
    assert outcome.decisions is not None
    blocks = outcome.instance.grid.blocks
    states = [row for row in outcome.decisions.pools if (row.pool, row.period) == (pool, period)]
    return sum(row.on_demand * blocks[row.block].weight for row in states)


def test_runs_that_may_be_divided_need_their_gang_wherever_they_are() -> None:
    """A third of the work would fit the one node held; no run of it would, for each needs three at once."""
    load = training(gpu_hours=100.0, gang=24, is_indivisible=False)
    site = hall(pool=servers(held=1, max_nodes=3))
    outcome = solved(place(site, region(), workloads=(load,)))
    assert outcome.decisions is not None
    assert {row.site for row in outcome.decisions.placements} == {"cloud"}
    alone = solved(place(site, workloads=(load,)))
    assert owned(alone) == [3.0]
