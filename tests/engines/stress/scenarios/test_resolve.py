"""Scenarios become faults of one estate: the right things, at the right times, with the same luck every time."""

from __future__ import annotations

import itertools
from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.tried import FRAGILE, STURDY, shipped, tried
from tests.factories.worlds import place

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.scenario import Magnitude, Pick, Scenario, Strike, TrialMode
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.scenarios.candidates import targets_of
from tripoint.engines.stress.scenarios.ground import Ground, StruckPool
from tripoint.engines.stress.scenarios.knobs import at_position, position_of, spread, usual
from tripoint.engines.stress.scenarios.resolve import faults_of, untouched, worst_struck
from tripoint.engines.stress.trial.conditions import strikes

BY_ID = {scenario.id: scenario for scenario in shipped()}


def scenario(*strikes: Strike, knobs: tuple[Magnitude, ...] = (), minutes: float = 600) -> Scenario:
    """A scenario of hours with these strikes."""
    return Scenario(
        id="own", number=0, title="Own", disruption=DisruptionClass.SITE, mode=TrialMode.HOURS, minutes=minutes,
        magnitudes=knobs, strikes=strikes,
    )  # fmt: skip


def faults(each: Scenario, ground: Ground | None = None, *, trial: int = 0, **values: float) -> tuple[Fault, ...]:
    """Its faults on the fragile estate, at the usual magnitudes but for those given."""
    return faults_of(each, {**usual(each), **values}, ground or tried(FRAGILE).ground, Streams(7, trial))


def test_a_site_is_out_for_as_long_as_its_magnitude_says() -> None:
    """Units of magnitudes are honoured: hours become seconds."""
    (found,) = faults(BY_ID["site-loss"], outage=2.0)
    assert (found.kind, found.on) == (FaultKind.DOWN, ("cloud",))
    assert (found.at_s, found.until_s) == (86_400.0, 86_400.0 + 7200.0)


def test_the_worst_is_where_most_urgent_work_is() -> None:
    """`desk` alone weighs less than what is at the cloud together; of links the one callers use."""
    sites = targets_of(tried(FRAGILE).ground, "site")
    weight = {target.ids[0]: target.weight for target in sites}
    assert weight == pytest.approx({"cloud": 8.0, "market": 3.0, "cage": 5.0})
    assert max(targets_of(tried(FRAGILE).ground, "link"), key=lambda each: each.weight).weight == pytest.approx(5.0)


def test_what_the_worst_was_is_told_as_it_was_struck() -> None:
    """The ids of the fault, those of all strikes; a strike that names what it hits tells it itself."""
    ground = tried(FRAGILE).ground
    (found,) = faults(BY_ID["site-loss"])
    assert worst_struck(BY_ID["site-loss"], ground) == found.on
    several = scenario(*(Strike(kind=FaultKind.DOWN, hits=hits) for hits in ("provider", "site", "cage", "people")))
    assert worst_struck(several, ground) == ("cloud", "market")
    for pick in (Pick.ALL, Pick.RANDOM):
        assert worst_struck(scenario(Strike(kind=FaultKind.DOWN, hits="site", pick=pick)), ground) == ()


def test_things_that_share_something_are_hit_together() -> None:
    """A provider's sites fail in one fault."""
    (found,) = faults(scenario(Strike(kind=FaultKind.DOWN, hits="provider")))
    assert found.on == ("cloud", "market")
    assert found.until_s == inf


def test_one_of_several_alike_takes_its_part_of_their_capacity() -> None:
    """Of four branches one is lost: three quarters are left."""
    ground = tried(FRAGILE).ground
    sites = tuple(replace(site, count=4) if site.id == "cage" else site for site in ground.sites)
    (found,) = faults(scenario(Strike(kind=FaultKind.DOWN, hits="cage")), replace(ground, sites=sites))
    assert (found.kind, found.size) == (FaultKind.CAPACITY, 0.75)


def test_a_strike_on_spot_leaves_the_other_nodes_of_the_pool() -> None:
    """Of three nodes one is spot: half of that is left, and the fault names the spot nodes alone."""
    pool = StruckPool(id="cloud/x", site="cloud", nodes=3.0, spot=1.0, elastic=1.0, gpus_per_node=1)
    ground = replace(tried(FRAGILE).ground, pools=(pool,))
    (found,) = faults(scenario(Strike(kind=FaultKind.CAPACITY, hits="pool:spot", size=0.5)), ground)
    assert found.on == ("cloud/x:spot",)
    assert found.size == pytest.approx(0.5)
    spot, firm = (place("x", site="cloud", pool="cloud/x", option=option) for option in ("spot", "on_demand"))
    assert strikes(found, spot)
    assert not strikes(found, firm)


def test_what_is_cached_still_works() -> None:
    """A delay, or the grace its dependency declares, shortens the outage from its beginning; a long one removes it."""
    strike = Strike(kind=FaultKind.DOWN, hits="dependants:keys", pick=Pick.ALL, at=60.0, lasts=120.0, delay=30.0)
    (found,) = faults(scenario(strike))
    assert (found.at_s, found.until_s) == (90 * 60.0, 180 * 60.0)
    assert {"desk", "help", "write", "digest"} <= set(found.on)
    assert faults(scenario(strike), tried(STURDY).ground) == ()


def test_nodes_fail_again_and_again_without_overlapping_faults() -> None:
    """Failures by chance become stretches of capacity, in order, never below none and apart from one another."""
    storm = BY_ID["failure-storm"]
    found = [each for each in faults(storm, mtbf=200.0) if each.on == ("cage/l40s-8",)]
    assert len(found) > 3
    assert all(one.until_s <= other.at_s for one, other in itertools.pairwise(found))
    assert {each.kind for each in found} == {FaultKind.DOWN}  # one node in all: each failure takes everything


@given(seed=st.integers(0, 1000), rate=st.floats(100.0, 50_000.0))
def test_rarer_failures_are_the_same_ones_later(seed: int, rate: float) -> None:
    """Turning the magnitude moves the same draws (common random numbers): the first failure comes in proportion."""
    storm = BY_ID["failure-storm"]
    ground = tried(FRAGILE).ground

    def first(mtbf: float) -> float:
        found = faults_of(storm, {"mtbf": mtbf, "repair": 1.0}, ground, Streams(seed, 0))
        return min((each.at_s for each in found if each.on == ("cage/l40s-8",)), default=inf)

    early, late = first(rate), first(rate * 2)
    assert late == inf or late == pytest.approx(2 * early)


def test_a_random_pick_is_the_same_for_the_same_trial_only() -> None:
    """By number of trial, all sites are picked sooner or later."""
    strike = scenario(Strike(kind=FaultKind.DOWN, hits="site", pick=Pick.RANDOM))
    picked = [faults(strike, trial=number)[0].on for number in range(40)]
    assert picked == [faults(strike, trial=number)[0].on for number in range(40)]
    assert set(picked) == {("cloud",), ("market",), ("cage",)}


def test_what_the_estate_lacks_is_told_by_the_first_strike() -> None:
    """An estate without conduits cannot be tried against a cut of one."""
    ground = tried(FRAGILE).ground
    bare = replace(ground, estate=replace(ground.estate, links=()))
    assert untouched(BY_ID["conduit-cut"], bare) == "conduit"
    assert untouched(BY_ID["conduit-cut"], ground) == ""


@given(position=st.floats(0.0, 1.0), mild=st.floats(0.01, 10.0), severe=st.floats(0.01, 1000.0))
def test_positions_and_values_agree(position: float, mild: float, severe: float) -> None:
    """The value at a position is within the range, and stands at that position."""
    knob = Magnitude(name="k", unit="x", mild=mild, usual=mild, severe=severe)
    value = at_position(knob, position)
    assert knob.ends[0] * (1 - 1e-9) <= value <= knob.ends[1] * (1 + 1e-9)
    if abs(severe - mild) > 1e-3:
        assert position_of(knob, value) == pytest.approx(position, abs=1e-6)


@given(trials=st.integers(1, 40), seed=st.integers(0, 99))
def test_a_latin_hypercube_takes_every_part_of_every_range_once(trials: int, seed: int) -> None:
    """Each knob falls into each of `trials` equal parts of its range exactly once."""
    knobs = tuple(Magnitude(name=name, unit="x", mild=0.0, usual=0.5, severe=1.0) for name in ("a", "b"))
    found = spread(knobs, trials, Streams(seed, 0), "test")
    for name in ("a", "b"):
        assert sorted(int(values[name] * trials) for values in found) == list(range(trials))


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_position_is_a_share_of_the_range(mild: float, severe: float, value: float) -> None:
    """0 at mild, 1 at severe, never outside."""
    knob = Magnitude(name="m", unit="", mild=mild, usual=mild, severe=severe)
    assert 0.0 <= position_of(knob, value) <= 1.0
    assert position_of(knob, mild) == 0.0
    assert position_of(knob, severe) == (0.0 if mild == severe else 1.0)
