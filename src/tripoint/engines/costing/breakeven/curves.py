"""What does each way of buying cost as use grows? Points for the break-even pictures, as domain cost curves.

A node held is flat, with the slope of its busy energy; rented by the hour it is a line through zero. Over
tokens per month, held nodes come in whole numbers, so their curve climbs in steps; both sides of a step
are points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tripoint.domain.plan import CostCurve, CostPoint
from tripoint.domain.units import HOURS_PER_MONTH

_MOST_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of having a node."""

    label: str
    """`owned`, `committed 3y`, `on_demand`, ..."""
    month_usd: float = 0.0
    """Paid per node and month, used or not, USD; 0 for elastic ways."""
    hour_usd: float = 0.0
    """Paid per busy node-hour, USD."""

    @property
    def is_held(self) -> bool:
        """True where something is paid for idle nodes."""
        return self.month_usd > 0


def by_utilisation(ways: tuple[Way, ...], hours_per_month: float = HOURS_PER_MONTH) -> tuple[CostCurve, ...]:
    """Monthly cost of one node between no use and full use."""
    return tuple(
        CostCurve(
            label=way.label,
            points=tuple(
                CostPoint(x=use, usd=way.month_usd + use * hours_per_month * way.hour_usd) for use in (0.0, 1.0)
            ),
        )
        for way in ways
    )


def by_tokens(
    ways: tuple[Way, ...],
    mtok_per_node_hour: float,
    most_mtok: float,
    hours_per_month: float = HOURS_PER_MONTH,
) -> tuple[CostCurve, ...]:
    """Monthly cost over million tokens per month, up to `most_mtok`; nothing when a node serves no tokens."""
    if mtok_per_node_hour <= 0 or most_mtok <= 0:
        return ()
    per_node = mtok_per_node_hour * hours_per_month
    return tuple(
        CostCurve(label=way.label, points=_points(way, mtok_per_node_hour, most_mtok, per_node)) for way in ways
    )


def _points(way: Way, mtok_per_node_hour: float, most_mtok: float, per_node: float) -> tuple[CostPoint, ...]:
    def at(mtok: float, nodes: int) -> CostPoint:
        return CostPoint(x=mtok, usd=way.month_usd * nodes + way.hour_usd * mtok / mtok_per_node_hour)

    steps = math.ceil(most_mtok / per_node)
    if not way.is_held:
        return (at(0.0, 0), at(most_mtok, 0))
    if steps > _MOST_STEPS:
        # Steps too fine to see: draw the line through their ends.
        return (at(0.0, 1), at(most_mtok, steps))
    ends = [min(most_mtok, per_node * nodes) for nodes in range(1, steps + 1)]
    starts = [0.0, *ends[:-1]]
    return tuple(at(x, nodes + 1) for nodes in range(steps) for x in (starts[nodes], ends[nodes]))
