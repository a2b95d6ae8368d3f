"""Try an estate and its plan against what may come: play, search for where it breaks, plan anew, sum up."""

from __future__ import annotations

from collections.abc import Sequence

from tripoint.domain.errors import Finding
from tripoint.domain.scenario import Scenario, TrialMode
from tripoint.domain.stress import StressReport
from tripoint.engines.stress.agenda.absence import passed_over, shadowing, untried_of
from tripoint.engines.stress.agenda.choice import refuse_if_none
from tripoint.engines.stress.scenarios.compound import most_likely, pairs, unpaired
from tripoint.engines.stress.scenarios.ground import ground_of
from tripoint.engines.stress.scenarios.resolve import struck_by
from tripoint.engines.stress.summary.losses import hours_of, year_of
from tripoint.engines.stress.summary.targets import unjudged_of
from tripoint.usecases.stressing.campaign import Campaign, Runs
from tripoint.usecases.stressing.options import StressOptions
from tripoint.usecases.stressing.plans import Replanner, Structural
from tripoint.usecases.stressing.subject import Subject


def stress(
    subject: Subject,
    scenarios: Sequence[Scenario],
    options: StressOptions,
    runs: Runs,
    replanner: Replanner,
    findings: tuple[Finding, ...] = (),
) -> StressReport:
    """What the estate and its plan withstand.

    Raises `OptionError` where everything that was asked for strikes nothing of the estate and its plan.
    """
    ground = ground_of(subject.loaded.estate, subject.catalog, subject.plan, subject.world, period=subject.period)
    untried = untried_of(scenarios, ground)
    refuse_if_none(scenarios, untried, is_named=bool(options.only))
    tried = [each for each in scenarios if each.id not in {missing.scenario for missing in untried}]
    played = [each for each in tried if each.mode is not TrialMode.PLAN]
    campaign = Campaign(subject, ground, options, runs)
    found = campaign.verdicts(played)
    doubled: tuple[Scenario, ...] = ()
    if options.is_compound:
        doubled, apart = pairs(most_likely(played, hours_of(campaign.harms)))
        untried += unpaired(apart)
        found += campaign.compound(doubled)
    structural = Structural(subject.loaded, subject.catalog, subject.plan, ground, replanner)
    lasting = [each for each in tried if each.mode is TrialMode.PLAN]
    resolution = options.resolution if options.search_trials else None
    answers = [structural.tried(each, resolution) for each in lasting]
    year = year_of(subject.loaded.estate, subject.played, campaign.harms, options.seed)
    return StressReport(
        losses=year.losses,
        usd_per_year=year.usd_per_year,
        unpriced=year.unpriced,
        unjudged=tuple(each for scenario in played for each in unjudged_of(subject.loaded.estate, scenario)),
        is_searched=options.search_trials > 0,
        name=subject.loaded.estate.name,
        tripoint_version=subject.version,
        estate_digest=subject.loaded.digest,
        plan_digest=subject.plan_digest,
        seed=options.seed,
        trials=options.trials,
        scenarios=(*scenarios, *doubled),
        verdicts=(*found, *(verdict for _, verdicts in answers for verdict in verdicts)),
        replanned=tuple(what for what, _ in answers),
        untried=untried,
        courses=campaign.courses(played),
        played=campaign.played,
        findings=(*findings, *shadowing(tried, ground)),
        passed_over=passed_over(tried, ground),
        struck=struck_by((*tried, *doubled), ground),
        remeasured=subject.remeasured,
        period=subject.plan.periods[subject.period] if subject.plan.periods else "",
    )
