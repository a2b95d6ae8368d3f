from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.factories.focus_rules import check_rows

from tripoint.domain.ledger import EntryKind, PriceRow, Spend
from tripoint.domain.money import Tariff
from tripoint.engines.governance.focus.columns import Part, amount_texts, columns_of
from tripoint.engines.governance.focus.parts import Issuer, period_of
from tripoint.engines.governance.focus.sheet import SheetMaker

TARIFF = Tariff("chat/a/llama", 200_000, 20_000, 800_000)
COLUMNS = columns_of("1.2")
NAMES = [column.name for column in COLUMNS]


def rows() -> list[dict[str, str | None]]:
    """A good export: tokens, an idle hour, a correction."""
    maker = SheetMaker(Issuer("us", "all"), lambda version, tariff: PriceRow(TARIFF, TARIFF, TARIFF, TARIFF, ""))
    dimensions = ("acme", "key-1", "chat", "llama", "site-a", "a", "chat/a/llama", "p1")
    idle = ("idle", "", "", "", "llama", "site-a", "a", "", "")
    sheet = maker.make(
        [
            Spend(("2026-12-31", "usage", *dimensions), 1, 0, 0, 120, 40, 64, 8, 70_000, 70_000, 70_000),
            Spend(("2026-12-31T23", *idle), 0, 0, 0, 0, 0, 0, 0, 5_000, 5_000, 0),
            Spend(("2026-12-31", EntryKind.CORRECTION, *dimensions[:-2], "", ""), 0, 0, 0, 0, 0, 0, 0, -9, -9, 0),
        ]
    )
    made = []
    amounts = [
        {name: column[place] for name, column in columns.items()}
        for columns in sheet.amounts()
        for place in range(len(columns["nano"]))
    ]
    for (period, line, sku), amount in zip(sheet.numbers(), amounts, strict=True):
        parts = {Part.PERIOD: sheet.periods[period], Part.LINE: sheet.lines[line], Part.SKU: sheet.skus[sku]}
        made.append(
            {
                column.name: amount_texts(column, [amount[column.fact]])[0] or None
                if column.part is Part.AMOUNT
                else getattr(parts[column.part], column.fact)
                for column in COLUMNS
            }
        )
    return made  # fmt: skip


def test_a_good_export_breaks_nothing() -> None:
    """The rows every other test damages."""
    assert check_rows(NAMES, rows()) == ()


@pytest.mark.parametrize(
    ("damage", "column"),
    [
        ({"BilledCost": None}, "BilledCost"),
        ({"BilledCost": "1,5"}, "BilledCost"),
        ({"BillingCurrency": "Dollar"}, "BillingCurrency"),
        ({"ChargeCategory": "usage"}, "ChargeCategory"),
        ({"ChargeClass": "Refund"}, "ChargeClass"),
        ({"ChargePeriodStart": "2026-12-31 00:00:00"}, "ChargePeriodStart"),
        ({"ChargePeriodEnd": "2026-12-30T00:00:00Z"}, "ChargePeriodEnd"),
        ({"BillingPeriodStart": "2027-01-01T00:00:00Z"}, "BillingPeriodStart"),
        ({"ConsumedQuantity": None}, "ConsumedQuantity"),
        ({"ConsumedUnit": None}, "ConsumedUnit"),
        ({"ChargeCategory": "Credit"}, "ConsumedQuantity"),
        ({"ContractedUnitPrice": "-1"}, "ContractedUnitPrice"),
        ({"ContractedUnitPrice": "0.25"}, "ContractedUnitPrice"),
        ({"ListCost": "17"}, "ListUnitPrice"),
        ({"PricingQuantity": None, "PricingUnit": None}, "PricingQuantity"),
        ({"PricingUnit": "per/token"}, "PricingUnit"),
        ({"SkuId": None}, "SkuMeter"),
        ({"SkuPriceId": None}, "SkuPriceDetails"),
        ({"SkuId": "another"}, "SkuPriceId"),
        ({"SkuPriceDetails": "{'a': 1}"}, "SkuPriceDetails"),
        ({"SkuPriceDetails": '{"a":{"b":1}}'}, "SkuPriceDetails"),
        ({"Tags": '{"a":1,"a":2}'}, "Tags"),
        ({"SubAccountName": None}, "SubAccountName"),
        ({"ResourceType": ""}, "ResourceType"),
        ({"ResourceName": "a"}, "ResourceName"),
        ({"CapacityReservationId": "a"}, "CapacityReservationStatus"),
        ({"ServiceSubcategory": "Chat"}, "ServiceSubcategory"),
        ({"ServiceName": None}, "ServiceName"),
        ({"ChargeCategory": "Purchase"}, "ChargeFrequency"),
        ({"ChargeCategory": "Tax"}, "SkuId"),
    ],
)
def test_each_rule_finds_its_damage(damage: Mapping[str, str | None], column: str) -> None:
    """One value spoilt in one row is told with its column and its row."""
    spoilt = rows()
    spoilt.append({**spoilt[0], **damage})
    found = check_rows(NAMES, spoilt)
    assert (len(spoilt), column) in {(each.row, each.column) for each in found}
    assert {each.row for each in found} == {len(spoilt)}


def test_columns_are_checked_as_well() -> None:
    """One missing, one unknown, one twice, our own before those of FOCUS."""
    told = {(each.column, each.message.split(",")[0]) for each in check_rows([*NAMES[1:], "Cost", "Tags"], [])}
    assert ("BilledCost", "the column is missing") in told
    assert ("Cost", "not a column of FOCUS 1.2") in told
    assert ("Tags", "the column is there twice") in told
    assert check_rows([NAMES[-1], *NAMES[:-1]], [])[0].column == NAMES[-1]


def test_periods_end_where_the_next_begins() -> None:
    """Over the end of a day, a month and a year."""
    assert period_of("2026-12-31T23") == (
        "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z",
    )  # fmt: skip
    assert period_of("2028-02-28")[:2] == ("2028-02-28T00:00:00Z", "2028-02-29T00:00:00Z")
