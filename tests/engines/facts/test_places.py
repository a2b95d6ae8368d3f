"""Where places are: countries, jurisdictions, geographies and sets of countries."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.tiny_catalog import cloud, colo, tiny_catalog

from tripoint.engines.facts.places import country_of, expand_countries, geo_of, jurisdiction_of


def test_a_declared_country_comes_before_the_regions() -> None:
    """The estate knows better than the catalogue."""
    assert country_of(cloud("eu-west-1"), tiny_catalog()) == "IE"
    assert country_of(replace(cloud("eu-west-1"), country="gb"), tiny_catalog()) == "GB"
    assert country_of(cloud("nowhere-1"), tiny_catalog()) is None


def test_jurisdiction_is_the_country_unless_declared() -> None:
    """A US operator in Ireland is under US law only where the estate says so."""
    assert jurisdiction_of(cloud("eu-west-1"), tiny_catalog()) == "IE"
    assert jurisdiction_of(replace(cloud("eu-west-1"), jurisdiction="US"), tiny_catalog()) == "US"


@pytest.mark.parametrize(
    ("place", "geo"),
    [("aws:eu-west-3", "EU"), ("US", "NA"), ("pt", "EU"), ("VN", "APAC"), ("aws:gone", ""), ("XX", ""), ("", "")],
)
def test_geography_of_names(place: str, geo: str) -> None:
    """Regions, countries with and without a region of their own, and nonsense."""
    assert geo_of(place, tiny_catalog()) == geo


def test_geography_of_sites() -> None:
    """A site's region decides before its country does."""
    assert geo_of(cloud("ap-south-1"), tiny_catalog()) == "APAC"
    assert geo_of(colo("NL"), tiny_catalog()) == "EU"


def test_country_sets_expand_and_unknown_names_allow_nothing() -> None:
    """Policy fails closed: a misspelt set adds no country."""
    catalog = tiny_catalog()
    assert expand_countries(("eea", "us"), catalog) == {"DE", "NL", "NO", "US"}
    assert expand_countries(("EEEA",), catalog) == frozenset()
