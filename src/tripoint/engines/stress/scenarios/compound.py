"""Two things at once: pairs of the scenarios that matter most, as scenarios of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from tripoint.domain.scenario import Magnitude, Scenario, Strike, TrialMode

TAKEN = 10
"""So many scenarios are paired, by how often they come times how much they break."""


def most_likely(scenarios: Sequence[Scenario], harm: Mapping[str, float], take: int = TAKEN) -> tuple[Scenario, ...]:
    """The scenarios with most expected harm: events a year times `harm` by scenario id; ties in their order.

    Those that come with no frequency, or are planned rather than played, are left out.
    """
    ranked = [
        (each.frequency.per_year * harm.get(each.id, 0.0), -number, each)
        for number, each in enumerate(scenarios)
        if each.frequency is not None and each.mode is not TrialMode.PLAN
    ]
    ranked.sort(key=lambda row: row[:2], reverse=True)
    return tuple(each for _, _, each in ranked[:take])


def pairs(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    """Every two of them as one scenario, where both are played in the same way."""
    return tuple(paired(one, other) for one, other in combinations(scenarios, 2) if one.mode is other.mode)


def paired(one: Scenario, other: Scenario) -> Scenario:
    """Both at once, over the longer of their lengths; magnitudes are named `scenario.magnitude`."""
    longer = one if one.minutes >= other.minutes else other
    return Scenario(
        id=f"{one.id}+{other.id}",
        number=0,
        title=f"{one.title}; meanwhile: {other.title[:1].lower()}{other.title[1:]}",
        disruption=one.disruption,
        mode=one.mode,
        minutes=longer.minutes,
        magnitudes=(*_knobs(one), *_knobs(other)),
        strikes=(*_strikes(one), *_strikes(other)),
        why="Two things that are each likely enough do not wait for one another.",
        hour_of_week=one.hour_of_week if one.hour_of_week is not None else other.hour_of_week,
    )


def _knobs(scenario: Scenario) -> tuple[Magnitude, ...]:
    return tuple(replace(each, name=f"{scenario.id}.{each.name}") for each in scenario.magnitudes)


def _strikes(scenario: Scenario) -> tuple[Strike, ...]:
    def of(said: float | str) -> float | str:
        return f"{scenario.id}.{said}" if isinstance(said, str) else said

    return tuple(
        replace(
            each,
            at=of(each.at),
            lasts=None if each.lasts is None else of(each.lasts),
            delay=of(each.delay),
            size=of(each.size),
            ramp=of(each.ramp),
            mtbf_hours=None if each.mtbf_hours is None else of(each.mtbf_hours),
        )
        for each in scenario.strikes
    )
