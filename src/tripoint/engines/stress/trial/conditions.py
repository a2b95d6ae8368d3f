"""What faults do to each place and line at a moment: a pure function, asked again whenever a fault begins or ends.

Where faults of one kind overlap on one thing, shares and times multiply, additions add, and chances combine as those
of independent events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, prod
from typing import Final

from tripoint.domain.fault import Fault, FaultKind
from tripoint.engines.stress.world import Place, World

_STEPS: Final = 20
"""Steps a ramp is taken in."""
_NAMED: Final = ("dns", "certificate")
"""Shared services without which no new connection to a rented place comes about."""
_RENTED: Final = ("cloud", "gpu_cloud")
_PRICED: Final = {"per_token": "token"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceState:
    """One place at a moment."""

    is_down: bool = False
    """Connections are refused."""
    is_hung: bool = False
    """Connections are taken and nothing is answered."""
    slow: float = 1.0
    """Times everything takes as long."""
    errors: float = 0.0
    """Share of requests answered 500."""
    wrong: float = 0.0
    """Share of answers that are malformed."""
    limit: float = 1.0
    """Share of its slots beyond which it answers 429."""
    capacity: float = 1.0
    """Share of its slots that is left."""
    price: float = 1.0
    """Times what it costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineState:
    """One link at a moment."""

    is_down: bool = False
    """Nothing crosses."""
    loss: float = 0.0
    """Share of packets lost."""
    delay_ms: float = 0.0
    """Added to a round trip."""
    rate: float = 1.0
    """Share of the bandwidth that is left."""


WELL: Final = PlaceState()
CLEAR: Final = LineState()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Everything at a moment."""

    places: tuple[PlaceState, ...]
    """In the order of the world's places."""
    lines: dict[str, LineState]
    """Of links that are not as usual, by id."""
    retries: Mapping[str, int]
    """Workload id -> how many more times its callers try; those that try no more often are left out."""
    banned: tuple[str, ...]
    """Sites nothing may be served at any more."""
    money: float = 1.0
    """Share of the budgets that is left."""


def moments(faults: Iterable[Fault]) -> tuple[float, ...]:
    """When conditions change, ascending, s."""
    found: set[float] = set()
    for fault in faults:
        found.update((fault.at_s, fault.bites_s))
        if isfinite(fault.until_s):
            found.add(fault.until_s)
        if fault.ramp_s > 0.0:
            steps = min(_STEPS, ceil(fault.ramp_s))
            found.update(fault.at_s + fault.ramp_s * step / steps for step in range(1, steps + 1))
    return tuple(sorted(found))


def force(fault: Fault, now: float) -> float:
    """How far it has come at a moment: 0 before and after, 1 in full, the broken part on the way."""
    if not fault.at_s <= now < fault.until_s:
        return 0.0
    if fault.ramp_s <= 0.0 or now >= fault.at_s + fault.ramp_s:
        return 1.0
    steps = min(_STEPS, ceil(fault.ramp_s))
    return int((now - fault.at_s) / fault.ramp_s * steps + 1e-9) / steps


def times(fault: Fault, now: float) -> float:
    """A factor at a moment: 1 where it has no force yet, its size in full."""
    return 1.0 + (fault.size - 1.0) * force(fault, now)


def conditions(world: World, faults: Sequence[Fault], now: float) -> Conditions:
    """How everything is at `now`."""
    acting = [fault for fault in faults if force(fault, now) > 0.0]
    places = tuple(_place(place, [fault for fault in acting if strikes(fault, place)], now) for place in world.places)
    lines = {
        line.id: _line([fault for fault in acting if line.id in fault.on], now)
        for line in world.lines
        if any(line.id in fault.on for fault in acting)
    }
    retries: dict[str, int] = {}
    for fault in acting:
        for workload in fault.on if fault.kind is FaultKind.RETRIES else ():
            retries[workload] = retries.get(workload, 0) + round(fault.size * force(fault, now))
    leaving = [fault for fault in faults if fault.kind is FaultKind.LEAVE and fault.bites_s <= now < fault.until_s]
    banned = dict.fromkeys(site for fault in leaving for site in fault.on)
    money = prod(times(fault, now) for fault in acting if fault.kind is FaultKind.BUDGET)
    return Conditions(places=places, lines=lines, retries=retries, banned=tuple(banned), money=money)


def state_at(place: Place, faults: Sequence[Fault], now: float) -> PlaceState:
    """How one place is at `now`."""
    return _place(place, [fault for fault in faults if force(fault, now) > 0.0 and strikes(fault, place)], now)


def strikes(fault: Fault, place: Place) -> bool:
    """True when a fault is about a place: named by site, pool or upstream, by its price, or by what it depends on.

    `pool:option` names the nodes of a pool that are paid in one way, such as `cloud/g6.12xlarge:spot`.
    """
    if fault.kind is FaultKind.SERVICE_DOWN:
        return place.kind in _RENTED and any(name in fault.on for name in _NAMED)
    if fault.kind is FaultKind.PRICE:
        return _PRICED.get(place.option, place.option) in fault.on
    return not fault_names(place).isdisjoint(fault.on)


def fault_names(place: Place) -> frozenset[str]:
    """Everything by which a fault may name a place."""
    return frozenset((place.site, place.pool, place.upstream, f"{place.pool}:{place.option}"))


def _place(place: Place, acting: Sequence[Fault], now: float) -> PlaceState:
    if not acting:
        return WELL
    slow = limit = capacity = price = 1.0
    well = right = 1.0
    is_down = is_hung = False
    for fault in acting:
        kind, strength = fault.kind, force(fault, now)
        is_down = is_down or kind in (FaultKind.DOWN, FaultKind.SERVICE_DOWN)
        is_hung = is_hung or kind is FaultKind.HANG
        if kind is FaultKind.SLOW:
            slow *= times(fault, now)
        elif kind is FaultKind.ERRORS:
            well *= 1.0 - fault.size * strength
        elif kind is FaultKind.WRONG:
            right *= 1.0 - fault.size * strength
        elif kind is FaultKind.LIMIT:
            limit *= times(fault, now)
        elif kind is FaultKind.CAPACITY:
            capacity *= times(fault, now)
        elif kind is FaultKind.PRICE:
            price *= times(fault, now)
    is_gone = is_down or (capacity < 1.0 and place.slots * capacity < 0.5)
    return PlaceState(
        is_down=is_gone, is_hung=is_hung, slow=slow, errors=1.0 - well, wrong=1.0 - right, limit=limit,
        capacity=capacity, price=price,
    )  # fmt: skip


def _line(acting: Sequence[Fault], now: float) -> LineState:
    is_down, kept, delay_ms, rate = False, 1.0, 0.0, 1.0
    for fault in acting:
        strength = force(fault, now)
        if fault.kind is FaultKind.LINK_DOWN:
            is_down = True
        elif fault.kind is FaultKind.LINK_LOSS:
            kept *= 1.0 - fault.size * strength
        elif fault.kind is FaultKind.LINK_DELAY:
            delay_ms += fault.size * strength
        elif fault.kind is FaultKind.LINK_RATE:
            rate *= times(fault, now)
    return LineState(is_down=is_down, loss=1.0 - kept, delay_ms=delay_ms, rate=rate)
