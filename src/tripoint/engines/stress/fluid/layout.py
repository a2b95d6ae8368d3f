"""A world as arrays: who may flow where, how much of a place a request per second takes, and what it costs there.

Requests become flows, one per workload, or one per workload and callers' place where links are struck. A place's
capacity is 1; what a flow needs of it is 1 over the requests per second the place sustains for it alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, prod

import numpy as np
from numpy.typing import NDArray

from tripoint.domain.money import NANO_PER_USD
from tripoint.domain.table import Candidate
from tripoint.domain.units import MS_PER_S, SECONDS_PER_HOUR
from tripoint.engines.stress.kernel.arithmetic import Floats
from tripoint.engines.stress.spending import PER_TOKEN, added
from tripoint.engines.stress.trial.places.network import PACKETS, RESEND_S
from tripoint.engines.stress.world import Callers, Demanded, Place, World

Flags = NDArray[np.bool_]

TOKEN, NODES, ENERGY, EGRESS = range(4)
"""Parts of what serving costs, each with a price of its own that may change."""
PARTS = 4
_WITHOUT_LIMIT = 1e6
"""As many times what stands as can be had where nobody set a limit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """Flows and places; F flows, P places, W workloads."""

    world: World
    """What it is made of."""
    workload_of: tuple[int, ...]
    """[F] index of its workload among the world's `demanded`."""
    callers_of: tuple[int, ...]
    """[F] index of its callers' place among the workload's; -1 where all come together."""
    part: Floats
    """[F] part of the workload's requests."""
    is_waited_for: tuple[bool, ...]
    """[F] true where a caller waits; other work takes what capacity remains and may be done later."""
    order: tuple[int, ...]
    """Flows by priority, first served first; equal ones as the estate has them."""
    ways: tuple[tuple[int, ...], ...]
    """[F] places it may be served at, in the order in which what finds no room elsewhere tries them."""
    share: Floats
    """[F, P] share of it that the plan puts there."""
    need: Floats
    """[F, P] share of the place a request per second takes; infinite where it cannot be served."""
    alike: tuple[int, ...]
    """[F] the first flow that can be served at the same places in the same proportions."""
    usd: Floats
    """[PARTS, F, P] cost of a request at the margin, USD."""
    first_ms: Floats
    """[F, P] time to first token at a half-full place, ms, network left out."""
    stay_s: Floats
    """[F, P] seconds a request stays."""
    held_usd: Floats
    """[P] cost of its nodes per second whether they work or not, USD."""
    held_part: Floats
    """[F, P] part of that a flow bears: by what the plan has it take of the place."""
    is_cold: Flags
    """[P] true for a standby that has no nodes until they are needed; all others stand with a capacity of 1."""
    spare: Floats
    """[P] capacity that can still be had there, as a multiple of what `need` is counted in."""
    spare_usd: Floats
    """[P] cost per second of one such, USD."""
    ready_s: Floats
    """[P] seconds until capacity asked for serves; infinite where there is none."""
    growing: Mapping[int, int]
    """Places where capacity can be asked for, each with its number among them; G of them."""

    def links_of(self, flow: int) -> Mapping[str, tuple[str, ...]]:
        """Links on the way of a flow, by site; none where its callers come together."""
        asked, callers = self.world.demanded[self.workload_of[flow]], self.callers_of[flow]
        return asked.callers[callers].links if callers >= 0 else {}


def layout_of(world: World, *, by_callers: bool = False) -> Layout:
    """The arrays of a world."""
    flows = list(_flows(world, by_callers))
    routes = {route.workload: route for route in world.table.routes}
    share, need = np.zeros((len(flows), len(world.places))), np.full((len(flows), len(world.places)), np.inf)
    usd, first_ms, stay_s = np.zeros((PARTS, *share.shape)), np.zeros_like(share), np.zeros_like(share)
    ways: list[tuple[int, ...]] = []
    for flow, (number, _, _) in enumerate(flows):
        asked = world.demanded[number]
        found: list[tuple[bool, bool, float, int]] = []
        for candidate in routes[asked.workload].candidates:
            at, place = candidate.target, world.places[candidate.target]
            times = _times(place, candidate, asked)
            takes = _need(place, asked, sum(times))
            if not isfinite(takes) or isfinite(need[flow, at]):
                continue
            need[flow, at], share[flow, at] = takes, candidate.share
            usd[:, flow, at] = _usd(place, candidate, asked)
            first_ms[flow, at], stay_s[flow, at] = times[0] * MS_PER_S, sum(times)
            found.append((candidate.is_fallback, candidate.share == 0.0, float(usd[:, flow, at].sum()), at))
        ways.append(tuple(at for *_, at in sorted(found)))
    ranks = sorted(range(len(flows)), key=lambda flow: (world.demanded[flows[flow][0]].priority, flow))
    return Layout(
        world=world,
        workload_of=tuple(number for number, _, _ in flows),
        callers_of=tuple(callers for _, callers, _ in flows),
        part=np.array([part for *_, part in flows]),
        is_waited_for=tuple(world.demanded[number].is_interactive for number, *_ in flows),
        order=tuple(ranks),
        ways=tuple(ways),
        share=share,
        need=need,
        alike=_alike(need),
        usd=usd,
        first_ms=first_ms,
        stay_s=stay_s,
        held_usd=np.array(
            [target.held_nano_per_hour / NANO_PER_USD / SECONDS_PER_HOUR for target in world.table.targets]
        ),
        held_part=_held_part(world, flows, share, need),
        is_cold=np.array([place.is_cold for place in world.places], dtype=np.bool_),
        spare=np.array([_spare(place) for place in world.places]),
        spare_usd=np.array([place.usd_per_node_hour * _nodes(place) / SECONDS_PER_HOUR for place in world.places]),
        growing={at: number for number, at in enumerate(_growing(world))},
        ready_s=np.array([place.ready_after_s if _spare(place) > 0.0 else np.inf for place in world.places]),
    )


def standing_usd_per_s(layout: Layout) -> dict[str, float]:
    """Workload id -> what its part of the nodes that stand costs a second, worked or not, USD."""
    found: dict[str, float] = {}
    for flow, number in enumerate(layout.workload_of):
        name = layout.world.demanded[number].workload
        found[name] = found.get(name, 0.0) + float((layout.held_part[flow] * layout.held_usd).sum())
    return found


def lateness(layout: Layout, slow: Floats, links: tuple[Mapping[str, float], Mapping[str, float]]) -> Floats:
    """[F, P] share of what is served there that comes after its objective; nothing is late that nobody waits for.

    `slow` is how many times as long each place takes; `links` what links add to a round trip, ms, and the share of
    packets they let through, by link id.
    """
    late = np.zeros_like(layout.need)
    for flow, (number, chosen) in enumerate(zip(layout.workload_of, layout.callers_of, strict=True)):
        asked = layout.world.demanded[number]
        if asked.ttft_ms is None or not asked.is_interactive:
            continue
        among = asked.callers if chosen < 0 else (asked.callers[chosen],)
        for at in layout.ways[flow]:
            site = layout.world.places[at].site
            limit = asked.ttft_ms - layout.first_ms[flow, at] * slow[at]
            over = [callers.share * _over(callers, site, limit, links) for callers in among]
            late[flow, at] = sum(over) / sum(callers.share for callers in among)
    return late


def _over(
    callers: Callers, site: str, limit_ms: float, links: tuple[Mapping[str, float], Mapping[str, float]]
) -> float:
    """Share of requests whose way takes longer: where a packet is lost, it waits to be sent again, as in `Network`."""
    added_ms, kept = links
    way = callers.links.get(site, ())
    trip_ms = callers.rtt_ms.get(site, 0.0) + sum(added_ms.get(link, 0.0) for link in way)
    if trip_ms > limit_ms:
        return 1.0
    again_ms = trip_ms + max(RESEND_S * MS_PER_S, 2.0 * trip_ms)
    whole = prod(kept.get(link, 1.0) for link in way)
    return 1.0 - prod([whole] * PACKETS) if again_ms > limit_ms else 0.0


def _flows(world: World, by_callers: bool) -> Iterator[tuple[int, int, float]]:
    """(workload, callers, part) of every flow."""
    for number, asked in enumerate(world.demanded):
        if by_callers:
            yield from ((number, index, callers.share) for index, callers in enumerate(asked.callers))
        else:
            yield number, -1, 1.0


def _times(place: Place, candidate: Candidate, asked: Demanded) -> tuple[float, float]:
    """Seconds to the first token and from there to the last at a half-full place; 0 where nobody knows."""
    timing = place.timings.get(candidate.model)
    if timing is None:
        return 0.0, 0.0
    return timing.times(max(1, place.slots // 2), round(asked.tokens_in), round(asked.tokens_out))


def _need(place: Place, asked: Demanded, stay_s: float) -> float:
    """Share of the place one request per second takes: by the planner's rate, for a token API by its slots."""
    rate = place.rates.get(asked.workload, 0.0)
    if isfinite(rate):
        return 1.0 / rate if rate > 0.0 else np.inf
    return stay_s / place.slots if place.slots else 0.0


def _usd(place: Place, candidate: Candidate, asked: Demanded) -> Sequence[float]:
    """Parts of a request's cost at the margin; nodes rented by the hour are paid as nodes already."""
    parts = [0.0] * PARTS
    price = added(place, candidate)
    parts[EGRESS] = price.usd_request
    parts[TOKEN if place.option == PER_TOKEN else ENERGY] = (
        price.of(asked.tokens_in, asked.tokens_out) - price.usd_request
    )
    return parts


def _alike(need: Floats) -> tuple[int, ...]:
    """[F] first flow whose needs are a multiple of its own."""
    first_by_shape: dict[tuple[float, ...], int] = {}
    found: list[int] = []
    for flow, row in enumerate(need):
        least = float(row.min(initial=np.inf))
        shape = tuple((row / least).tolist()) if 0.0 < least < np.inf else tuple(row.tolist())
        found.append(first_by_shape.setdefault(shape, flow))
    return tuple(found)


def _held_part(world: World, flows: Sequence[tuple[int, int, float]], share: Floats, need: Floats) -> Floats:
    """[F, P] each column sums to 1, or to 0 where the plan sends nobody."""
    rates = np.array([world.demanded[number].requests_per_s * part for number, _, part in flows])
    taken = rates[:, None] * share * np.where(np.isfinite(need), need, 0.0)
    # A place that takes no room for a request is borne by requests.
    taken = np.where(taken.any(axis=0), taken, rates[:, None] * share)
    total = taken.sum(axis=0)
    return taken / np.where(total > 0.0, total, 1.0)


def _nodes(place: Place) -> float:
    """Nodes that the rates of a place are for."""
    return place.kept_nodes if place.is_cold else place.nodes


def _growing(world: World) -> list[int]:
    return [at for at, place in enumerate(world.places) if _spare(place) > 0.0 and isfinite(place.ready_after_s)]


def _spare(place: Place) -> float:
    if place.is_cold:
        return 1.0
    return min(_WITHOUT_LIMIT, max(0.0, place.most_nodes / place.nodes - 1.0)) if place.nodes > 0.0 else 0.0
