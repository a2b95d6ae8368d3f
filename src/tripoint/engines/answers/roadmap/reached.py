"""When is each limit reached, and by when must more be ordered?

A limit counts as full from the first period in which the plan uses 98 % of it, or no further node fits, while more
would be used if there were more: use grew to it within the plan, or the GPUs there are busy and their work overflows to
other sites. What the plan orders itself is not due: fullness counts only after the last expansion step it takes serves,
and GPUs in service, as many as it chose to buy, are no limit while more can be bought. A limit that is never full in
this sense is followed beyond the horizon, if more than a trace of it is used: use grows as the least-squares line
through its logarithm did within it, for ten years from the plan's start. More must be ordered one lead time before the
period begins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from tripoint.domain.estate import Horizon
from tripoint.domain.plan import Headroom
from tripoint.domain.units import MONTHS_PER_YEAR
from tripoint.engines.answers.roadmap.limit_book import FULL
from tripoint.engines.answers.roadmap.limits import Limit, Series
from tripoint.engines.costing.breakeven.threshold import HORIZON_YEARS
from tripoint.engines.placement.instance.calendar import month_index, month_label, period_start_month
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.sizing.demand.grid import period_labels

_FLAT = 1e-4
_TRACE = 0.01
"""Share of a limit below which growth says nothing about when it is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """When a limit is full."""

    period: int | None
    """Period, counted on beyond the horizon; `None` when not in sight."""
    how: str
    """How that was found, for a person."""


def roadmap(instance: Instance, limits: Sequence[Limit]) -> tuple[Headroom, ...]:
    """Every limit, first exhausted (then first to order) first; those not in sight by how full they are at the end,
    those the plan chose itself last.
    """
    horizon = instance.estate.horizon
    rows = [(limit, reached(limit, horizon)) for limit in limits]
    told = [(_rank(limit, found, row), row) for limit, found in rows for row in (_headroom(limit, found, horizon),)]
    return tuple(row for _, row in sorted(told, key=lambda each: each[0]))


def _rank(limit: Limit, found: Reached, row: Headroom) -> tuple[float, str, bool, float, str]:
    first = math.inf if found.period is None else found.period
    return (first, row.order_by or "~", limit.is_chosen, -_last_use(limit), row.name)


def reached(limit: Limit, horizon: Horizon) -> Reached:
    """First period in which a limit is full after what the plan orders to raise it, by plan or by its growth."""
    is_full = full_periods(limit)
    served = max((row.service_period for row in limit.planned), default=0)
    eased = _eased(limit, is_full[:served], horizon)
    later = [full and period >= served for period, full in enumerate(is_full)]
    found = _by_plan(later, horizon) if any(later) else _by_growth(limit, horizon)
    return replace(found, how=f"{eased}{found.how}")


def _by_growth(limit: Limit, horizon: Horizon) -> Reached:
    if limit.is_chosen and limit.used[-1] >= FULL * limit.limit[-1]:
        return Reached(period=None, how="as many as the plan chose to have, and more can be had")
    if limit.used[-1] < _TRACE * limit.limit[-1]:
        return Reached(period=None, how=f"not in sight: less than {_TRACE:.0%} of it is used".replace("%", " %"))
    slope = log_slope(limit.used)
    last = len(limit.used) - 1
    if slope <= _FLAT or limit.limit[-1] <= 0:
        is_filled = limit.used[-1] >= FULL * limit.limit[-1] > 0
        return Reached(period=None, how=_flat(limit, is_filled=is_filled))
    grown = math.exp(slope * MONTHS_PER_YEAR / horizon.period_months) - 1.0
    pace = f"if use goes on growing {grown:.0%} a year".replace("%", " %", 1)
    period = last + max(1, math.ceil(math.log(FULL * limit.limit[-1] / limit.used[-1]) / slope - 1e-9))
    if period * horizon.period_months >= HORIZON_YEARS * MONTHS_PER_YEAR:
        return Reached(period=None, how=f"not in sight within {HORIZON_YEARS} years, {pace}")
    return Reached(period=period, how=f"after the plan ends, {pace}")


def _flat(limit: Limit, *, is_filled: bool) -> str:
    """Why a limit whose use does not grow is not reached; where it bars one more node, that is said."""
    if is_filled:
        return "full, but nothing more is wanted"
    if limit.used[-1] > 0 and limit.limit[-1] - limit.used[-1] < limit.step * (1 - 1e-9):
        left = limit.limit[-1] - limit.used[-1]
        return (
            f"not in sight: use does not grow, but the {left:.3g} {limit.unit} left bar one more node, which takes "
            f"{limit.step:.3g}"
        )
    return "not in sight: use does not grow"


def full_periods(limit: Limit) -> list[bool]:
    """[period] whether the limit binds."""
    if limit.is_chosen:
        return [False] * len(limit.used)
    pressed = limit.pressed or (True,) * len(limit.used)
    least = accumulate(limit.used, min)
    wanted = [
        is_pressed or used > low * (1 + _FLAT) for is_pressed, used, low in zip(pressed, limit.used, least, strict=True)
    ]
    fits_none = [top - used < limit.step * (1 - 1e-9) for used, top in zip(limit.used, limit.limit, strict=True)]
    filled = [top > 0 and used >= FULL * top for used, top in zip(limit.used, limit.limit, strict=True)]
    return [is_wanted and (a or b) for is_wanted, a, b in zip(wanted, filled, fits_none, strict=True)]


def _eased(limit: Limit, before: list[bool], horizon: Horizon) -> str:
    """What was full before the steps the plan orders serve; empty where nothing was."""
    if not any(before):
        return ""
    steps = " and ".join(
        f"`{row.step}`, ordered in {period_label(horizon, row.order_period)}, serves from "
        f"{period_label(horizon, row.service_period)}"
        for row in limit.planned
    )
    return f"the plan fills it from {period_label(horizon, before.index(True))}; {steps}; after that "


def _by_plan(is_full: list[bool], horizon: Horizon) -> Reached:
    first = is_full.index(True)
    if all(is_full):
        return Reached(period=0, how="full from the first period on")
    if all(is_full[first:]):
        return Reached(period=first, how="the plan fills it and keeps it full")
    free = first + is_full[first:].index(False)
    return Reached(period=first, how=f"the plan fills it until {period_label(horizon, free)}, when less is used")


def log_slope(used: Series) -> float:
    """Compound growth per period: slope of the least-squares line through the logarithm of the positive values."""
    points = [(float(period), math.log(value)) for period, value in enumerate(used) if value > 1e-12]
    if len(points) < 2 or used[-1] <= 1e-12:
        return 0.0
    middle = sum(x for x, _ in points) / len(points)
    mean = sum(y for _, y in points) / len(points)
    return sum((x - middle) * (y - mean) for x, y in points) / sum((x - middle) ** 2 for x, _ in points)


def order_month(horizon: Horizon, period: int, lead_months: float) -> str:
    """Month one lead time before a period starts; before the horizon's start when it is already late."""
    return month_label(month_index(period_start_month(horizon, period)) - math.ceil(lead_months - 1e-9))


def period_label(horizon: Horizon, period: int) -> str:
    """Label of a period, also beyond the horizon."""
    return period_labels(replace(horizon, months=(period + 1) * horizon.period_months))[period]


def _headroom(limit: Limit, found: Reached, horizon: Horizon) -> Headroom:
    lead = limit.lead_months
    exhausted = order_by = ""
    if found.period is not None:
        exhausted = period_label(horizon, found.period)
        if lead is not None:
            order_by = order_month(horizon, found.period, lead)
    return Headroom(
        resource=limit.resource,
        name=limit.name,
        site=limit.site,
        unit=limit.unit,
        used=limit.used,
        limit=limit.limit,
        exhausted=exhausted,
        order_by=order_by,
        lead_time_months=lead or 0.0,
        note=f"{found.how}; {limit.remedy}",
    )


def _last_use(limit: Limit) -> float:
    return limit.used[-1] / limit.limit[-1] if limit.limit[-1] > 0 else 0.0
