"""Options of a stress run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tripoint.engines.sizing.demand.trace import TraceRows
from tripoint.engines.stress.search.rounds import RESOLUTION
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
    resolution: float = RESOLUTION
    """How well that magnitude is wanted, as a share of its range."""
    answers: Answers = field(default_factory=dict)
    """What was really answered, by (site, model): its times take the place of the planner's figures."""
    traces: Mapping[str, TraceRows] = field(default_factory=dict)
    """Requests of a log, by workload: they tell how its requests come and how long they are."""
    period: str = ""
    """Label of the plan's period trials are played in; that of today when empty."""
    longest_s: float = 30.0
    """Longest search for a plan of an estate that was changed, s."""
