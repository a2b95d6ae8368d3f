"""What is left after a loss: nobody has more than was asked, no node serves twice, and losses only take."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.placement import API, chat, hall, place, region, rented, servers
from tests.factories.recovering import planned, resolved

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import RecoveryRules
from tripoint.domain.site import Redundancy
from tripoint.domain.units import LinkId, SiteId
from tripoint.domain.workload import Caller, Recovery, Slo, Standby
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.resilience.capacity.book import Book
from tripoint.engines.resilience.capacity.losses import Loss, losses
from tripoint.engines.resilience.capacity.moment import Moment, moments
from tripoint.engines.resilience.capacity.refill import Refilled, refill


def estate(rates: tuple[float, ...], standby: Standby, most: int, *, has_api: bool) -> Estate:
    """Workloads over a hall of one's own, a cloud with a limit and perhaps an API."""
    home = hall("home", servers(held=2, max_nodes=3), it_kw=40.0, racks=4)
    cloud = region("cloud", pools=(rented(max_nodes=most),), apis=(API,) if has_api else ())
    works = tuple(
        chat(f"w{n}", rate, priority=1 + n % 3, recovery=Recovery(standby=standby if n == 0 else Standby.NONE))
        for n, rate in enumerate(rates)
    )
    return place(home, cloud, workloads=works)


@cache
def solved(
    rates: tuple[float, ...], standby: Standby, most: int, has_api: bool
) -> tuple[Instance, Plan | None]:  # fmt: skip
    """The instance and its plan; no plan where it does not fit."""
    declared = estate(rates, standby, most, has_api=has_api)
    made = planned(declared)
    return resolved(declared), made if made.solve is not None else None


cases = st.builds(
    solved,
    st.lists(st.sampled_from((2.0, 7.0, 16.0)), min_size=1, max_size=3).map(tuple),
    st.sampled_from(Standby),
    st.sampled_from((3, 6)),
    st.booleans(),
)


def every(instance: Instance, plan: Plan) -> list[tuple[Moment, Loss, tuple[Refilled, ...]]]:
    """Each loss at each moment."""
    book = Book(instance)
    return [(m, loss, refill(book, m, loss)) for m in moments(instance, plan) for loss in losses(instance)]


@given(cases)
@settings(max_examples=20, deadline=None)
def test_nobody_is_served_twice(case: tuple[Instance, Plan | None]) -> None:
    """Shares add up to what is asked and no more, times never run backwards, and every step says why it is as late."""
    instance, plan = case
    for _, loss, rows in every(instance, plan) if plan else ():
        for row in rows:
            assert sum(step.share for step in row.steps) == pytest.approx(1.0, abs=1e-6), loss.name
            assert all(step.share > 0 for step in row.steps)
            assert [step.at_s for step in row.steps] == sorted(step.at_s for step in row.steps)
            for step in row.steps:
                assert step.at_s == pytest.approx(sum(term.seconds for term in step.terms))
                assert all(0 <= term.low_s <= term.seconds <= term.high_s for term in step.terms)
                assert bool(step.terms) is (step.how != "stays")


@given(cases)
@settings(max_examples=20, deadline=None)
def test_no_node_is_given_away_twice(case: tuple[Instance, Plan | None]) -> None:
    """What all workloads draw of a pool is never more than was idle, or can be rented."""
    instance, plan = case
    for moment, loss, rows in every(instance, plan) if plan else ():
        for how, purse in (("spare", moment.idle), ("rented", moment.obtainable)):
            drawn: dict[str, float] = {}
            for row in rows:
                for step in row.steps:
                    if step.how == how:
                        drawn[step.pool] = drawn.get(step.pool, 0.0) + step.nodes
            for pool, nodes in drawn.items():
                assert nodes <= purse[pool] + 1e-6, (loss.name, pool)


@given(cases)
@settings(max_examples=20, deadline=None)
def test_nothing_comes_back_at_a_place_that_is_lost(case: tuple[Instance, Plan | None]) -> None:
    """Only the end of the loss brings its own sites back."""
    instance, plan = case
    for _, loss, rows in every(instance, plan) if plan else ():
        gone = {str(instance.sites[site].site.id) for site in loss.gone}
        for row in rows:
            assert all(step.how in ("repaired", "restarted") for step in row.steps if step.site in gone)


@given(cases)
@settings(max_examples=20, deadline=None)
def test_only_lanes_that_policy_left_are_used(case: tuple[Instance, Plan | None]) -> None:
    """Every step is at a place the planner might have chosen."""
    instance, plan = case
    lanes = {(lane.workload, str(lane.fit.site)) for lane in instance.lanes}
    for _, _, rows in every(instance, plan) if plan else ():
        for number, row in enumerate(rows):
            assert all((number, step.site) in lanes for step in row.steps)


def names(declared: Estate, kind: DisruptionClass) -> list[str]:
    """What may be lost in a class."""
    return [loss.name for loss in losses(resolved(declared)) if loss.disruption is kind]


def test_losses_are_named_in_the_estates_words() -> None:
    """Sites, domains two share, regions and providers that are not one's own, links and conduits."""
    declared = place(
        region("near", failure_domains=("grid",)),
        region("far", region="us-west-2", failure_domains=("grid",)),
        hall("home", it_kw=40.0, racks=4, count=3),
        workloads=(chat(),),
        links=(
            Link(id=LinkId("one"), source=SiteId("near"), target=SiteId("home"), conduits=("duct",)),
            Link(id=LinkId("two"), source=SiteId("far"), target=SiteId("home"), conduits=("duct",)),
        ),
    )
    assert names(declared, DisruptionClass.SITE) == [
        "site `near`", "site `far`", "one of 3 sites `home`", "failure domain `grid`",
    ]  # fmt: skip
    assert names(declared, DisruptionClass.REGION) == ["region `aws:us-east-1`", "region `aws:us-west-2`"]
    assert names(declared, DisruptionClass.PROVIDER) == ["provider `aws`"]
    assert names(declared, DisruptionClass.LINK) == ["link `one`", "link `two`", "conduit `duct`"]
    assert names(declared, DisruptionClass.RACK) == ["a rack of 2 nodes of `home/server`"]


def only(declared: Estate, kind: DisruptionClass) -> Refilled:
    """The first loss of a class, for the first workload."""
    instance = resolved(declared)
    moment = next(moments(instance, planned(declared)))
    return refill(Book(instance), moment, next(each for each in losses(instance) if each.disruption is kind))[0]


def test_a_spare_replica_takes_the_place_of_one_that_dies() -> None:
    """Availability of three nines sizes one more in: a process may go and nothing is missed."""
    declared = place(region("near"), workloads=(chat(slo=Slo(availability=0.999)),))
    assert only(declared, DisruptionClass.PROCESS).stays == pytest.approx(1.0)
    plain = place(region("near"), workloads=(chat(),))
    assert only(plain, DisruptionClass.PROCESS).stays < 1.0


def test_one_feed_alone_takes_the_site() -> None:
    """Without redundancy the loss of a feed is the loss of the site."""
    single = place(hall("home", servers(held=2), it_kw=40.0, racks=4, feeds=Redundancy.N), workloads=(chat(),))
    assert only(single, DisruptionClass.POWER).stays == 0.0


def test_one_of_several_identical_sites_takes_its_part() -> None:
    """A quarter of what four sites serve."""
    shops = place(hall("shop", servers(held=1), it_kw=20.0, racks=2, count=4), workloads=(chat(),))
    assert only(shops, DisruptionClass.SITE).stays == pytest.approx(0.75)


def test_a_cut_link_is_gone_round_where_that_is_near_enough() -> None:
    """101 ms and 83 ms more over the internet: within 190 ms, not within 180 ms."""
    wire = Link(id=LinkId("wire"), source=SiteId("home"), target=SiteId("near"), rtt_ms=1.0)
    for limit, how in ((190.0, {"rerouted"}), (180.0, {"repaired"})):
        declared = place(
            region("near"),
            hall("home", servers(held=0, max_nodes=0), it_kw=40.0, racks=4),
            workloads=(chat(callers=(Caller(place="home"),), slo=Slo(ttft_ms=limit)),),
            links=(wire,),
            recovery=RecoveryRules(),
        )
        found = only(declared, DisruptionClass.LINK)
        assert found.stays == 0.0
        assert {step.how for step in found.steps} == how
