"""Play many trials, keep each as it ends, and play none twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tripoint.domain.stress import Order, Trial
from tripoint.ports import Trials


def _unkept(order: Order, trial: Trial) -> None:
    """Nothing is kept."""


def _untold(done: int, all_of_them: int) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a run of trials leaves behind and tells on its way."""

    finished: Mapping[str, Trial]
    """Trials of an earlier run of the same, by `Order.key`."""
    keep: Callable[[Order, Trial], None] = _unkept
    """Called with each trial that ended."""
    progress: Callable[[int, int], None] = _untold
    """Called with the number of trials that are there and of all."""
    should_stop: Callable[[], bool] = lambda: False
    """True to end early."""


def play_trials(
    trials: Trials, play: Callable[[Order], Trial], orders: Sequence[Order], watch: Watch
) -> tuple[Trial, ...]:
    """The trials in the order of `orders`; fewer, at the places of none that is missing, when stopped early.

    An order that is there twice is played once.
    """
    found: dict[str, Trial] = {order.key: watch.finished[order.key] for order in orders if order.key in watch.finished}
    asked = {order.key: order for order in orders}
    missing = [order for key, order in asked.items() if key not in found]
    watch.progress(len(found), len(asked))
    for place, trial in trials.played(play, missing, watch.should_stop) if missing else ():
        order = missing[place]
        watch.keep(order, trial)
        found[order.key] = trial
        watch.progress(len(found), len(asked))
    return tuple(found[order.key] for order in orders if order.key in found)
