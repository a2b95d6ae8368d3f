"""Every scenario of the catalogue breaks an estate it should break, and leaves one alone that bears it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from tests.factories.planning import catalog
from tests.factories.tried import FRAGILE, STURDY, Tried, replanning, shipped, tried

from tripoint.domain.scenario import Scenario, TrialMode
from tripoint.domain.stress import Aim, Order, Trial
from tripoint.engines.stress.playing import Player
from tripoint.engines.stress.scenarios.resolve import untouched
from tripoint.engines.stress.summary.targets import targets_of
from tripoint.engines.stress.summary.verdicts import HeldKey, met_by
from tripoint.usecases.stressing.plans import Structural

SCENARIOS = shipped()
BY_ID = {scenario.id: scenario for scenario in SCENARIOS}


@cache
def player(text: str) -> Player:
    """Plays every scenario on an estate; what trials of one process share is made once."""
    estate = tried(text)
    return Player(world=estate.world, ground=estate.ground, scenarios=BY_ID, seed=1, most_requests=1500)


def bears(text: str, name: str, end: str) -> dict[HeldKey, bool]:
    """Which objectives were met with every magnitude at one end of its range."""
    estate, scenario = tried(text), BY_ID[name]
    values = {each.name: getattr(each, end) for each in scenario.magnitudes}
    if scenario.mode is TrialMode.PLAN:
        structural = Structural(estate.loaded, catalog(), estate.plan, estate.ground, replanning())
        return met(estate, scenario, (structural.at(scenario, values, is_told=False)[1],))
    orders = (Order(scenario=name, number=number, magnitudes=values) for number in range(2))
    return met(estate, scenario, tuple(map(player(text), orders)))


once_bears = cache(bears)
"""The same, played once: `test_the_same_order_gives_the_same_trial` says that it makes no difference."""


def played(estate: Tried, scenario: Scenario, end: str, *, trials: int = 2) -> tuple[Trial, ...]:
    """Trials of a scenario with every magnitude at one end of its range, by a player that has played nothing else."""
    values = {each.name: getattr(each, end) for each in scenario.magnitudes}
    fresh = Player(world=estate.world, ground=estate.ground, scenarios=BY_ID, seed=1, most_requests=1500)
    return tuple(fresh(Order(scenario=scenario.id, number=number, magnitudes=values)) for number in range(trials))


def met(estate: Tried, scenario: Scenario, trials: tuple[Trial, ...]) -> dict[HeldKey, bool]:
    """Which objectives were met."""
    return met_by(scenario, trials, targets_of(estate.loaded.estate, scenario))


def test_the_catalogue_has_every_row_of_the_research() -> None:
    """Rows 1 to 28, ids once, figures with a source."""
    assert {scenario.number for scenario in SCENARIOS} == set(range(1, 29))
    assert len(BY_ID) == len(SCENARIOS)
    assert all(each.provenance.as_of for scenario in SCENARIOS for each in scenario.magnitudes)
    assert all(each.frequency is None or each.frequency.provenance.as_of for each in SCENARIOS)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("region-loss", "region"), ("provider-outage", "provider"), ("control-plane-loss", "control"),
        ("link-cut", "link"), ("conduit-cut", "conduit"), ("key-outage", "keys"), ("identity-outage", "identity"),
        ("dns-outage", "dns"), ("certificate-expiry", "certificate"), ("site-loss", "site.colo"),
    ],
)  # fmt: skip
def test_a_thing_fails_as_often_in_trials_as_in_an_assessment(name: str, kind: str) -> None:
    """One fact, one figure: where a scenario is the loss of a thing by itself, its frequency is that of the thing."""
    (row,) = (each for each in catalog().defaults if each.key == f"failure.{kind}.per_year")
    said = BY_ID[name].frequency
    assert said is not None
    assert (said.low, said.per_year, said.high) == (row.low, row.typical, row.high)


@pytest.mark.no_cover  # whole trials again: those of the sturdy estate say which lines are covered
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.id)
def test_a_fragile_estate_is_broken(scenario: Scenario) -> None:
    """At the severe end at least one objective is not met that is met while nothing happens; residency always is."""
    estate = tried(FRAGILE)
    assert not untouched(scenario, estate.ground)
    found = once_bears(FRAGILE, scenario.id, "severe")
    assert not all(found.values())
    assert all(kept for key, kept in found.items() if key.aim is Aim.RESIDENCY)
    if scenario.mode is not TrialMode.PLAN:
        quiet = replace(scenario, strikes=())
        undisturbed = Player(world=estate.world, ground=estate.ground, scenarios={quiet.id: quiet}, seed=1)
        order = Order(scenario=quiet.id, number=0, magnitudes={})
        assert all(met(estate, scenario, (undisturbed(order),)).values()), "broken before anything was struck"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.id)
def test_a_sturdy_estate_bears_it(scenario: Scenario) -> None:
    """At the usual magnitudes every objective is met."""
    estate = tried(STURDY)
    assert not untouched(scenario, estate.ground)
    found = bears(STURDY, scenario.id, "usual")
    assert found
    assert [key for key, kept in found.items() if not kept] == []


@pytest.mark.no_cover
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.id)
def test_the_same_blow_tells_the_two_apart(scenario: Scenario) -> None:
    """At one of the ends, with the same magnitudes, one estate is broken and the other is not."""

    def is_broken(text: str, end: str) -> bool:
        return not all(once_bears(text, scenario.id, end).values())

    assert any(is_broken(FRAGILE, end) and not is_broken(STURDY, end) for end in ("usual", "severe"))


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["site-dark", "node-loss", "failure-storm", "drill-overlap"])
def test_the_same_order_gives_the_same_trial(name: str) -> None:
    """A trial depends on seed, number and magnitudes only, whatever was played before."""
    estate, scenario = tried(FRAGILE), BY_ID[name]
    once, again = played(estate, scenario, "usual"), tuple(reversed(played(estate, scenario, "usual", trials=3)))
    assert again[-1] == once[0]
    assert again[-2] == once[1]


def test_a_smaller_scale_tells_of_the_whole() -> None:
    """At a quarter of the scale about as many requests are told, in time in about the same share."""
    estate, scenario = tried(FRAGILE), BY_ID["gray-errors"]
    order = Order(scenario=scenario.id, number=0, magnitudes={"share": 0.05})

    def outcome(most: float) -> tuple[float, float]:
        player = Player(world=estate.world, ground=estate.ground, scenarios=BY_ID, seed=1, most_requests=most)
        desk = player(order).outcomes[0]
        return desk.offered, desk.answered / desk.offered

    (many, well), (few, also_well) = outcome(8000.0), outcome(2000.0)
    assert few == pytest.approx(many, rel=0.1)
    assert also_well == pytest.approx(well, abs=0.01)
