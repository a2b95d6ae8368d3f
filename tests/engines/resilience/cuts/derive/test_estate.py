"""The dependency graph of an estate: what it shows by itself, and what it declares."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.leaning import chat, cloud, colo, estate, link, pairs, report, shared, singles
from tests.factories.planning import catalog

from tripoint.domain.cut import Reliance
from tripoint.domain.dataset import Dataset
from tripoint.domain.estate import Estate
from tripoint.domain.site import Redundancy, SiteKind
from tripoint.domain.units import DatasetId, SiteId
from tripoint.domain.workload import DatasetUse
from tripoint.engines.resilience.cuts.derive.served import Seat, Served


def only(asked: Estate) -> Reliance:
    """What the one workload leans on."""
    (found,) = report(asked, catalog()).reliances
    return found


def test_a_cloud_site_leans_on_its_region_and_provider() -> None:
    """Each of the three takes it down."""
    found = only(estate(cloud("fra"), workloads=(chat(("fra", 1.0)),)))
    assert singles(found) == ["provider:aws", "region:aws:eu-central-1", "site:fra"]
    assert found.pairs == ()


def test_two_regions_of_one_provider_share_the_provider() -> None:
    """Losing a region of two is borne when half is enough; the provider takes both."""
    sites = (cloud("fra"), cloud("dub", "eu-west-1"))
    found = only(estate(*sites, workloads=(chat(("fra", 0.5), ("dub", 0.5), least=0.5),)))
    assert singles(found) == ["provider:aws"]
    own = {"region:aws:eu-central-1", "site:fra"}
    other = {"region:aws:eu-west-1", "site:dub"}
    assert {frozenset(pair) for pair in pairs(found)} == {frozenset({a, b}) for a in own for b in other}


def test_with_all_wanted_every_place_counts() -> None:
    """The same with all of it asked: each place alone is too much to lose, and takes half."""
    sites = (cloud("fra"), colo("hall"))
    found = only(estate(*sites, workloads=(chat(("fra", 0.5), ("hall", 0.5)),)))
    assert {"site:fra", "site:hall"} <= set(singles(found))
    assert {cut.lost_share for cut in found.singles} == {0.5}


@pytest.mark.parametrize(
    ("feeds", "alone", "together"),
    [
        (Redundancy.N, ["feed:hall/1", "site:hall"], []),
        (Redundancy.N_PLUS_1, ["site:hall"], [("feed:hall/1", "feed:hall/2")]),
        (Redundancy.TWO_N, ["site:hall"], [("feed:hall/1", "feed:hall/2")]),
    ],
)
def test_feeds_back_each_other_up_as_declared(
    feeds: Redundancy, alone: list[str], together: list[tuple[str, ...]]
) -> None:
    """One feed is a single point, two are a pair."""
    found = only(estate(colo("hall", feeds), workloads=(chat(("hall", 1.0)),)))
    assert (singles(found), pairs(found)) == (alone, together)


def test_something_under_both_feeds_is_a_single_point() -> None:
    """A room both feeds pass through undoes them."""
    below = shared("ups-room", "other", needed_by=("hall/1", "hall/2"))
    found = only(estate(colo("hall"), workloads=(chat(("hall", 1.0)),), dependencies=(below,)))
    assert "other:ups-room" in singles(found)


def test_two_links_in_one_duct() -> None:
    """Callers behind two links are cut off by both links together, and by the duct they share alone."""
    sites = (cloud("fra"), colo("hall", id=SiteId("hall"), pools=None))
    two = (link("east", "hall", "fra", "duct"), link("west", "hall", "fra", "duct"))
    found = only(estate(*sites, workloads=(chat(("fra", 1.0), callers=("hall",)),), links=two))
    assert "conduit:duct" in singles(found)
    assert ("link:east", "link:west") in pairs(found)


def test_a_detour_is_another_way() -> None:
    """A way over a third place backs up the direct one; each link of it then counts only with the direct one."""
    sites = (cloud("fra"), colo("hall", pools=None), colo("mid", pools=None))
    ways = (link("direct", "hall", "fra"), link("first", "hall", "mid"), link("second", "mid", "fra"))
    found = only(estate(*sites, workloads=(chat(("fra", 1.0), callers=("hall",)),), links=ways))
    assert "link:direct" not in singles(found)
    assert {("link:direct", "link:first"), ("link:direct", "link:second")} <= set(pairs(found))


def test_callers_without_declared_links_come_over_the_internet() -> None:
    """No link is needed where none leads there."""
    sites = (cloud("fra"), colo("hall", pools=None))
    aside = (link("aside", "hall", "DE"),)
    found = only(estate(*sites, workloads=(chat(("fra", 1.0), callers=("hall",)),), links=aside))
    assert "link:aside" not in singles(found)


def test_a_part_of_the_callers_cut_off_is_a_part_of_the_service_lost() -> None:
    """Half of the callers come over the link; losing it loses half."""
    sites = (cloud("fra"), colo("hall", pools=None))
    found = only(
        estate(*sites, workloads=(chat(("fra", 1.0), callers=("hall", "DE")),), links=(link("line", "hall", "fra"),))
    )
    (cut,) = [each for each in found.singles if each.members == ("link:line",)]
    assert cut.lost_share == pytest.approx(0.5, abs=1e-3)


def test_data_with_one_copy_ties_a_workload_to_where_it_is() -> None:
    """A second copy elsewhere unties it; the data itself stays a single point."""
    sites = (cloud("fra"), colo("hall"))
    reads = replace(chat(("fra", 1.0)), reads=(DatasetUse(dataset=DatasetId("texts"), gb_per_month=1.0),))
    for copies, is_tied in ((("hall",), True), (("hall", "fra"), False)):
        texts = Dataset(id=DatasetId("texts"), size_gb=10.0, copies=tuple(map(SiteId, copies)))
        found = only(estate(*sites, workloads=(reads,), datasets=(texts,)))
        assert ("site:hall" in singles(found)) is is_tied
        assert "dataset:texts" in singles(found)


def test_what_is_declared_counts_with_its_alternatives() -> None:
    """One of two name servers may fail; both, or the zone above them, may not."""
    servers = (shared("ns1", "other"), shared("ns2", "other"))
    names = shared("names", needs=("zone",), needs_any=("ns1", "ns2"), needed_by=("chat",))
    found = only(estate(cloud("fra"), workloads=(chat(("fra", 1.0)),), dependencies=(*servers, shared("zone"), names)))
    assert {"dns:names", "dns:zone"} <= set(singles(found))
    assert ("other:ns1", "other:ns2") in pairs(found)


def test_needed_by_a_layer_is_needed_by_its_sites() -> None:
    """Keys that only the cloud needs take the cloud's half."""
    keys = shared("kms", "keys", needed_by=("public",))
    sites = (cloud("fra"), colo("hall"))
    found = only(estate(*sites, workloads=(chat(("fra", 0.5), ("hall", 0.5), least=0.5),), dependencies=(keys,)))
    assert "keys:kms" not in singles(found)
    assert ("keys:kms", "site:hall") in pairs(found)


def test_a_refined_provider_fails_as_declared() -> None:
    """Own figures replace the catalogue's, and are known exactly."""
    refined = shared("aws", "provider", fails_per_year=2.0, hours_to_repair=3.0)
    found = only(estate(cloud("fra"), workloads=(chat(("fra", 1.0)),), dependencies=(refined,)))
    (cut,) = [each for each in found.singles if each.members == ("provider:aws",)]
    assert (cut.per_year, cut.hours_per_year) == pytest.approx((2.0, 6.0))


def test_identical_sites_stand_for_each_other() -> None:
    """Of 30 branches losing one loses a thirtieth, thirty times as often; two at once are 435 pairs."""
    branch = colo("branch", kind=SiteKind.EDGE, count=30, feeds=Redundancy.N)
    asked = estate(branch, workloads=(chat(("branch", 1.0), least=0.95),))
    found = only(asked)
    assert singles(found) == []
    by_text = {cut.text: cut for cut in found.pairs}
    both = by_text["two of 30 sites branch"]
    assert both.instances == 30 * 29 // 2
    assert both.lost_share == pytest.approx(2 / 30, abs=1e-3)
    strict = only(replace(asked, workloads=(chat(("branch", 1.0)),)))
    (one,) = [cut for cut in strict.singles if cut.members == ("site:branch",)]
    assert one.instances == 30
    assert one.lost_share == pytest.approx(1 / 30, abs=1e-3)
    assert one.hours_per_year == pytest.approx(5.0 * 12.0, rel=1e-3)


def test_as_many_pairs_as_there_are() -> None:
    """Two of three branches written out one by one are as many sets, as often, as one entry of three."""
    least = 0.5
    apart = [colo(f"b{n}", kind=SiteKind.EDGE) for n in range(3)]
    one_by_one = only(estate(*apart, workloads=(chat(*((f"b{n}", 1 / 3) for n in range(3)), least=least),)))
    entry = colo("b", kind=SiteKind.EDGE, count=3)
    together = only(estate(entry, workloads=(chat(("b", 1.0), least=least),)))
    for found in (one_by_one, together):
        assert found.singles == ()
    assert sum(cut.instances for cut in together.pairs) == len(one_by_one.pairs)
    assert together.hours_per_year.value == pytest.approx(one_by_one.hours_per_year.value, rel=1e-3)


def test_a_spare_server_makes_up_for_another() -> None:
    """Of three servers that carry one and a half times what is asked, any may fail but no two."""
    work = chat(("hall", 1.0))
    asked = estate(colo("hall"), workloads=(work,))
    (seat,) = (Seat(site="hall", share=1.5, pool="hall/dgx-h100", nodes=3),)
    served = (Served(workload=work, seats=(seat,)),)
    (found,) = report(asked, catalog(), served=served).reliances
    assert "node:hall/dgx-h100" not in singles(found)
    (both,) = [cut for cut in found.pairs if cut.members == ("node:hall/dgx-h100",) * 2]
    assert (both.instances, both.text) == (3, "two of 3 hall/dgx-h100")
    assert both.lost_share == pytest.approx(0.5, abs=1e-3)
