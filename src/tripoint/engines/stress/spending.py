"""What a trial spends, the same in both ways to play one: requests add what they cost beyond the nodes that stand.

    owned        energy of the work; the node is paid whether it works or not
    committed    nothing; likewise
    rented       nothing; the node is paid by the hour it is up
    per token    the tokens

and whatever leaves a site. So money is what the bills come to, not what tenants are charged for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tripoint.domain.money import Tariff
from tripoint.domain.stress import Outcome
from tripoint.domain.table import Candidate, TokenPrice
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
    return {
        (number, world.places[each.target].upstream, each.model): tariff_of("", added(world.places[each.target], each))
        for number, asked in enumerate(world.demanded)
        for each in routes[asked.workload].candidates
    }


def with_standing(outcomes: Iterable[Outcome], usd_per_s: Mapping[str, float], seconds: float) -> tuple[Outcome, ...]:
    """Outcomes with the nodes that stand for each workload, in the trial and usually alike."""
    return tuple(
        replace(each, usd=each.usd + standing, usual_usd=each.usual_usd + standing)
        if (standing := usd_per_s.get(each.workload, 0.0) * seconds) and math.isfinite(standing)
        else each
        for each in outcomes
    )
