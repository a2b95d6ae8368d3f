"""Months, periods and discounting of the horizon."""

from __future__ import annotations

import math

from tripoint.domain.estate import Horizon
from tripoint.domain.units import MONTHS_PER_YEAR


def month_index(text: str) -> int:
    """`YYYY-MM` as a running count of months."""
    year, month = text.split("-")[:2]
    return int(year) * MONTHS_PER_YEAR + int(month) - 1


def month_label(index: int) -> str:
    """The inverse of `month_index`."""
    return f"{index // MONTHS_PER_YEAR:04d}-{index % MONTHS_PER_YEAR + 1:02d}"


def months_until(horizon: Horizon, month: str) -> int:
    """Months of the horizon up to and including `month`; negative when it ended before the start."""
    return month_index(month) - month_index(horizon.start) + 1


def overlap_months(horizon: Horizon, period: int, months: int) -> int:
    """Months of `period` that fall within the first `months` months of the horizon."""
    first = period * horizon.period_months
    return max(0, min(months - first, horizon.period_months))


def lead_periods(horizon: Horizon, months: float) -> int:
    """Whole periods that pass before something ordered at a period's start is in service."""
    return math.ceil(max(0.0, months) / horizon.period_months)


def period_start_month(horizon: Horizon, period: int) -> str:
    """First month of a period; negative periods lie before the horizon."""
    return month_label(month_index(horizon.start) + period * horizon.period_months)


def discount_factors(horizon: Horizon, rate: float) -> tuple[float, ...]:
    """[period] (1 + r)^-t with t in years at the middle of the period."""
    years = ((period + 0.5) * horizon.period_months / MONTHS_PER_YEAR for period in range(horizon.periods))
    return tuple((1.0 + rate) ** -year for year in years)
