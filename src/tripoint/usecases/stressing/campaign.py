"""The trials of one stress run: plain ones, those that search where objectives break, and pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import Order, OutageCourse, Trial, Verdict
from tripoint.engines.stress.agenda.orders import by_scenario, plain, spread_out
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.playing import Player
from tripoint.engines.stress.scenarios.exposure import exposed
from tripoint.engines.stress.scenarios.ground import Ground
from tripoint.engines.stress.search.rounds import Search
from tripoint.engines.stress.summary.losses import Harm, harm_of
from tripoint.engines.stress.summary.targets import Target, targets_of
from tripoint.engines.stress.summary.verdicts import verdicts
from tripoint.usecases.stressing.options import StressOptions
from tripoint.usecases.stressing.subject import Subject


class Runs(Protocol):
    """Plays orders, anywhere; gives the trials in their order."""

    def __call__(self, player: Player, orders: Sequence[Order], phase: str) -> tuple[Trial, ...]:
        """The trials of these orders."""
        ...


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
        orders = plain(scenarios, self._options.trials)
        by_id = by_scenario(self._run(player, orders, "playing scenarios"))
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
        orders = spread_out(doubled, self._options.trials, Streams(self._options.seed, 0))
        by_id = by_scenario(self._run(self._player(doubled), orders, "playing pairs"))
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
