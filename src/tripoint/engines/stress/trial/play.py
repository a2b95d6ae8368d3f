"""Plays one trial, request by request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tripoint.domain.budget import Tally
from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.record import ShiftRecord, UsageRecord
from tripoint.domain.stress import Outcome
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.trial.arrivals import Arrivals, amplified
from tripoint.engines.stress.trial.conditions import moments, times
from tripoint.engines.stress.trial.rules import Rules as Rules
from tripoint.engines.stress.trial.stage import Stage
from tripoint.engines.stress.trial.tally import Timeline
from tripoint.engines.stress.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a trial."""

    outcomes: tuple[Outcome, ...]
    """Per workload, in the world's order."""
    timelines: tuple[Timeline, ...]
    """Likewise, over time."""
    events: int
    """Arrivals and events processed."""
    shifts: tuple[ShiftRecord, ...]
    """Moves of traffic."""
    records: tuple[UsageRecord, ...] = ()
    """Every try's record in the order they ended, when that was asked for."""
    spent: tuple[Tally, ...] = ()
    """What was spent of each budget."""


def play(
    world: World,
    faults: Sequence[Fault],
    arrivals: Arrivals,
    *,
    draws: Streams,
    until_s: float,
    rules: Rules | None = None,
) -> Played:
    """Plays a trial until everything that arrived before `until_s` has ended."""
    rules = rules or Rules()
    stage = Stage(world, faults, draws, until_s, rules)
    stage.run(amplified(arrivals, world.demanded, _demand(world, faults), draws))
    return Played(
        outcomes=stage.tally.outcomes(rules.usual_usd),
        timelines=stage.tally.timelines(),
        events=stage.count,
        shifts=tuple(stage.shifts),
        records=tuple(stage.records),
        spent=stage.ledger.rows.tallies() if stage.ledger is not None else (),
    )


def _demand(world: World, faults: Sequence[Fault]) -> dict[str, list[tuple[float, float]]]:
    """Steps of demand by id of each workload that is asked more or less."""
    found: dict[str, list[tuple[float, float]]] = {}
    for asked in world.demanded:
        mine = [fault for fault in faults if fault.kind is FaultKind.DEMAND and asked.workload in fault.on]
        if not mine:
            continue
        steps = []
        for at in moments(mine):
            factor = 1.0
            for fault in mine:
                factor *= times(fault, at)
            steps.append((at, factor))
        found[asked.workload] = steps
    return found
