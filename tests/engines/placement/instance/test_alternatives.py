"""The obvious alternatives are the same estate with ways of running taken away, and priced by the same program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.factories.placement import (
    API,
    batch,
    chat,
    hall,
    horizon,
    place,
    region,
    rented,
    resolved,
    servers,
    training,
)
from tests.factories.planning import highs

from tripoint.domain.charge import ChargeKind
from tripoint.domain.estate import Estate
from tripoint.domain.policy import Budget, ConcentrationCap, Policies
from tripoint.domain.purchase import Commitment, NodePool, PurchaseOption
from tripoint.domain.units import NodeTypeId, SiteId
from tripoint.domain.workload import TodayShare, Workload
from tripoint.engines.placement.families.today import pin_today
from tripoint.engines.placement.instance.instance import LaneKind
from tripoint.engines.placement.instance.restrict import Alternative, alternatives
from tripoint.engines.placement.outcome import Outcome, solve_instance

ON_DEMAND, SPOT, COMMITTED = PurchaseOption.ON_DEMAND, PurchaseOption.SPOT, PurchaseOption.COMMITTED
ALL_WAYS = rented(ON_DEMAND, SPOT, COMMITTED)


def named(estate: Estate, name: str) -> Alternative:
    """One of the alternatives of an estate."""
    return next(found for found in alternatives(resolved(estate)) if found.name == name)


def priced(estate: Estate, name: str) -> Outcome:
    """One of the alternatives, solved as a baseline is."""
    found = named(estate, name)
    return solve_instance(found.instance, highs, pin_today if found.pins_today else lambda form: None)


def options(outcome: Outcome) -> set[str]:
    """Purchase options that cost anything."""
    return {row.option for row in outcome.charges if row.option}


def hybrid(**fields: object) -> Estate:
    """A hall with a lead time and a cloud that sells every way, a year in quarters."""
    given: dict[str, object] = {
        "workloads": (chat(), batch()),
        "horizon": horizon(4, review_months=12),
    } | fields
    return place(hall(pool=servers(lead_time_months=6)), region(pools=(ALL_WAYS,)), **given)  # type: ignore[arg-type]  # fields of the case


def test_todays_placement_is_compared_only_where_it_is_declared() -> None:
    """Three alternatives, and a fourth in front when a workload says where it runs."""
    names = [found.name for found in alternatives(resolved(hybrid()))]
    assert names == ["on_demand", "committed", "private"]
    today = chat(today=(TodayShare(site=SiteId("hall")),))
    assert alternatives(resolved(hybrid(workloads=(today,))))[0].name == "today"


def test_all_public_on_demand_rents_every_hour() -> None:
    """No commitment, no spot, nothing owned."""
    assert options(priced(hybrid(), "on_demand")) == {"on_demand"}


def test_all_public_committed_signs_what_pays() -> None:
    """Thirteen replicas fill enough of a second node to sign for it: no hour on demand, no spot, nothing owned."""
    estate = hybrid(workloads=(chat(rate=17.0), batch()))
    assert options(priced(estate, "committed")) == {"committed"}


def test_all_private_is_priced_as_if_ordered_in_time() -> None:
    """Six months of lead would leave two quarters with nothing; an alternative is compared as if chosen before."""
    outcome = priced(hybrid(), "private")
    assert options(outcome) == {"owned"}
    assert outcome.decisions is not None
    assert {row.owned for row in outcome.decisions.pools if row.pool == "hall/server"} == {2.0}


def test_the_plan_itself_is_held_to_its_lead_times() -> None:
    """The same hall in the plan's own instance still takes two quarters."""
    instance = resolved(hybrid())
    assert [pool.lead_periods for pool in instance.pools] == [2, 0]
    assert [pool.lead_periods for pool in named(hybrid(), "private").instance.pools] == [0, 0]


def test_a_workload_the_restriction_leaves_nowhere_keeps_its_lanes_and_is_named() -> None:
    """One is confined to the hall: all public on demand prices it there and says so."""
    held = chat("held", only_at=("hall",))
    found = named(hybrid(workloads=(chat(), held)), "on_demand")
    assert found.exempt == ("held",)
    lanes = {(found.instance.workload(lane).id, lane.fit.site, lane.kind) for lane in found.instance.lanes}
    assert lanes == {("chat", "cloud", LaneKind.FIRM), ("held", "hall", LaneKind.FIRM)}


def test_token_apis_of_public_sites_are_public_and_spot_is_no_part_of_the_obvious() -> None:
    """A token is neither private nor committed; spot nodes may be taken away, so no alternative rests on them."""
    site = region(pools=(ALL_WAYS,), apis=(API,))
    estate = place(site, hall(), workloads=(chat(allows_spot=True),))
    for name in ("on_demand", "committed"):
        assert {lane.kind for lane in named(estate, name).instance.lanes} == {LaneKind.FIRM, LaneKind.API}
    assert {lane.kind for lane in named(estate, "private").instance.lanes} == {LaneKind.FIRM}


def test_all_public_goes_by_the_token_where_that_is_cheaper() -> None:
    """Nothing is committed by it; a workload that only the API can take in public is not exempt."""
    few = chat(rate=0.01)
    nodes = place(region(pools=(rented(ON_DEMAND),)), workloads=(few,))
    both = place(region(pools=(rented(ON_DEMAND),), apis=(API,)), workloads=(few,))
    for name in ("on_demand", "committed"):
        by_node, by_token = priced(nodes, name), priced(both, name)
        assert (options(by_node), options(by_token)) == ({"on_demand"}, {"per_token"})
        assert by_token.solution.objective < by_node.solution.objective
    alone = named(place(region(pools=(), apis=(API,)), hall(), workloads=(few,)), "on_demand")
    assert alone.exempt == ()
    assert {lane.kind for lane in alone.instance.lanes} == {LaneKind.API}


def test_caps_are_rules_for_the_plan_and_not_for_its_alternatives() -> None:
    """Over budget and with one vendor only, all public on demand still has a price."""
    rules = Policies(
        budget=Budget(usd_per_period=1.0),
        concentration=(ConcentrationCap(max_share=0.1),),
        max_moves_per_period=0,
    )
    estate = hybrid(policies=rules, workloads=(chat(today=(TodayShare(site=SiteId("hall")),)),))
    assert priced(estate, "on_demand").summary is not None
    kept = named(estate, "on_demand").instance.estate.policies
    assert (kept.budget, kept.concentration, kept.max_moves_per_period) == (None, (), None)


def test_promises_already_made_are_paid_in_every_alternative() -> None:
    """A commitment that runs on and nodes that are held do not vanish because one looks away."""
    signed = rented(ON_DEMAND, COMMITTED, commitments=(Commitment(nodes=1, ends="2027-12", usd_per_hour=40.0),))
    estate = place(hall(pool=servers(held=1, held_until="2027-12")), region(pools=(signed,)), workloads=(chat(),))
    for name in ("on_demand", "committed", "private"):
        outcome = priced(estate, name)
        promised = sum(row.effective_usd for row in outcome.charges if row.option == "committed")
        book = sum(row.effective_usd for row in outcome.charges if row.kind is ChargeKind.AMORTISATION)
        assert promised >= 3 * 730 * 40.0 - 1e-6
        assert book >= 3 * 4200.0 - 1e-6


def test_today_fixes_the_shares_of_sites() -> None:
    """Seven tenths at the hall and three in the cloud, whatever would be cheaper."""
    shares = (TodayShare(site=SiteId("hall"), share=0.7), TodayShare(site=SiteId("cloud"), share=0.3))
    outcome = priced(hybrid(workloads=(chat(today=shares),)), "today")
    assert outcome.decisions is not None
    found = {(row.period, row.site): row.share for row in outcome.decisions.placements}
    for period in outcome.instance.periods:
        assert found[period, "hall"] == pytest.approx(0.7)
        assert found[period, "cloud"] == pytest.approx(0.3)


@pytest.mark.parametrize("is_indivisible", [None, False])
@pytest.mark.parametrize("load", [batch, training])
def test_today_fixes_the_shares_of_work_too(load: Callable[..., Workload], is_indivisible: bool | None) -> None:
    """Nine tenths of it where a node-hour costs 50 USD and one where it costs 20: not all of it at the cheaper place.

    A run held indivisible is in two places today all the same.
    """
    shares = (TodayShare(site=SiteId("dear"), share=0.9), TodayShare(site=SiteId("cheap"), share=0.1))
    sites = [region(name, pools=(rented(usd_per_hour=usd),)) for name, usd in (("dear", 50.0), ("cheap", 20.0))]
    asked = load(today=shares, is_indivisible=is_indivisible)
    today = priced(place(*sites, workloads=(asked,)), "today")
    alone = [solve_instance(resolved(place(site, workloads=(load(),))), highs).charges for site in sites]
    dear, cheap = (sum(row.effective_usd for row in rows) for rows in alone)
    paid = sum(row.effective_usd for row in today.charges if row.kind is not ChargeKind.MIGRATION)
    assert paid == pytest.approx(0.9 * dear + 0.1 * cheap, rel=1e-6)
    assert dear > 2 * cheap


def test_today_keeps_to_the_option_declared() -> None:
    """Spot today is spot in the baseline; an API today is the API."""
    site = region(pools=(ALL_WAYS,), apis=(API,))
    for option, kind in ((SPOT, LaneKind.SPOT), (PurchaseOption.PER_TOKEN, LaneKind.API), (ON_DEMAND, LaneKind.FIRM)):
        today = (TodayShare(site=SiteId("cloud"), option=option),)
        found = named(place(site, workloads=(chat(allows_spot=True, today=today),)), "today")
        assert {lane.kind for lane in found.instance.lanes} == {kind}
        assert found.exempt == ()


def hours_bought(outcome: Outcome) -> dict[str, float]:
    """Node-hours by purchase option."""
    found: dict[str, float] = {}
    for row in outcome.charges:
        if row.kind is ChargeKind.COMPUTE and row.option:
            found[row.option] = found.get(row.option, 0.0) + row.quantity
    return found


def test_today_on_demand_signs_nothing() -> None:
    """Rented by the hour today: the baseline rents, and costs what all public on demand costs."""
    for workload in (chat, batch):
        today = (TodayShare(site=SiteId("cloud"), node_type=NodeTypeId("big"), option=ON_DEMAND),)
        estate = place(region(pools=(ALL_WAYS,)), workloads=(workload(today=today),), horizon=horizon(4))
        found = priced(estate, "today")
        assert options(found) == {"on_demand"}
        assert found.solution.objective == pytest.approx(priced(estate, "on_demand").solution.objective)


def test_today_committed_or_not_declared_may_sign() -> None:
    """What is declared committed stays committed, and what says nothing of buying stays free."""
    for option in (COMMITTED, None):
        today = (TodayShare(site=SiteId("cloud"), option=option),)
        estate = place(region(pools=(ALL_WAYS,)), workloads=(chat(rate=17.0, today=today),), horizon=horizon(4))
        assert options(priced(estate, "today")) == {"committed"}


def test_the_part_declared_on_demand_is_rented_and_the_rest_is_free() -> None:
    """A quarter of the node-hours a workload uses is rented, whatever commitments would save."""
    today = (
        TodayShare(site=SiteId("cloud"), option=COMMITTED, share=0.75),
        TodayShare(site=SiteId("cloud"), option=ON_DEMAND, share=0.25),
    )
    work = batch(mtok=1_000_000.0)
    site = region(pools=(ALL_WAYS,))
    rented_all = (TodayShare(site=SiteId("cloud"), option=ON_DEMAND),)
    whole = priced(place(site, workloads=(replace(work, today=rented_all),), horizon=horizon(4)), "today")
    mixed = priced(place(site, workloads=(replace(work, today=today),), horizon=horizon(4)), "today")
    assert hours_bought(mixed)["on_demand"] >= 0.25 * hours_bought(whole)["on_demand"] * (1 - 1e-6)
    assert hours_bought(mixed)["committed"] > 0


def test_a_neighbour_on_commitments_does_not_lend_them_to_what_is_rented_today() -> None:
    """Two on one pool: the rented one rents all of its own, the committed one may sign."""
    rented_today = chat("rented", today=(TodayShare(site=SiteId("cloud"), option=ON_DEMAND),))
    signed_today = chat("signed", today=(TodayShare(site=SiteId("cloud"), option=COMMITTED),))
    site = region(pools=(ALL_WAYS,))
    alone = priced(place(site, workloads=(rented_today,), horizon=horizon(4)), "today")
    both = priced(place(site, workloads=(rented_today, signed_today), horizon=horizon(4)), "today")
    assert hours_bought(both)["on_demand"] >= hours_bought(alone)["on_demand"] * (1 - 1e-6)
    assert hours_bought(both)["committed"] > 0


def test_signed_nodes_that_the_others_leave_carry_what_is_rented_today() -> None:
    """They are paid anyway: renting beside them would be a cost nobody has today."""
    pool = rented(ON_DEMAND, COMMITTED, commitments=(Commitment(nodes=50, ends="2027-12", usd_per_hour=40.0),))
    today = (TodayShare(site=SiteId("cloud"), option=ON_DEMAND),)
    beside = chat("signed", today=(TodayShare(site=SiteId("cloud"), option=COMMITTED),))
    for workloads in ((chat(today=today),), (chat(today=today), beside)):
        estate = place(region(pools=(pool,)), workloads=workloads, horizon=horizon(4))
        assert options(priced(estate, "today")) == {"committed"}


def test_today_where_it_cannot_run_is_exempt() -> None:
    """It is said to run where no lane is left: it keeps all its lanes, and is named."""
    today = (TodayShare(site=SiteId("hall"), node_type=NodeTypeId("gone")),)
    found = named(hybrid(workloads=(chat(today=today),)), "today")
    assert found.exempt == ("chat",)
    assert {lane.fit.site for lane in found.instance.lanes} == {"hall", "cloud"}


def test_two_node_types_at_one_site_today_are_one_site() -> None:
    """Six tenths on the big node and four on the small one are the whole of it at that site."""
    small = NodePool(node_type=NodeTypeId("small"), options=(ON_DEMAND,))
    today = (
        TodayShare(site=SiteId("cloud"), node_type=NodeTypeId("big"), share=0.6),
        TodayShare(site=SiteId("cloud"), node_type=NodeTypeId("small"), share=0.4),
    )
    estate = place(region(pools=(rented(), small)), workloads=(chat(today=today),))
    outcome = priced(estate, "today")
    assert outcome.decisions is not None
    assert sum(row.share for row in outcome.decisions.placements) == pytest.approx(1.0)


def test_no_alternative_is_cheaper_than_the_plan_that_may_do_all_of_it() -> None:
    """Every alternative without a lead time to ignore is a plan too."""
    estate = replace(hybrid(), sites=(hall(), region(pools=(ALL_WAYS,))))
    best = solve_instance(resolved(estate), highs).solution.objective
    for found in alternatives(resolved(estate)):
        assert solve_instance(found.instance, highs).solution.objective >= best * (1 - 1e-6)
