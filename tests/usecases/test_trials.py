"""Trials come in the order they were asked for, and none is played twice."""

from __future__ import annotations

from tests.factories.trials import Counting, Line, orders

from tripoint.adapters.trials_process import ProcessTrials
from tripoint.domain.stress import Order, Trial
from tripoint.usecases.trials import Watch, play_trials


def test_trials_come_in_the_order_asked_for() -> None:
    """In whatever order they end."""
    asked = orders(9)
    assert play_trials(Counting(), Line(), asked, Watch(finished={})) == tuple(Line()(order) for order in asked)


def test_what_is_finished_is_not_played() -> None:
    """Those of an earlier run are taken from it; the others are kept as they end."""
    asked, play = orders(10), Line()
    finished = {order.key: play(order) for order in asked[:4]}
    kept: dict[str, Trial] = {}
    told: list[tuple[int, int]] = []
    trials = Counting()

    def keep(order: Order, trial: Trial) -> None:
        kept[order.key] = trial

    watch = Watch(finished=finished, keep=keep, progress=lambda done, whole: told.append((done, whole)))
    assert play_trials(trials, play, asked, watch) == tuple(play(order) for order in asked)
    assert trials.count == 6
    assert sorted(kept) == sorted(order.key for order in asked[4:])
    assert told == [(done, 10) for done in range(4, 11)]


def test_an_order_asked_for_twice_is_played_once() -> None:
    """Searches ask for the same trial from several sides."""
    trials = Counting()
    assert len(play_trials(trials, Line(), [*orders(3), *orders(3)], Watch(finished={}))) == 6
    assert trials.count == 3


def test_stopping_leaves_what_is_there() -> None:
    """Trials that were not played are missing, the others in order."""
    played: list[int] = []
    watch = Watch(
        finished={}, keep=lambda order, trial: played.append(order.number), should_stop=lambda: len(played) > 4
    )
    found = play_trials(ProcessTrials(1), Line(), orders(50), watch)
    assert [trial.number for trial in found] == [0, 1, 2, 3, 4]


def test_a_key_tells_trials_apart() -> None:
    """By scenario, number and every knob; the order in which knobs are named does not matter."""
    one = Order(scenario="a", number=1, magnitudes={"x": 1.0, "y": 2.0})
    same = Order(scenario="a", number=1, magnitudes={"y": 2.0, "x": 1.0})
    assert one.key == same.key == "a#1?x=1.0,y=2.0"
    others = [
        Order(scenario="b", number=1, magnitudes=one.magnitudes),
        Order(scenario="a", number=2, magnitudes=one.magnitudes),
        Order(scenario="a", number=1, magnitudes={"x": 1.0, "y": 2.0000000000000004}),
    ]
    assert len({one.key, *(other.key for other in others)}) == 4
