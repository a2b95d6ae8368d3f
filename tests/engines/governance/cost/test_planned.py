from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.plan import small_plan

from tripoint.domain.charge import ChargeKind
from tripoint.engines.governance.cost.planned import BILLED, expected

PLAN = small_plan()
"""Quarters from 2027-01 on."""


def whole(period: int) -> float:
    """Effective cost of a period, USD."""
    return sum(charge.effective_usd for charge in PLAN.charges if charge.period == period)


def test_a_periods_days_expect_the_period() -> None:
    """As many days as the period's hours make are its whole cost; sites, and all that is besides, add up to it."""
    days = [("2027-02-14", 1.0)] * 91 + [("2027-03-31", PLAN.period_hours / 24 - 91)]
    found = expected(PLAN, days)
    assert found.total_usd + found.other_usd == pytest.approx(whole(0))
    assert 0 < sum(found.by_workload.values()) <= found.total_usd * (1 + 1e-9)
    assert found.outside == 0


def test_each_day_is_of_its_own_period() -> None:
    """The last of March and the first of April, half of it over."""
    found = expected(PLAN, [("2027-03-31", 1.0), ("2027-04-01", 0.5)])
    daily = [whole(period) * 24 / PLAN.period_hours for period in (0, 1)]
    assert found.total_usd + found.other_usd == pytest.approx(daily[0] + daily[1] / 2)


@pytest.mark.parametrize(("day", "period"), [("2026-12-31", 0), ("2019-01-01", 0), ("2099-01-01", -1)])
def test_outside_the_horizon_the_nearest_period_stands_in(day: str, period: int) -> None:
    """And it is told."""
    found = expected(PLAN, [(day, 1.0)])
    nearest = period % len(PLAN.periods)
    assert found.outside == 1
    assert found.total_usd + found.other_usd == pytest.approx(whole(nearest) * 24 / PLAN.period_hours)


def test_what_no_request_is_billed_for_is_told_beside() -> None:
    """Storage and ports are in no ledger of requests."""
    storage = replace(PLAN.charges[0], period=0, kind=ChargeKind.STORAGE, effective_usd=PLAN.period_hours)
    billed = tuple(charge for charge in PLAN.charges if charge.kind in BILLED)
    found = expected(replace(PLAN, charges=(*billed, storage)), [("2027-01-01", 1.0)])
    assert found.other_usd == pytest.approx(24.0)
    assert found.total_usd == pytest.approx(expected(replace(PLAN, charges=billed), [("2027-01-01", 1.0)]).total_usd)
