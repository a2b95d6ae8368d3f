"""Expected loss of a year: how often each scenario comes, times what its trials lost.

Scenarios are added up as if each came by itself. Rates are drawn as `resilience.loss` draws them, log-normal within
their 90 % interval, each scenario's by itself; what a trial loses is drawn anew from the trials that were played
(bootstrap, Efron 1979), since few trials know their mean only so well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripoint.domain.cut import Spread
from tripoint.domain.estate import Estate
from tripoint.domain.provenance import Figure, Origin
from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import Outcome, Trial, YearlyLoss
from tripoint.domain.units import MINUTES_PER_HOUR, SECONDS_PER_HOUR
from tripoint.engines.resilience.loss.draws import drawn, interval
from tripoint.engines.resilience.loss.report import hourly_loss

DRAWS = 2000
_OWN_STREAMS = 1 << 32
"""Numbers of streams that rates do not use."""
_AT_ONCE = 1_000_000
"""Trials drawn at once, so that many trials need no more memory than few."""

Floats = NDArray[np.float64]


class Harm(NamedTuple):
    """What the trials of one scenario took away."""

    scenario: Scenario
    """With its frequency."""
    exposed: float
    """Things that frequency is to be taken for."""
    hours: tuple[Mapping[str, float], ...]
    """Per trial: workload -> hours without service."""
    extra_usd: tuple[float, ...]
    """Per trial: cost beyond the usual, USD."""


class Year(NamedTuple):
    """What a year is expected to take."""

    losses: tuple[YearlyLoss, ...]
    """Per scenario, the dearest first."""
    usd_per_year: Spread | None
    """All of them together, USD; `None` where nobody priced a workload."""
    unpriced: tuple[str, ...]
    """Workloads whose hours have no price."""


def harm_of(scenario: Scenario, exposed: float, trials: Sequence[Trial]) -> Harm:
    """What the trials of a scenario took away."""
    return Harm(
        scenario=scenario,
        exposed=exposed,
        hours=tuple(
            {outcome.workload: hours_lost(outcome, scenario.minutes) for outcome in trial.outcomes} for trial in trials
        ),
        extra_usd=tuple(
            math.fsum(outcome.usd - outcome.usual_usd for outcome in trial.outcomes if math.isfinite(outcome.usd))
            for trial in trials
        ),
    )


def hours_lost(outcome: Outcome, minutes: float) -> float:
    """Hours in which nothing of it was served, or as much in parts; those after the end of the trial included."""
    unserved = (outcome.shed + outcome.lost) / outcome.offered if outcome.offered > 0 else 0.0
    return unserved * minutes / MINUTES_PER_HOUR + outcome.after_s / SECONDS_PER_HOUR


def hours_of(harms: Sequence[Harm]) -> dict[str, float]:
    """Scenario id -> workload-hours without service each time it comes, to all that it may strike."""
    return {
        harm.scenario.id: harm.exposed * math.fsum(math.fsum(trial.values()) for trial in harm.hours) / len(harm.hours)
        for harm in harms
        if harm.hours
    }


def year_of(estate: Estate, played: Sequence[str], harms: Sequence[Harm], seed: int) -> Year:
    """What trials took away, as often as their scenarios come, at what an hour costs; `played` are workload ids."""
    usd_per_hour = {str(each.id): usd for each in estate.workloads if (usd := hourly_loss(estate, each)) is not None}
    losses, usd_per_year = yearly_losses(harms, usd_per_hour, seed)
    return Year(losses, usd_per_year, tuple(each for each in played if each not in usd_per_hour))


def yearly_losses(
    harms: Sequence[Harm], usd_per_hour: Mapping[str, float], seed: int
) -> tuple[tuple[YearlyLoss, ...], Spread | None]:
    """Per scenario with a frequency and trials, the dearest first, then the longest; and all of them together, USD.

    `usd_per_hour` holds the workloads somebody priced. All together is `None` where that is none of them.
    """
    counted = [harm for harm in harms if harm.scenario.frequency is not None and harm.hours and harm.exposed > 0.0]
    rates = drawn([_rate(harm) for harm in counted], DRAWS, seed)
    found: list[tuple[YearlyLoss, Floats]] = []
    for number, harm in enumerate(counted):
        per_year = rates.of(_rate(harm))
        hours = np.array([math.fsum(each.values()) for each in harm.hours])
        usd = np.array([math.fsum(lost * usd_per_hour.get(name, 0.0) for name, lost in t.items()) for t in harm.hours])
        is_priced = any(name in usd_per_hour for each in harm.hours for name in each)
        drawn_hours, drawn_usd = _drawn_means(np.stack((hours, usd)), seed, number) * per_year
        rate = _rate(harm).value
        loss = YearlyLoss(
            scenario=harm.scenario.id,
            per_year=_spread(rate, per_year),
            hours=_spread(rate * _mean(hours), drawn_hours),
            usd=_spread(rate * _mean(usd), drawn_usd) if is_priced else None,
            extra_usd=rate * _mean(np.array(harm.extra_usd)),
        )
        found.append((loss, drawn_usd))
    found.sort(key=lambda each: (-(each[0].usd.value if each[0].usd else 0.0), -each[0].hours.value, each[0].scenario))
    if not usd_per_hour or not found:
        return tuple(loss for loss, _ in found), None
    whole: Floats = np.sum([usd for _, usd in found], axis=0)
    value = math.fsum(loss.usd.value for loss, _ in found if loss.usd is not None)
    return tuple(loss for loss, _ in found), _spread(value, whole)


def _rate(harm: Harm) -> Figure:
    """Events a year on all things of the estate."""
    said = harm.scenario.frequency
    assert said is not None  # only those with one are counted
    return Figure(
        key=f"stress.{harm.scenario.id}.per_year",
        value=said.per_year * harm.exposed,
        unit="1/year",
        origin=Origin.CATALOGUE,
        low=said.low * harm.exposed,
        high=said.high * harm.exposed,
        provenance=said.provenance,
    )


def _drawn_means(columns: Floats, seed: int, number: int) -> Floats:
    """[K, DRAWS] means of trials drawn anew with putting back, of `columns` [K, trials], a few draws at a time."""
    generator = np.random.Generator(np.random.Philox(key=[seed, _OWN_STREAMS + number]))
    trials = columns.shape[1]
    step = max(1, _AT_ONCE // trials)
    means = np.empty((columns.shape[0], DRAWS))
    for start in range(0, DRAWS, step):
        chosen = generator.integers(0, trials, size=(min(step, DRAWS - start), trials))
        means[:, start : start + step] = columns[:, chosen].mean(axis=2)
    return means


def _mean(values: Floats) -> float:
    return math.fsum(values.tolist()) / values.size


def _spread(value: float, values: Floats) -> Spread:
    low, high = interval(values)
    return Spread(value=value, low=low, high=high)
