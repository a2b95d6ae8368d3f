"""What a trial spends, the same in both ways to play one: requests add what they cost beyond the nodes that stand.

    owned        energy of the work; the node is paid whether it works or not
    committed    nothing; likewise
    rented       nothing; the node is paid by the hour it is up
    per token    the tokens
    cold         its part of the nodes that are rented for the standby once it is called, by the room it takes

and whatever leaves a site. So money is what the bills come to, not what tenants are charged for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tripoint.domain.money import Tariff
from tripoint.domain.stress import Outcome
from tripoint.domain.table import Candidate, TokenPrice
from tripoint.domain.units import SECONDS_PER_HOUR
from tripoint.engines.gateway.table.tariffs.rows import tariff_of
from tripoint.engines.stress.world import Place, World

FIRM, PER_TOKEN = ("owned", "committed"), "per_token"
"""Ways to pay for nodes that are there for months; and for none at all."""

Spends = Mapping[tuple[int, str, str], Tariff]
"""Index of a workload, upstream id, model spec id -> what a request adds there."""


def added(place: Place, candidate: Candidate) -> TokenPrice:
    """What a request adds to what is spent at a place: of rented nodes only what leaves them."""
    price = candidate.price
    if place.option in FIRM or place.option == PER_TOKEN:
        return price
    return replace(price, usd_in=0.0, usd_out=0.0, usd_cached=0.0)


def spends_of(world: World) -> Spends:
    """What requests add, exactly, for every way of every workload."""
    routes = {route.workload: route for route in world.table.routes}
    found: dict[tuple[int, str, str], Tariff] = {}
    for number, asked in enumerate(world.demanded):
        for each in routes[asked.workload].candidates:
            place = world.places[each.target]
            price = added(place, each)
            whole = replace(price, usd_request=price.usd_request + _rented(place, asked.workload))
            found[number, place.upstream, each.model] = tariff_of("", whole)
    return found


def _rented(place: Place, workload: str) -> float:
    """A request's part of the nodes that are there only because a cold standby was called, USD."""
    rate = place.rates.get(workload, 0.0)
    if not place.is_cold or not 0.0 < rate < math.inf:
        return 0.0
    return place.usd_per_node_hour * place.kept_nodes / SECONDS_PER_HOUR / rate


def with_standing(outcomes: Iterable[Outcome], usd_per_s: Mapping[str, float], seconds: float) -> tuple[Outcome, ...]:
    """Outcomes with the nodes that stand for each workload, in the trial and usually alike."""
    return tuple(
        replace(each, usd=each.usd + standing, usual_usd=each.usual_usd + standing)
        if (standing := usd_per_s.get(each.workload, 0.0) * seconds) and math.isfinite(standing)
        else each
        for each in outcomes
    )
