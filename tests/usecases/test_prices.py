"""Searching the price book."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import OptionError
from tripoint.domain.purchase import PurchaseOption
from tripoint.engines.facts.prices.listings import ListingKind, listings
from tripoint.usecases.prices import PriceHit, assumption_rows, search_prices

TODAY = datetime.date(2026, 11, 21)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The shipped catalogue."""
    return load_catalog()


def skus(hits: tuple[PriceHit, ...]) -> set[tuple[str, str]]:
    """(name, region) of hits."""
    return {(hit.listing.name, hit.listing.region) for hit in hits}


def test_h100_in_europe_shows_european_and_global_rows_only(catalog: Catalog) -> None:
    """The example of the issue: `prices search h100 --region eu`."""
    hits = search_prices(catalog, ["h100"], today=TODAY, region="eu")
    found = skus(hits)
    assert ("p5.48xlarge", "eu-central-1") in found
    assert ("a3-highgpu-8g", "europe-west4") in found
    assert ("hgx-h100", "global") in found
    assert {hit.listing.geo for hit in hits} == {"EU", ""}
    assert all("h100" in f"{hit.listing.name} {hit.listing.accelerator}".lower() for hit in hits)


def test_a_country_a_set_and_a_region_filter_by_country(catalog: Catalog) -> None:
    """DE is in EEA is in EU; GB is in EU the geography but not in the EEA."""

    def regions(wanted: str) -> set[str]:
        hits = search_prices(catalog, ["azure", "h200"], today=TODAY, region=wanted, kind="compute")
        return {hit.listing.region for hit in hits}

    assert regions("de") == {"germanywestcentral"}
    assert regions("uksouth") == {"uksouth"}
    assert {"germanywestcentral", "francecentral", "swedencentral"} == regions("EEA")
    assert regions("EU") == regions("EEA") | {"uksouth"}


def test_compute_comes_cheapest_per_accelerator_first(catalog: Catalog) -> None:
    """Node sizes do not distort the order."""
    hits = search_prices(catalog, ["h100-sxm"], today=TODAY, kind=ListingKind.COMPUTE)
    per_gpu = [hit.listing.usd_per_gpu_hour or 0 for hit in hits]
    assert len(per_gpu) > 20
    assert per_gpu == sorted(per_gpu)
    aws = next(hit.listing for hit in hits if (hit.listing.name, hit.listing.region) == ("p5.48xlarge", "us-east-1"))
    assert (aws.usd, aws.usd_per_gpu_hour) == (55.04, 6.88)


def test_options_and_kinds_filter(catalog: Catalog) -> None:
    """Spot only, owned only, transfer only."""
    spot = search_prices(catalog, ["h100"], today=TODAY, option="spot")
    owned = search_prices(catalog, ["b200"], today=TODAY, option=PurchaseOption.OWNED)
    egress = search_prices(catalog, ["aws"], today=TODAY, kind="egress", region="us-east-1")
    assert {hit.listing.option for hit in spot} == {PurchaseOption.SPOT}
    assert {hit.listing.name for hit in owned} == {"dgx-b200", "gb200-nvl72"}
    assert {hit.listing.kind for hit in egress} == {ListingKind.EGRESS}


def test_old_and_doubtful_rows_are_flagged(catalog: Catalog) -> None:
    """Today is an argument: the same row is fresh now and stale in a year."""
    later = TODAY + datetime.timedelta(days=365)
    now = search_prices(catalog, ["dgx-h100"], today=TODAY)
    then = search_prices(catalog, ["dgx-h100"], today=later)
    assert [hit.flags for hit in now] == [("weak",)]
    assert [hit.flags for hit in then] == [("weak", "stale")]


def test_every_search_returns_rows_that_hold_every_word(catalog: Catalog) -> None:
    """More words never find more."""
    wide = search_prices(catalog, ["h200"], today=TODAY)
    narrow = search_prices(catalog, ["h200", "azure sweden"], today=TODAY)
    assert 0 < len(narrow) < len(wide)
    assert skus(narrow) <= skus(wide)
    assert search_prices(catalog, ["no-such-card"], today=TODAY) == ()


@given(st.lists(st.text(max_size=8), max_size=3), st.text(max_size=8) | st.none())
def test_no_words_break_a_search(terms: list[str], region: str | None) -> None:
    """Any text is a search, and a search invents nothing; a place that is none is refused by name."""
    catalog = CATALOG
    hits: tuple[PriceHit, ...] = ()
    refused = ""
    try:
        hits = search_prices(catalog, terms, today=TODAY, region=region)
    except OptionError as error:
        refused = error.message
    assert not refused or f"`{region}`" in refused
    assert len(hits) <= LISTED


def test_assumptions_are_searchable_by_key_and_meaning(catalog: Catalog) -> None:
    """`pue` finds all of them, sorted, with their source."""
    rows = assumption_rows(catalog, ["pue"], today=TODAY)
    keys = [row.default.key for row in rows]
    assert keys == sorted(keys)
    assert {"pue.colo", "pue.on_prem", "pue.cloud.aws"} <= set(keys)
    assert all(row.default.provenance.source for row in rows)
    assert len(assumption_rows(catalog, today=TODAY)) == len(catalog.defaults)


CATALOG = load_catalog()
LISTED = sum(1 for _ in listings(CATALOG))


def test_a_place_nobody_sells_in_is_refused_with_the_nearest_one(catalog: Catalog) -> None:
    """A misspelt region is not answered with the prices that hold everywhere."""
    with pytest.raises(OptionError) as caught:
        search_prices(catalog, ["h100"], today=TODAY, region="eu-centrall-1")
    assert "`eu-centrall-1`" in caught.value.message
    assert "`eu-central-1`" in caught.value.hint


@pytest.mark.parametrize("region", ["EU", "nl", "EEA", "us-east-1", "global", "LU"])
def test_places_are_known_whatever_their_case(catalog: Catalog, region: str) -> None:
    """A geography, a country (with sellers or not), a country set and a region all name a place."""
    assert search_prices(catalog, ["h100"], today=TODAY, region=region)
