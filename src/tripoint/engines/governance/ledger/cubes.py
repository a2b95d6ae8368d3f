"""Which sums are kept, and which of them answer a question: the coarsest that knows all its dimensions."""

from __future__ import annotations

from typing import Final, NamedTuple

from tripoint.domain.ledger import Dimension, SpendQuery

MEASURES: Final = (
    "requests", "failed", "estimated", "tokens_in", "cached", "tokens_out", "reasoning", "nano", "list_nano",
    "marginal_nano",
)  # fmt: skip
"""What is summed, in the order of `Spend`."""


class Cube(NamedTuple):
    """Sums over time and some dimensions."""

    number: int
    """Its number; 0 is the fine one."""
    slot: str
    """Over which time each sum goes: `day` or `hour`."""
    names: frozenset[Dimension]
    """What it tells apart beside time."""


_D = Dimension
FINE: Final = Cube(0, "day", frozenset(_D) - {_D.DAY, _D.HOUR})
"""Everything, by day."""
COARSE: Final = (
    Cube(1, "day", frozenset((_D.KIND, _D.TENANT, _D.MODEL, _D.SITE))),
    Cube(2, "day", frozenset((_D.KIND, _D.TENANT))),
    Cube(3, "hour", frozenset((_D.KIND, _D.WORKLOAD, _D.MODEL, _D.SITE, _D.UPSTREAM, _D.TARIFF, _D.PRICES))),
    Cube(4, "day", frozenset((_D.KIND, _D.MODEL, _D.SITE))),
)
"""What is asked often: whose money at which place, whose money, what happened where hour by hour, and day by day."""
_SMALLEST_FIRST: Final = (COARSE[1], COARSE[3], COARSE[2], COARSE[0], FINE)


def cube_for(query: SpendQuery) -> Cube | None:
    """The smallest cube that answers a query; `None` when only the entries themselves do."""
    wanted = asked(query)
    by_hour = Dimension.HOUR in query.by
    for cube in _SMALLEST_FIRST:
        if wanted <= cube.names and (cube.slot == "hour" or not by_hour):
            return cube
    return None


def is_row_for_row(query: SpendQuery, cube: Cube) -> bool:
    """True when each kept sum of a cube is a row of the answer by itself: nothing is left to add up."""
    slot = Dimension.HOUR if cube.slot == "hour" else Dimension.DAY
    pinned = set(query.by)
    if len(query.kinds) == 1:
        pinned.add(_D.KIND)
    pinned.update(name for name, value in _wanted(query).items() if value is not None)
    return slot in pinned and cube.names <= pinned


def asked(query: SpendQuery) -> frozenset[Dimension]:
    """The dimensions beside time that a query tells apart or chooses by."""
    named = {dimension for dimension, value in _wanted(query).items() if value is not None}
    if query.kinds:
        named.add(_D.KIND)
    return frozenset((named | set(query.by)) - {_D.DAY, _D.HOUR})


def _wanted(query: SpendQuery) -> dict[Dimension, str | None]:
    return {
        _D.TENANT: query.tenant, _D.KEY: query.key, _D.WORKLOAD: query.workload, _D.MODEL: query.model,
        _D.SITE: query.site, _D.UPSTREAM: query.upstream,
    }  # fmt: skip
