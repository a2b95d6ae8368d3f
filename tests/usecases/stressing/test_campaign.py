"""The search for where objectives break leaves trials out, and finds what all of them would find."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.factories.planning import catalog
from tests.factories.tried import FRAGILE, STURDY, Tried, tried

from tripoint.adapters.scenarios_yaml import read_scenarios
from tripoint.domain.scenario import TrialMode
from tripoint.domain.stress import Order, Trial, Verdict
from tripoint.engines.stress.playing import Player
from tripoint.engines.stress.scenarios.resolve import untouched
from tripoint.engines.stress.search import rounds
from tripoint.usecases.stressing.campaign import Campaign
from tripoint.usecases.stressing.options import StressOptions
from tripoint.usecases.stressing.subject import Subject

SEARCHING = "searching where objectives break"


class Counting:
    """Plays trials here, and counts those of each phase."""

    def __init__(self) -> None:
        self.count: dict[str, int] = {}

    def __call__(self, player: Player, orders: Sequence[Order], phase: str) -> tuple[Trial, ...]:
        """See `Runs`."""
        assert len({order.key for order in orders}) == len(orders)
        self.count[phase] = self.count.get(phase, 0) + len(orders)
        return tuple(player(order) for order in orders)


def searched(what: Tried) -> tuple[list[Verdict], int]:
    """Verdicts of the catalogue's scenarios of hours, and the trials their search took."""
    scenarios = [
        each
        for each in read_scenarios()[0].scenarios
        if each.mode is TrialMode.HOURS and not untouched(each, what.ground)
    ]
    subject = Subject(
        loaded=what.loaded, catalog=catalog(), plan=what.plan, world=what.world, period=0, plan_digest="", version=""
    )
    runs = Counting()
    found = Campaign(subject, what.ground, StressOptions(trials=8), runs).verdicts(scenarios)
    return found, runs.count.get(SEARCHING, 0)


@pytest.mark.no_cover
@pytest.mark.parametrize("estate", [FRAGILE, STURDY])
def test_trials_that_decide_nothing_any_more_are_not_played(estate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every objective in question has failed once, the rest of the trials would say the same."""
    what = tried(estate)
    found, few = searched(what)
    monkeypatch.setattr(rounds, "_FIRST", StressOptions().search_trials)
    every, all_of_them = searched(what)
    assert found == every
    assert few <= all_of_them
    if estate == FRAGILE:
        assert few < all_of_them
