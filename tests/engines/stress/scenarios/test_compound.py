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
    """Its faults are those of the two, over the longer of their lengths."""
    one, other = BY_ID["site-loss"], BY_ID["link-cut"]
    both = paired(one, other)
    assert both.minutes == one.minutes
    found = faults_of(both, usual(both), tried(FRAGILE).ground, Streams(0, 0))
    assert [fault.kind for fault in found] == ["down", "link_down"]
    assert check_scenarios((both,)) == ()


def test_the_most_harmful_are_paired_where_they_are_played_alike() -> None:
    """Frequency times harm ranks them; what has neither, or is planned, is left out."""
    harm = {"burst": 0.5, "site-dark": 0.5, "link-cut": 0.1, "budget-cut": 9.0}
    chosen = most_likely(tuple(BY_ID.values()), harm, take=3)
    assert [each.id for each in chosen] == ["burst", "link-cut", "site-dark"]
    assert [each.id for each in pairs(chosen)] == ["burst+site-dark"]
    assert all(each.mode is not TrialMode.PLAN for each in chosen)
