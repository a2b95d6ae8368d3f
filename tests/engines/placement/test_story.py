"""The story the product tells: steady load lands on firm capacity, peaks burst, because that is cheaper."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.placement import chat, hall, horizon, place, region, rented, solved

from tripoint.domain.charge import ChargeKind
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.site import Site
from tripoint.domain.workload import Workload
from tripoint.engines.placement.outcome import Outcome

PEAK_HOURS = 8
NARROW = tuple(10.0 if hour < PEAK_HOURS else 88 / 160 for hour in range(168))
"""Eight hours a week at ten times the mean, the rest at 0.55 of it."""
OWNED_NODE_USD = 4200 + 1056.2 + 4370.65
"""An owned node a month: write-off, interest, and what keeps it running."""


def priced(usd_per_hour: float) -> Site:
    """The cloud at a rate of its own."""
    return region(pools=(rented(usd_per_hour=usd_per_hour),))


def run(cloud: Site, load: Workload) -> Outcome:
    """A hall without limits beside the cloud, a year in quarters and two blocks."""
    return solved(place(hall(), cloud, workloads=(load,), horizon=horizon(4, 2, review_months=12)))


def at(outcome: Outcome, block: int) -> dict[str, float]:
    """Share by site in a block of the first quarter."""
    assert outcome.decisions is not None
    rows = [row for row in outcome.decisions.placements if (row.period, row.block) == (0, block)]
    return {row.site: row.share for row in rows}


def test_steady_load_is_owned_and_the_narrow_peak_bursts() -> None:
    """16 req/s on average: the quiet 8.8 take 0.875 of a node, the peak of 160 takes 15 for 8 hours a week.

    A node rented for those hours costs 34.8 h x 50 = 1,738 USD a month, an owned one 9,627.
    """
    outcome = run(priced(50.0), chat(hour_of_week=NARROW))
    assert at(outcome, 1) == {"hall": pytest.approx(1.0)}
    peak = at(outcome, 0)
    assert peak["hall"] == pytest.approx(1 / 15)
    assert peak["cloud"] == pytest.approx(14 / 15)
    assert outcome.decisions is not None
    assert {row.owned for row in outcome.decisions.pools if row.site == "hall"} == {1.0}
    assert 730 * PEAK_HOURS / 168 * 50.0 < OWNED_NODE_USD < 730 * 50.0


def test_the_same_peak_is_owned_when_it_lasts() -> None:
    """161 req/s all week long take 15.125 nodes: fifteen are owned, and an eighth of one is still cheaper rented."""
    outcome = run(priced(50.0), chat(rate=161.0))
    assert at(outcome, 0)["hall"] == pytest.approx(15 / 15.125)
    assert outcome.decisions is not None
    assert {row.owned for row in outcome.decisions.pools if row.site == "hall"} == {15.0}


def test_even_the_peak_is_owned_when_renting_costs_too_much() -> None:
    """At 400 USD an hour eight hours a week cost 13,905 a month: more than a node of one's own."""
    outcome = run(priced(400.0), chat(hour_of_week=NARROW))
    assert at(outcome, 0)["hall"] > 0.9


def test_even_the_steady_load_is_rented_when_renting_is_a_bargain() -> None:
    """At 5 USD an hour a month costs 3,650: there is no rule that steady load be owned."""
    outcome = run(priced(5.0), chat(hour_of_week=NARROW))
    assert at(outcome, 1) == {"cloud": pytest.approx(1.0)}
    assert not [row for row in outcome.charges if row.kind is ChargeKind.AMORTISATION]


def test_without_a_hall_steady_load_is_committed_and_the_peak_still_bursts() -> None:
    """One node for a year at 30 USD an hour carries the quiet hours; 14 more are rented for the peak."""
    cloud = region(pools=(rented(PurchaseOption.ON_DEMAND, PurchaseOption.COMMITTED),))
    estate = place(cloud, workloads=(chat(hour_of_week=NARROW),), horizon=horizon(4, 2, review_months=12))
    outcome = solved(estate)
    assert outcome.decisions is not None
    states = {(row.block, row.committed, round(row.on_demand, 3)) for row in outcome.decisions.pools}
    assert states == {(0, 1.0, 14.0), (1, 1.0, 0.0)}


@pytest.mark.parametrize("usd_per_hour", [5.0, 13.2, 50.0, 400.0])
def test_the_split_is_never_dearer_than_either_extreme(usd_per_hour: float) -> None:
    """All owned and all rented are plans too; the one found costs no more than both."""
    load = chat(hour_of_week=NARROW)
    best = run(priced(usd_per_hour), load).solution.objective
    for only in ("hall", "cloud"):
        alone = run(priced(usd_per_hour), replace(load, only_at=(only,)))
        assert best <= alone.solution.objective * (1 + 1e-6)
