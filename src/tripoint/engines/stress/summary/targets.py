"""What a workload is held to under a scenario, and what one outcome reached of it."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from tripoint.domain.estate import Estate
from tripoint.domain.fault import FaultKind
from tripoint.domain.scenario import Scenario, TrialMode
from tripoint.domain.stress import Aim, Outcome, Unjudged
from tripoint.domain.units import SECONDS_PER_MINUTE
from tripoint.domain.workload import Workload
from tripoint.engines.resilience.times.objectives import objective_of

BUDGET_MINUTES = 30 * 24 * 60.0
"""Availability is an objective over thirty days: in a shorter trial nothing else is taken to happen in the rest."""
IN_TIME = 0.95
"""Share of answers whose first token must be in time: objectives of latency are 95th percentiles."""
_SLACK = 1e-9


class Target(NamedTuple):
    """One objective of one workload."""

    workload: str
    """Workload id."""
    aim: Aim
    """Which objective."""
    asked: float
    """What is asked: a share for availability, latency and capacity, seconds for RTO and RPO, a multiple of the usual
    for cost, a number of requests for residency."""


def targets_of(estate: Estate, scenario: Scenario) -> tuple[Target, ...]:
    """Everything workloads are held to under a scenario and its trials can tell, in the estate's order."""
    longest_s = longest_outage_s(scenario)
    return tuple(each for each in _all(estate, scenario) if not _is_beyond(each, longest_s))


def unjudged_of(estate: Estate, scenario: Scenario) -> tuple[Unjudged, ...]:
    """Objectives no trial of a scenario could miss: an outage cannot be watched for longer than the trial lasts."""
    longest_s = longest_outage_s(scenario)
    return tuple(
        Unjudged(scenario=scenario.id, workload=each.workload, aim=each.aim, target=each.asked, most=longest_s)
        for each in _all(estate, scenario)
        if _is_beyond(each, longest_s)
    )


def longest_outage_s(scenario: Scenario) -> float:
    """The longest outage its trials can show, s: from the first strike to the end; `inf` where restores are summed up.

    A strike whose begin is a magnitude is taken to come at once.
    """
    if any(strike.kind is FaultKind.DATA_LOST for strike in scenario.strikes):
        return inf
    first = min((strike.at for strike in scenario.strikes if not isinstance(strike.at, str)), default=0.0)
    if any(isinstance(strike.at, str) for strike in scenario.strikes):
        first = 0.0
    return max(0.0, scenario.minutes - first) * SECONDS_PER_MINUTE


def _is_beyond(target: Target, longest_s: float) -> bool:
    return target.aim is Aim.RTO and target.asked >= longest_s


def _all(estate: Estate, scenario: Scenario) -> tuple[Target, ...]:
    return tuple(target for workload in estate.workloads for target in _of(estate, workload, scenario))


def _of(estate: Estate, workload: Workload, scenario: Scenario) -> list[Target]:
    found = [Target(workload.id, Aim.RESIDENCY, 0.0)]
    if workload.slo.availability is not None and scenario.mode is not TrialMode.PLAN:
        found.append(Target(workload.id, Aim.AVAILABILITY, workload.slo.availability))
    if workload.slo.ttft_ms is not None and scenario.mode is TrialMode.REQUESTS:
        found.append(Target(workload.id, Aim.TTFT, IN_TIME))
    if scenario.mode is TrialMode.PLAN:
        found.append(Target(workload.id, Aim.CAPACITY, 1.0))
    asked = objective_of(estate, workload, scenario.disruption)
    if asked is None:
        return found
    if asked.rto_minutes is not None and scenario.mode is not TrialMode.PLAN:
        found.append(Target(workload.id, Aim.RTO, asked.rto_minutes * SECONDS_PER_MINUTE))
    if asked.rpo_minutes is not None and scenario.mode is TrialMode.HOURS:
        found.append(Target(workload.id, Aim.RPO, asked.rpo_minutes * SECONDS_PER_MINUTE))
    if asked.highest_cost_factor is not None and scenario.mode is not TrialMode.REQUESTS:
        found.append(Target(workload.id, Aim.COST, asked.highest_cost_factor))
    return found


def reached(aim: Aim, outcome: Outcome, minutes: float) -> float:
    """What one outcome reached, in the aim's unit."""
    match aim:
        case Aim.AVAILABILITY:
            missed = 1.0 - in_time(outcome)
            return 1.0 - missed * min(1.0, minutes / BUDGET_MINUTES)
        case Aim.TTFT:
            return 1.0 - outcome.late / outcome.answered if outcome.answered > 0 else float(outcome.offered <= 0)
        case Aim.RTO:
            return outcome.outage_s
        case Aim.RPO:
            return outcome.stale_s
        case Aim.CAPACITY:
            return outcome.answered / outcome.offered if outcome.offered > 0 else 1.0
        case Aim.COST:
            return outcome.usd / outcome.usual_usd if outcome.usual_usd > 0 else 1.0
        case Aim.RESIDENCY:
            return outcome.outside


def in_time(outcome: Outcome) -> float:
    """Answered in time over offered; 1 where nothing was asked."""
    return (outcome.answered - outcome.late) / outcome.offered if outcome.offered > 0 else 1.0


def is_met(target: Target, value: float) -> bool:
    """Whether what was reached is what was asked."""
    slack = _SLACK * max(1.0, abs(target.asked))
    if target.aim in _MORE_IS_BETTER:
        return value >= target.asked - slack
    return value <= target.asked + slack


_MORE_IS_BETTER = (Aim.AVAILABILITY, Aim.TTFT, Aim.CAPACITY)
