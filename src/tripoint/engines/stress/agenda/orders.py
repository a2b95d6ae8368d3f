"""Which trials of the scenarios are played, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import Order, Trial
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.scenarios.knobs import spread, usual


def plain(scenarios: Sequence[Scenario], trials: int) -> list[Order]:
    """So many trials of each at its usual magnitudes; those that share their draws come one after the other."""
    return [
        Order(scenario=each.id, number=number, magnitudes=usual(each)) for number in range(trials) for each in scenarios
    ]


def spread_out(scenarios: Sequence[Scenario], trials: int, draws: Streams) -> list[Order]:
    """So many trials of each, their magnitudes spread over all of their ranges."""
    return [
        Order(scenario=each.id, number=number, magnitudes=values)
        for each in scenarios
        for number, values in enumerate(spread(each.magnitudes, trials, draws, each.id))
    ]


def by_scenario(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    """Scenario id -> its trials, in their order."""
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        found.setdefault(trial.scenario, []).append(trial)
    return found
