"""Hour-of-week shapes of demand: 168 weights with mean 1, Monday 00:00 first.

A named shape is a pattern of local life (when people work, shop or sleep) and is shifted to UTC by where the
callers are; explicit weights and fitted profiles are taken as UTC already. The levels are round judgements of
ours; a fitted profile replaces them. Offsets are standard time without daylight saving, weighted by
population inside wide countries.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from tripoint.domain.units import HOURS_PER_DAY, HOURS_PER_WEEK

Weights = tuple[float, ...]

DEFAULT_SHAPE = "flat"

_DAYS: Mapping[str, tuple[tuple[tuple[int, float], ...], tuple[tuple[int, float], ...]]] = MappingProxyType(
    {
        "flat": (((0, 1.0),), ((0, 1.0),)),
        "office_hours": (
            ((0, 0.1), (7, 0.5), (8, 1.2), (9, 2.0), (12, 1.6), (13, 2.0), (17, 1.1), (18, 0.5), (20, 0.2)),
            ((0, 0.08), (9, 0.2), (18, 0.1)),
        ),
        "consumer": (
            ((0, 0.4), (2, 0.25), (6, 0.5), (8, 0.9), (11, 1.2), (14, 1.1), (18, 1.5), (20, 1.7), (22, 1.1)),
            ((0, 0.5), (2, 0.3), (8, 0.8), (11, 1.3), (18, 1.5), (20, 1.6), (22, 1.1)),
        ),
        "evening": (
            ((0, 0.4), (1, 0.15), (8, 0.4), (16, 1.0), (18, 2.2), (19, 3.0), (22, 1.8), (23, 0.9)),
            ((0, 0.6), (1, 0.2), (9, 0.6), (14, 1.2), (18, 2.4), (19, 3.0), (22, 2.0), (23, 1.2)),
        ),
        "nightly": (((0, 3.0), (6, 0.2), (22, 3.0)), ((0, 3.0), (6, 0.2), (22, 3.0))),
    }
)
"""Per shape: (from hour, level) steps of a working day and of a weekend day."""

SHAPE_NAMES = tuple(_DAYS)
"""Names an estate may use for `demand.shape`."""

_OFFSETS: Mapping[str, str] = MappingProxyType(
    {
        "-6": "US MX CR GT HN NI SV",
        "-5": "CA CO PE EC PA JM",
        "-4": "CL BO VE DO PR PY",
        "-3": "BR AR UY",
        "0": "GB UK IE PT IS GH CI SN MA",
        "1": ("DE FR NL BE LU ES IT CH AT PL CZ SK HU SI HR RS SE NO DK LI MC AD SM MT AL BA ME MK NG AO DZ TN"),
        "2": "FI EE LV LT RO BG GR CY UA MD IL EG ZA ZW ZM BW LY",
        "3": "TR SA QA KW BH IQ KE ET TZ UG BY RU",
        "4": "AE OM GE AM AZ MU",
        "5": "PK UZ KZ",
        "6": "IN LK BD NP KG",
        "7": "TH VN ID KH LA",
        "8": "CN HK TW SG MY PH MO MN",
        "9": "JP KR",
        "10": "AU PG",
        "12": "NZ FJ",
    }
)
"""UTC offset in whole hours and the countries nearest to it."""


def shape_weights(name: str) -> Weights:
    """Local-time weights of a named shape, mean 1."""
    workday, weekend = _DAYS[name]
    week = [*(_day(workday) * 5), *(_day(weekend) * 2)]
    return normalised(week)


def utc_offset_hours(country: str | None) -> int:
    """Whole hours the country's clocks are ahead of UTC; 0 when not in the table."""
    wanted = (country or "").upper()
    return next((int(hours) for hours, names in _OFFSETS.items() if wanted in names.split()), 0)


def shifted_to_utc(local: Weights, shares_by_offset: Mapping[int, float]) -> Weights:
    """UTC weights of callers living a local pattern at several offsets: local hour is UTC hour plus offset."""
    total = math.fsum(shares_by_offset.values())
    if total <= 0:
        return local
    return tuple(
        math.fsum(share * local[(hour + offset) % HOURS_PER_WEEK] for offset, share in shares_by_offset.items()) / total
        for hour in range(HOURS_PER_WEEK)
    )


def normalised(weights: list[float] | Weights) -> Weights:
    """The same pattern with mean 1; flat when it has no weight at all."""
    total = math.fsum(weights)
    if total <= 0:
        return (1.0,) * len(weights)
    return tuple(weight * len(weights) / total for weight in weights)


def _day(steps: tuple[tuple[int, float], ...]) -> list[float]:
    return [next(level for start, level in reversed(steps) if start <= hour) for hour in range(HOURS_PER_DAY)]
