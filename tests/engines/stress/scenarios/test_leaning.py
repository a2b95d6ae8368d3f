"""What is lost with a thing: by the rules of the assessment, followed over time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.leaning import chat, cloud, colo, estate, link, report, shared, singles
from tests.factories.planning import catalog
from tests.factories.tried import FRAGILE, shipped, tried

from tripoint.domain.dependency import Dependency
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.scenario import Pick, Scenario, Strike, TrialMode
from tripoint.engines.resilience.capacity.carrying import carrying_of
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.scenarios.candidates import targets_for
from tripoint.engines.stress.scenarios.exposure import exposed
from tripoint.engines.stress.scenarios.ground import Ground, ground_of
from tripoint.engines.stress.scenarios.knobs import usual
from tripoint.engines.stress.scenarios.resolve import faults_of, worst_struck

OWN = shared("ns-own", kind="other", needs=("cage",))
NAMES = shared("names", needs=("ns-own",), needed_by=("all",))
ALL = ("desk", "help", "write", "digest")


def leaning_on(*dependencies: Dependency) -> Ground:
    """The fragile estate with these dependencies and no others."""
    found = tried(FRAGILE)
    return ground_of(replace(found.loaded.estate, dependencies=dependencies), catalog(), found.plan, found.world)


def struck(ground: Ground, hits: str, kind: FaultKind = FaultKind.DOWN, pick: Pick = Pick.ALL) -> tuple[Fault, ...]:
    """Faults of one strike from the first hour on, for two hours."""
    strike = Strike(kind=kind, hits=hits, pick=pick, at=60.0, lasts=120.0)
    each = Scenario(
        id="own", number=0, title="Own", disruption=DisruptionClass.SITE, mode=TrialMode.HOURS, minutes=600.0,
        magnitudes=(), strikes=(strike,),
    )  # fmt: skip
    return faults_of(each, {}, ground, Streams(7, 0))


def test_the_loss_of_a_site_stops_who_needs_what_runs_there() -> None:
    """Names need a name server, that needs the cage: nobody is served while it is gone, wherever they are."""
    first, carried = struck(leaning_on(OWN, NAMES), "cage")
    assert first.on == ("cage",)
    assert (carried.kind, carried.at_s, carried.until_s) == (FaultKind.DOWN, 3600.0, 3 * 3600.0)
    assert set(carried.on) == set(ALL)


@pytest.mark.parametrize(
    ("hits", "kind"), [("metro", FaultKind.DOWN), ("wire", FaultKind.LINK_DOWN), ("provider", FaultKind.DOWN)]
)
def test_groups_links_and_providers_take_along_what_needs_them(hits: str, kind: FaultKind) -> None:
    """As `needs` may name them."""
    named = {"metro": "metro", "wire": "wire", "provider": "aws"}[hits]
    found = struck(leaning_on(shared("names", needs=(named,), needed_by=("desk",))), hits, kind)
    assert [each.on for each in found][1:] == [("desk",)]


def test_a_second_name_server_and_a_soft_fault_take_nothing_along() -> None:
    """One of two is enough, until both are gone; a site that is slow still answers."""
    other = shared("ns-rented", kind="other", needs=("cloud",))
    names = shared("names", needs_any=("ns-own", "ns-rented"), needed_by=("all",))
    ground = leaning_on(OWN, other, names)
    assert len(struck(ground, "cage")) == 1
    assert set(struck(ground, "site")[-1].on) == set(ALL)
    assert all(each.kind is FaultKind.SLOW for each in struck(leaning_on(OWN, NAMES), "cage", FaultKind.SLOW))


def test_what_is_borne_is_borne_at_each_step() -> None:
    """Half an hour of cached names, then an hour of tokens: sign-in is missed in the last half hour only."""
    names = replace(NAMES, needed_by=("sign-in",), grace_hours=0.5)
    ground = leaning_on(OWN, names, shared("sign-in", kind="identity", needed_by=("all",), grace_hours=1.0))
    (_, carried) = struck(ground, "cage")
    assert (carried.at_s, carried.until_s) == (3600.0 * 2.5, 3600.0 * 3)
    assert len(struck(ground, "sign-in")) == 1
    assert struck(ground, "sign-in")[0].at_s == 3600.0 * 2


def test_both_feeds_through_one_room_take_the_site() -> None:
    """A strike may name anything declared; feeds that are lost together leave no site."""
    asked = estate(
        colo("ams"), workloads=(chat(("ams", 1.0)),), dependencies=(shared("ups", needed_by=("ams/1", "ams/2")),)
    )
    away = carrying_of(asked, {}).away({"ups": ((0.0, 5.0),)})
    assert away["ams"] == ((0.0, 5.0),)
    assert "ams" not in carrying_of(asked, {}).away({"ams/1": ((0.0, 5.0),)})


def test_the_worst_site_is_the_one_everybody_needs() -> None:
    """Nothing but one workload is at the cage; with the only name server there it counts for all of them."""
    loss = next(each for each in shipped() if each.id == "site-loss")
    plain, leant = leaning_on(), leaning_on(OWN, NAMES)
    assert worst_struck(loss, plain) == ("cloud",)
    assert worst_struck(loss, leant) == ("cage",)
    assert exposed(loss, plain) == pytest.approx((8.0 + 5.0 + 3.0) / 8.0)
    assert exposed(loss, leant) == pytest.approx((16.0 + 8.0 + 3.0) / 16.0)
    assert faults_of(loss, usual(loss), leant, Streams(7, 0))[0].on == ("cage",)


@pytest.mark.parametrize("sort", ["site", "domain", "region", "provider"])
def test_what_lies_in_a_group_is_counted_once(sort: str) -> None:
    """A dependency that needs none of these changes no weight; one that needs a member adds what lies elsewhere."""
    strike = Strike(kind=FaultKind.DOWN, hits=sort)
    plain = targets_for(leaning_on(), strike)
    other = targets_for(leaning_on(shared("names", needed_by=("all",))), strike)
    assert [each.weight for each in other] == pytest.approx([each.weight for each in plain])
    everything = sum(
        {each.ids: each.weight for each in targets_for(leaning_on(), replace(strike, hits="site"))}.values()
    )
    leant = {each.ids: each.weight for each in targets_for(leaning_on(OWN, NAMES), strike)}
    assert all(weight == pytest.approx(everything) for ids, weight in leant.items() if "cage" in ids)


@pytest.mark.parametrize("name", ["names", "ns-own", "metro", "duct", "aws"])
def test_a_strike_may_name_anything_that_is_declared(name: str) -> None:
    """Dependencies of any kind, failure domains, conduits and providers, by their name alone or as `id:NAME`."""
    ground = leaning_on(OWN, NAMES)
    kind = FaultKind.LINK_DOWN if name == "duct" else FaultKind.DOWN
    assert struck(ground, name, kind)
    assert struck(ground, f"id:{name}", kind) == struck(ground, name, kind)


NAMED = ("one", "two", "three")
ANY = st.lists(st.sampled_from(["a", "fibre", *NAMED]), max_size=2, unique=True).map(tuple)
DECLARED = st.tuples(ANY, ANY, st.lists(st.sampled_from([*NAMED, "b", "all"]), max_size=2, unique=True).map(tuple))


@given(st.tuples(DECLARED, DECLARED, DECLARED))
def test_trials_carry_a_loss_as_far_as_the_assessment_does(
    declared: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...],
) -> None:
    """Whatever needs whatever: `a` and a link serve nothing, so they are single points only by what needs them."""
    dependencies = tuple(
        shared(name, needs=tuple(x for x in needs if x != name), needs_any=tuple(x for x in any_of if x != name),
               needed_by=tuple(x for x in by if x != name))
        for name, (needs, any_of, by) in zip(NAMED, declared, strict=True)
    )  # fmt: skip
    asked = estate(
        cloud("a"), colo("b"), workloads=(chat(("b", 1.0)),), links=(link("fibre", "US", "a"),),
        dependencies=dependencies,
    )  # fmt: skip
    (reliance,) = report(asked, catalog()).reliances
    alone = set(singles(reliance))
    for kind, name in (("site", "a"), ("link", "fibre"), *(("dns", name) for name in NAMED)):
        away = carrying_of(asked, {}).away({name: ((0.0, inf),)})
        assert ("chat" in away or "b" in away) == (f"{kind}:{name}" in alone), name


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 20)), max_size=6), st.floats(0, 10))
def test_what_is_away_is_told_once_and_in_order(lost: list[tuple[float, float]], grace_s: float) -> None:
    """Stretches are apart, and none begins before what caused it and its grace."""
    asked = estate(
        cloud("a"), colo("b"), workloads=(chat(("b", 1.0)),),
        dependencies=(shared("names", needs=("a",), needed_by=("all",), grace_hours=grace_s / 3600.0),),
    )  # fmt: skip
    away = carrying_of(asked, {}).away({"a": [(at, at + length) for at, length in lost]})
    stretches = away.get("chat", ())
    assert all(one[1] < other[0] for one, other in pairwise(stretches))
    assert all(
        any(begin == pytest.approx(cause + grace_s) and end == upto for cause, upto in away["a"])
        for begin, end in stretches
    )
