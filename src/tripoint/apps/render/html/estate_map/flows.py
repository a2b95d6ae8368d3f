"""Flows of the map: transfers summed over periods, the big ones first, widths by the square root of volume."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from tripoint.domain.plan import Plan

_MOST = 28
_WIDEST = 15.0
_THINNEST = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Data between two different places."""

    source: str
    """From."""
    target: str
    """To."""
    purpose: str
    """Why."""
    gb_per_month: float
    """Mean over the horizon, GB per month."""
    width: float
    """Width of the ribbon, px."""


def flows(plan: Plan) -> tuple[Flow, ...]:
    """All flows between different places, biggest first."""
    months = max(1, len(plan.periods) * plan.period_months)
    sums: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in plan.transfers:
        if row.source != row.target and row.gb > 0:
            sums[row.source, row.target, row.purpose] += row.gb / months
    most = max(sums.values(), default=1.0)
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        Flow(source=source, target=target, purpose=purpose, gb_per_month=gb, width=_width(gb / most))
        for (source, target, purpose), gb in ordered
    )


def biggest(plan: Plan) -> tuple[Flow, ...]:
    """The flows that are drawn."""
    return flows(plan)[:_MOST]


def _width(share: float) -> float:
    return max(_THINNEST, _WIDEST * math.sqrt(share))
