"""Try an estate and its plan against what may come: play, search for where it breaks, plan anew, sum up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TypedDict

from tripoint.domain.catalog import Catalog
from tripoint.domain.cut import Spread
from tripoint.domain.errors import Finding, OptionError
from tripoint.domain.findings import did_you_mean, finding, quoted
from tripoint.domain.plan import Plan
from tripoint.domain.scenario import Scenario, TrialMode
from tripoint.domain.source import LoadedEstate
from tripoint.domain.stress import PassedOver, Replanned, StressReport, Struck, Untried, YearlyLoss
from tripoint.engines.gateway.table.shares import period_at
from tripoint.engines.resilience.loss.report import hourly_loss
from tripoint.engines.stress.scenarios.candidates import declared_ids, is_known, names_of, shadowed, sorts
from tripoint.engines.stress.scenarios.compound import most_likely, pairs
from tripoint.engines.stress.scenarios.ground import Ground, ground_of
from tripoint.engines.stress.scenarios.resolve import missed, untouched, worst_struck
from tripoint.engines.stress.summary.losses import Harm, yearly_losses
from tripoint.engines.stress.summary.targets import unjudged_of
from tripoint.engines.stress.survey import survey
from tripoint.usecases.stress_campaign import Campaign, Runs, StressOptions, Subject
from tripoint.usecases.stress_plans import Replanner, Structural

_APART = "no mode of trials can play both: one needs single requests, the other hours"
_TOLD = 5
"""Scenarios a refusal names."""


def subject_of(loaded: LoadedEstate, catalog: Catalog, plan: Plan, *, today: date, digests: tuple[str, str]) -> Subject:
    """The estate and its plan, compiled to be tried; `digests` are the plan's and tripoint's version.

    Raises `OptionError` for a plan of another estate, or none at all.
    """
    if plan.solve is None:
        raise OptionError(f"there is no plan to test: {plan.why_none}", hint="`tripoint plan ESTATE` says more")
    if plan.estate_digest != loaded.digest:
        message = f"the plan was made for another estate ({plan.estate_digest[:19]}, not {loaded.digest[:19]})"
        raise OptionError(message, hint="plan this one: `tripoint plan ESTATE --out DIR`")
    return Subject(
        loaded=loaded,
        catalog=catalog,
        plan=plan,
        world=survey(loaded, catalog, plan, today=today),
        period=period_at(plan, today),
        plan_digest=digests[0],
        version=digests[1],
    )


def chosen(scenarios: Sequence[Scenario], only: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios asked for, in the order of the catalogue; raises `OptionError` for an id nobody has."""
    known = {scenario.id: scenario for scenario in scenarios}
    for name in only:
        if name not in known:
            hint = did_you_mean(name, known) or f"known: {quoted(list(known))}; see `tripoint scenarios list`"
            raise OptionError(f"no scenario is called `{name}`", hint=hint)
    return tuple(scenario for scenario in scenarios if not only or scenario.id in only)


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
    untried = tuple(
        Untried(scenario=each.id, why=absence(missing, ground))
        for each in scenarios
        if (missing := untouched(each, ground))
    )
    _refuse_if_all(untried, scenarios, options)
    skipped = {each.scenario for each in untried}
    tried = [each for each in scenarios if each.id not in skipped]
    played = [each for each in tried if each.mode is not TrialMode.PLAN]
    campaign = Campaign(subject, ground, options, runs)
    found = campaign.verdicts(played)
    doubled: tuple[Scenario, ...] = ()
    if options.is_compound:
        doubled, apart = pairs(most_likely(played, hours_of(campaign.harms)))
        untried += tuple(Untried(scenario=f"{one.id}+{other.id}", why=_APART) for one, other in apart)
        found += campaign.compound(doubled)
    structural = Structural(subject.loaded, subject.catalog, subject.plan, ground, replanner)
    replanned: list[Replanned] = []
    for scenario in tried:
        if scenario.mode is TrialMode.PLAN:
            what, verdict = structural.tried(scenario, is_searched=options.search_trials > 0)
            replanned.append(what)
            found += verdict
    return StressReport(
        **_expected(subject, campaign.harms, options.seed),
        unjudged=tuple(each for scenario in played for each in unjudged_of(subject.loaded.estate, scenario)),
        is_searched=options.search_trials > 0,
        name=subject.loaded.estate.name,
        tripoint_version=subject.version,
        estate_digest=subject.loaded.digest,
        plan_digest=subject.plan_digest,
        seed=options.seed,
        trials=options.trials,
        scenarios=(*scenarios, *doubled),
        verdicts=tuple(found),
        replanned=tuple(replanned),
        untried=untried,
        courses=campaign.courses(played),
        played=campaign.played,
        findings=(*findings, *_shadowed(tried, ground)),
        passed_over=_passed_over(tried, ground),
        struck=tuple(
            Struck(scenario=each.id, ids=ids) for each in (*tried, *doubled) if (ids := worst_struck(each, ground))
        ),
        remeasured=subject.remeasured,
        period=subject.plan.periods[subject.period] if subject.plan.periods else "",
    )


class _Expected(TypedDict):
    """What a year is expected to take, as the report holds it."""

    losses: tuple[YearlyLoss, ...]
    usd_per_year: Spread | None
    unpriced: tuple[str, ...]


def _expected(subject: Subject, harms: Sequence[Harm], seed: int) -> _Expected:
    """What trials took away, as often as their scenarios come, at what an hour costs."""
    estate = subject.loaded.estate
    usd_per_hour = {str(each.id): usd for each in estate.workloads if (usd := hourly_loss(estate, each)) is not None}
    losses, usd_per_year = yearly_losses(harms, usd_per_hour, seed)
    unpriced = tuple(each for each in _served(subject) if each not in usd_per_hour)
    return _Expected(losses=losses, usd_per_year=usd_per_year, unpriced=unpriced)


def _served(subject: Subject) -> tuple[str, ...]:
    """Workloads that are played, runs last."""
    world = subject.world
    return (*(each.workload for each in world.demanded), *(each.workload for each in world.runs))


def _refuse_if_all(untried: Sequence[Untried], scenarios: Sequence[Scenario], options: StressOptions) -> None:
    """Refuses a run in which nothing of what was asked for by name, or brought along, can be tried."""
    own = [] if options.only else [each for each in scenarios if not each.number]
    asked = {each.id for each in own or scenarios}
    missing = [each for each in untried if each.scenario in asked]
    if asked and len(missing) == len(asked):
        reasons = "; ".join(f"`{each.scenario}`: {each.why}" for each in missing[:_TOLD])
        rest = f"; ... {len(missing) - _TOLD} more" if len(missing) > _TOLD else ""
        message = f"nothing that was asked for can be tried: {reasons}{rest}"
        raise OptionError(message, hint="name something the estate has and the plan uses, or try another scenario")


def _passed_over(tried: Sequence[Scenario], ground: Ground) -> tuple[PassedOver, ...]:
    """Strikes beside a scenario's first that strike nothing here.

    A sort of thing the estate does not have is no mistake of a scenario of the catalogue; a name nobody has always is.
    """
    return tuple(
        PassedOver(scenario=each.id, strike=number, why=absence(hits, ground))
        for each in tried
        for number, hits in missed(each, ground)
        if not each.number or not is_known(hits)
    )


def _shadowed(tried: Sequence[Scenario], ground: Ground) -> Iterator[Finding]:
    """Strikes of one's own that name a group of things although a site is called so."""
    for each in tried:
        for number, strike in enumerate(each.strikes if not each.number else ()):
            if name := shadowed(ground, strike.hits):
                message = f"`{strike.hits}` strikes every such thing, not only the site called `{name}`"
                yield finding("TP1218", f"{each.id}.strikes[{number}].hits", message, f"that site alone is `id:{name}`")


def absence(missing: str, ground: Ground) -> str:
    """Why a scenario that strikes this means nothing here, and what would let it."""
    sort, _, which = missing.partition(":")
    if not is_known(missing):
        declared = declared_ids(ground)
        if missing in (each.id for each in ground.estate.dependencies):
            return f"no site and no workload needs `{missing}`"
        if missing in declared:
            return f"the plan has nothing at `{missing}`"
        near = did_you_mean(missing, (*declared, *sorts()))
        return f"the estate has nothing called `{missing}`" + (f"; {near}" if near else "")
    told = f"the estate and its plan have nothing of `{missing}`"
    if sort == "dependants":
        return f"{told}; declare it: `dependencies: [{{id: {which}, kind: {which}, needed_by: [all]}}]`"
    near = did_you_mean(which, names_of(ground, sort)) if which else ""
    if near:
        return f"{told}; {near}"
    if sort in ("domain", "conduit"):
        where = "`failure_domains` of sites" if sort == "domain" else "`conduits` of links"
        return f"{told}; declare {where}, so that what fails together is known"
    return told


def hours_of(harms: Sequence[Harm]) -> Mapping[str, float]:
    """Scenario id -> workload-hours without service each time it comes, to all that it may strike."""
    return {
        harm.scenario.id: harm.exposed * math.fsum(math.fsum(trial.values()) for trial in harm.hours) / len(harm.hours)
        for harm in harms
        if harm.hours
    }
