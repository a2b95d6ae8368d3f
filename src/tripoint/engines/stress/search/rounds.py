"""Where the objectives of many scenarios break, sought together: a machine that asks for trials and is told them.

All scenarios are searched in the same rounds, so that every round keeps all cores busy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import Order, Trial
from tripoint.engines.stress.scenarios.knobs import at_position, position_of, usual
from tripoint.engines.stress.search.distance import Distance, distance
from tripoint.engines.stress.summary.targets import Target
from tripoint.engines.stress.summary.verdicts import NEEDED, HeldKey, met_by

RESOLUTION = 1 / 8
"""How well the magnitude that breaks an objective is wanted where nobody says, as a share of its range."""
_FIRST = 2
"""Trials at a position before it is looked whether more are needed."""

_Spot = tuple[str, float]
"""A scenario and a position of its first magnitude."""


class _Sought(NamedTuple):
    """A scenario that is searched."""

    scenario: Scenario
    targets: tuple[Target, ...]
    brackets: Distance[HeldKey]

    def met(self, trials: Sequence[Trial]) -> dict[HeldKey, bool]:
        return met_by(self.scenario, trials, self.targets)

    def told(self, position: float, met: dict[HeldKey, bool]) -> _Sought:
        return self._replace(brackets=self.brackets.told(position, met))


class Search:
    """Rounds of orders, until each place is known as well as asked."""

    def __init__(self, trials: int, resolution: float) -> None:
        """`trials` are the most at one position; `resolution` is a share of a magnitude's range."""
        self._most, self._resolution = trials, resolution
        self._sought: dict[str, _Sought] = {}
        self._got: dict[_Spot, tuple[Trial, ...]] = {}
        self._asked: list[tuple[_Spot, Order]] = []

    def begin(self, scenario: Scenario, targets: tuple[Target, ...], trials: Sequence[Trial]) -> None:
        """Takes in a scenario, with the trials at its usual values; one without magnitudes has nothing to search."""
        if scenario.magnitudes:
            knob = scenario.magnitudes[0]
            met = met_by(scenario, trials, targets)
            sought = _Sought(scenario, targets, distance(met, self._resolution))
            self._sought[scenario.id] = sought.told(position_of(knob, knob.usual), met)

    def orders(self) -> tuple[Order, ...]:
        """The trials of the next round; none when all is known.

        A few at each position first, for where one failure decides a clear answer needs no more.
        """
        first = min(_FIRST, self._most) if self._most - 1 < NEEDED * self._most else self._most
        self._asked = []
        for name, sought in self._sought.items():
            for position in sought.brackets.asks():
                have = len(self._got.setdefault((name, position), ()))
                self._asked += [
                    (
                        (name, position),
                        Order(scenario=name, number=number, magnitudes=_turned(sought.scenario, position)),
                    )
                    for number in range(have, self._most if have else first)
                ]
        self._asked.sort(key=lambda asked: asked[1].number)  # those that share their draws come one after the other
        return tuple(order for _, order in self._asked)

    def told(self, trials: Sequence[Trial]) -> None:
        """The trials of the round, in the order of its `orders`.

        A position is answered once it has all its trials, or each objective in question has failed there.
        """
        for (spot, _), trial in zip(self._asked, trials, strict=True):
            self._got[spot] += (trial,)
        for name, position in dict.fromkeys(spot for spot, _ in self._asked):
            sought, played = self._sought[name], self._got[name, position]
            met = sought.met(played)
            if len(played) >= self._most or not any(met[key] for key in sought.brackets.open_at(position)):
                self._sought[name] = sought.told(position, met)

    def breaks(self, scenario: str) -> dict[HeldKey, float | None]:
        """Mildest value known to break each objective, of the first magnitude; `None` where it holds over the range."""
        if scenario not in self._sought:
            return {}
        sought = self._sought[scenario]
        knob = sought.scenario.magnitudes[0]
        places = {key: sought.brackets.breaks_at(key) for key in sought.brackets.brackets}
        return {key: None if place is None else at_position(knob, place) for key, place in places.items()}


def _turned(scenario: Scenario, position: float) -> dict[str, float]:
    """Usual values, with the first magnitude at a position of its range."""
    knob = scenario.magnitudes[0]
    return {**usual(scenario), knob.name: at_position(knob, position)}
