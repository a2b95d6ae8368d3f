"""What does a purchase cost per month of its life? Straight line, plus the cost of the capital tied up in it.

    straight line   (P - R) / N
    annuity         (P - R/(1+i)^N) x i / (1 - (1+i)^-N)          capital recovery with a residual value
    cost of capital annuity - straight line

P is the price, R the residual value, N the life in months and i = (1+r)^(1/12) - 1 the monthly equivalent
of the yearly cost of capital r; payments fall at the end of each month. The annuity is the standard
capital recovery factor of engineering economics, so N annuities discounted at i are worth exactly P less
the discounted residual.
"""

from __future__ import annotations

from tripoint.domain.errors import InternalError
from tripoint.domain.units import MONTHS_PER_YEAR

_NO_INTEREST = 1e-12


def monthly_rate(rate_per_year: float) -> float:
    """Monthly rate that compounds to `rate_per_year`."""
    return float((1.0 + rate_per_year) ** (1.0 / MONTHS_PER_YEAR) - 1.0)


def straight_line(price: float, residual: float, months: float) -> float:
    """Loss of book value per month, USD."""
    _check_life(months)
    return (price - residual) / months


def annuity(price: float, residual: float, months: float, rate_per_year: float) -> float:
    """Level payment at each month's end that recovers `price` less `residual` with interest, USD."""
    _check_life(months)
    rate = monthly_rate(rate_per_year)
    if abs(rate) < _NO_INTEREST:
        return straight_line(price, residual, months)
    remaining = (1.0 + rate) ** -months
    return float((price - residual * remaining) * rate / (1.0 - remaining))


def capital_cost(price: float, residual: float, months: float, rate_per_year: float) -> float:
    """Interest per month beyond straight-line amortisation, USD."""
    return annuity(price, residual, months, rate_per_year) - straight_line(price, residual, months)


def _check_life(months: float) -> None:
    if months <= 0:
        raise InternalError(f"an asset needs a life above 0 months, got {months:g}")
