"""When does holding capacity beat renting it by the hour? Threshold utilisation and calendar month.

One node held costs F per month plus b per busy hour; the same work rented costs e per hour. With H hours
in the month both cost the same at

    u* = F / ((e - b) x H)          above it holding is cheaper; above 1, or with e <= b, never

Ranges take the ends that favour holding (cheap node, dear rent) for the low threshold and the opposite for
the high one. Demand grows by g per year, so it reaches a threshold D after 12 x ln(D / now) / ln(1 + g)
months.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tripoint.domain.provenance import Figure
from tripoint.domain.purchase import Offer
from tripoint.domain.units import HOURS_PER_MONTH, MONTHS_PER_YEAR

ALREADY = "already"
BEYOND = "beyond"
HORIZON_YEARS = 10
_EARLY_GROWTH, _LATE_GROWTH = 1.5, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A value and the ends it may plausibly take."""

    value: float
    """Value used."""
    low: float
    """Low end."""
    high: float
    """High end."""

    def scaled(self, factor: float) -> Range:
        """The range times a non-negative factor."""
        return Range(value=self.value * factor, low=self.low * factor, high=self.high * factor)


ZERO = Range(value=0.0, low=0.0, high=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Utilisation of a node above which holding it is cheaper; infinite where renting always is."""

    utilisation: float
    """Share of the hours held; above 1 means never."""
    low: float
    """At the ends that favour holding."""
    high: float
    """At the ends that favour renting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Month in which growing demand reaches a threshold: `already`, `YYYY-MM` or `beyond`."""

    month: str
    """At the values used."""
    early: str
    """At favourable prices and growth plus half."""
    late: str
    """At unfavourable prices and growth minus half."""


def within(value: float, uncertainty: float) -> Range:
    """A value that may move by a share `uncertainty` either way."""
    return Range(value=value, low=value * max(0.0, 1.0 - uncertainty), high=value * (1.0 + uncertainty))


def elastic_hour(offer: Offer, figures: tuple[Figure, ...], uncertainty: float) -> Range:
    """Price of an elastic node-hour, spread by the ranges of its price figures and by future price moves."""
    spread = within(offer.price_usd, uncertainty)
    low, high = spread.low, spread.high
    for figure in figures:
        if figure.key in offer.basis and figure.value > 0 and figure.unit.startswith("USD/"):
            low *= 1.0 if figure.low is None else min(1.0, figure.low / figure.value)
            high *= 1.0 if figure.high is None else max(1.0, figure.high / figure.value)
    return Range(value=offer.price_usd, low=low, high=high)


def break_even(
    firm_month_usd: Range,
    elastic_hour_usd: Range,
    hours_per_month: float = HOURS_PER_MONTH,
    busy_hour_usd: Range = ZERO,
) -> Threshold:
    """Threshold utilisation of one node held at `firm_month_usd` plus `busy_hour_usd` per hour of work."""
    firm, rent, busy = firm_month_usd, elastic_hour_usd, busy_hour_usd
    return Threshold(
        utilisation=_threshold(firm.value, rent.value - busy.value, hours_per_month),
        low=_threshold(firm.low, rent.high - busy.low, hours_per_month),
        high=_threshold(firm.high, rent.low - busy.high, hours_per_month),
    )


def crossing_month(
    demand_now: float,
    growth_per_year: float,
    threshold: float,
    start: str,
    horizon_years: float = HORIZON_YEARS,
) -> str:
    """First month from `start` (`YYYY-MM`) in which demand reaches `threshold`, `already` or `beyond`."""
    if demand_now >= threshold:
        return ALREADY
    if demand_now <= 0 or growth_per_year <= 0 or not math.isfinite(threshold):
        return BEYOND
    years = math.log(threshold / demand_now) / math.log1p(growth_per_year)
    months = math.ceil(years * MONTHS_PER_YEAR - 1e-9)
    return BEYOND if months > horizon_years * MONTHS_PER_YEAR else month_after(start, months)


def crossing(demand_now: float, growth_per_year: float, threshold: Range, start: str) -> Crossing:
    """The crossing month with its range over prices and growth."""
    early, late = growth_per_year * _EARLY_GROWTH, growth_per_year * _LATE_GROWTH
    return Crossing(
        month=crossing_month(demand_now, growth_per_year, threshold.value, start),
        early=crossing_month(demand_now, early, threshold.low, start),
        late=crossing_month(demand_now, late, threshold.high, start),
    )


def month_after(start: str, months: int) -> str:
    """The month `months` after `start`, both `YYYY-MM`."""
    year, month = (int(part) for part in start.split("-"))
    count = year * MONTHS_PER_YEAR + month - 1 + months
    return f"{count // MONTHS_PER_YEAR:04d}-{count % MONTHS_PER_YEAR + 1:02d}"


def _threshold(firm_month_usd: float, saved_per_hour: float, hours: float) -> float:
    if saved_per_hour <= 0 or hours <= 0:
        return math.inf
    return max(0.0, firm_month_usd) / (saved_per_hour * hours)
