"""The statement of a plan: who bears which part of a pool, and that the parts are the whole."""

from __future__ import annotations

from collections import defaultdict

import pytest
from tests.factories.placement import (
    API,
    TWO_LEVELS,
    batch,
    chat,
    hall,
    horizon,
    place,
    region,
    rented,
    resolved,
    servers,
    solved,
)
from tests.factories.planning import highs

from tripoint.domain.charge import Charge, ChargeKind, CommitmentStatus
from tripoint.domain.purchase import Commitment, PurchaseOption
from tripoint.engines.placement.decode import decode
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.outcome import Outcome
from tripoint.engines.placement.settle import PoolUse, pool_uses, quantities, undiscounted_usd

USED, UNUSED = CommitmentStatus.USED, CommitmentStatus.UNUSED
ON_DEMAND, SPOT, COMMITTED = PurchaseOption.ON_DEMAND, PurchaseOption.SPOT, PurchaseOption.COMMITTED


def shared() -> Outcome:
    """Two workloads on two signed nodes and rented ones: 1.5 and 0.75 nodes, so a quarter of one is rented."""
    pool = rented(ON_DEMAND, commitments=(Commitment(nodes=2, ends="2027-12", usd_per_hour=20.0),))
    return solved(place(region(pools=(pool,)), workloads=(chat(), chat("small", rate=8.0))))


def borne(rows: list[Charge]) -> dict[tuple[str | None, CommitmentStatus | None], float]:
    """Cost by who bears it and how it was used."""
    sums: dict[tuple[str | None, CommitmentStatus | None], float] = defaultdict(float)
    for row in rows:
        sums[row.workload, row.status] += row.effective_usd
    return dict(sums)


def test_firm_nodes_are_shared_by_use_and_the_rest_is_rented_by_the_same_keys() -> None:
    """Of 2.25 nodes used two are signed: each workload bears eight ninths of its use there and one ninth rented."""
    outcome = shared()
    firm = borne([row for row in outcome.charges if row.option == "committed"])
    elastic = borne([row for row in outcome.charges if row.option == "on_demand"])
    assert firm == pytest.approx({("chat", USED): 1.5 * 8 / 9 * 2190 * 20, ("small", USED): 0.75 * 8 / 9 * 2190 * 20})
    assert elastic == pytest.approx({("chat", None): 1.5 / 9 * 2190 * 50, ("small", None): 0.75 / 9 * 2190 * 50})


def test_what_nobody_used_is_a_row_of_its_own() -> None:
    """Two signed nodes, 1.5 used: half a node for a quarter is nobody's."""
    pool = rented(commitments=(Commitment(nodes=2, ends="2027-12", usd_per_hour=20.0),))
    outcome = solved(place(region(pools=(pool,)), workloads=(chat(),)))
    assert borne(list(outcome.charges)) == pytest.approx(
        {("chat", USED): 1.5 * 2190 * 20, (None, UNUSED): 0.5 * 2190 * 20}
    )


def test_a_node_idle_in_the_quiet_block_is_idle_for_those_hours() -> None:
    """12 req/s on average: 2.25 nodes in the busy quarter of the time, 0.75 in the rest, on three held nodes."""
    load = chat(rate=12.0, hour_of_week=TWO_LEVELS)
    outcome = solved(place(hall(pool=servers(held=3, max_nodes=3)), workloads=(load,), horizon=horizon(1, 2)))
    staff = borne([row for row in outcome.charges if row.kind is ChargeKind.STAFF])
    used = (2.25 * 0.25 + 0.75 * 0.75) / 3
    assert staff == pytest.approx({("chat", USED): used * 3 * 3 * 625.0, (None, UNUSED): (1 - used) * 3 * 3 * 625.0})


def test_busy_energy_is_on_the_account_of_who_was_busy() -> None:
    """16 req/s at 13.33 a node: 1.2 nodes busy for 2,190 h, at (0.6 - 0.3) of 10 kW above idle x 1.35 x 0.1 USD."""
    outcome = solved(place(hall(), workloads=(chat(),)))
    (busy,) = [row for row in outcome.charges if row.kind is ChargeKind.ENERGY and row.unit == "node-hour"]
    assert busy.workload == "chat"
    assert busy.quantity == pytest.approx(1.2 * 2190)
    rate = outcome.instance.pools[0].busy_hour[0].effective_usd
    assert busy.effective_usd == pytest.approx(busy.quantity * rate)


def test_idle_nodes_are_not_blamed_for_the_energy_of_work() -> None:
    """Where nodes can be rented too, the hours own ones work are told apart; all of them belong to who worked."""
    pool = servers(options=(PurchaseOption.OWNED, ON_DEMAND), usd_per_hour=60.0)
    outcome = solved(place(hall(pool=pool), workloads=(chat(),)))
    assert outcome.decisions is not None
    assert {row.owned for row in outcome.decisions.pools} == {2.0}
    busy = [row for row in outcome.charges if row.kind is ChargeKind.ENERGY and row.unit == "node-hour"]
    assert sum(row.quantity for row in busy) == pytest.approx(1.2 * 2190)
    assert {row.workload for row in busy} == {"chat"}


def test_an_api_is_paid_by_the_token() -> None:
    """16 req/s for a quarter: 126,144 Mtok in at 4 USD and half as many out at 20."""
    outcome = solved(place(region(pools=(), apis=(API,)), workloads=(chat(),)))
    paid = {row.unit: row.effective_usd for row in outcome.charges}
    mtok = 16 * 2190 * 3600 * 1000 / 1e6
    assert paid == pytest.approx({"Mtok in": mtok * 4.0, "Mtok out": mtok / 2 * 20.0})


def test_work_lost_on_spot_is_paid_for() -> None:
    """A quarter of the work is done twice: 1.25 x node-hours at 0.4 x 50 USD."""
    outcome = solved(place(region(pools=(rented(SPOT),)), workloads=(batch(mtok=10_000.0),)))
    hours = 3 * 10_000.0 * 1.1 / (27.0 * 0.5 * 8)
    assert sum(row.effective_usd for row in outcome.charges) == pytest.approx(1.25 * hours * 20.0)


def test_the_rows_are_the_objective_to_the_cent() -> None:
    """Held, signed, bought, rented, tokens, moves: the rows add up to what was minimised, before discounting."""
    pool = rented(ON_DEMAND, SPOT, COMMITTED, commitments=(Commitment(nodes=1, ends="2027-05"),))
    estate = place(
        hall(it_kw=25.0, contracted_kw=30.0, pool=servers(held=1, held_until="2027-04", lead_time_months=3)),
        region(pools=(pool,), apis=(API,)),
        workloads=(chat(rate=40.0, hour_of_week=TWO_LEVELS, growth_per_year=0.5), batch(mtok=20_000.0)),
        horizon=horizon(4, 2),
    )
    instance = resolved(estate)
    form, _ = formulate(instance)
    solution = highs(form.program())
    outcome = solved(estate)
    total = sum(row.effective_usd for row in outcome.charges)
    assert total == pytest.approx(undiscounted_usd(form, solution.values), abs=0.005)
    discounted = sum(row.effective_usd * instance.discount[row.period] for row in outcome.charges)
    assert discounted == pytest.approx(solution.objective, abs=0.01)
    assert all(amount > 0 for amount in quantities(form, solution.values).values())


def test_uses_are_counted_firm_first() -> None:
    """Node-hours of the quarter by workload; what exceeds the firm nodes in a block is elastic, pro rata."""
    pool = rented(ON_DEMAND, commitments=(Commitment(nodes=2, ends="2027-12", usd_per_hour=20.0),))
    form, _ = formulate(resolved(place(region(pools=(pool,)), workloads=(chat(), chat("small", rate=8.0)))))
    uses = pool_uses(form, decode(form, highs(form.program()).values))
    assert list(uses) == [("cloud/big", 0)]
    use: PoolUse = uses["cloud/big", 0]
    assert use.firm_hours == pytest.approx({"chat": 1.5 * 8 / 9 * 2190, "small": 0.75 * 8 / 9 * 2190})
    assert use.elastic_hours == pytest.approx({"chat": 1.5 / 9 * 2190, "small": 0.75 / 9 * 2190})
    assert use.firm_capacity == pytest.approx(2 * 2190)


def test_shares_served_add_up_and_occupy_what_they_should() -> None:
    """Placements carry the share and the nodes it takes: 1.5 for all of 16 req/s."""
    outcome = solved(place(hall(it_kw=10.0), region(), workloads=(chat(),)))
    assert outcome.decisions is not None
    rows = outcome.decisions.placements
    assert sum(row.share for row in rows) == pytest.approx(1.0)
    assert sum(row.nodes for row in rows) == pytest.approx(1.5)
    assert {row.site: row.nodes for row in rows} == pytest.approx({"hall": 1.0, "cloud": 0.5})


def test_nodes_had_are_told_by_block_with_what_was_used() -> None:
    """The hall's node is full, the cloud rents what is left."""
    outcome = solved(place(hall(it_kw=10.0), region(), workloads=(chat(),)))
    assert outcome.decisions is not None
    states = {row.pool: row for row in outcome.decisions.pools}
    assert (states["hall/server"].owned, states["hall/server"].gpus_per_node) == (1.0, 8)
    assert states["hall/server"].used == pytest.approx(1.0)
    assert states["cloud/big"].on_demand == pytest.approx(0.5)
    assert states["cloud/big"].used == pytest.approx(0.5)
