"""Advice on signed commitments: use, unused cost and renewals worked out on paper."""

from __future__ import annotations

import pytest
from tests.factories.answering import ON_DEMAND, cloud, commitment, decided, estate, job, states
from tests.factories.planning import instance_of, planned

from tripoint.domain.charge import CommitmentStatus
from tripoint.domain.decision import PurchaseAction
from tripoint.domain.plan import LapseAdvice
from tripoint.domain.purchase import Commitment
from tripoint.engines.answers.lapses import lapse_advice, lapsing

POOL = "cloud/p5.48xlarge"


def signed(nodes: int, ends: str, usd_per_hour: float = 25.0) -> Commitment:
    """Nodes at 25 USD an hour."""
    return Commitment(nodes=nodes, ends=ends, usd_per_hour=usd_per_hour)


def advised(
    *commitments: Commitment, used: tuple[float, ...], committed: tuple[float, ...], renewed: float = 0.0
) -> tuple[LapseAdvice, ...]:
    """Advice for a year in which the pool is used as given."""
    instance = instance_of(estate(cloud(commitments=commitments), workloads=(job(),)))
    nodes = states(instance, POOL, used, committed=committed)
    purchases = (commitment(POOL, renewed, 2),) if renewed else ()
    return lapse_advice(instance, decided(*nodes, purchases=purchases))


def test_a_half_used_commitment_without_work_after_it_lapses() -> None:
    """Four nodes to June, two in use: half of 4 x 25 USD x 730 h x 6 months is unused."""
    (row,) = advised(signed(4, "2027-06"), used=(2.0, 2.0, 0.0, 0.0), committed=(4.0, 4.0, 0.0, 0.0))
    assert (row.pool, row.nodes, row.ends, row.renew_nodes) == (POOL, 4, "2027-06", 0)
    assert row.mean_use == pytest.approx(0.5)
    assert row.unused_usd == pytest.approx(0.5 * 4 * 25 * 730 * 6)
    assert row.advice == (
        "let all 4 nodes lapse in 2027-06: 50 % of their hours are used until then, and the plan has no work for it "
        "afterwards"
    )


def test_fewer_nodes_are_renewed_where_the_plan_commits_to_fewer() -> None:
    """Two new ones start as four end: two are let go."""
    (row,) = advised(signed(4, "2027-06"), used=(2.0,) * 4, committed=(4.0, 4.0, 2.0, 2.0), renewed=2.0)
    assert row.renew_nodes == 2
    assert row.advice.startswith("renew 2 of 4 nodes in 2027-06 and let 2 lapse: 50 %")


def test_all_are_renewed_and_some_added_where_the_plan_needs_more() -> None:
    """Six new ones follow four that were full."""
    (row,) = advised(signed(4, "2027-06"), used=(4.0, 4.0, 6.0, 6.0), committed=(4.0, 4.0, 6.0, 6.0), renewed=6.0)
    assert row.mean_use == pytest.approx(1.0)
    assert row.unused_usd == pytest.approx(0.0)
    assert row.advice.startswith("renew all 4 nodes in 2027-06 and add 2: 100 %")


def test_a_part_of_a_quarter_counts_as_such() -> None:
    """To February: two months of three, so the use of the first quarter alone and two months of unused cost."""
    (row,) = advised(signed(3, "2027-02"), used=(1.0, 0.0, 0.0, 0.0), committed=(2.0, 0.0, 0.0, 0.0))
    assert row.mean_use == pytest.approx(0.5)
    assert row.unused_usd == pytest.approx(0.5 * 3 * 25 * 730 * 2)


def test_what_outlives_the_plan_is_told_as_such() -> None:
    """Nothing can be decided about its end within the plan."""
    (row,) = advised(signed(1, "2029-01"), used=(0.25,) * 4, committed=(1.0,) * 4)
    assert row.advice == ("1 node runs until 2029-01, beyond the plan; 25 % of its hours are used within it")


def test_a_renewal_belongs_to_the_commitment_it_follows() -> None:
    """Of two that end in June and December, new nodes of the third quarter renew the first."""
    found = advised(
        signed(4, "2027-06"),
        signed(2, "2027-12"),
        used=(6.0, 6.0, 4.0, 4.0),
        committed=(6.0, 6.0, 4.0, 4.0),
        renewed=2.0,
    )
    assert [(row.ends, row.renew_nodes) for row in found] == [("2027-06", 2), ("2027-12", 0)]


def test_what_is_let_go_is_a_decision_in_the_period_it_ends() -> None:
    """Two of four are renewed in June, so two lapse in the second quarter; what outlives the plan is left alone."""
    promised = cloud(commitments=(signed(4, "2027-06"), signed(1, "2028-06")))
    instance = instance_of(estate(promised, workloads=(job(),)))
    nodes = states(instance, POOL, (2.0,) * 4, committed=(5.0, 5.0, 3.0, 3.0))
    (row,) = lapsing(instance, decided(*nodes, purchases=(commitment(POOL, 2.0, 2),)))
    assert (row.action, row.nodes, row.order_period, row.until_period) == (PurchaseAction.LAPSE, 2.0, 1, 1)


def test_one_that_ended_before_the_plan_is_not_mentioned() -> None:
    """It changes nothing."""
    assert advised(signed(4, "2026-12"), used=(1.0,) * 4, committed=(0.0,) * 4) == ()


def test_unused_cost_is_that_of_the_statement() -> None:
    """In a solved plan whose only firm nodes are the signed ones, the rows marked Unused say the same."""
    promised = cloud(options=ON_DEMAND, commitments=(signed(3, "2027-09"),))
    outcome = planned(estate(promised, workloads=(job(mtok_per_month=2e5),)))
    assert outcome.decisions is not None
    (row,) = lapse_advice(outcome.instance, outcome.decisions)
    unused = sum(charge.effective_usd for charge in outcome.charges if charge.status is CommitmentStatus.UNUSED)
    assert unused > 0
    assert row.unused_usd == pytest.approx(unused)
