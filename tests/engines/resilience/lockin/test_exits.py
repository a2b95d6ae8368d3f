"""Leaving: days and money that add up on paper, substitutes, and what is not portable."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.placement import API, chat, hall, place, region, rented
from tests.factories.recovering import planned, resolved

from tripoint.domain.cut import LockIn
from tripoint.domain.dataset import Dataset
from tripoint.domain.dependency import Dependency, DependencyKind, Leaving, Substitute, Surface
from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.purchase import Commitment
from tripoint.domain.units import DatasetId, LinkId, SiteId
from tripoint.domain.workload import DatasetUse
from tripoint.engines.resilience.lockin.exits import lock_ins

NOW = "2026-11"


def ways_out(estate: Estate) -> dict[str, LockIn]:
    """Ways out of an estate as its plan has it."""
    return {each.id: each for each in lock_ins(resolved(estate), planned(estate), NOW)}


def leaving(**fields: object) -> Dependency:
    """What is declared about leaving the cloud's provider."""
    return Dependency(id="aws", kind=DependencyKind.PROVIDER, leaving=Leaving(**fields))  # type: ignore[arg-type]  # fields of the case


def clouded(**fields: object) -> Estate:
    """A workload in one cloud that reads 86,400 GB kept only there, over a link of 8 Gbit/s."""
    texts = Dataset(id=DatasetId("texts"), size_gb=86_400.0, copies=(SiteId("cloud"),))
    line = Link(
        id=LinkId("line"),
        source=SiteId("cloud"),
        target=SiteId("hall"),
        rtt_ms=5.0,
        bandwidth_gbps=8.0,
        usd_per_gb=0.02,
    )
    reads = chat(reads=(DatasetUse(dataset=DatasetId("texts"), gb_per_month=1.0),), only_at=("cloud",))
    given: dict[str, object] = {"workloads": (reads,), "datasets": (texts,), "links": (line,)} | fields
    return place(region(), hall(), **given)  # type: ignore[arg-type]  # fields of the case


def test_days_are_those_of_moving_rebuilding_and_testing() -> None:
    """86,400 GB at a GB per second are a day; 15 and 20 days follow by default."""
    found = ways_out(clouded())["provider:aws"]
    assert (found.data_gb, found.move_days) == pytest.approx((86_400.0, 1.0))
    assert found.exit_days == pytest.approx(1.0 + 15.0 + 20.0)


def test_money_is_transfer_dual_run_and_what_was_declared() -> None:
    """At 2 cents a GB 1,728 USD of transfer; a month of both; the declared penalty."""
    estate = clouded(dependencies=(leaving(dual_run_months=1.0, one_off_usd=500.0),))
    found = ways_out(estate)["provider:aws"]
    plan = planned(estate)
    month = sum(row.effective_usd for row in plan.charges if row.period == 0 and row.site == "cloud")
    assert found.egress_usd == pytest.approx(1728.0)
    assert found.dual_run_usd == pytest.approx(month / plan.period_months)
    assert found.exit_usd == pytest.approx(1728.0 + found.dual_run_usd + 500.0)
    assert found.commitment_usd == 0.0


def test_a_copy_elsewhere_need_not_be_moved() -> None:
    """Data that is also in the hall stays there."""
    texts = Dataset(id=DatasetId("texts"), size_gb=86_400.0, copies=(SiteId("hall"), SiteId("cloud")))
    found = ways_out(clouded(datasets=(texts,)))["provider:aws"]
    assert (found.data_gb, found.egress_usd) == (0.0, 0.0)


def test_commitments_that_outlast_the_exit_are_owed() -> None:
    """Two nodes at 10 USD an hour until 24 months after the start: the exit takes none of it away."""
    signed = Commitment(nodes=2, ends="2028-12", usd_per_hour=10.0)
    instant = leaving(rebuild_days=0.0, revalidate_days=0.0, dual_run_months=0.0, bandwidth_gbps=1e9)
    estate = clouded(dependencies=(instant,))
    committed = replace(estate, sites=(region(pools=(rented(commitments=(signed,)),)), *estate.sites[1:]))
    found = ways_out(committed)["provider:aws"]
    assert committed.horizon.start == "2027-01"
    assert found.commitment_usd == pytest.approx(2 * 10.0 * 730.0 * 24, rel=1e-6)


def test_what_is_not_portable_takes_longer() -> None:
    """Sixty days more for each part."""
    plain, bound = (
        ways_out(clouded(dependencies=(leaving(proprietary=parts),)))["provider:aws"]
        for parts in ((), (Surface.TOOLING, Surface.FORMAT))
    )
    assert bound.rebuild_days.value == plain.rebuild_days.value + 120.0
    assert bound.surface == ("tooling", "format")
    assert "tooling, format" in bound.rebuild_days.note


def test_a_token_api_is_a_subject_of_its_own() -> None:
    """Its interface is nobody else's; the sites it is sold at are not left with it."""
    estate = place(region(pools=(), apis=(API,)), hall(), workloads=(chat(only_at=("cloud",)),))
    found = ways_out(estate)[f"api:{API}"]
    assert (found.surface, found.workloads) == (("api",), ("chat",))
    assert found.stranded == ("chat",)


def test_workloads_that_could_run_nowhere_else_are_told() -> None:
    """Confined to the cloud it is stranded; free to go it has the hall."""
    free = clouded(workloads=(chat(rate=16.0),), datasets=())
    assert ways_out(clouded())["provider:aws"].stranded == ("chat",)
    if "provider:aws" in (found := ways_out(free)):
        assert (found["provider:aws"].stranded, found["provider:aws"].substitutes) == ((), 1)


@pytest.mark.parametrize(
    ("tested", "count"), [("2026-11", 1), ("2025-11", 1), ("2025-10", 0), ("2026-12", 0), (None, 0)]
)
def test_a_substitute_counts_as_tested_for_a_year(tested: str | None, count: int) -> None:
    """Neither an older test nor one that is still to come."""
    estate = clouded(dependencies=(leaving(substitutes=(Substitute(name="other", tested=tested),)),))
    found = ways_out(estate)["provider:aws"]
    assert (found.substitutes, found.tested) == (1, count)
