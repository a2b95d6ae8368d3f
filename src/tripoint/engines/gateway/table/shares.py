"""How much of each workload does the plan put on each upstream, in the period that is now?

The plan speaks of pools, the data path of upstreams. Interactive shares are of a block's requests, so the mean over
blocks is by their hours; the shares of energy kinds are of the period's work and add up over blocks. A pool's share
goes to the upstreams on its node type at its site by the requests they may hold; a share of a pool that has none is
told and spread over the rest in proportion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from tripoint.domain.plan import Plan
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.units import MONTHS_PER_YEAR
from tripoint.domain.workload import Workload

_SPOT = "spot"
_NOTHING = 1e-9

Pool = tuple[str, str]
"""(site, node type or API model)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A candidate as the plan can see it."""

    pool: Pool
    """Where it is; the node type is empty when not known."""
    capacity: float
    """Requests it may hold."""
    is_spot: bool = False
    """True on interruptible nodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Shares of a workload's candidates, and what the plan puts where no candidate is."""

    shares: tuple[float, ...]
    """Per seat; they sum to 1, or all are 0 where nothing of the plan can be followed."""
    lost: dict[Pool, float]
    """Share by pool that no seat stands for."""


def period_at(plan: Plan, today: date) -> int:
    """Index of the period `today` falls in; the first before the horizon, the last after it."""
    year, month = (int(part) for part in plan.start.split("-")[:2])
    months = (today.year - year) * MONTHS_PER_YEAR + today.month - month
    return max(0, min(len(plan.periods) - 1, months // plan.period_months))


def planned_shares(plan: Plan, workload: Workload, period: int) -> dict[tuple[Pool, bool], float]:
    """(pool, on spot nodes) -> share of the workload in a period."""
    weights = [block.weight if workload.kind.is_interactive else 1.0 for block in plan.blocks]
    found: dict[tuple[Pool, bool], float] = {}
    for row in plan.placements:
        if row.workload == workload.id and row.period == period and row.share > _NOTHING:
            key = ((row.site, row.node_type), row.lane == _SPOT)
            found[key] = found.get(key, 0.0) + row.share * weights[row.block]
    return found


def spread(planned: Mapping[tuple[Pool, bool], float], seats: Iterable[Seat]) -> Spread:
    """The plan's shares over the candidates that stand for its pools."""
    chairs = tuple(seats)
    shares = [0.0] * len(chairs)
    lost: dict[Pool, float] = {}
    for (pool, is_spot), share in planned.items():
        takers = _takers(chairs, pool, is_spot)
        capacity = sum(chairs[index].capacity for index in takers)
        if not takers:
            lost[pool] = lost.get(pool, 0.0) + share
        for index in takers:
            part = chairs[index].capacity / capacity if capacity > 0 else 1.0 / len(takers)
            shares[index] += share * part
    total = sum(shares)
    if total > _NOTHING:
        shares = [share / total for share in shares]
    return Spread(shares=tuple(shares), lost=lost)


def planned_options(plan: Plan, period: int) -> dict[Pool, PurchaseOption]:
    """How the plan pays the nodes of each pool in a period: the firmest way it uses, for that has room first."""
    found: dict[Pool, PurchaseOption] = {}
    ways = (PurchaseOption.OWNED, PurchaseOption.COMMITTED, PurchaseOption.ON_DEMAND, PurchaseOption.SPOT)
    for row in plan.pools:
        if row.period != period:
            continue
        used = [way for way in ways if getattr(row, way.value) > _NOTHING]
        if used:
            pool = (row.site, row.node_type)
            before = found.get(pool, used[0])
            found[pool] = min(before, used[0], key=ways.index)
    return found


def _takers(seats: tuple[Seat, ...], pool: Pool, is_spot: bool) -> list[int]:
    """Seats on the pool, those bought alike first; else those at its site whose node type nobody declared."""
    exact = [index for index, seat in enumerate(seats) if seat.pool == pool]
    alike = [index for index in exact if seats[index].is_spot == is_spot]
    unknown = [index for index, seat in enumerate(seats) if seat.pool == (pool[0], "")]
    return alike or exact or unknown
