"""Two things at once: pairs of the scenarios that matter most, as scenarios of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from tripoint.domain.scenario import Magnitude, Scenario, Strike, TrialMode
from tripoint.domain.stress import Untried
from tripoint.engines.stress.scenarios.checks import fits

TAKEN = 10
"""So many scenarios are paired, by how often they come times how much they break."""
_APART = "no mode of trials can play both: one needs single requests, the other hours"


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


def pairs(scenarios: Sequence[Scenario]) -> tuple[tuple[Scenario, ...], tuple[tuple[Scenario, Scenario], ...]]:
    """Every two of them as one scenario; and those that no mode can play together.

    One of minutes and one of hours are played in hours, where that mode knows what both do.
    """
    couples = tuple(combinations(scenarios, 2))
    able = tuple(couple for couple in couples if _mode(*couple) is not None)
    return tuple(paired(*couple) for couple in able), tuple(couple for couple in couples if couple not in able)


def unpaired(couples: Sequence[tuple[Scenario, Scenario]]) -> tuple[Untried, ...]:
    """Pairs that no mode can play together, as scenarios that are not tried."""
    return tuple(Untried(scenario=f"{one.id}+{other.id}", why=_APART) for one, other in couples)


def _mode(one: Scenario, other: Scenario) -> TrialMode | None:
    modes = (one.mode,) if one.mode is other.mode else (TrialMode.HOURS,)
    kinds = [strike.kind for each in (one, other) for strike in each.strikes]
    return next((mode for mode in modes if all(fits(kind, mode) for kind in kinds)), None)


def paired(one: Scenario, other: Scenario) -> Scenario:
    """Both from the same moment on, that of the later one; magnitudes are named `scenario.magnitude`."""
    begins = [_begin(each) for each in (one, other)]
    at = max((begin for begin in begins if begin is not None), default=0.0)
    late = [0.0 if begin is None else at - begin for begin in begins]
    return Scenario(
        id=f"{one.id}+{other.id}",
        number=0,
        title=f"{one.title}; meanwhile: {other.title[:1].lower()}{other.title[1:]}",
        disruption=one.disruption,
        mode=_mode(one, other) or one.mode,
        minutes=max(one.minutes + late[0], other.minutes + late[1]),
        magnitudes=(*_knobs(one), *_knobs(other)),
        strikes=(*_strikes(one, late[0]), *_strikes(other, late[1])),
        why="Two things that are each likely enough do not wait for one another.",
        hour_of_week=one.hour_of_week if one.hour_of_week is not None else other.hour_of_week,
    )


def _knobs(scenario: Scenario) -> tuple[Magnitude, ...]:
    return tuple(replace(each, name=f"{scenario.id}.{each.name}") for each in scenario.magnitudes)


def _begin(scenario: Scenario) -> float | None:
    """Minute in which it first strikes; `None` where a magnitude says when."""
    moments = [strike.at for strike in scenario.strikes if not isinstance(strike.at, str)]
    return min(moments) if moments and len(moments) == len(scenario.strikes) else None


def _strikes(scenario: Scenario, late: float) -> tuple[Strike, ...]:
    """Strikes `late` minutes later, with names of magnitudes that tell whose they are."""

    def of(said: float | str) -> float | str:
        return f"{scenario.id}.{said}" if isinstance(said, str) else said

    return tuple(
        replace(
            each,
            at=of(each.at) if isinstance(each.at, str) else each.at + late,
            lasts=None if each.lasts is None else of(each.lasts),
            delay=of(each.delay),
            size=of(each.size),
            ramp=of(each.ramp),
            mtbf_hours=None if each.mtbf_hours is None else of(each.mtbf_hours),
        )
        for each in scenario.strikes
    )
