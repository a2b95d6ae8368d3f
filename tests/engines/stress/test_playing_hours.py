"""Trials of hours over time: they agree with their outcomes, and dark stretches show."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.factories.tried import FRAGILE, shipped, tried

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import Order
from tripoint.engines.stress.playing import Player

HOUR = 3600.0


def named(name: str) -> Scenario:
    """A scenario of the catalogue."""
    return next(each for each in shipped() if each.id == name)


def player(scenario: Scenario) -> Player:
    """A player of one scenario on the fragile estate."""
    subject = tried(FRAGILE)
    return Player(world=subject.world, ground=subject.ground, scenarios={scenario.id: scenario}, seed=1)


@pytest.mark.parametrize(("name", "days"), [("site-loss", 3), ("site-loss", 10), ("ransomware", 7)])
def test_bins_add_up_to_the_outcome(name: str, days: int) -> None:
    """Whatever the width of a bin; what a restore takes is lost, what finds no room shed."""
    scenario = replace(named(name), minutes=days * 24 * 60.0)
    playing = player(scenario)
    order = Order(scenario=name, number=0, magnitudes={each.name: each.usual for each in scenario.magnitudes})
    faults = playing.faults(order)
    outcomes = {each.workload: each for each in playing(order).outcomes}
    courses = playing.hours(scenario, 0, faults)
    assert {each.workload for each in courses} == {"desk", "help", "write"}
    for each in courses:
        outcome = outcomes[each.workload]
        assert len(each.offered) == math.ceil(days * 24 / (each.bin_s / HOUR)) <= 96
        for told, summed in (
            (outcome.offered, each.offered),
            (outcome.answered + outcome.lost, (*each.answered, *each.lost)),
            (outcome.shed, each.shed),
        ):
            assert math.fsum(summed) == pytest.approx(told, rel=1e-6, abs=1e-3)
    assert any(math.fsum(each.shed) + math.fsum(each.lost) > 0 for each in courses)


def test_a_dark_stretch_is_lost_in_its_own_hours() -> None:
    """An hour and a half of a workload that is down wherever it is."""
    scenario = replace(named("site-loss"), minutes=24 * 60.0)
    down = Fault(kind=FaultKind.DOWN, on=("help",), at_s=2.5 * HOUR, until_s=4 * HOUR)
    told = {each.workload: each for each in player(scenario).hours(scenario, 0, (down,))}
    shares = [lost / asked for lost, asked in zip(told["help"].lost, told["help"].offered, strict=True)]
    assert shares[:6] == pytest.approx([0, 0, 0.5, 1, 0, 0])
    assert math.fsum(told["desk"].lost) == 0.0
