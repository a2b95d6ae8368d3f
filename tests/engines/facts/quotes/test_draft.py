"""What an estate drafted from a bill holds."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.factories.bills import HOUR, ROW
from tests.factories.tiny_catalog import tiny_catalog

from tripoint.domain.bill import BillRow
from tripoint.domain.draft import EstateDraft
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.site import SiteKind
from tripoint.engines.facts.quotes.bills.reading import BillTerms, read_bill_rows
from tripoint.engines.facts.quotes.draft import UNTAGGED, draft_estate

CATALOG = tiny_catalog()


def draft(*rows: BillRow) -> EstateDraft:
    """The draft from a bill of these rows."""
    return draft_estate(read_bill_rows(rows, CATALOG, BillTerms()), CATALOG)


def test_a_place_where_nodes_ran_is_a_site_with_its_pools() -> None:
    """Mean nodes over the bill's length, not over the hours they ran."""
    later = ROW._replace(start=ROW.start + 3 * HOUR, end=ROW.end + 3 * HOUR)
    (site,) = draft(ROW, later).sites
    assert (site.id, site.kind, site.provider, site.region) == ("aws-us-east-1", SiteKind.CLOUD, "aws", "us-east-1")
    (pool,) = site.pools
    assert (pool.node_type, pool.hours, pool.nodes, pool.usd) == ("big", Decimal(2), Decimal("0.5"), Decimal(80))


def test_a_group_is_a_workload_of_accelerator_hours_a_month() -> None:
    """An hour of 8 accelerators all month long; one workload per accelerator."""
    (workload,) = draft(ROW).workloads
    assert (workload.id, workload.group, workload.accelerator) == ("team-a", "team-a", "chip")
    assert workload.gpu_hours_per_month == Decimal(8 * 730)
    assert draft(ROW._replace(sub_account="")).workloads[0].id == UNTAGGED
    twins = draft(ROW, ROW._replace(sub_account="Team A"))
    assert [each.id for each in twins.workloads] == ["team-a", "team-a-2"]


def test_today_is_where_the_hours_were() -> None:
    """By accelerator-hours: an hour of eight weighs eight hours of one."""
    small = ROW._replace(description="small", region="eu-west-1", consumed=Decimal(8), pricing_category="Dynamic")
    (workload,) = draft(ROW, small).workloads
    assert [(share.site, share.node_type, share.option, share.share) for share in workload.today] == [
        ("aws-eu-west-1", "small", PurchaseOption.SPOT, Decimal("0.5")),
        ("aws-us-east-1", "big", PurchaseOption.ON_DEMAND, Decimal("0.5")),
    ]


def test_what_leaves_is_brought_to_a_month() -> None:
    """By the length of the bill."""
    out = ROW._replace(description="data transfer out", unit="GB", consumed=Decimal(10))
    (site,) = draft(ROW, out).sites
    assert [(each.path, each.gb) for each in site.leaving] == [("internet", Decimal(7300))]


def test_commitments_belong_to_the_nodes_they_were_used_for() -> None:
    """Those of nodes nobody knows are told for themselves."""
    used = ROW._replace(commitment="a", commitment_status="Used", pricing_category="Committed")
    other = used._replace(commitment="b", description="another machine")
    found = draft(used, other)
    assert [use.id for use in found.sites[0].pools[0].commitments] == ["a"]
    assert [use.id for use in found.commitments] == ["b"]


def test_without_known_nodes_places_of_unknown_ones_are_sites() -> None:
    """So that a person can say what they are; other places are told."""
    unknown = ROW._replace(description="another machine")
    disk = ROW._replace(region="eu-west-1", unit="GB-Months", pricing_unit="GB-Months")
    found = draft(unknown, disk)
    assert [(site.id, site.unknown) for site in found.sites] == [("aws-us-east-1", (("another machine", Decimal(1)),))]
    assert found.elsewhere == (("aws", "eu-west-1", 1, Decimal(40)),)
    assert found.workloads == ()
    assert [site.id for site in draft(unknown, ROW._replace(region="eu-west-1")).sites] == ["aws-eu-west-1"]


def test_planning_starts_after_the_bill() -> None:
    """With the first whole month."""
    october = 1_790_812_800.0
    november = october + 31 * 24 * HOUR
    assert draft(ROW._replace(start=october, end=november)).start == "2026-11"
    assert draft(ROW._replace(start=october, end=november + 1)).start == "2026-12"


_ROWS = st.builds(
    ROW._replace,
    description=st.sampled_from(("big", "small")),
    region=st.sampled_from(("us-east-1", "eu-west-1", "ap-south-1")),
    pricing_category=st.sampled_from(("Standard", "Dynamic", "Committed")),
    sub_account=st.sampled_from(("", "a", "A!", "b")),
    consumed=st.decimals("0.001", "1000", places=3),
)


@given(rows=st.lists(_ROWS, min_size=1, max_size=12))
def test_shares_sum_to_one_and_hours_are_the_bills(rows: list[BillRow]) -> None:
    """Whatever the hours are; ids are unique, and every site named is one."""
    found = draft(*rows)
    ids = [workload.id for workload in found.workloads]
    assert len(set(ids)) == len(ids)
    for workload in found.workloads:
        assert sum(share.share for share in workload.today) == 1
        assert {share.site for share in workload.today} <= {site.id for site in found.sites}
    gpus = {"big": 8, "small": 1}
    billed = sum((row.consumed or Decimal(0)) * gpus[row.description] for row in rows)
    drafted = sum((workload.gpu_hours_per_month for workload in found.workloads), Decimal(0))
    assert abs(billed * 730 - drafted) < Decimal("1e-9")
