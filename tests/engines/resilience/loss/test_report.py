"""Hours and money in a year, bad years, tolerances, and what is not said."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import pytest
from tests.factories.leaning import chat, cloud, colo, estate, report, shared
from tests.factories.planning import catalog

from tripoint.domain.cut import Bound
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.recovery import Impact, RecoveryRules, Tolerance
from tripoint.domain.units import WorkloadId

KNOWN = (
    shared("aws", "provider", fails_per_year=0.0),
    shared("aws:eu-central-1", "region", fails_per_year=1.0, hours_to_repair=10.0),
    shared("fra", "site", fails_per_year=4.0, hours_to_repair=5.0),
)
"""Failures that are known exactly: 30 hours a year."""


def test_hours_and_money_add_up() -> None:
    """Ten and twenty hours, at 100 USD an hour, are 3,000 USD a year; no uncertainty, so no interval."""
    rules = RecoveryRules(impacts=(Impact(usd_per_hour=100.0),))
    found = report(estate(cloud("fra"), workloads=(chat(("fra", 1.0)),), dependencies=KNOWN, recovery=rules), catalog())
    (chats,) = found.reliances
    assert chats.hours_per_year.value == pytest.approx(30.0)
    assert (chats.hours_per_year.low, chats.hours_per_year.high) == pytest.approx((30.0, 30.0))
    assert found.usd_per_year is not None
    assert found.usd_per_year.value == pytest.approx(3000.0)
    assert [point.member for point in found.points[:2]] == ["site:fra", "region:aws:eu-central-1"]
    assert [point.usd_per_year for point in found.points[:2]] == pytest.approx([2000.0, 1000.0])


def test_a_bad_year_has_more_than_the_mean() -> None:
    """Poisson failures of exponential length: the 95th percentile is near mean + 1.7 deviations."""
    (chats,) = report(estate(cloud("fra"), workloads=(chat(("fra", 1.0)),), dependencies=KNOWN), catalog()).reliances
    deviation = (2 * (1.0 * 10.0**2 + 4.0 * 5.0**2)) ** 0.5
    assert 30.0 + 1.5 * deviation < chats.p95_hours < 30.0 + 2.1 * deviation


def test_uncertain_rates_leave_an_interval_around_the_value() -> None:
    """The catalogue's ranges come through."""
    (chats,) = report(estate(cloud("fra"), workloads=(chat(("fra", 1.0)),)), catalog()).reliances
    assert chats.hours_per_year.low < chats.hours_per_year.value < chats.hours_per_year.high


def test_an_outage_ends_when_the_rest_has_taken_over() -> None:
    """With the rest up after six minutes the four site failures of five hours cost 0.4 hours, nearly."""
    asked = estate(cloud("fra"), workloads=(chat(("fra", 1.0)),), dependencies=KNOWN)
    back = {("chat", DisruptionClass.SITE): 0.1}
    (chats,) = report(asked, catalog(), back_hours=back).reliances
    (site,) = [cut for cut in chats.singles if cut.members == ("site:fra",)]
    assert site.hours_per_year == pytest.approx(0.4, rel=0.02)
    assert chats.hours_per_year.value == pytest.approx(10.4, rel=0.02)


def test_a_named_impact_counts_before_one_for_all() -> None:
    """Money per hour is that of the workload where it is named."""
    rules = RecoveryRules(
        impacts=(Impact(usd_per_hour=100.0), Impact(usd_per_hour=7.0, workloads=(WorkloadId("chat"),)))
    )
    asked = estate(cloud("fra"), workloads=(chat(("fra", 1.0)),), dependencies=KNOWN, recovery=rules)
    (chats,) = report(asked, catalog()).reliances
    assert chats.usd_per_year is not None
    assert chats.usd_per_year.value == pytest.approx(210.0)


@pytest.mark.parametrize(("loss", "is_met"), [(3001.0, True), (2999.0, False)])
def test_tolerances_are_held_against_what_was_found(loss: float, is_met: bool) -> None:
    """Loss, bad year, and what rests on one thing, each with both numbers and what it comes from."""
    rules = RecoveryRules(
        impacts=(Impact(usd_per_hour=100.0),),
        tolerances=(Tolerance(annual_loss_usd=loss, p95_outage_hours=1.0, largest_dependency_share=0.6),),
    )
    asked = estate(
        cloud("fra"), colo("hall"), workloads=(chat(("fra", 1.0)), chat(("hall", 1.0), name="search")),
        dependencies=(*KNOWN, shared("hall", "site", fails_per_year=0.0), shared("hall/1", "feed", fails_per_year=0.0)),
        recovery=rules,
    )  # fmt: skip
    by_bound = {each.bound: each for each in report(asked, catalog()).bearings}
    assert by_bound[Bound.ANNUAL_LOSS].found == pytest.approx(3000.0, rel=1e-3)
    assert by_bound[Bound.ANNUAL_LOSS].is_met is is_met
    assert by_bound[Bound.ANNUAL_LOSS].by == "site fra"
    assert (by_bound[Bound.P95_HOURS].is_met, by_bound[Bound.P95_HOURS].by) == (False, "site fra (of chat)")
    assert by_bound[Bound.LARGEST_SHARE].found == pytest.approx(0.5)
    assert by_bound[Bound.LARGEST_SHARE].is_met


def test_a_loss_nobody_priced_is_not_known_and_not_borne() -> None:
    """Half a price is no price: the bound is told as not known, never as met."""
    rules = RecoveryRules(tolerances=(Tolerance(annual_loss_usd=1e9),))
    asked = estate(cloud("fra"), workloads=(chat(("fra", 1.0)),), recovery=rules)
    found = report(asked, catalog())
    assert found.usd_per_year is None
    assert [(each.found, each.is_met) for each in found.bearings] == [(None, False)]


def test_what_every_estate_has_and_this_one_does_not_mention_is_told() -> None:
    """Names are declared; keys, registry and the others are not."""
    asked = estate(cloud("fra"), workloads=(chat(("fra", 1.0)),), dependencies=(shared("names"),))
    assert report(asked, catalog()).undeclared == ("identity", "keys", "registry", "certificate", "approver")


def test_a_grace_makes_short_outages_harmless() -> None:
    """Names that are cached for a day: of failures of two hours hardly one is felt."""
    names = shared("names", fails_per_year=10.0, hours_to_repair=2.0, needed_by=("all",))
    asked = estate(cloud("fra"), workloads=(chat(("fra", 1.0)),), dependencies=(*KNOWN, names))
    cached = replace(asked, dependencies=(*KNOWN, replace(names, grace_hours=24.0)))
    (without,), (within,) = (report(each, catalog()).reliances for each in (asked, cached))
    assert without.hours_per_year.value == pytest.approx(50.0)
    assert within.hours_per_year.value == pytest.approx(30.0, abs=0.01)


def test_the_same_seed_gives_the_same_report() -> None:
    """Two reports of one estate are equal, bad years included."""
    asked = estate(cloud("fra"), workloads=(chat(("fra", 1.0)),))
    assert report(asked, catalog()) == report(asked, catalog())


def test_a_grace_holds_whatever_took_the_thing_down() -> None:
    """Sign-in lives in the region and is missed after a day: of the region's outages hardly one is felt in the hall."""
    login = shared("login", "identity", needs=("fra",), needed_by=("all",), fails_per_year=0.0)
    asked = estate(
        cloud("fra"), colo("hall"), workloads=(chat(("hall", 1.0)),),
        dependencies=(*KNOWN, login, shared("hall", "site", fails_per_year=0.0)),
    )  # fmt: skip
    cached = replace(
        asked, dependencies=(*asked.dependencies[:3], replace(login, grace_hours=24.0), asked.dependencies[4])
    )
    (without,), (within,) = (report(each, catalog()).reliances for each in (asked, cached))
    assert without.hours_per_year.value == pytest.approx(30.0, abs=0.01)
    expected = 1.0 * 10.0 * exp(-24.0 / 10.0) + 4.0 * 5.0 * exp(-24.0 / 5.0)
    assert within.hours_per_year.value == pytest.approx(expected, abs=0.01)


def test_a_grace_does_not_help_where_the_loss_is_felt_at_once() -> None:
    """What runs in the region itself is down with it, sign-in or not."""
    login = shared("login", "identity", needs=("fra",), needed_by=("all",), fails_per_year=0.0, grace_hours=24.0)
    asked = estate(cloud("fra"), workloads=(chat(("fra", 1.0)),), dependencies=(*KNOWN, login))
    (chats,) = report(asked, catalog()).reliances
    assert chats.hours_per_year.value == pytest.approx(30.0)
