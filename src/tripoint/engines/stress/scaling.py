"""The same world on a smaller scale: fewer requests to as much less capacity, so that a trial of a large estate ends.

Shares, rates per slot and the batching on each replica stay what they are. Queues of a smaller place are a little
longer (Erlang's formulas), so what holds on the small scale holds on the large one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from tripoint.domain.stress import Outcome
from tripoint.engines.stress.stations.timing import BatchTiming
from tripoint.engines.stress.world import Place, Timing, World


def scale_for(world: World, *, hour: int, seconds: float, requests: float) -> float:
    """Scale at which about so many requests come in a trial, at most 1."""
    rate = math.fsum(each.requests_per_s * each.hour_of_week[hour] for each in world.demanded)
    return min(1.0, requests / (rate * seconds)) if rate > 0.0 else 1.0


def scaled(world: World, scale: float) -> World:
    """The world at a scale from 0 to 1; at 1 the world itself."""
    if scale >= 1.0:
        return world
    table = replace(
        world.table,
        targets=tuple(
            replace(each, max_concurrency=_whole(each.max_concurrency, scale)) for each in world.table.targets
        ),
    )
    return replace(
        world,
        table=table,
        places=tuple(_place(each, scale) for each in world.places),
        demanded=tuple(replace(each, requests_per_s=each.requests_per_s * scale) for each in world.demanded),
        lines=tuple(
            replace(each, bandwidth_gbps=None if each.bandwidth_gbps is None else each.bandwidth_gbps * scale)
            for each in world.lines
        ),
    )


def rescaled(outcomes: Iterable[Outcome], scale: float) -> tuple[Outcome, ...]:
    """Outcomes of a trial at a scale, as counts and money of the whole."""
    return tuple(
        replace(
            each,
            offered=each.offered / scale,
            answered=each.answered / scale,
            late=each.late / scale,
            shed=each.shed / scale,
            lost=each.lost / scale,
            outside=each.outside / scale,
            usd=each.usd / scale,
            usual_usd=each.usual_usd / scale,
        )
        for each in outcomes
    )


def _place(place: Place, scale: float) -> Place:
    return replace(
        place,
        nodes=place.nodes * scale,
        slots=_whole(place.slots, scale),
        most_nodes=place.most_nodes * scale,
        kept_nodes=place.kept_nodes * scale,
        timings={model: _timing(timing, scale) for model, timing in place.timings.items()},
        rates={workload: rate * scale for workload, rate in place.rates.items()},
    )


def _timing(timing: Timing, scale: float) -> Timing:
    return replace(timing, replicas=timing.replicas * scale) if isinstance(timing, BatchTiming) else timing


def _whole(count: int, scale: float) -> int:
    return max(1, round(count * scale))
