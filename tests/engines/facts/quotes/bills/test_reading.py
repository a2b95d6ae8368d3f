"""Rates out of a FOCUS bill: what counts, what is left out and why."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.bills import ROW, rows_of
from tests.factories.tiny_catalog import tiny_catalog

from tripoint.domain.bill import BillRow
from tripoint.domain.purchase import OwnPrice, PurchaseOption
from tripoint.domain.quote import BillReading
from tripoint.domain.units import NodeTypeId
from tripoint.engines.facts.quotes.bills.reading import BillTerms, read_bill_rows

CATALOG = tiny_catalog()


def read(*rows: BillRow, terms: BillTerms = BillTerms()) -> BillReading:  # noqa: B008 - frozen
    """What a bill of these rows says."""
    return read_bill_rows(rows, CATALOG, terms)


def why(row: BillRow) -> list[str]:
    """Why a lone row gives no rate."""
    sheet = read(row).sheet
    assert not sheet.taken
    return [each.reason for each in sheet.dropped]


def test_a_rate_is_cost_over_hours() -> None:
    """Of all rows of one node type, region and option, however the hours were cut."""
    half = ROW._replace(place=3, consumed=Decimal("0.5"), billed=Decimal(22), effective=Decimal(22), listed=Decimal(25))
    (taken,) = read(ROW, half).sheet.taken
    assert taken.line == OwnPrice(
        provider="aws",
        sku="big",
        region="us-east-1",
        option=PurchaseOption.ON_DEMAND,
        usd_per_hour=round(62 / 1.5, 9),
    )
    assert (taken.rows, taken.first, taken.note) == (2, 2, "1.50 node-hours")


@pytest.mark.parametrize(
    ("category", "option"),
    [("Dynamic", PurchaseOption.SPOT), ("Committed", PurchaseOption.COMMITTED)],
)
def test_options_follow_the_pricing_category(category: str, option: PurchaseOption) -> None:
    """As FOCUS names them."""
    assert [taken.line.option for taken in read(ROW._replace(pricing_category=category)).sheet.taken] == [option]


@pytest.mark.parametrize(
    "row",
    [
        ROW._replace(provider="Amazon Web Services, Inc."),
        ROW._replace(description="", sku="BIG"),
        ROW._replace(description="", details={"InstanceType": "big"}),
        ROW._replace(description="", custom={"x_SkuInstance": "Big"}),
        ROW._replace(unit="", pricing_unit="Hrs"),
    ],
)
def test_names_are_found_where_providers_write_them(row: BillRow) -> None:
    """Whole names only, whatever their case and punctuation."""
    assert [taken.line.sku for taken in read(row).sheet.taken] == ["big"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW._replace(category="Credit", billed=Decimal(-5)), "it is not usage: Credit"),
        (ROW._replace(category="Tax"), "it is not usage: Tax"),
        (ROW._replace(category=""), "it is not usage: no charge category"),
        (ROW._replace(charge_class="Correction"), "it changes an earlier bill: Correction"),
        (ROW._replace(currency="EUR"), "its currency is EUR, and no rate was given"),
        (ROW._replace(currency=""), "no currency is given"),
        (ROW._replace(effective=Decimal(-1)), "it is negative"),
        (ROW._replace(consumed=Decimal(-1)), "it is negative"),
        (ROW._replace(unit="GB-Months", pricing_unit="GB-Months"), "it is not sold by the hour"),
        (ROW._replace(description="bigger"), "it names no node type the catalogue of tripoint knows"),
        (
            ROW._replace(provider="Nobody"),
            "the catalogue of tripoint knows no node type of the provider `nobody`",
        ),
        (ROW._replace(description="big Windows, per hour"), "its price holds a licence: windows"),
        (ROW._replace(pricing_category="Other"), "its pricing category is Other"),
        (ROW._replace(pricing_category=""), "its pricing category is not given"),
        (ROW._replace(region="", region_name=""), "no region is given"),
        (ROW._replace(consumed=Decimal(0)), "no hours were used"),
        (ROW._replace(effective=Decimal(0), listed=Decimal(0)), "it costs nothing"),
        (
            ROW._replace(effective=Decimal(0)),
            "effective cost is 0 where list cost is not; `--cost billed` takes billed cost",
        ),
        (
            ROW._replace(pricing_category="Committed", commitment="c", commitment_status="Unused"),
            "it is committed and was not used; it counts as utilisation, not as a price",
        ),
    ],
)
def test_what_is_no_price_says_why(row: BillRow, reason: str) -> None:
    """Credits, negative rows, other currencies and SKUs nobody knows are reported, never guessed."""
    assert why(row) == [reason]


def test_other_currencies_are_taken_at_the_rate_given() -> None:
    """And only those; what is dropped is told in its own currency."""
    euro = ROW._replace(currency="EUR")
    reading = read(
        euro, euro._replace(currency="GBP"), terms=BillTerms(usd_per={"USD": Decimal(1), "EUR": Decimal("1.1")})
    )
    assert [taken.line.usd_per_hour for taken in reading.sheet.taken] == [44.0]
    assert [each.cost for each in reading.sheet.dropped] == [(("GBP", Decimal(40)),)]


def test_billed_cost_is_taken_when_asked_for() -> None:
    """For exports whose effective cost is empty."""
    row = ROW._replace(effective=Decimal(0), billed=Decimal(38))
    assert [taken.line.usd_per_hour for taken in read(row, terms=BillTerms(is_billed=True)).sheet.taken] == [38.0]


def test_skus_of_one_node_type_that_cost_differently_give_no_rate() -> None:
    """A mean would fit none of them; both prices are told."""
    dear = ROW._replace(place=3, sku_price="SKU-1.2", listed=Decimal(60))
    (dropped,) = read(ROW, dear).sheet.dropped
    assert dropped.reason == "SKUs of one node type cost differently; one rate would fit none"
    assert (dropped.rows, dropped.examples) == (2, (("big us-east-1: SKU-1.1 50, SKU-1.2 60 USD/h", 2),))


def test_a_rate_above_list_is_worth_a_look() -> None:
    """And so is a region nobody knows."""
    reading = read(ROW._replace(effective=Decimal(55)), ROW._replace(region="moon-1"))
    assert reading.sheet.doubts == (
        "`big` in `us-east-1`: 55 USD/h is above the list price of 50 USD/h",
        "`moon-1` is not a region of `aws` the catalogue knows: `big` is priced there alone",
    )


def test_commitments_tell_how_well_they_are_used() -> None:
    """Effective cost used over effective cost; node-hours are those of nodes the catalogue knows."""
    used = ROW._replace(
        pricing_category="Committed",
        commitment="plan-1",
        commitment_status="Used",
        commitment_type="Savings Plan",
        commitment_category="Spend",
        effective=Decimal(30),
        billed=Decimal(0),
    )
    other = used._replace(description="another machine", effective=Decimal(15))
    unused = used._replace(commitment_status="Unused", consumed=None, priced=None, effective=Decimal(15))
    (use,) = read(used, other, unused).commitments
    assert (use.id, use.type, use.category, use.node_types) == ("plan-1", "Savings Plan", "Spend", ("big",))
    assert (use.utilisation, use.used_hours, use.rows) == (Decimal("0.75"), Decimal(1), 3)
    (free,) = read(used._replace(effective=Decimal(0))).commitments
    assert free.utilisation is None


@pytest.mark.parametrize(
    ("description", "path"),
    [
        ("$0.09 per GB - first 10 TB / month data transfer out", "internet"),
        ("Bandwidth - Standard Data Transfer Out - Europe", "internet"),
        ("Network Internet Egress from Frankfurt to EMEA", "internet"),
        ("Network Inter Region Data Transfer Out from Frankfurt to Paris", "inter_region"),
        ("$0.00 per GB - US West (Oregon) data transfer from US East (Ohio)", ""),
        ("$0.00 per GB data transfer out of US West (Oregon) to CloudFront", ""),
        ("USD 0.09 per GB for DataTransfer-Out-Bytes in EU (Stockholm)", "internet"),
        ("$0.02 per GB - EU (Germany) data transfer to US West (Oregon)", "inter_region"),
        ("$0.01 per GB - regional data transfer - in/out/between AZs", "zones"),
        ("$0.00 per GB - data transfer in per month", ""),
        ("storage, per GB", ""),
    ],
)
def test_bytes_that_leave_are_told_by_path(description: str, path: str) -> None:
    """By the words of the large providers; what comes in and what is kept does not leave."""
    row = ROW._replace(description=description, unit="TB", consumed=Decimal(2))
    found = [(each.path, each.gb, each.usd) for each in read(row).leaving]
    assert found == ([(path, Decimal(2000), Decimal(40))] if path else [])


@pytest.mark.parametrize(("unit", "gb"), [("GiB", "1.073741824"), ("TiB", "1099.511627776"), ("MB", "0.001")])
def test_bytes_are_counted_in_the_unit_they_were_priced_in_where_use_tells_none(unit: str, gb: str) -> None:
    """A row without the amount that was used is still one of bytes that leave, not one that is sold otherwise."""
    row = ROW._replace(
        description="Data Transfer Out", unit="Bytes", consumed=None, pricing_unit=unit, priced=Decimal(1)
    )  # fmt: skip
    (found,) = read(row).leaving
    assert found.gb == Decimal(gb)


def test_a_correction_makes_a_bill_no_longer() -> None:
    """It is of an earlier bill: hours of a month would be spread over two."""
    day = 86_400.0
    now = ROW._replace(start=100 * day, end=130 * day)
    earlier = now._replace(start=70 * day, end=100 * day, charge_class="Correction", effective=Decimal(-1))
    assert read(now, earlier).hours == read(now).hours == 30 * 24


def test_uses_tell_what_ran_where_for_whom() -> None:
    """By the tag asked for, else by sub account."""
    tagged = ROW._replace(tags={"app": "search"}, consumed=Decimal(3))
    assert [(use.group, use.hours) for use in read(ROW, tagged).uses] == [("team-a", Decimal(4))]
    assert [(use.group, use.hours) for use in read(ROW, tagged, terms=BillTerms(tag="app")).uses] == [
        ("", Decimal(1)),
        ("search", Decimal(3)),
    ]


_AMOUNTS = st.decimals(-100, 100, places=2)
_ROWS = st.builds(
    ROW._replace,
    category=st.sampled_from(("Usage", "Credit")),
    currency=st.sampled_from(("USD", "EUR")),
    description=st.sampled_from(("big", "small", "data transfer out")),
    unit=st.sampled_from(("Hours", "GB")),
    consumed=st.none() | _AMOUNTS,
    effective=_AMOUNTS,
    listed=_AMOUNTS,
    sku_price=st.sampled_from(("a", "b")),
    commitment_status=st.sampled_from(("", "Used", "Unused")),
)


@given(rows=st.lists(_ROWS, max_size=15))
def test_every_row_is_taken_or_dropped_and_no_money_is_lost(rows: list[BillRow]) -> None:
    """Rows and dollars of a bill are those of its rates and of what was left out."""
    reading = read(*rows)
    sheet = reading.sheet
    assert sheet.read == len(rows) == rows_of(sheet)
    dropped = sum((amount for each in sheet.dropped for _, amount in each.cost), Decimal(0))
    hours = {(use.node_type, use.option, use.region): use.hours for use in reading.uses}
    taken = Decimal(0)
    for line in (each.line for each in sheet.taken):
        assert line.sku is not None
        assert line.option is not None
        assert line.region is not None
        taken += Decimal(repr(line.usd_per_hour)) * hours[NodeTypeId(line.sku), line.option, line.region]
    assert abs(sum((row.effective for row in rows), Decimal(0)) - dropped - taken) < Decimal("1e-5")


def test_a_country_in_place_of_a_region_prices_everywhere() -> None:
    """As our own bills name sites without a region; only where nothing else of the provider is billed."""
    abroad = ROW._replace(region="", region_name="IE")
    reading = read(abroad)
    assert [taken.line.region for taken in reading.sheet.taken] == [None]
    assert reading.sheet.doubts == (
        "`IE` is a country, the only place of `aws` in the bill: its rates hold everywhere",
    )
    both = read(abroad, ROW).sheet
    assert sorted(str(taken.line.region) for taken in both.taken) == ["IE", "us-east-1"]
