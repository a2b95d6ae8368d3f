"""Pairs of scenarios are scenarios."""

from __future__ import annotations

from tests.factories.tried import FRAGILE, shipped, tried

from tripoint.domain.scenario import TrialMode
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.scenarios.checks import check_scenarios
from tripoint.engines.stress.scenarios.compound import most_likely, paired, pairs
from tripoint.engines.stress.scenarios.knobs import usual
from tripoint.engines.stress.scenarios.resolve import faults_of

BY_ID = {scenario.id: scenario for scenario in shipped()}


def test_a_pair_does_what_both_do() -> None:
    """Its faults are those of the two, as long as the longer of them."""
    one, other = BY_ID["site-loss"], BY_ID["link-cut"]
    both = paired(one, other)
    assert both.minutes == max(one.minutes, other.minutes + one.strikes[0].at - other.strikes[0].at)  # type: ignore[operator]  # both are minutes
    found = faults_of(both, usual(both), tried(FRAGILE).ground, Streams(0, 0))
    assert [fault.kind for fault in found] == ["down", "link_down"]
    assert check_scenarios((both,)) == ()


def test_both_strike_at_the_same_moment() -> None:
    """That of the later one: what strikes a day before the other is over does not meet it."""
    ground = tried(FRAGILE).ground
    for one, other in (("link-cut", "site-loss"), ("site-loss", "gray-slow"), ("gray-slow", "burst")):
        both = paired(BY_ID[one], BY_ID[other])
        found = faults_of(both, usual(both), ground, Streams(0, 0))
        begins = {min(fault.at_s for fault in found if fault.kind == kind) for kind in {fault.kind for fault in found}}
        assert len(begins) == 1, both.id
        assert all(fault.at_s < both.minutes * 60.0 for fault in found)
        assert check_scenarios((both,)) == ()


def test_minutes_and_hours_are_played_in_hours_where_that_can_be() -> None:
    """Slowness is known there, callers that ask again are not."""
    assert paired(BY_ID["site-loss"], BY_ID["gray-slow"]).mode is TrialMode.HOURS
    made, apart = pairs((BY_ID["site-loss"], BY_ID["gray-slow"], BY_ID["retry-storm"]))
    assert [each.id for each in made] == ["site-loss+gray-slow", "gray-slow+retry-storm"]
    assert [(one.id, other.id) for one, other in apart] == [("site-loss", "retry-storm")]


def test_the_most_harmful_are_paired() -> None:
    """Frequency times harm ranks them; what has neither, or is planned, is left out."""
    harm = {"burst": 0.5, "site-dark": 0.5, "link-cut": 0.1, "budget-cut": 9.0}
    chosen = most_likely(tuple(BY_ID.values()), harm, take=3)
    assert [each.id for each in chosen] == ["burst", "link-cut", "site-dark"]
    assert [each.id for each in pairs(chosen)[0]] == ["burst+link-cut", "burst+site-dark", "link-cut+site-dark"]
    assert all(each.mode is not TrialMode.PLAN for each in chosen)
