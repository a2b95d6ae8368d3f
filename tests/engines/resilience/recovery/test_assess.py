"""Recovery times that can be added up by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.factories.placement import API, chat, hall, place, region, rented, servers
from tests.factories.recovering import (
    DECIDE,
    DETECT,
    LOAD,
    RENT,
    RENTED_S,
    REPAIR_S,
    SHIFT,
    VALIDATE,
    WARM_UP,
    planned,
    reached,
    resolved,
)

from tripoint.domain.dependency import Dependency, DependencyKind
from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.errors import OptionError
from tripoint.domain.estate import Estate
from tripoint.domain.recovery import Miss, Objective, Part, Reached, RecoveryRules, Timing
from tripoint.domain.units import SiteId
from tripoint.domain.workload import Recovery, Standby
from tripoint.engines.resilience.recovery.changes import changes

SITE, REGION, NODE, PROCESS = (
    DisruptionClass.SITE,
    DisruptionClass.REGION,
    DisruptionClass.NODE,
    DisruptionClass.PROCESS,
)


def two_clouds(rules: RecoveryRules | None = None, recovery: Recovery | None = None) -> Estate:
    """A workload at the cheaper of two clouds, of different providers' regions; the other can be rented."""
    near = region("near", pools=(rented(usd_per_hour=10.0),))
    far = region("far", region="us-west-2", pools=(rented(usd_per_hour=40.0),))
    return place(near, far, workloads=(chat(recovery=recovery or Recovery()),), recovery=rules or RecoveryRules())


def in_three_minutes(share: float) -> RecoveryRules:
    """Three minutes after the loss of a site, for a share of what is asked."""
    return RecoveryRules(objectives=(Objective(after=(SITE,), rto_minutes=3.0, least_share=share),))


def site_of(estate: Estate, kind: DisruptionClass = SITE) -> Reached:
    """What `chat` reaches."""
    return reached(estate)["chat", kind]


def test_a_site_without_standby_waits_for_a_person_and_for_nodes() -> None:
    """Detect, decide, rent, stage over the internet, load, warm up, shift, validate: every step once, in this order."""
    found = site_of(two_clouds())
    assert found.loss == "site `near`"
    assert found.rta_s == pytest.approx(RENTED_S)
    assert [term.part for term in found.terms] == [part for part in Part if part is not Part.REPAIR]
    assert [term.seconds for term in found.terms] == pytest.approx(
        [DETECT, DECIDE, RENT, 8.0, LOAD, WARM_UP, SHIFT, VALIDATE]
    )
    assert (found.low_s, found.high_s) == pytest.approx((RENTED_S / 2, RENTED_S * 2))
    assert found.weakest is TermSource.ASSUMED
    assert {term.as_of for term in found.terms} == {"2026-11"}


def test_hot_standby_takes_over_as_soon_as_the_loss_is_known() -> None:
    """Nothing to decide, to rent or to load: detect and shift."""
    found = site_of(two_clouds(recovery=Recovery(standby=Standby.HOT)))
    assert found.rta_s == pytest.approx(DETECT + SHIFT)
    assert {step.how for step in found.steps} == {"standby"}


def test_a_person_decides_about_a_region_even_where_capacity_stands_by() -> None:
    """The estate says for which losses; once it leaves regions out the gateway moves by itself."""
    hot = two_clouds(recovery=Recovery(standby=Standby.HOT))
    assert site_of(hot, REGION).rta_s == pytest.approx(DETECT + DECIDE + SHIFT)
    free = replace(hot, recovery=RecoveryRules(approval_on=()))
    assert site_of(free, REGION).rta_s == pytest.approx(DETECT + SHIFT)


def test_nobody_to_approve_is_the_loss_of_a_site_that_waits_longer() -> None:
    """The person's absence is added where a person decides, and nowhere else."""
    waiting = site_of(two_clouds(), DisruptionClass.PEOPLE)
    assert waiting.rta_s == pytest.approx(RENTED_S + 3600.0)
    hot = site_of(two_clouds(recovery=Recovery(standby=Standby.HOT)), DisruptionClass.PEOPLE)
    assert hot.rta_s == pytest.approx(DETECT + SHIFT)


def test_what_a_plan_keeps_cold_is_approved_with_the_plan() -> None:
    """Cold standby is rented without asking again."""
    found = site_of(two_clouds(recovery=Recovery(standby=Standby.COLD)))
    assert found.rta_s == pytest.approx(RENTED_S - DECIDE)


def test_warm_standby_serves_its_running_part_at_once() -> None:
    """Half of it runs: half is back after a detection, the rest once nodes are rented; weights are there already."""
    found = site_of(two_clouds(recovery=Recovery(standby=Standby.WARM, rto_minutes=3.0, survive_share=1.0)))
    assert found.steps[0].share == pytest.approx(0.5)
    assert found.steps[0].at_s == pytest.approx(DETECT + SHIFT)
    assert found.rta_s == pytest.approx(RENTED_S - DECIDE - 8.0 + 0.8)
    assert found.misses == (Miss.TIME,)
    half = site_of(two_clouds(in_three_minutes(0.5), recovery=Recovery(standby=Standby.WARM)))
    assert half.rta_s == pytest.approx(DETECT + SHIFT)
    assert half.is_met


def test_without_another_place_it_takes_as_long_as_the_loss() -> None:
    """Repair, load, warm up, shift; and nothing is served while the loss lasts."""
    estate = place(
        region("near"),
        workloads=(chat(),),
        recovery=RecoveryRules(objectives=(Objective(after=(SITE,), rto_minutes=60.0),)),
    )
    found = site_of(estate)
    assert found.rta_s == pytest.approx(DETECT + REPAIR_S + LOAD + WARM_UP + SHIFT)
    assert found.share == 0.0
    assert found.misses == (Miss.TIME, Miss.CAPACITY)


def test_a_timing_of_the_estate_replaces_an_assumption() -> None:
    """The most specific counts, then the best known; the time says what it rests on."""
    timings = (
        Timing(part=Part.PROVISION, seconds=50.0, source=TermSource.MEASURED, as_of="2026-09"),
        Timing(part=Part.PROVISION, seconds=90.0, source=TermSource.DRILLED, as_of="2026-10"),
        Timing(part=Part.PROVISION, seconds=70.0, source=TermSource.ASSUMED, sites=(SiteId("far"),)),
        Timing(part=Part.PROVISION, seconds=1.0, source=TermSource.DRILLED, sites=(SiteId("near"),)),
    )
    found = site_of(two_clouds(RecoveryRules(timings=timings)))
    assert found.rta_s == pytest.approx(RENTED_S - RENT + 70.0)
    found = site_of(two_clouds(RecoveryRules(timings=timings[:2])))
    assert found.rta_s == pytest.approx(RENTED_S - RENT + 90.0)
    provided = next(term for term in found.terms if term.part is Part.PROVISION)
    assert (provided.source, provided.as_of) == (TermSource.DRILLED, "2026-10")


def test_weights_kept_inside_the_site_are_there_sooner() -> None:
    """8 GB at 10 GB/s instead of 1 GB/s."""
    found = site_of(two_clouds(RecoveryRules(weights_at=(SiteId("far"),))))
    assert found.rta_s == pytest.approx(RENTED_S - 8.0 + 0.8)


def test_two_workloads_share_the_road_into_a_site() -> None:
    """Twice 8 GB over 1 GB/s: both are there after 16 s."""
    near = region("near", pools=(rented(usd_per_hour=10.0),))
    far = region("far", region="us-west-2", pools=(rented(usd_per_hour=40.0),))
    both = place(near, far, workloads=(chat(), chat("other")))
    found = reached(both)
    for name in ("chat", "other"):
        assert found[name, SITE].rta_s == pytest.approx(RENTED_S + 8.0)
    stage = next(term for term in found["chat", SITE].terms if term.part is Part.STAGE)
    assert "shared by 2 copies" in stage.basis


def test_who_comes_first_gets_the_idle_node() -> None:
    """What a third leaves of a node at the other site is enough for one: the first in priority has it."""
    home = hall("home", servers(held=2, max_nodes=2), it_kw=40.0, racks=4)
    other = hall("other", servers(held=1, max_nodes=1), it_kw=10.0, racks=1)
    anchor = chat("anchor", 0.1, only_at=("other",), priority=3)
    calm = chat("calm", 7.0, priority=5, not_at=("other",))
    keen = chat("keen", 7.0, priority=1, not_at=("other",))
    estate = place(home, other, workloads=(calm, keen, anchor))
    made = planned(estate)
    free = replace(estate, workloads=tuple(replace(each, not_at=()) for each in estate.workloads))
    found = reached(free, made)
    assert found["keen", SITE].share == pytest.approx(1.0)
    assert found["calm", SITE].share < 0.5
    assert found["keen", SITE].rta_s < found["calm", SITE].rta_s


def test_a_process_is_started_again_where_it_was() -> None:
    """Sooner than renting: nothing to decide, nothing to copy."""
    found = site_of(two_clouds(), PROCESS)
    assert found.rta_s == pytest.approx(DETECT + 10.0 + LOAD + WARM_UP + SHIFT)
    assert "restarted" in {step.how for step in found.steps}


def test_a_token_api_takes_over_and_costs_what_it_costs() -> None:
    """Where policy and model let it, an API is there after somebody agreed; the factor says how dear that is."""
    near = region("near", pools=(rented(usd_per_hour=10.0),))
    far = region("far", region="us-west-2", pools=(), apis=(API,))
    rules = RecoveryRules(objectives=(Objective(after=(SITE,), rto_minutes=15.0, highest_cost_factor=1.5),))
    found = site_of(place(near, far, workloads=(chat(),), recovery=rules))
    assert {step.how for step in found.steps} == {"api"}
    assert found.rta_s == pytest.approx(DETECT + DECIDE + SHIFT + VALIDATE)
    assert found.cost_factor > 1.5
    assert found.misses == (Miss.COST,)


def test_recovery_stays_where_the_objective_says() -> None:
    """A place outside is no place to recover at, however soon it could be."""
    rules = RecoveryRules(objectives=(Objective(after=(SITE,), rto_minutes=60.0, residency=("NL",)),))
    found = site_of(two_clouds(rules))
    assert found.share == 0.0
    assert math.isclose(found.rta_s, DETECT + REPAIR_S + LOAD + WARM_UP + SHIFT)


def test_a_feed_that_has_a_second_one_takes_nothing() -> None:
    """What a plan loads stays within what survives the loss of a feed."""
    estate = place(hall("home", servers(held=2), it_kw=40.0, racks=4, feeds="N+1"), workloads=(chat(),))
    found = site_of(estate, DisruptionClass.POWER)
    assert (found.rta_s, found.loss) == (0.0, "")


def test_a_plan_of_other_places_is_refused() -> None:
    """Nothing is assessed that the estate does not allow."""
    made = planned(two_clouds())
    other = place(region("elsewhere"), workloads=(chat(),))
    with pytest.raises(OptionError, match="which this estate does not allow"):
        reached(other, made)


def leaning(*dependencies: Dependency, rules: RecoveryRules | None = None) -> Estate:
    """Hot standby elsewhere, and a third site that serves nothing."""
    asked = two_clouds(rules or in_three_minutes(1.0), Recovery(standby=Standby.HOT, survive_share=1.0))
    return replace(asked, sites=(*asked.sites, hall("office", pools=())), dependencies=dependencies)


def test_a_site_is_not_replaced_where_it_takes_along_what_is_needed() -> None:
    """Names need a server that needs the site: standby elsewhere is of no use until the site is back."""
    own = Dependency(id="ns-own", needs=(SiteId("near"),))
    names = Dependency(id="names", kind=DependencyKind.DNS, needs=("ns-own",), needed_by=("all",))
    plain, found = site_of(leaning()), site_of(leaning(own, names))
    assert (plain.misses, plain.stopped_by, plain.rta_s < 180.0) == ((), (), True)
    assert (found.loss, found.stopped_by, found.share) == ("site `near`", ("names",), 0.0)
    assert found.rta_s == pytest.approx(DETECT + REPAIR_S)
    assert found.misses == (Miss.TIME, Miss.CAPACITY)
    assert found.elsewhere_s is not None
    assert found.elsewhere_s <= plain.rta_s
    assert found.terms[-1].basis.endswith("it needs `names`")
    assert list(changes(resolved(leaning(own, names)), found)) == []


def test_a_site_that_serves_nothing_stops_all_who_need_it() -> None:
    """The office has the only name server; a link or provider that is needed does the same in its class."""
    names = Dependency(id="names", kind=DependencyKind.DNS, needs=("office",), needed_by=("chat",))
    assert site_of(leaning(names)).loss == "site `office`"
    two = replace(names, needs=(), needs_any=("office", "near"))
    assert site_of(leaning(two)).stopped_by == ()
    assert site_of(leaning(replace(two, at_least=2))).stopped_by == ("names",)
    rented = site_of(leaning(replace(names, needs=("aws",))), DisruptionClass.PROVIDER)
    assert rented.stopped_by == ("names",)


def test_what_is_borne_is_taken_off_what_a_lost_site_takes_along() -> None:
    """Of two hours half an hour is borne; what is borne for longer than the loss lasts is never missed."""
    names = Dependency(id="names", needs=("near",), needed_by=("all",), grace_hours=0.5)
    assert site_of(leaning(names)).rta_s == pytest.approx(DETECT + REPAIR_S - 1800.0)
    assert site_of(leaning(replace(names, grace_hours=2.0))).stopped_by == ()


def test_a_site_that_needs_another_is_lost_with_it() -> None:
    """The far cloud is reached through the near one: it cannot stand by for it."""
    gate = Dependency(id="gate", needs=("near",), needed_by=("far",))
    assert site_of(leaning(gate)).rta_s > site_of(leaning()).rta_s
