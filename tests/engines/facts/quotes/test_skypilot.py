"""Which rows of a SkyPilot catalogue become lines, and why the others do not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.factories.bills import rows_of
from tests.factories.tiny_catalog import tiny_catalog

from tripoint.domain.purchase import OwnPrice, PurchaseOption
from tripoint.domain.quote import CatalogueRow
from tripoint.engines.facts.quotes.skypilot import take_catalogue

ROW = CatalogueRow(2, "big", "CHIP", "8", "40.5", "", "us-east-1", "us-east-1a")
CATALOG = tiny_catalog()


def why(row: CatalogueRow) -> list[str]:
    """Why a lone row gives nothing."""
    sheet = take_catalogue([row], "aws", CATALOG)
    assert not sheet.taken
    return [each.reason for each in sheet.dropped]


def test_a_row_with_two_prices_gives_two_lines() -> None:
    """On demand and spot, each counted as a price."""
    sheet = take_catalogue([ROW._replace(spot_price="12.25")], "aws", CATALOG)
    assert (sheet.read, sheet.dropped) == (2, ())
    assert [taken.line for taken in sheet.taken] == [
        OwnPrice(provider="aws", sku="big", region="us-east-1", option=option, usd_per_hour=usd)
        for option, usd in ((PurchaseOption.ON_DEMAND, 40.5), (PurchaseOption.SPOT, 12.25))
    ]


def test_the_cheapest_zone_counts_and_the_dearest_is_told() -> None:
    """One may choose the zone."""
    rows = [ROW._replace(price="", spot_price=usd, place=place) for place, usd in enumerate(("13", "11", "12"), 2)]
    (taken,) = take_catalogue(rows, "aws", CATALOG).taken
    assert (taken.line.usd_per_hour, taken.rows, taken.first) == (11.0, 3, 2)
    assert taken.note == "3 zones from 11 to 13, the cheapest taken"


def test_what_cannot_be_taken_says_why() -> None:
    """Nothing is guessed: an unknown SKU, a price that is none, a host without its accelerators."""
    host = "the row counts other accelerators than the node has; its price may be that of the host alone"
    assert why(ROW._replace(instance="p99.large")) == [
        "the catalogue of tripoint knows no such node type of the provider"
    ]
    assert why(ROW._replace(instance="", accelerator="CHIP")) == [
        "an accelerator is priced apart from the node it is in"
    ]
    assert why(ROW._replace(accelerators="4")) == [host]
    assert why(ROW._replace(accelerators="")) == [
        "the row counts no accelerators; its price may be that of the host alone"
    ]
    assert why(ROW._replace(region="")) == ["no region is given"]
    assert why(ROW._replace(price="")) == ["the row states no price"]
    assert why(ROW._replace(price="4O.5")) == ["the price is not a number"]
    assert why(ROW._replace(price="nan")) == ["the price is not a number"]
    assert why(ROW._replace(price="-1")) == ["the price is negative"]
    assert why(ROW._replace(price="0.0")) == ["the price is 0"]


_TEXTS = st.sampled_from(("", "big", "small", "40", "-2", "0", "x", "1e400", "8", "us-east-1"))


@given(rows=st.lists(st.builds(CatalogueRow, st.integers(2, 99), *[_TEXTS] * 7), max_size=12))
def test_every_price_is_taken_or_dropped(rows: list[CatalogueRow]) -> None:
    """However damaged the rows are, the counts add up and no line has a price that is none."""
    sheet = take_catalogue(rows, "aws", CATALOG)
    assert sheet.read == rows_of(sheet)
    assert all((taken.line.usd_per_hour or 0) > 0 for taken in sheet.taken)
