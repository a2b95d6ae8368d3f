from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.estate import Estate
from tripoint.domain.policy import Policies, ResidencyRule
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.units import SiteId, WorkloadId
from tripoint.domain.workload import Demand, TodayShare, Workload, WorkloadKind
from tripoint.engines.checks.policy import check_policies
from tripoint.engines.sizing.policy import is_allowed, place_of, rulebook, subject_of

CATALOG = load_catalog()
DE = Site(id=SiteId("de"), kind=SiteKind.CLOUD, provider="aws", region="eu-central-1")
US = Site(id=SiteId("us"), kind=SiteKind.CLOUD, provider="aws", region="us-east-1")
LOAD = Workload(id=WorkloadId("w"), kind=WorkloadKind.TRAINING, demand=Demand(gpu_hours_per_month=1.0))
ESTATE = Estate(apiVersion="tripoint/v1", sites=(DE, US), workloads=(LOAD,))


def codes(estate: Estate) -> list[tuple[str, str]]:
    """Code and path of every finding."""
    return [(said.code, said.path) for said in check_policies(estate, CATALOG)]


def test_an_estate_without_rules_has_no_policy_findings() -> None:
    """Nothing forbidden, nothing told."""
    assert codes(ESTATE) == []


def test_a_site_only_rules_leave_idle_is_told() -> None:
    """The region outside the allowed countries is of no use to anyone."""
    estate = replace(ESTATE, policies=Policies(residency=(ResidencyRule(allow=("EU",)),)))
    assert codes(estate) == [("TP1501", "sites[1]")]


def test_contradicting_rules_are_told_once_per_workload_and_not_per_site() -> None:
    """Two rules without a common country are one finding, with both rules named."""
    rules = (ResidencyRule(allow=("EU",)), ResidencyRule(allow=("US",), workloads=(WorkloadId("w"),)))
    estate = replace(ESTATE, policies=Policies(residency=rules))
    said = check_policies(estate, CATALOG)
    assert [(each.code, each.path) for each in said] == [("TP1401", "workloads[0]")]
    assert "policies.residency[0]" in said[0].message
    assert "policies.residency[1]" in said[0].message


def test_a_workload_confined_to_nowhere_is_told_at_the_confinement() -> None:
    """`only_at` and `not_at` that cancel each other are the author's contradiction."""
    load = replace(LOAD, only_at=("us",), not_at=("cloud",))
    assert codes(replace(ESTATE, workloads=(load,))) == [("TP1402", "workloads[0].only_at")]
    excluded = replace(LOAD, not_at=("public",))
    assert codes(replace(ESTATE, workloads=(excluded,))) == [("TP1402", "workloads[0].not_at")]


def test_todays_forbidden_places_are_told_at_their_line() -> None:
    """Where it runs today counts per site, not per workload."""
    load = replace(
        LOAD,
        regimes=("gdpr_strict",),
        today=(TodayShare(site=DE.id, share=0.5), TodayShare(site=US.id, share=0.5)),
    )
    assert ("TP1405", "workloads[0].today[1].site") in codes(replace(ESTATE, workloads=(load,)))
    assert ("TP1405", "workloads[0].today[0].site") not in codes(replace(ESTATE, workloads=(load,)))


@given(
    st.lists(st.sampled_from(("EU", "US", "EEA", "GB", "DE")), min_size=1, max_size=3),
    st.sampled_from(((), ("us",), ("public",), ("edge",))),
    st.sampled_from(((), ("gdpr",), ("hipaa",))),
)
def test_a_workload_is_told_to_have_no_place_exactly_when_the_filter_says_so(
    allow: list[str], only_at: tuple[str, ...], regimes: tuple[str, ...]
) -> None:
    """The check and the planner's filter never disagree."""
    load = replace(LOAD, only_at=only_at, regimes=regimes)
    policies = Policies(residency=tuple(ResidencyRule(allow=(name,)) for name in allow))
    estate = replace(ESTATE, workloads=(load,), policies=policies)
    book, subject = rulebook(estate, CATALOG), subject_of(load, estate, CATALOG)
    has_place = any(is_allowed(place_of(site, CATALOG), subject, book) for site in estate.sites)
    told = {code for code, path in codes(estate) if path.startswith("workloads[0]")}
    assert bool(told & {"TP1401", "TP1402", "TP1404"}) is not has_place


def test_sites_that_rules_see_alike_are_told_apart_where_a_workload_names_one() -> None:
    """Two regions alike but for their id: the one the workload is confined to is used, the other idle."""
    twin = replace(DE, id=SiteId("de-2"))
    load = replace(LOAD, only_at=("de-2",))
    estate = replace(ESTATE, sites=(DE, twin), workloads=(load,))
    assert codes(estate) == [("TP1501", "sites[0]")]
