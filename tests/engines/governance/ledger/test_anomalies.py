"""Spend that stands out is found, whatever stood out before; what is usual is left in peace."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.ledger import Dimension, Spend
from tripoint.domain.money import NANO_PER_USD
from tripoint.engines.governance.ledger.anomalies import DAYS_BACK, anomalies_of, history_query, limit_of
from tripoint.engines.governance.ledger.days import day_number, day_text

DAY = "2026-11-20"


def spent(usd: float, back: int = 0, tenant: str = "acme", model: str = "llama") -> Spend:
    """What a tenant spent some days before."""
    day = day_text(day_number(DAY) - back)
    return Spend((day, tenant, model), 1, 0, 0, 0, 0, 0, 0, round(usd * NANO_PER_USD), 0, 0)


def usual(usd: float = 10.0, days: int = 20, **names: str) -> list[Spend]:
    """Days that differ by a tenth, as days do."""
    chance = random.Random(3)
    return [spent(usd * chance.uniform(0.9, 1.1), back, **names) for back in range(1, days + 1)]


def test_a_day_far_above_its_own_past_is_found_with_its_figures() -> None:
    """And only the tenant's and model's whose it is."""
    rows = [
        *usual(),
        spent(40.0),
        *usual(model="qwen"),
        spent(10.5, model="qwen"),
        *usual(tenant="b"),
        spent(9.0, tenant="b"),
    ]
    (found,) = anomalies_of(DAY, rows)
    assert (found.tenant, found.model, found.day) == ("acme", "llama", DAY)
    assert found.nano == 40 * NANO_PER_USD
    assert 9 * NANO_PER_USD < found.usual_nano < 11 * NANO_PER_USD
    assert found.usual_nano < found.limit_nano < found.nano
    assert 3.5 < found.ratio < 4.5


def test_days_that_stood_out_before_do_not_make_it_usual() -> None:
    """A third of the days at a hundred times the cost leave the limit where it was."""
    rows = usual(days=21)
    wild = [spent(1_000.0, back) if back % 3 == 0 else row for back, row in enumerate(rows, 1)]
    assert len(anomalies_of(DAY, [*wild, spent(40.0)])) == 1


def test_too_short_a_past_and_too_little_money_are_no_news() -> None:
    """Six days say nothing; a cent that becomes ten is not worth a call; idle capacity has no tenant."""
    assert anomalies_of(DAY, [*usual(days=6), spent(1e6)]) == ()
    assert anomalies_of(DAY, [*usual(0.01), spent(0.1)]) == ()
    assert anomalies_of(DAY, [*usual(tenant=""), spent(1e6, tenant="")]) == ()
    assert anomalies_of(DAY, usual()) == ()


def test_silent_days_count() -> None:
    """Who comes every third day is usually not there: then any dear day stands out; every second day, none does."""
    every_third = [spent(10.0, back) for back in range(3, 28, 3)]
    assert len(anomalies_of(DAY, [*every_third, spent(11.0)])) == 1
    every_other_and_more = [spent(10.0, back) for back in range(1, 28) if back % 3]
    assert anomalies_of(DAY, [*every_other_and_more, spent(11.0)]) == ()


def test_the_dearest_excess_comes_first() -> None:
    """Not the highest ratio."""
    rows = [
        *usual(tenant="small"),
        spent(100.0, tenant="small"),
        *usual(1_000.0, tenant="big"),
        spent(2_000.0, tenant="big"),
    ]
    assert [each.tenant for each in anomalies_of(DAY, rows)] == ["big", "small"]


@given(st.lists(st.integers(0, 10**15), min_size=7, max_size=DAYS_BACK), st.integers(1, 1000))
def test_the_limit_is_above_the_usual_and_grows_with_the_money(days: list[int], factor: int) -> None:
    """Never below a dollar more nor half as much again; the order of days does not matter."""
    typical, limit = limit_of(days)
    assert limit >= typical + NANO_PER_USD - 1
    assert limit >= 1.5 * typical - 1
    assert limit_of(sorted(days)) == (typical, limit)
    assert limit_of([factor * nano for nano in days])[1] >= limit


def test_four_weeks_are_asked_for() -> None:
    """Up to and with the day that is judged, of one tenant where only it may be seen."""
    query = history_query(DAY, "acme")
    assert (query.since, query.until, query.tenant) == ("2026-10-23", DAY, "acme")
    assert query.by == (Dimension.DAY, Dimension.TENANT, Dimension.MODEL)
