"""What could be rented where the plan has nothing: the same places and the same time as assessments count on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from tests.factories.planning import catalog
from tests.factories.tried import TODAY, Tried, loaded_of, shipped, tried

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.recovery import Reached
from tripoint.domain.stress import Order, Outcome
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.resilience.recovery.assess import assess
from tripoint.engines.stress.playing import Player
from tripoint.engines.stress.survey.worlds import survey

BARE = """
apiVersion: tripoint/v1
name: bare
horizon: {start: 2027-01, months: 12, period_months: 12, blocks: 1}
sites:
  - {id: hall, kind: colo, country: DE, power: {it_kw: 20, rack_density_kw: 20, racks: 1},
     pools: [{node_type: l40s-8, held: 1, max_nodes: 1}]}
  - {id: west, kind: cloud, provider: aws, region: eu-west-1, pools: [{node_type: g6.12xlarge, options: [on_demand]}]}
models: [{id: llama3.1-8b, precisions: [fp8]}]
workloads:
  - id: desk
    kind: inference
    model: llama3.1-8b
    demand: {requests_per_s: 4, input_tokens: 600, output_tokens: 150}
    callers: [{place: DE}]
    slo: {ttft_ms: 20000, availability: 0.9}
    PERMITTED
recovery:
  weights_at: [hall]
  OBJECTIVES
"""
LOSS = next(each for each in shipped() if each.id == "site-loss")
REGION = next(each for each in shipped() if each.id == "region-loss")


@cache
def bare(permitted: str = "", objectives: str = "objectives: []") -> Tried:
    """An estate whose plan owns all it uses, with a region it could rent in."""
    return tried(BARE.replace("PERMITTED", permitted).replace("OBJECTIVES", objectives))


def lost(estate: Tried, hours: float = 6.0) -> Outcome:
    """The loss of the hall for so many hours."""
    player = Player(world=estate.world, ground=estate.ground, scenarios={LOSS.id: LOSS}, seed=1)
    return player(Order(scenario=LOSS.id, number=0, magnitudes={"outage": hours})).outcomes[0]


def assessed(estate: Tried, disruption: DisruptionClass = DisruptionClass.SITE) -> Reached:
    """What an assessment says of the only workload."""
    instance = prepare(estate.loaded.estate, catalog(), estate.loaded.profiles)
    (found,) = (each for each in assess(instance, estate.plan) if each.disruption is disruption)
    return found


def test_what_the_plan_leaves_out_can_be_rented_and_takes_as_long_as_assessed() -> None:
    """Noticed, approved, ordered, weights over the internet, loaded, warmed up, shifted to, validated."""
    estate = bare()
    assert {row.site for row in estate.plan.placements} == {"hall"}
    assert {place.site for place in estate.world.places} == {"hall"}
    assert estate.world.wide is not None
    (more,) = (place for place in estate.world.wide.places if place.site == "west")
    assert (more.nodes, more.is_cold, more.is_approved, more.option) == (0.0, True, False, "on_demand")
    found = assessed(estate)
    assert [step.how for step in found.steps if step.pool == "west/g6.12xlarge"] == ["rented"]
    assert more.ready_after_s == pytest.approx(found.rta_s)
    assert lost(estate).outage_s == pytest.approx(found.rta_s)
    assert lost(estate).shed > 0.0


def test_how_soon_a_loss_is_known_depends_on_what_is_lost() -> None:
    """A region's trouble is told from one's own later than a dark site: five minutes instead of one."""
    after = bare().ground.after
    assert after[DisruptionClass.REGION].late_s == pytest.approx(240.0)
    assert after[DisruptionClass.NODE].late_s == pytest.approx(-30.0)
    assert DisruptionClass.SITE not in after


def test_policy_lets_nobody_rent_where_they_may_not_be() -> None:
    """A workload that may be in the hall only has nowhere to go: it is out as long as the hall is."""
    estate = bare("only_at: [hall]")
    assert estate.world.wide is None
    assert lost(estate).outage_s == pytest.approx(6 * 3600.0)
    assert assessed(estate).rta_s > 6 * 3600.0


def test_nobody_rents_what_everybody_looks_for() -> None:
    """Where nothing can be obtained, places beside the plan give nothing either."""
    estate = bare()
    assert estate.ground.obtainable == ("west/g6.12xlarge",)
    crowded = next(strike for strike in REGION.strikes if strike.hits == "pool:elastic")
    both = replace(
        LOSS,
        id="both",
        magnitudes=(*LOSS.magnitudes, REGION.magnitudes[1]),
        strikes=(*LOSS.strikes, replace(crowded, at=LOSS.strikes[0].at)),
    )
    player = Player(world=estate.world, ground=estate.ground, scenarios={"both": both}, seed=1)
    found = [
        player(Order(scenario="both", number=0, magnitudes={"outage": 6.0, "obtainable": share})).outcomes[0]
        for share in (1.0, 0.0)
    ]
    assert found[0].outage_s < 3600.0
    assert found[1].outage_s == pytest.approx(6 * 3600.0)


def test_less_may_be_asked_after_a_loss_and_counts_in_trials_too() -> None:
    """An objective that asks for nothing to be served has no outage, here as in the assessment."""
    content = "objectives: [{after: [site], rto_minutes: 1, least_share: 0.0}]"
    estate = bare("only_at: [hall]", content)
    assert lost(estate).outage_s == 0.0
    assert assessed(estate).rta_s == 0.0
    usual = lost(bare("only_at: [hall]"))
    assert usual.outage_s == pytest.approx(6 * 3600.0)
    assert lost(estate).shed == usual.shed


def test_countries_an_objective_keeps_to_are_those_of_trials() -> None:
    """Served abroad after a loss counts as outside where an objective names countries; assessments leave it out."""
    content = "objectives: [{after: [site], rto_minutes: 60, residency: [DE]}]"
    estate = bare("", content)
    found = lost(estate)
    assert found.outside > 0.0
    assert lost(bare()).outside == 0.0
    assert all(step.site != "west" for step in assessed(estate).steps)


def test_without_a_plan_there_is_nothing_beyond_it() -> None:
    """What the estate declares is all there is."""
    declared = loaded_of(BARE.replace("PERMITTED", "").replace("OBJECTIVES", "objectives: []"))
    assert survey(declared, catalog(), None, today=TODAY).wide is None
