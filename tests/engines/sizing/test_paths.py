"""Paths between places: declared links first, then the catalogue's most specific estimate."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.sizing import estate, sizing_catalog
from tests.factories.tiny_catalog import cloud, colo

from tripoint.domain.estate import Estate
from tripoint.domain.link import Link, TransferClass
from tripoint.domain.provenance import Origin
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.units import LinkId, SiteId
from tripoint.engines.sizing.paths import Path, path_between

NAMES = ["colo", "cloud", "edge", "hub"]


def link(source: str, target: str, ms: float | None = None, **fields: object) -> Link:
    """A link named by its ends."""
    given_fields: dict[str, object] = {"rtt_ms": ms} | fields
    return Link(
        id=LinkId(f"{source}-{target}"),
        source=SiteId(source),
        target=SiteId(target),
        **given_fields,  # type: ignore[arg-type]  # fields by name
    )


def edge(country: str = "NL") -> Site:
    """An edge site."""
    return Site(id=SiteId("edge"), kind=SiteKind.EDGE, country=country)


def world(*links: Link) -> Estate:
    """A cloud in the US, a colo and an edge in the Netherlands."""
    return estate(cloud("us-east-1"), colo("NL"), edge(), links=links)


def path(whole: Estate, source: str, target: str) -> Path:
    """A path over the tiny catalogue."""
    return path_between(whole, sizing_catalog(), source, target)


def test_a_place_reaches_itself_at_once_and_for_free() -> None:
    """Zero milliseconds, no link."""
    found = path(world(), "colo", "colo")
    assert (found.rtt_ms.value, found.links) == (0.0, ())


@pytest.mark.parametrize(
    ("source", "target", "ms"),
    [
        ("US", "colo", 84.0),  # country pair
        ("colo", "US", 84.0),  # either way round
        ("US", "aws:eu-west-1", 90.0),  # geographies, no row US to IE
        ("NL", "colo", 8.0),  # one country
        ("colo", "edge", 20.0),  # edge to its nearest region
        ("DE", "colo", 25.0),  # two countries of one geography
        ("aws:us-east-1", "cloud", 1.0),  # one region
    ],
)
def test_the_most_specific_row_of_the_catalogue_speaks(source: str, target: str, ms: float) -> None:
    """From region to country to geography."""
    found = path(world(), source, target)
    assert found.rtt_ms.value == ms
    assert found.rtt_ms.low == ms / 2
    assert found.links == ()


def test_an_unknown_pair_gets_the_longest_time_and_says_so() -> None:
    """Better too far than too near."""
    found = path(world(), "ZA", "colo")
    assert found.rtt_ms.value == 90.0
    assert found.rtt_ms.origin is Origin.DEFAULT
    assert "declare a link" in found.rtt_ms.note


def test_a_declared_link_beats_the_estimate_even_when_it_is_slower() -> None:
    """What is declared is what traffic takes."""
    found = path(world(link("cloud", "colo", 140.0)), "cloud", "colo")
    assert (found.rtt_ms.value, found.links) == (140.0, ("cloud-colo",))
    assert found.transfer_class is TransferClass.INTERCONNECT
    assert found.charging_link is not None


def test_the_fastest_of_several_ways_is_taken() -> None:
    """Two hops of 10 ms beat one of 30 ms, and the first hop is charged."""
    whole = world(link("edge", "cloud", 30.0), link("edge", "colo", 10.0), link("colo", "cloud", 10.0))
    found = path(whole, "edge", "cloud")
    assert found.links == ("edge-colo", "colo-cloud")
    assert found.rtt_ms.value == 20.0
    assert found.charging_link is not None
    assert found.charging_link.id == "edge-colo"


def test_a_one_way_link_is_not_driven_backwards() -> None:
    """The way back is the open internet."""
    whole = world(link("cloud", "colo", 5.0, both_ways=False))
    assert path(whole, "cloud", "colo").links == ("cloud-colo",)
    back = path(whole, "colo", "cloud")
    assert back.links == ()
    assert back.transfer_class is TransferClass.INTERNET


def test_a_link_without_a_time_takes_the_catalogues() -> None:
    """And keeps its provenance."""
    found = path(world(link("cloud", "colo")), "cloud", "colo")
    assert (found.rtt_ms.value, found.links) == (84.0, ("cloud-colo",))
    assert found.rtt_ms.provenance is not None


def test_a_public_link_falls_under_the_internet_tariff() -> None:
    """Only private links are interconnects."""
    whole = world(link("cloud", "colo", 80.0, is_private=False))
    assert path(whole, "cloud", "colo").transfer_class is TransferClass.INTERNET


def test_two_regions_of_one_provider_use_its_backbone() -> None:
    """Inter-region tariff; two sites of one's own do not."""
    second = Site(id=SiteId("second"), kind=SiteKind.CLOUD, provider="aws", region="eu-west-1")
    whole = estate(cloud("us-east-1"), second, colo("NL"), edge())
    assert path(whole, "cloud", "second").transfer_class is TransferClass.INTER_REGION
    assert path(whole, "colo", "edge").transfer_class is TransferClass.INTERNET


def test_callers_may_be_linked_too() -> None:
    """A caller's country named as an end of a link."""
    whole = world(link("US", "colo", 70.0))
    assert path(whole, "US", "colo").rtt_ms.value == 70.0


@given(
    times=st.dictionaries(
        st.sampled_from([(a, b) for a in NAMES for b in NAMES if a < b]), st.floats(0.1, 100.0), min_size=1
    )
)
def test_the_path_is_the_shortest_of_all_walks(times: dict[tuple[str, str], float]) -> None:
    """Brute force over all orders of the places between."""
    whole = world(*(link(a, b, ms) for (a, b), ms in times.items()))
    both = times | {(b, a): ms for (a, b), ms in times.items()}
    walks = [
        ("edge", *middle, "cloud")
        for count in range(3)
        for middle in permutations([name for name in NAMES if name not in ("edge", "cloud")], count)
    ]
    lengths = [
        sum(both[step] for step in pairwise(walk)) for walk in walks if all(step in both for step in pairwise(walk))
    ]
    found = path(whole, "edge", "cloud")
    if lengths:
        assert found.rtt_ms.value == pytest.approx(min(lengths))
    else:
        assert found.links == ()
