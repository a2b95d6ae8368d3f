"""Puts the plan together: decisions, charges and everything they mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from tripoint.domain.errors import Finding
from tripoint.domain.plan import Baseline, ConflictSet, Plan, PlanStatus
from tripoint.domain.source import LoadedEstate
from tripoint.domain.version import VERSION
from tripoint.engines.answers.assumptions import assumptions
from tripoint.engines.answers.baselines import baseline
from tripoint.engines.answers.breakeven.ways import market_of
from tripoint.engines.answers.breakeven.workloads import all_contests, break_evens
from tripoint.engines.answers.findings import Doubts, plan_findings
from tripoint.engines.answers.hindrances import hindrances
from tripoint.engines.answers.homes import served
from tripoint.engines.answers.lapses import lapse_advice, lapsing
from tripoint.engines.answers.roadmap.limits import limits
from tripoint.engines.answers.roadmap.reached import roadmap
from tripoint.engines.answers.roadmap.traffic import traffic_of
from tripoint.engines.answers.summary.firm_cost import firm_costs
from tripoint.engines.answers.summary.reach import reach_of
from tripoint.engines.answers.summary.reasons import Evidence
from tripoint.engines.answers.summary.summaries import site_summaries, workload_summaries
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.program import SolutionStatus
from tripoint.engines.placement.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a plan is about, whatever the answer."""

    loaded: LoadedEstate
    """The estate and the files it was read from."""
    instance: Instance
    """Everything resolved."""
    options: dict[str, str]
    """Options of the run."""
    today: date
    """Date that figures are aged against."""


def assemble(frame: Frame, outcome: Outcome, others: tuple[Baseline, ...]) -> Plan:
    """The plan of a solved instance."""
    assert outcome.decisions is not None
    instance, charges, decisions = outcome.instance, outcome.charges, outcome.decisions
    market = market_of(instance)
    contests = all_contests(instance, market)
    traffic = traffic_of(outcome)
    pressing = limits(instance, decisions, charges, traffic.peaks)
    hindered = hindrances(instance, charges, pressing, traffic.overloads)
    evidence = Evidence(
        instance=instance,
        served=served(decisions),
        reach=reach_of(instance),
        contests=contests,
        firm_costs=firm_costs(instance, decisions, charges),
        hindrances=hindered,
    )
    assumed = assumptions(instance, decisions.placements, charges, frame.today)
    is_proven = outcome.solution.status is SolutionStatus.OPTIMAL
    doubts = Doubts(
        instance=instance,
        decisions=decisions,
        charges=charges,
        assumptions=assumed,
        alternatives=others,
        today=frame.today,
    )
    return replace(
        _framed(frame, PlanStatus.OPTIMAL if is_proven else PlanStatus.FEASIBLE),
        solve=outcome.summary,
        sites=site_summaries(instance, decisions, charges),
        workloads=workload_summaries(evidence, charges),
        placements=decisions.placements,
        pools=decisions.pools,
        purchases=(*decisions.purchases, *lapsing(instance, decisions)),
        expansions=decisions.expansions,
        copies=decisions.copies,
        standby=decisions.standby,
        transfers=decisions.transfers,
        charges=charges,
        baselines=(baseline("plan", "this plan", outcome), *others),
        breakevens=break_evens(instance, decisions, contests, hindered, market),
        lapses=lapse_advice(instance, decisions),
        headroom=roadmap(instance, pressing),
        assumptions=assumed,
        findings=(*frame.loaded.findings, *_located(frame, doubts)),
    )


def _located(frame: Frame, doubts: Doubts) -> tuple[Finding, ...]:
    """Findings about the plan, each at the place of the estate it is about; the folder, where that is all its files."""
    loaded = frame.loaded
    return tuple(
        loaded.positions.locate(said) if said.path or len(loaded.files) < 2 else replace(said, file=loaded.folder)
        for said in plan_findings(doubts)
    )


def infeasible(frame: Frame, conflict: ConflictSet) -> Plan:
    """The answer when no plan exists."""
    return replace(_framed(frame, PlanStatus.INFEASIBLE), conflict=conflict)


def _framed(frame: Frame, status: PlanStatus) -> Plan:
    """What a plan is about, with nothing decided yet."""
    instance = frame.instance
    return Plan(
        name=frame.loaded.estate.name,
        tripoint_version=VERSION,
        estate_digest=frame.loaded.digest,
        demand=frame.loaded.demand,
        catalog_digest=instance.catalog.digest,
        options=frame.options,
        status=status,
        solve=None,
        conflict=None,
        currency=instance.estate.finance.currency,
        usd_per_unit=instance.estate.finance.usd_per_unit,
        start=instance.estate.horizon.start,
        period_months=instance.estate.horizon.period_months,
        period_hours=instance.grid.period_hours,
        discount_rate=instance.finance.discount_rate.value,
        periods=instance.grid.periods,
        blocks=instance.grid.blocks,
        sites=(),
        workloads=(),
        placements=(),
        pools=(),
        purchases=(),
        expansions=(),
        copies=(),
        standby=(),
        transfers=(),
        charges=(),
        baselines=(),
        breakevens=(),
        lapses=(),
        headroom=(),
        assumptions=(),
        refusals=instance.refusals,
        findings=frame.loaded.findings,
    )
