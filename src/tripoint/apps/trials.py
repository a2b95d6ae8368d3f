"""Chooses where trials are played and where finished ones are kept: the wiring of `tripoint stress`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tripoint.domain.stress import Order, Trial
    from tripoint.ports import Trials

HERE, PROCESSES = "here", "processes"
PLACES = (PROCESSES, HERE)
"""Where trials may be played."""


def trials_on(place: str, *, processes: int | None = None) -> Trials:
    """What plays trials `here` or on the `processes` of this machine; raises `OptionError` for any other place."""
    from tripoint.adapters.trials_process import ProcessTrials
    from tripoint.domain.errors import OptionError

    if place not in PLACES:
        raise OptionError(f"trials cannot be played on `{place}`", hint=f"name one of {', '.join(PLACES)}")
    return ProcessTrials(1 if place == HERE else processes)


def play_trials(
    play: Callable[[Order], Trial],
    orders: Sequence[Order],
    trials: Trials,
    *,
    keep: tuple[Path, str] | None = None,
    progress: Callable[[int, int], None] = lambda done, all_of_them: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[Trial, ...]:
    """The trials in the order of `orders`; fewer when `should_stop` ended it early.

    `keep` is a folder and the digest of everything that decides the trials: those finished in an earlier run of the
    same are not played again. `progress` is told how many trials are there and how many there will be.
    """
    from tripoint.adapters.trial_file import TrialFile
    from tripoint.usecases.trials import Watch
    from tripoint.usecases.trials import play_trials as run

    if keep is None:
        return run(trials, play, orders, Watch(finished={}, progress=progress, should_stop=should_stop))
    with TrialFile(*keep) as file:
        watch = Watch(finished=file.finished(), keep=file.keep, progress=progress, should_stop=should_stop)
        return run(trials, play, orders, watch)
