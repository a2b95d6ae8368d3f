"""Many outcomes to one verdict per workload: intervals over trials, and the share of them that met each objective."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import Aim, Held, Interval, Outcome, Trial, Verdict
from tripoint.engines.stress.summary.targets import Target, in_time, is_met, reached

NEEDED = 0.95
"""Share of trials that must meet an objective; residency must be kept in all."""


class HeldKey(NamedTuple):
    """One objective of one workload."""

    workload: str
    """Workload id."""
    aim: Aim
    """Which objective."""


def met_by(scenario: Scenario, trials: Sequence[Trial], targets: Sequence[Target]) -> dict[HeldKey, bool]:
    """Which objectives were met in enough of the trials; those of workloads no trial has are left out."""
    by_workload = _outcomes(trials)
    return {
        HeldKey(target.workload, target.aim): _is_enough(target.aim, _met_share(target, mine, scenario.minutes))
        for target in targets
        if (mine := by_workload.get(target.workload))
    }


def verdicts(
    scenario: Scenario,
    trials: Sequence[Trial],
    targets: Sequence[Target],
    breaks_at: Mapping[HeldKey, float | None],
) -> tuple[Verdict, ...]:
    """A verdict per workload, in the order the trials have them; `breaks_at` are values of the first magnitude."""
    found: list[Verdict] = []
    for workload, mine in _outcomes(trials).items():
        held = tuple(
            _held(target, mine, scenario.minutes, breaks_at.get(HeldKey(workload, target.aim)))
            for target in targets
            if target.workload == workload
        )
        found.append(_verdict(scenario.id, workload, mine, held))
    return tuple(found)


def interval(values: Sequence[float], *, less_is_worse: bool = False) -> Interval:
    """Mean, 5th and 95th percentile (the nearest value at or above the rank) and the worst."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return Interval(
        mean=math.fsum(ordered) / len(ordered) if math.isfinite(ordered[-1]) else math.inf,
        p5=ordered[max(0, math.ceil(0.05 * len(ordered)) - 1)],
        p95=ordered[min(last, math.ceil(0.95 * len(ordered)) - 1)],
        worst=ordered[0] if less_is_worse else ordered[last],
    )


def _outcomes(trials: Sequence[Trial]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for trial in trials:
        for outcome in trial.outcomes:
            found.setdefault(outcome.workload, []).append(outcome)
    return found


def _held(target: Target, outcomes: Sequence[Outcome], minutes: float, breaks_at: float | None) -> Held:
    share = _met_share(target, outcomes, minutes)
    values = [reached(target.aim, outcome, minutes) for outcome in outcomes]
    less_is_worse = target.aim in (Aim.AVAILABILITY, Aim.TTFT, Aim.CAPACITY)
    return Held(
        aim=target.aim,
        target=target.asked,
        reached=interval(values, less_is_worse=less_is_worse),
        met_share=share,
        is_met=_is_enough(target.aim, share),
        breaks_at=breaks_at,
    )


def _met_share(target: Target, outcomes: Sequence[Outcome], minutes: float) -> float:
    met = sum(is_met(target, reached(target.aim, outcome, minutes)) for outcome in outcomes)
    return met / len(outcomes)


def _is_enough(aim: Aim, share: float) -> bool:
    return share >= (1.0 if aim is Aim.RESIDENCY else NEEDED)


def _verdict(scenario: str, workload: str, outcomes: Sequence[Outcome], held: tuple[Held, ...]) -> Verdict:
    def over(of: Callable[[Outcome], float], *, less_is_worse: bool = False) -> Interval:
        return interval([of(outcome) for outcome in outcomes], less_is_worse=less_is_worse)

    limits = Counter(outcome.first_limit for outcome in outcomes if outcome.first_limit)
    return Verdict(
        scenario=scenario,
        workload=workload,
        availability=over(in_time, less_is_worse=True),
        shed=over(lambda each: _share(each.shed, each)),
        lost=over(lambda each: _share(each.lost, each)),
        outage_s=over(lambda each: each.outage_s),
        stale_s=over(lambda each: each.stale_s),
        wait_p99_ms=over(lambda each: each.wait_p99_ms),
        cost_delta_usd=over(lambda each: each.usd - each.usual_usd),
        margin=over(lambda each: each.margin, less_is_worse=True),
        outside=sum(outcome.outside for outcome in outcomes),
        first_limit=min(limits, key=lambda name: (-limits[name], name)) if limits else "",
        held=held,
        late=over(lambda each: _share(each.late, each)),
    )


def _share(part: float, outcome: Outcome) -> float:
    return part / outcome.offered if outcome.offered > 0 else 0.0
