"""What is in the way of a cheaper place is told instead of its price: a link, a cap on a vendor, a full site."""

from __future__ import annotations

import pytest
from tests.factories.answering import cage, chat, cloud, estate, job
from tests.factories.planning import planned

from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.policy import ConcentrationCap, Policies
from tripoint.domain.purchase import Commitment, PurchaseOption
from tripoint.domain.units import LinkId, SiteId
from tripoint.domain.workload import Caller
from tripoint.engines.answers.breakeven.workloads import all_contests, break_evens
from tripoint.engines.answers.hindrances import Hindrances, Ledger, hindrances
from tripoint.engines.answers.homes import served
from tripoint.engines.answers.roadmap.limits import limits
from tripoint.engines.answers.roadmap.traffic import traffic_of
from tripoint.engines.answers.summary.firm_cost import firm_costs
from tripoint.engines.answers.summary.reach import reach_of
from tripoint.engines.answers.summary.reasons import Evidence, reason
from tripoint.engines.placement.outcome import Outcome


def hindered(outcome: Outcome) -> Hindrances:
    """The hindrances of a solved estate."""
    assert outcome.decisions is not None
    traffic = traffic_of(outcome)
    pressing = limits(outcome.instance, outcome.decisions, outcome.charges, traffic.peaks)
    return hindrances(outcome.instance, outcome.charges, pressing, traffic.overloads)


def said(outcome: Outcome) -> str:
    """Why the first workload is where it is."""
    assert outcome.decisions is not None
    evidence = Evidence(
        instance=outcome.instance,
        served=served(outcome.decisions),
        reach=reach_of(outcome.instance),
        contests=all_contests(outcome.instance),
        firm_costs=firm_costs(outcome.instance, outcome.decisions, outcome.charges),
        hindrances=hindered(outcome),
    )
    return reason(evidence, 0)


def at_the_end_of_a_line(gbps: float) -> Estate:
    """Callers in the cage, a cloud for next to nothing, and one line between them."""
    line = Link(id=LinkId("line"), source=SiteId("cage"), target=SiteId("cloud"), rtt_ms=5.0, bandwidth_gbps=gbps)
    asked = chat(callers=(Caller(place="cage"),), is_indivisible=True)
    return estate(cage(), cloud(usd_per_hour=1.0), workloads=(asked,), links=(line,))


def test_a_line_that_is_too_thin_is_told_rather_than_a_price() -> None:
    """The cloud would be cheaper; what the line carries and what it would need are told, here and beside the price."""
    outcome = planned(at_the_end_of_a_line(0.001))
    assert outcome.decisions is not None
    peak = max(outcome.instance.grid.workloads[0].peak_rate[3]) * 1200 * 8 * 0.5 * 8 / 1e9
    told = f"`line` has 0.001 of the {peak:.3g} Gbit/s it would need for `cloud`"
    assert told in said(outcome)
    assert "% more" not in said(outcome)
    rows = break_evens(outcome.instance, outcome.decisions, all_contests(outcome.instance), hindered(outcome))
    assert next(row for row in rows if row.subject == "chat").note.endswith(f"; but {told}")


def test_nodes_that_are_paid_for_already_are_told_rather_than_a_price() -> None:
    """A commitment at forty times the rate next door is used while it lasts: its rate decides nothing any more."""
    signed = Commitment(nodes=2, ends="2027-12", usd_per_hour=40.0)
    dear = cloud("dear", 40.0, options=(PurchaseOption.ON_DEMAND, PurchaseOption.COMMITTED), commitments=(signed,))
    told = said(planned(estate(dear, cloud("cheap", 1.0, region="eu-central-1"), workloads=(chat(),))))
    assert "on nodes already paid for at `dear`" in told
    assert "more than" not in told


def test_nodes_that_stand_for_another_workload_are_told_by_its_name() -> None:
    """The job may run in the cage only, so a node is bought there; the chat uses what the job leaves of it."""
    kept = job(only_at=("cage",), mtok_per_month=2e4)
    told = said(planned(estate(cage(), cloud("cheap", 2.0), workloads=(chat(requests_per_s=2.0), kept))))
    assert "on nodes kept for `job` as well" in told
    assert "more than" not in told


def test_a_line_that_carries_all_of_it_hinders_nobody() -> None:
    """The same estate with a gigabit: the work is in the cloud, and no link is named."""
    outcome = planned(at_the_end_of_a_line(1.0))
    assert hindered(outcome).overloads == {}
    assert "100 % on demand at `cloud`" in said(outcome)
    assert "`line`" not in said(outcome)


@pytest.mark.parametrize("provider", ["AWS", None])
def test_a_cap_that_is_used_up_is_told_rather_than_a_price(provider: str | None) -> None:
    """A fifth of the cost may be with the cheap cloud, which all of the work there would far exceed."""
    policies = Policies(concentration=(ConcentrationCap(max_share=0.2, provider=provider),))
    outcome = planned(
        estate(cage(), cloud(usd_per_hour=8.0), workloads=(chat(requests_per_s=150.0),), policies=policies)
    )
    assert "the cap of 20 % on the provider of `cloud` has no room for all of it" in said(outcome)
    assert "% more" not in said(outcome)
    assert hindered(outcome).cap("chat", "cage") == ""


def test_the_share_of_a_provider_counts_what_would_move_and_at_what_price() -> None:
    """30 of 100 are paid to it; 50 more move at half their price: 55 of 75, and 80 of 100 at the full price."""
    ledger = Ledger(provider_usd=30.0, elsewhere_usd=50.0, total_usd=100.0)
    assert ledger.share(0.5) == pytest.approx(55 / 75)
    assert ledger.share(1.0) == pytest.approx(0.8)
    found = Hindrances(caps={"cloud": 0.75}, ledgers={("chat", "cloud"): (ledger,)})
    assert found.cap("chat", "cloud", 0.5) == ""
    assert found.cap("chat", "cloud") == "the cap of 75 % on the provider of `cloud` has no room for all of it"


def test_a_full_hall_is_told_to_whoever_rents_beside_it() -> None:
    """One node has power; the work of several is rented, though a node of one's own would pay."""
    outcome = planned(estate(cage(it_kw=11.0), cloud(usd_per_hour=40.0), workloads=(chat(requests_per_s=900.0),)))
    assert "on demand at `cloud`" in said(outcome).split(",")[0]
    assert "`cage` is out of power from 2027-Q1" in said(outcome)


def test_a_pool_at_its_most_nodes_is_told_by_name() -> None:
    """Power for four, `max_nodes` of one."""
    outcome = planned(estate(cage(max_nodes=1), cloud(usd_per_hour=40.0), workloads=(chat(requests_per_s=900.0),)))
    found = hindered(outcome)
    assert found.of("chat", "cage", "cage/dgx-h100") == "`cage/dgx-h100` is at its `max_nodes` from 2027-Q1"
    assert found.full("cage", "cage/other") == ""
