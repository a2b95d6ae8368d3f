"""How old is the newest copy at the worst moment of a trial?

A copy that is sent u times what changes is behind by L seconds with dL/dt = 1 - u while it is behind: what is under
way at t was written at t - L. Copies share a link in proportion to what they have to carry. While the source is away
nothing is written, so nothing falls further behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf

from tripoint.domain.fault import Fault, FaultKind
from tripoint.engines.stress.copies.following import Following
from tripoint.engines.stress.trial.conditions import force, moments, times

_AWAY = (FaultKind.DOWN, FaultKind.HANG)
_ON_LINKS = (FaultKind.LINK_DOWN, FaultKind.LINK_RATE, FaultKind.LINK_LOSS)


def stale_by_workload(
    followings: Sequence[Following], carried_gb_per_s: Mapping[str, float], faults: Sequence[Fault], until_s: float
) -> dict[str, float]:
    """Workload -> age of the newest copy of its stores at the worst moment, s.

    Only stores a fault has to do with: their source is lost, or a copy or the way to it is struck.
    """
    load = _load(followings)
    ages = [_behind(each, load, carried_gb_per_s, faults, until_s) for each in followings]
    stale: dict[str, float] = {}
    for store in dict.fromkeys((each.store, each.source) for each in followings):
        copies = [(each, age) for each, age in zip(followings, ages, strict=True) if (each.store, each.source) == store]
        if not any(_concerns(fault, each, until_s) for fault in faults for each, _ in copies):
            continue
        newest = [min(each.lag_s + age[at] for each, age in copies) for at in range(len(ages[0]))]
        for workload in copies[0][0].workloads:
            stale[workload] = max(stale.get(workload, 0.0), *newest)
    return stale


def _load(followings: Sequence[Following]) -> dict[str, float]:
    """Link id -> GB per second all copies together have to carry over it."""
    load: dict[str, float] = {}
    for each in followings:
        for link in each.links:
            load[link] = load.get(link, 0.0) + each.gb_per_s
    return load


def _behind(
    following: Following,
    load: Mapping[str, float],
    carried_gb_per_s: Mapping[str, float],
    faults: Sequence[Fault],
    until_s: float,
) -> list[float]:
    """Seconds it is behind, beyond its usual lag, at the begin and at every later moment at which a fault changes."""
    edges = [0.0, *(at for at in moments(faults) if 0.0 < at < until_s), until_s]
    behind = [0.0]
    for begin, end in pairwise(edges):
        acting = [fault for fault in faults if force(fault, (begin + end) / 2.0) > 0.0]
        if any(fault.kind in _AWAY and following.source in fault.on for fault in acting):
            behind.append(behind[-1])
            continue
        speed = _speed(following, load, carried_gb_per_s, acting, (begin + end) / 2.0)
        gained = (1.0 - speed) * (end - begin) if speed < inf else -inf
        behind.append(max(0.0, behind[-1] + gained))
    return behind


def _speed(
    following: Following,
    load: Mapping[str, float],
    carried_gb_per_s: Mapping[str, float],
    acting: Sequence[Fault],
    now: float,
) -> float:
    """How many times what changes can be sent: the narrowest link on the way decides."""
    if any(fault.kind in _AWAY and following.target in fault.on for fault in acting):
        return 0.0
    speed = inf
    for link in following.links:
        left = 1.0
        for fault in acting:
            if link in fault.on:
                left *= _left(fault, now)
        if left <= 0.0:
            return 0.0
        if load[link] > 0.0:
            speed = min(speed, carried_gb_per_s.get(link, inf) * left / load[link])
    return speed


def _left(fault: Fault, now: float) -> float:
    """Share of a link's bandwidth a fault leaves; what is lost has to be sent again."""
    if fault.kind is FaultKind.LINK_DOWN:
        return 0.0
    if fault.kind is FaultKind.LINK_RATE:
        return times(fault, now)
    return 1.0 - fault.size * force(fault, now) if fault.kind is FaultKind.LINK_LOSS else 1.0


def _concerns(fault: Fault, following: Following, until_s: float) -> bool:
    if fault.at_s >= until_s:
        return False
    if fault.kind in _AWAY:
        return following.source in fault.on or following.target in fault.on
    return fault.kind in _ON_LINKS and any(link in fault.on for link in following.links)
