"""Months, periods, lead times and discount factors of a horizon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.estate import Horizon
from tripoint.engines.placement.instance.calendar import (
    discount_factors,
    lead_periods,
    month_index,
    month_label,
    months_until,
    overlap_months,
    period_start_month,
)

QUARTERS = Horizon(start="2027-01", months=36, period_months=3)


@given(st.integers(0, 40_000))
def test_a_month_is_read_as_it_was_written(index: int) -> None:
    """Label and index are each other's inverse, over every turn of a year."""
    assert month_index(month_label(index)) == index


def test_a_day_in_a_month_counts_as_the_month() -> None:
    """Contracts are dated to the day; the plan counts months."""
    assert month_index("2027-03-31") == month_index("2027-03")


@pytest.mark.parametrize(("month", "left"), [("2027-01", 1), ("2027-12", 12), ("2026-12", 0), ("2026-10", -2)])
def test_months_left_count_the_last_month_itself(month: str, left: int) -> None:
    """A commitment that ends in the first month is paid for one month; one that ended before is paid for none."""
    assert months_until(QUARTERS, month) == left


@given(st.integers(-50, 100))
def test_every_month_left_falls_in_exactly_one_period(months: int) -> None:
    """Overlaps of all periods add up to the months that lie in the horizon, and no period has more than its own."""
    parts = [overlap_months(QUARTERS, period, months) for period in range(QUARTERS.periods)]
    assert sum(parts) == min(max(months, 0), QUARTERS.months)
    assert all(0 <= part <= QUARTERS.period_months for part in parts)
    assert parts == sorted(parts, reverse=True)


@pytest.mark.parametrize(("months", "periods"), [(0.0, 0), (-1.0, 0), (0.5, 1), (3.0, 1), (3.2, 2), (7.0, 3)])
def test_a_lead_time_is_rounded_up_to_whole_periods(months: float, periods: int) -> None:
    """What arrives within a quarter serves from the next one on; nothing arrives before it is ordered."""
    assert lead_periods(QUARTERS, months) == periods


def test_orders_may_have_to_be_placed_before_the_horizon() -> None:
    """The quarter before the first one began in October."""
    assert period_start_month(QUARTERS, 0) == "2027-01"
    assert period_start_month(QUARTERS, 5) == "2028-04"
    assert period_start_month(QUARTERS, -1) == "2026-10"


def test_money_is_discounted_to_the_middle_of_its_period() -> None:
    """At 8 % a year the first quarter is an eighth of a year away, and years apart differ by 1.08."""
    factors = discount_factors(QUARTERS, 0.08)
    assert factors[0] == pytest.approx(1.08**-0.125)
    assert factors[1] / factors[5] == pytest.approx(1.08)
    assert discount_factors(QUARTERS, 0.0) == (1.0,) * 12


@pytest.mark.parametrize(
    ("review_months", "reviews"), [(12, [0, 0, 0, 0, 4, 4]), (3, [0, 1, 2, 3, 4, 5]), (1, [0, 1, 2, 3, 4, 5])]
)
def test_a_period_belongs_to_the_review_before_it(review_months: int, reviews: list[int]) -> None:
    """Yearly reviews of quarters are every fourth; reviews more frequent than periods are every period."""
    horizon = Horizon(months=18, period_months=3, review_months=review_months)
    assert [horizon.review_of(period) for period in range(horizon.periods)] == reviews
