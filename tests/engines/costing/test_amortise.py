"""Amortisation and the cost of capital against first principles."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.errors import InternalError
from tripoint.engines.costing.amortise import annuity, capital_cost, monthly_rate, straight_line

prices = st.floats(1.0, 1e7)
shares = st.floats(0.0, 0.9)
lives = st.integers(1, 180)
rates = st.floats(0.0, 0.5)


@given(price=prices, share=shares, months=lives, rate=rates)
def test_annuities_discounted_over_life_are_worth_the_price_less_the_discounted_residual(
    price: float, share: float, months: int, rate: float
) -> None:
    """The defining identity of the capital recovery factor, summed month by month."""
    payment = annuity(price, price * share, months, rate)
    i = monthly_rate(rate)
    worth = math.fsum(payment / (1 + i) ** month for month in range(1, months + 1))
    residual = price * share / (1 + i) ** months
    assert worth == pytest.approx(price - residual, rel=1e-6, abs=1e-6 * price)


@given(price=prices, share=shares, months=lives, rate=rates)
def test_interest_is_never_negative(price: float, share: float, months: int, rate: float) -> None:
    """Money tied up is never a gain."""
    assert capital_cost(price, price * share, months, rate) >= -1e-9 * price


@given(price=prices, share=shares, months=lives)
def test_without_interest_the_annuity_is_the_straight_line(price: float, share: float, months: int) -> None:
    """At 0 %, and within a cent of it just above."""
    line = straight_line(price, price * share, months)
    assert annuity(price, price * share, months, 0.0) == pytest.approx(line)
    assert annuity(price, price * share, months, 1e-9) == pytest.approx(line, rel=1e-5)


def test_a_textbook_annuity() -> None:
    """100,000 over 12 months at 12.6825 % a year (1 % a month) is 8,884.88 a month."""
    assert annuity(100_000.0, 0.0, 12, 1.01**12 - 1) == pytest.approx(8884.8789, abs=1e-3)


def test_an_asset_without_a_life_is_refused() -> None:
    """Dividing by it would hide a wrong estate behind an infinite price."""
    with pytest.raises(InternalError, match="above 0 months"):
        straight_line(1.0, 0.0, 0.0)
