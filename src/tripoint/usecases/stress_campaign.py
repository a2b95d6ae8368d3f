"""The trials of one stress run: plain ones, those that search where objectives break, and pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tripoint.domain.catalog import Catalog
from tripoint.domain.plan import Plan
from tripoint.domain.scenario import Scenario
from tripoint.domain.source import LoadedEstate
from tripoint.domain.stress import Order, OutageCourse, Remeasured, Trial, Verdict
from tripoint.engines.sizing.demand.trace import TraceRows
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.playing import Player
from tripoint.engines.stress.scenarios.exposure import exposed
from tripoint.engines.stress.scenarios.ground import Ground
from tripoint.engines.stress.scenarios.knobs import spread, usual
from tripoint.engines.stress.search.rounds import Search
from tripoint.engines.stress.summary.losses import Harm, harm_of
from tripoint.engines.stress.summary.targets import Target, targets_of
from tripoint.engines.stress.summary.verdicts import verdicts
from tripoint.engines.stress.world import World
from tripoint.usecases.measured import Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class StressOptions:
    """Options of one run."""

    trials: int = 200
    """Trials of each scenario."""
    seed: int = 0
    """Seed of every draw."""
    only: tuple[str, ...] = ()
    """Ids of the scenarios to try; all when empty."""
    is_compound: bool = False
    """True to try pairs of what matters most as well, with magnitudes spread over their ranges."""
    search_trials: int = 6
    """Most trials at each magnitude that is tried on the way to where an objective breaks; 0 to leave that out.

    So few must all meet it: one that 61 % of trials meet passes for held once in 20. No more are played at a magnitude
    once each objective in question has failed there, which changes no answer.
    """
    resolution: float = 1 / 8
    """How well that magnitude is wanted, as a share of its range."""
    answers: Answers = field(default_factory=dict)
    """What was really answered, by (site, model): its times take the place of the planner's figures."""
    traces: Mapping[str, TraceRows] = field(default_factory=dict)
    """Requests of a log, by workload: they tell how its requests come and how long they are."""
    period: str = ""
    """Label of the plan's period trials are played in; that of today when empty."""
    longest_s: float = 30.0
    """Longest search for a plan of an estate that was changed, s."""


class Runs(Protocol):
    """Plays orders, anywhere; gives the trials in their order."""

    def __call__(self, player: Player, orders: Sequence[Order], phase: str) -> tuple[Trial, ...]:
        """The trials of these orders."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is tried."""

    loaded: LoadedEstate
    """The estate."""
    catalog: Catalog
    """The catalogue it was planned with."""
    plan: Plan
    """Its plan."""
    world: World
    """Both, compiled."""
    period: int
    """Period of the plan it is of."""
    plan_digest: str
    """`sha256:` of the plan."""
    version: str
    """Version of tripoint."""
    remeasured: tuple[Remeasured, ...] = ()
    """Times of the world that were taken from answers."""

    @property
    def played(self) -> tuple[str, ...]:
        """Workloads that trials play, runs last."""
        return (*(each.workload for each in self.world.demanded), *(each.workload for each in self.world.runs))


class Campaign:
    """The trials of one run: plain ones, those of the search, and pairs."""

    def __init__(self, subject: Subject, ground: Ground, options: StressOptions, runs: Runs) -> None:
        self._subject, self._ground, self._options, self._runs = subject, ground, options, runs
        self._targets: dict[str, tuple[Target, ...]] = {}
        self._players: dict[tuple[str, ...], Player] = {}
        self.played = 0
        self.harms: list[Harm] = []
        """What plain trials took away, by scenario, for the loss of a year."""

    def verdicts(self, scenarios: Sequence[Scenario]) -> list[Verdict]:
        """Verdicts of plain trials, with the distance to failure."""
        if not scenarios:
            return []
        player = self._player(scenarios)
        orders = [
            Order(scenario=each.id, number=number, magnitudes=usual(each))
            for number in range(self._options.trials)  # those that share their draws come one after the other
            for each in scenarios
        ]
        by_id = _by_scenario(self._run(player, orders, "playing scenarios"))
        search = self._searched(player, scenarios, by_id)
        found: list[Verdict] = []
        for each in scenarios:
            self.harms.append(harm_of(each, exposed(each, self._ground), by_id[each.id]))
            found += verdicts(each, by_id[each.id], self._asked(each), search.breaks(each.id))
        return found

    def compound(self, doubled: Sequence[Scenario]) -> list[Verdict]:
        """Verdicts of pairs, with magnitudes spread over all of their ranges."""
        if not doubled:
            return []
        count = self._options.trials
        draws = Streams(self._options.seed, 0)
        orders = [
            Order(scenario=each.id, number=number, magnitudes=values)
            for each in doubled
            for number, values in enumerate(spread(each.magnitudes, count, draws, each.id))
        ]
        by_id = _by_scenario(self._run(self._player(doubled), orders, "playing pairs"))
        return [verdict for each in doubled for verdict in verdicts(each, by_id[each.id], self._asked(each), {})]

    def courses(self, scenarios: Sequence[Scenario]) -> tuple[OutageCourse, ...]:
        """The first trial of each scenario that is played, over time."""
        player = self._player(scenarios)
        return tuple(course for each in scenarios for course in player.courses(each))

    def _searched(self, player: Player, scenarios: Sequence[Scenario], by_id: Mapping[str, Sequence[Trial]]) -> Search:
        """Plays trials until it is known where each objective breaks; of nothing where that is left out."""
        search = Search(self._options.search_trials, self._options.resolution)
        for each in scenarios if self._options.search_trials else ():
            search.begin(each, self._asked(each), by_id[each.id])
        while orders := search.orders():
            search.told(self._run(player, orders, "searching where objectives break"))
        return search

    def _run(self, player: Player, orders: Sequence[Order], phase: str) -> tuple[Trial, ...]:
        self.played += len(orders)
        return self._runs(player, orders, phase)

    def _player(self, scenarios: Sequence[Scenario]) -> Player:
        """What plays these scenarios: the same one each time, for it keeps courses that many trials share."""
        by_id = {each.id: each for each in scenarios}
        names = tuple(by_id)
        if names not in self._players:
            world, seed = self._subject.world, self._options.seed
            self._players[names] = Player(world=world, ground=self._ground, scenarios=by_id, seed=seed)
        return self._players[names]

    def _asked(self, scenario: Scenario) -> tuple[Target, ...]:
        if scenario.id not in self._targets:
            self._targets[scenario.id] = targets_of(self._subject.loaded.estate, scenario)
        return self._targets[scenario.id]


def _by_scenario(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        found.setdefault(trial.scenario, []).append(trial)
    return found
