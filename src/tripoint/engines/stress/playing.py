"""Plays one trial of any scenario that is played: request by request, or as flows of hours.

A player is sent to other processes whole, and the same order gives the same trial wherever it is played.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tripoint.domain.fault import Fault
from tripoint.domain.scenario import Scenario, TrialMode
from tripoint.domain.stress import Order, OutageCourse, Outcome, Trial
from tripoint.domain.units import HOURS_PER_WEEK, SECONDS_PER_HOUR
from tripoint.engines.stress.aftermath import after, dark
from tripoint.engines.stress.fluid.flow import Basin
from tripoint.engines.stress.fluid.layout import Layout, layout_of, standing_usd_per_s
from tripoint.engines.stress.fluid.outcomes import Hourly, unserved
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.runs.course import run_outcome
from tripoint.engines.stress.scaling import rescaled, scale_for, scaled
from tripoint.engines.stress.scenarios.ground import Ground
from tripoint.engines.stress.scenarios.knobs import usual
from tripoint.engines.stress.scenarios.resolve import faults_of
from tripoint.engines.stress.spending import with_standing
from tripoint.engines.stress.summary.asked import After
from tripoint.engines.stress.trial.arrivals import arrivals_of
from tripoint.engines.stress.trial.play import Played, Rules, play
from tripoint.engines.stress.trial.tally import Timeline
from tripoint.engines.stress.world import World

_BINS = 96
"""Bins of a course of hours, about."""
REQUESTS = 3000.0
"""Requests of one trial, about: larger estates are played at a smaller scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """Everything a trial needs, and what trials of one process share."""

    world: World
    """What is tried."""
    ground: Ground
    """What can be struck."""
    scenarios: Mapping[str, Scenario]
    """By id."""
    seed: int
    """Seed of every draw."""
    most_requests: float = REQUESTS
    """Requests of one trial, about."""
    _kept: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False, compare=False)
    """Courses without faults, which many trials share; grows in the process that plays."""

    def __call__(self, order: Order) -> Trial:
        """The trial of an order."""
        scenario = self.scenarios[order.scenario]
        faults = self.faults(order)
        if scenario.mode is TrialMode.REQUESTS:
            played, scale = self.requests(scenario, order.number, faults)
            outcomes = self._stood(rescaled(played.outcomes, scale), scenario.seconds)
            events = played.events
        else:
            outcomes, events = self._hours(scenario, order.number, faults), 0
        return Trial(
            scenario=order.scenario,
            number=order.number,
            magnitudes=dict(order.magnitudes),
            outcomes=after(outcomes, faults, self.ground, scenario.seconds),
            events=events,
        )

    def faults(self, order: Order) -> tuple[Fault, ...]:
        """What happens in the trial of an order."""
        draws = Streams(self.seed, order.number)
        return faults_of(self.scenarios[order.scenario], order.magnitudes, self.ground, draws)

    def requests(self, scenario: Scenario, number: int, faults: tuple[Fault, ...]) -> tuple[Played, float]:
        """One trial request by request, with its course over time, and the scale it was played at."""
        seconds = scenario.seconds
        hour = self.start_hour(scenario, number)
        scale = scale_for(self.world, hour=hour, seconds=seconds, requests=self.most_requests)
        world = self._scaled(scenario, scale)
        key = ("requests", number, hour, seconds)
        draws = Streams(self.seed, number)
        arrivals = arrivals_of(world, start_hour=hour, seconds=seconds, draws=draws)
        if key not in self._kept:
            plain = play(world, (), arrivals, draws=Streams(self.seed, number), until_s=seconds)
            self._kept[key] = {each.workload: each.usd for each in plain.outcomes}
        rules = Rules(usual_usd=self._kept[key])
        return play(world, faults, arrivals, draws=draws, until_s=seconds, rules=rules), scale

    def courses(self, scenario: Scenario) -> tuple[OutageCourse, ...]:
        """The first trial of a scenario at its usual values, over time; empty for one that is planned, not played."""
        if scenario.mode is TrialMode.PLAN:
            return ()
        faults = self.faults(Order(scenario=scenario.id, number=0, magnitudes=usual(scenario)))
        if scenario.mode is TrialMode.HOURS:
            return tuple(self.hours(scenario, 0, faults))
        played, _ = self.requests(scenario, 0, faults)
        return tuple(_timed(scenario.id, line) for line in played.timelines)

    def _after(self, scenario: Scenario) -> After | None:
        """What is asked after a loss of its class, where that is not as usual."""
        return self.ground.after.get(scenario.disruption)

    def _scaled(self, scenario: Scenario, scale: float) -> World:
        """The world of trials of minutes."""
        after = self._after(scenario)
        key = ("world", scale, after and scenario.disruption)
        if key not in self._kept:
            self._kept[key] = scaled(self.world if after is None else after.of(self.world), scale)
        world: World = self._kept[key]
        return world

    def _stood(self, outcomes: tuple[Outcome, ...], seconds: float) -> tuple[Outcome, ...]:
        """With what nodes cost that stand, as trials of hours have it."""
        if ("standing",) not in self._kept:
            self._kept["standing",] = standing_usd_per_s(layout_of(self.world))
        return with_standing(outcomes, self._kept["standing",], seconds)

    def start_hour(self, scenario: Scenario, number: int) -> int:
        """Hour of the week a trial begins in: its own, the busiest for requests, one by chance for hours."""
        if scenario.hour_of_week is not None:
            return scenario.hour_of_week
        if scenario.mode is TrialMode.REQUESTS:
            return busiest_hour(self.world)
        draw = Streams(self.seed, number).named("start_hour").uniform(0)
        return min(HOURS_PER_WEEK - 1, int(draw * HOURS_PER_WEEK))

    def hours(self, scenario: Scenario, number: int, faults: tuple[Fault, ...]) -> list[OutageCourse]:
        """One trial of hours, over time, in no more than a hundred bins or so; in dark stretches nothing is served."""
        told = self._basin(scenario, number).hours(faults)
        stretches = {each.workload: dark(each.workload, faults, self.ground, scenario.seconds) for each in told}
        return [_course(scenario.id, each, _lit(stretches[each.workload], each.offered.size)) for each in told]

    def _hours(self, scenario: Scenario, number: int, faults: tuple[Fault, ...]) -> tuple[Outcome, ...]:
        until_s = math.ceil(scenario.seconds / SECONDS_PER_HOUR) * SECONDS_PER_HOUR
        runs = (run_outcome(run, faults, until_s) for run in self.world.runs)
        return (*self._basin(scenario, number).play((faults,))[0], *runs)

    def _basin(self, scenario: Scenario, number: int) -> Basin:
        hour = self.start_hour(scenario, number)
        hours = math.ceil(scenario.seconds / SECONDS_PER_HOUR)
        after = self._after(scenario)
        key = ("hours", hour, hours, after and scenario.disruption)
        if key not in self._kept:
            self._kept[key] = Basin(self._layout(scenario), start_hour=hour, hours=hours)
        basin: Basin = self._kept[key]
        return basin

    def _layout(self, scenario: Scenario) -> Layout:
        """The arrays of trials of hours, with what could be rented anew."""
        after, wide = self._after(scenario), self.world.wide or self.world
        key = ("layout", after and scenario.disruption)
        if key not in self._kept:
            self._kept[key] = layout_of(wide if after is None else after.of(wide), by_callers=True)
        layout: Layout = self._kept[key]
        return layout


def _lit(stretches: Sequence[tuple[float, float]], hours: int) -> list[float]:
    """Share of each hour that is in no dark stretch."""
    lit = [1.0] * hours
    for begin, end in stretches:
        for hour in range(int(begin // SECONDS_PER_HOUR), min(hours, math.ceil(end / SECONDS_PER_HOUR))):
            opens = hour * SECONDS_PER_HOUR
            lit[hour] -= (min(end, opens + SECONDS_PER_HOUR) - max(begin, opens)) / SECONDS_PER_HOUR
    return [max(0.0, share) for share in lit]


def _timed(scenario: str, line: Timeline) -> OutageCourse:
    return OutageCourse(
        scenario=scenario,
        workload=line.workload,
        bin_s=line.bin_s,
        offered=line.offered,
        answered=line.answered,
        late=line.late,
        shed=line.shed,
        lost=line.lost,
    )


def _course(scenario: str, hourly: Hourly, lit: Sequence[float]) -> OutageCourse:
    """Hours gathered in bins; what a dark stretch takes is lost, what else is not served was shed."""
    served, late = hourly.served.tolist(), hourly.late.tolist()
    width = math.ceil(len(served) / _BINS)
    shed = [unserved(asked, done) for asked, done in zip(hourly.offered.tolist(), served, strict=True)]

    def binned(amounts: Sequence[float]) -> tuple[float, ...]:
        return tuple(math.fsum(amounts[at : at + width]) for at in range(0, len(amounts), width))

    return OutageCourse(
        scenario=scenario,
        workload=hourly.workload,
        bin_s=width * SECONDS_PER_HOUR,
        offered=binned(hourly.offered.tolist()),
        answered=binned([done * share for done, share in zip(served, lit, strict=True)]),
        late=binned([done * share for done, share in zip(late, lit, strict=True)]),
        shed=binned(shed),
        lost=binned([done * (1.0 - share) for done, share in zip(served, lit, strict=True)]),
    )


def busiest_hour(world: World) -> int:
    """Hour of the week in which most is asked of those somebody waits for, 0 to 167; the first of several."""
    asked = [each for each in world.demanded if each.is_interactive] or list(world.demanded)

    def rate(hour: int) -> float:
        return math.fsum(each.requests_per_s * each.hour_of_week[hour] for each in asked)

    return max(range(HOURS_PER_WEEK), key=lambda hour: (rate(hour), -hour))
