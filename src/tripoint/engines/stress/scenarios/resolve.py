"""From a scenario to faults: which things of this estate are struck in this trial, when, and how hard.

Draws belong to the scenario, the number of the strike and the thing struck. So the same trial of the same scenario
meets the same luck whatever the plan is, and turning a magnitude up moves nothing but that magnitude.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.scenario import Pick, Scenario, Strike
from tripoint.domain.stress import Struck
from tripoint.domain.units import MINUTES_PER_HOUR, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from tripoint.engines.resilience.capacity.carrying import Stretch
from tripoint.engines.stress.kernel.streams import Stream, Streams
from tripoint.engines.stress.scenarios.candidates import Target, is_known, targets_for
from tripoint.engines.stress.scenarios.ground import Ground
from tripoint.engines.stress.scenarios.knobs import Values, minutes_of, size_of, traces_of
from tripoint.engines.stress.scenarios.leaning import OUTRIGHT, carried_faults

_NODES = ("node", "accelerator")
_SOFT = (FaultKind.DOWN, FaultKind.HANG, FaultKind.CAPACITY)
"""Faults that concern a part of a place when only a part of its nodes is struck."""


def faults_of(scenario: Scenario, values: Values, ground: Ground, draws: Streams) -> tuple[Fault, ...]:
    """What happens in one trial; empty where the estate has nothing of what is struck."""
    found: list[Fault] = []
    lost: dict[str, list[Stretch]] = {}
    for number, strike in enumerate(scenario.strikes):
        name = f"strike/{scenario.id}/{number}"
        for target in _picked(strike, targets_for(ground, strike), draws.named(name)):
            struck = _struck(scenario, strike, target, values, draws.named(f"{name}/{target.ids[0]}"))
            for fault in (each for each in struck if each.kind in OUTRIGHT):
                for thing in (*fault.on, *target.named):
                    lost.setdefault(thing, []).append((fault.at_s, fault.until_s))
            found += struck
    return (*found, *carried_faults(ground.carrying, ground.estate, lost))


def struck_by(scenarios: Sequence[Scenario], ground: Ground) -> tuple[Struck, ...]:
    """What scenarios that take the worst strike here; those that do not are left out."""
    return tuple(Struck(scenario=each.id, ids=ids) for each in scenarios if (ids := worst_struck(each, ground)))


def worst_struck(scenario: Scenario, ground: Ground) -> tuple[str, ...]:
    """What its strikes that take the worst hit here, each thing once; nothing of those that name what they hit."""
    found: list[str] = []
    for strike in scenario.strikes:
        is_sort = is_known(strike.hits) and not strike.hits.startswith("id:")
        targets = targets_for(ground, strike) if strike.pick is Pick.WORST and is_sort else ()
        if targets and not (len(targets) == 1 and strike.hits.endswith(targets[0].ids[0])):
            found += _worst(targets).ids
    return tuple(dict.fromkeys(found))


def _worst(targets: Sequence[Target]) -> Target:
    return max(targets, key=lambda each: each.weight)


def untouched(scenario: Scenario, ground: Ground) -> str:
    """What the scenario is about and the estate does not have; empty where it has it.

    A scenario is about what its first strike hits; the others only make it worse.
    """
    if not scenario.strikes or targets_for(ground, scenario.strikes[0]):
        return ""
    return scenario.strikes[0].hits


def missed(scenario: Scenario, ground: Ground) -> tuple[tuple[int, str], ...]:
    """Strikes after the first that hit nothing here, by their number and what they name."""
    later = list(enumerate(scenario.strikes))[1:]
    return tuple((number, strike.hits) for number, strike in later if not targets_for(ground, strike))


def _picked(strike: Strike, targets: Sequence[Target], stream: Stream) -> tuple[Target, ...]:
    if strike.pick is Pick.ALL or not targets:
        return tuple(targets)
    if strike.pick is Pick.WORST:
        return (_worst(targets),)
    return (targets[min(len(targets) - 1, int(stream.uniform(0) * len(targets)))],)


def _struck(scenario: Scenario, strike: Strike, target: Target, values: Values, stream: Stream) -> list[Fault]:
    """The faults of one strike on one thing."""
    end_s = scenario.seconds
    begin_s = minutes_of(scenario, strike.at, values) * SECONDS_PER_MINUTE
    lasts = math.inf if strike.lasts is None else minutes_of(scenario, strike.lasts, values) * SECONDS_PER_MINUTE
    delay = max(minutes_of(scenario, strike.delay, values), target.grace_minutes) * SECONDS_PER_MINUTE
    sort = strike.hits.partition(":")[0]
    size = size_of(strike.size, values)
    if sort in _NODES:
        begins = _moments(strike, target, values, begin_s, end_s, stream)
        return _nodes_out(target, begins, lasts, size)
    begin_s, until_s = begin_s + delay, begin_s + lasts
    if until_s <= begin_s:
        return []
    if traces_of(strike):
        return _traced(strike, target, (begin_s, min(until_s, end_s)), size, stream)
    ramp_s = minutes_of(scenario, strike.ramp, values) * SECONDS_PER_MINUTE
    kind, size = _whole(strike.kind, size, target)
    if kind is FaultKind.DATA_LOST:
        size += target.age_minutes / MINUTES_PER_HOUR
    if math.isclose(size, 1.0) and kind is FaultKind.CAPACITY:
        return []
    return [Fault(kind=kind, on=target.ids, at_s=begin_s, until_s=until_s, size=size, ramp_s=ramp_s)]


def _traced(strike: Strike, target: Target, span: tuple[float, float], times: float, stream: Stream) -> list[Fault]:
    """A trace from anywhere in any of them by chance, as stretches in which the same is left.

    Every moment of all traces is as likely to be where it begins. `times` is how many times what is gone is taken.
    """
    at_s, until_s = span
    traces = traces_of(strike)
    begin_s = stream.uniform(0) * math.fsum(math.fsum(each.seconds) for each in traces)
    trace, stretch = traces[-1], 0
    for trace in traces:
        length_s = math.fsum(trace.seconds)
        if begin_s < length_s:
            break
        begin_s -= length_s
    while stretch < len(trace.seconds) - 1 and begin_s >= trace.seconds[stretch]:
        begin_s -= trace.seconds[stretch]
        stretch += 1
    rest_s = max(0.0, trace.seconds[stretch] - begin_s)
    found: list[Fault] = []
    while at_s < until_s:
        end_s = min(until_s, at_s + rest_s)
        left = max(0.0, 1.0 - times * (1.0 - trace.left[stretch]))
        kind, size = _whole(FaultKind.CAPACITY, left, target)
        if found and found[-1].size == size and found[-1].until_s == at_s:
            found[-1] = replace(found[-1], until_s=end_s)
        elif size < 1.0 and end_s > at_s:
            found.append(Fault(kind=kind, on=target.ids, at_s=at_s, until_s=end_s, size=size))
        stretch = (stretch + 1) % len(trace.seconds)
        at_s, rest_s = end_s, trace.seconds[stretch]
    return found


def _whole(kind: FaultKind, size: float, target: Target) -> tuple[FaultKind, float]:
    """The fault as it concerns the whole of what it names, where only a part of its capacity is struck."""
    if kind in (FaultKind.ERRORS, FaultKind.WRONG):
        return kind, size * target.part
    if target.part >= 1.0 or kind not in _SOFT:
        return kind, size
    left = size if kind is FaultKind.CAPACITY else 0.0
    return FaultKind.CAPACITY, 1.0 - target.part * (1.0 - left)


def _moments(
    strike: Strike, target: Target, values: Values, begin_s: float, end_s: float, stream: Stream
) -> list[float]:
    """When nodes of a pool fail: once, or by chance at the rate of all that may fail there."""
    if strike.mtbf_hours is None:
        return [begin_s]
    mean_s = size_of(strike.mtbf_hours, values) * SECONDS_PER_HOUR / max(1.0, target.nodes * target.gpus_per_node)
    moments: list[float] = []
    at = begin_s
    while (at := at + mean_s * stream.exponential(len(moments))) < end_s:
        moments.append(at)
    return moments


def _nodes_out(target: Target, begins: Sequence[float], lasts_s: float, count: float) -> list[Fault]:
    """Nodes that are out, as stretches of the pool's capacity that is left; none of it is `DOWN`."""
    if target.nodes <= 0.0 or not begins:
        return []
    edges = sorted({*begins, *(begin + lasts_s for begin in begins)})
    found: list[Fault] = []
    for begin, end in pairwise(edges):
        out = sum(count for at in begins if at <= begin < at + lasts_s)
        left = max(0.0, 1.0 - out / target.nodes)
        if left >= 1.0:
            continue
        kind = FaultKind.DOWN if left <= 0.0 else FaultKind.CAPACITY
        found.append(Fault(kind=kind, on=target.ids, at_s=begin, until_s=end, size=left if left else 1.0))
    return found
