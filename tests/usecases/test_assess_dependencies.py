"""Dependencies of a plan, from estate to report: places, data, ways out and scores in one assessment."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.placement import chat, hall, place, region, servers
from tests.factories.recovering import TODAY, loaded, planned, recovering_catalog, resolved

from tripoint.domain.cut import DependencyReport
from tripoint.domain.dataset import Dataset
from tripoint.domain.dependency import Dependency, DependencyKind
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.errors import OptionError
from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.provenance import Confidence, Provenance
from tripoint.domain.recovery import Exclusion, Impact, Objective, RecoveryRules
from tripoint.domain.scenario import Scenario, TrialMode
from tripoint.domain.score import Ground, Standing
from tripoint.domain.stress import Aim, Held, Interval, StressReport, Unjudged, Verdict
from tripoint.domain.units import DatasetId, SiteId, WorkloadId
from tripoint.domain.workload import DatasetUse
from tripoint.engines.gateway.table.shares import period_at
from tripoint.usecases.assess_dependencies import planned_dependencies
from tripoint.usecases.assess_recovery import assess_recovery
from tripoint.usecases.assess_scores import stress_proofs

SITE = DisruptionClass.SITE
JUDGED = Provenance(source="test", as_of="2026-11", confidence=Confidence.ESTIMATE)
STEADY = Interval(mean=0.0, p5=0.0, p95=0.0, worst=0.0)


def split(**fields: object) -> Estate:
    """A workload the plan puts where it is cheapest, with a hall of two owned servers and a cloud."""
    given: dict[str, object] = {"workloads": (chat(rate=16.0),)} | fields
    return place(region(), hall(pool=servers(held=2)), **given)  # type: ignore[arg-type]  # fields of the case


def leaned(estate: Estate, plan: Plan) -> DependencyReport:
    """What it leans on as the plan places it."""
    return planned_dependencies(resolved(estate), plan, today=TODAY)


def test_places_come_from_the_plan() -> None:
    """It runs in the hall, whose loss takes it all; the cloud it does not use takes nothing."""
    estate = split()
    found = leaned(estate, planned(estate))
    (chats,) = found.reliances
    assert "site:hall" in {cut.members[0] for cut in chats.singles}
    assert not [cut for cut in chats.singles if "aws" in cut.members[0]]


def test_data_kept_in_one_place_ties_its_readers_to_it() -> None:
    """However fast others take over, without the data they cannot: the outage lasts until it is back."""
    texts = Dataset(id=DatasetId("texts"), size_gb=10.0, copies=(SiteId("hall"),))
    reads = chat(rate=16.0, reads=(DatasetUse(dataset=DatasetId("texts"), gb_per_month=1.0),))
    rules = RecoveryRules(objectives=(Objective(after=(SITE,), least_share=0.5),))
    tied, free = (
        assess_recovery(loaded(estate), recovering_catalog(), planned(estate), today=TODAY).dependencies.reliances[0]
        for estate in (split(workloads=(reads,), datasets=(texts,), recovery=rules), split(recovery=rules))
    )
    hours = [next(cut.hours for cut in each.singles if cut.members == ("site:hall",)) for each in (tied, free)]
    assert hours[0] == pytest.approx(4.0)
    assert hours[1] < 1.0


def test_a_plan_of_another_estate_is_refused() -> None:
    """The message names what does not fit."""
    other = replace(split(), workloads=(chat(name="other", rate=16.0),))
    with pytest.raises(OptionError):
        leaned(split(workloads=()), planned(other))


def stress_report(estate: Estate, *, met: bool, plan_digest: str = "p", scenario: str = "site-loss",
                  mode: TrialMode = TrialMode.HOURS) -> StressReport:  # fmt: skip
    """A stress run in which one workload lost its site."""
    held = Held(aim=Aim.RTO, target=60.0, reached=STEADY, met_share=1.0 if met else 0.0, is_met=met, breaks_at=None)
    verdict = Verdict(
        scenario=scenario, workload="chat", availability=STEADY, shed=STEADY, lost=STEADY, outage_s=STEADY,
        stale_s=STEADY, wait_p99_ms=STEADY, cost_delta_usd=STEADY, margin=STEADY, outside=0.0, first_limit="",
        held=(held,),
    )  # fmt: skip
    tried = Scenario(
        id=scenario, number=2, title="", disruption=SITE, mode=mode, minutes=60.0, magnitudes=(), strikes=()
    )
    return StressReport(
        name="e", tripoint_version="0", estate_digest=loaded(estate).digest, plan_digest=plan_digest, seed=0, trials=1,
        scenarios=(tried,), verdicts=(verdict,), replanned=(), untried=(), courses=(), played=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "standing"),
    [
        ({"met": True}, Standing.MET),
        ({"met": False}, Standing.FAILED),
        ({"met": True, "plan_digest": "another"}, Standing.EXPIRED),
        ({"met": True, "scenario": "site-loss+burst"}, Standing.MISSING),
        ({"met": True, "mode": TrialMode.PLAN}, Standing.MISSING),
    ],
)
def test_a_stress_run_scores_by_simulation(fields: dict[str, object], standing: Standing) -> None:
    """Met, failed, of another plan, of a pair, of no loss at all."""
    asked = Objective(after=(SITE,), rto_minutes=1000.0)
    rules = RecoveryRules(objectives=(asked,), impacts=(Impact(usd_per_hour=9.0),))
    estate = split(recovery=rules)
    made = stress_report(estate, **fields)  # type: ignore[arg-type]  # the fields of the case
    proofs = stress_proofs(made, loaded(estate), planned(estate), "p", TODAY)
    scores = assess_recovery(loaded(estate), recovering_catalog(), planned(estate), today=TODAY, proofs=proofs).scores
    assert [each.standing for each in scores.simulation.graded] == [standing]
    assert scores.design.share == 1.0
    assert scores.drill.share == 0.0
    assert scores.headline == 0.0
    assert scores.usd_per_year is not None
    assert scores.simulation.ground is Ground.SIMULATION
    assert [each.workload for each in scores.drill.graded] == [WorkloadId("chat")]


@pytest.mark.parametrize(
    ("changed", "standing", "because"),
    [
        ({}, Standing.MET, ""),
        ({"period": "2031-Q4"}, Standing.EXPIRED, "tried in 2031-Q4"),
        ({"plan_digest": "another"}, Standing.EXPIRED, "tried with another plan"),
        ({"estate_digest": "another"}, Standing.EXPIRED, "tried on another version of the estate"),
    ],
)
def test_trials_of_another_period_plan_or_estate_no_longer_count_and_say_so(
    changed: dict[str, str], standing: Standing, because: str
) -> None:
    """The same run under the same plan counts in its own period only."""
    rules = RecoveryRules(objectives=(Objective(after=(SITE,), rto_minutes=1000.0),))
    estate = split(recovery=rules)
    plan = planned(estate)
    own = {"period": plan.periods[period_at(plan, TODAY)], **changed}
    made = replace(stress_report(estate, met=True), **own)  # type: ignore[arg-type]  # the fields of the case
    proofs = stress_proofs(made, loaded(estate), plan, "p", TODAY)
    scores = assess_recovery(loaded(estate), recovering_catalog(), plan, today=TODAY, proofs=proofs).scores
    (graded,) = scores.simulation.graded
    assert graded.standing is standing
    assert because in graded.because


def test_what_trials_were_too_short_for_is_excluded_until_a_longer_one_judges_it() -> None:
    """A short run that could not miss the time counts as not tried, beside a long one it takes nothing away."""
    rules = RecoveryRules(objectives=(Objective(after=(SITE,), rto_minutes=1000.0),))
    estate = split(recovery=rules)
    long = stress_report(estate, met=True)
    short = Unjudged(scenario="site-dark", workload="chat", aim=Aim.RTO, target=60_000.0, most=150.0)
    dark = replace(long.scenarios[0], id="site-dark", mode=TrialMode.REQUESTS)
    both = replace(long, scenarios=(*long.scenarios, dark), unjudged=(short,))
    for made, standing in ((replace(both, verdicts=()), Standing.EXCLUDED), (both, Standing.MET)):
        proofs = stress_proofs(made, loaded(estate), planned(estate), "p", TODAY)
        scores = assess_recovery(loaded(estate), recovering_catalog(), planned(estate), today=TODAY, proofs=proofs)
        assert [each.standing for each in scores.scores.simulation.graded] == [standing]
        assert scores.scores.simulation.share == (1.0 if standing is Standing.MET else 0.0)


@pytest.mark.parametrize(
    ("met", "standing", "because"),
    [
        (True, Standing.EXCLUDED, "no trial of such a loss tells its recovery point"),
        (False, Standing.FAILED, "site-loss"),
    ],
)
def test_an_objective_is_met_by_simulation_only_where_all_of_it_was_judged(
    *, met: bool, standing: Standing, because: str
) -> None:
    """Trials that held its time proved nothing of its point; that they missed the time is enough to fail it."""
    rules = RecoveryRules(objectives=(Objective(after=(SITE,), rto_minutes=1000.0, rpo_minutes=5.0),))
    estate = split(recovery=rules)
    proofs = stress_proofs(stress_report(estate, met=met), loaded(estate), planned(estate), "p", TODAY)
    scores = assess_recovery(loaded(estate), recovering_catalog(), planned(estate), today=TODAY, proofs=proofs).scores
    assert [(each.standing, each.because) for each in scores.simulation.graded] == [(standing, because)]
    assert scores.simulation.share == 0.0


def test_a_server_takes_its_part() -> None:
    """Of two servers that are both needed each takes some, as often as both fail together."""
    estate = split()
    found = leaned(estate, planned(estate))
    (server,) = [cut for cut in found.reliances[0].singles if cut.members == ("node:hall/server",)]
    assert server.instances == 2
    assert 0.0 < server.lost_share <= 0.5
    assert server.per_year == pytest.approx(2 * 2.0)


def test_a_refined_server_fails_as_declared() -> None:
    """Figures of one's own servers, by the name of their pool."""
    own = Dependency(id="hall/server", kind=DependencyKind.NODE, fails_per_year=1.0, hours_to_repair=4.0)
    estate = split(dependencies=(own,))
    found = leaned(estate, planned(estate))
    (server,) = [cut for cut in found.reliances[0].singles if cut.members == ("node:hall/server",)]
    assert (server.per_year, server.hours) == pytest.approx((2.0, 4.0))


def test_an_exclusion_of_the_estate_is_listed_and_counts_as_not_met() -> None:
    """A passed trial does not help what was left out; design is not tried, so it is not touched."""
    rules = RecoveryRules(
        objectives=(Objective(after=(SITE,), rto_minutes=1000.0),),
        exclusions=(Exclusion(after=(SITE,), because="no window"),),
    )
    estate = split(recovery=rules)
    proofs = stress_proofs(stress_report(estate, met=True), loaded(estate), planned(estate), "p", TODAY)
    scores = assess_recovery(loaded(estate), recovering_catalog(), planned(estate), today=TODAY, proofs=proofs).scores
    for score in (scores.simulation, scores.drill):
        assert [(each.standing, each.because) for each in score.graded] == [(Standing.EXCLUDED, "no window")]
        assert score.share == 0.0
    assert scores.design.share == 1.0
    assert not [step for step in scores.steps if step.raises is not Ground.DESIGN]
