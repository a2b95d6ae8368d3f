"""Small bills in the FOCUS format, made up: a row is what it says, and plausible in the rest."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from tripoint.domain.bill import BillRow
from tripoint.domain.quote import ImportedSheet

HOUR = 3600.0
ROW = BillRow(
    place=2,
    start=1_790_812_800.0,
    end=1_790_812_800.0 + HOUR,
    category="Usage",
    charge_class="",
    provider="AWS",
    service="Virtual Machines",
    region="us-east-1",
    resource="i-1",
    sub_account="team-a",
    sku="SKU-1",
    sku_price="SKU-1.1",
    meter="",
    description="big on demand, per hour",
    currency="USD",
    unit="Hours",
    consumed=Decimal(1),
    pricing_unit="Hours",
    priced=Decimal(1),
    billed=Decimal(40),
    effective=Decimal(40),
    listed=Decimal(50),
    details={},
    tags={},
    custom={},
    region_name="US East",
    service_category="Compute",
    pricing_category="Standard",
)
"""An hour of the node `big`, 40 USD of 50."""
HEADER = (
    "BilledCost", "EffectiveCost", "ListCost", "BillingCurrency", "ChargeCategory", "ChargeClass", "ChargeDescription",
    "ChargePeriodStart", "ChargePeriodEnd", "CommitmentDiscountCategory", "CommitmentDiscountId",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "ConsumedQuantity", "ConsumedUnit", "PricingCategory",
    "PricingQuantity", "PricingUnit", "ProviderName", "RegionId", "ServiceCategory", "SkuId", "SkuPriceId",
    "SubAccountName", "Tags",
)  # fmt: skip
LINE: Mapping[str, str] = {
    "BilledCost": "40", "EffectiveCost": "40", "ListCost": "55.04", "BillingCurrency": "USD", "ChargeCategory": "Usage",
    "ChargeDescription": "$55.04 per On Demand Linux p5.48xlarge Instance Hour",
    "ChargePeriodStart": "2026-10-01T00:00:00Z", "ChargePeriodEnd": "2026-11-01T00:00:00Z", "ConsumedQuantity": "1",
    "ConsumedUnit": "Hours", "PricingCategory": "Standard", "PricingQuantity": "1", "PricingUnit": "Hours",
    "ProviderName": "AWS", "RegionId": "us-east-1", "ServiceCategory": "Compute", "SkuId": "SKU1",
    "SkuPriceId": "SKU1.A", "SubAccountName": "research",
}  # fmt: skip
"""An hour of a node the shipped catalogue knows."""


def rows_of(sheet: ImportedSheet) -> int:
    """Prices an import accounts for, taken or dropped."""
    return sum(taken.rows for taken in sheet.taken) + sum(dropped.rows for dropped in sheet.dropped)


def write_bill(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """A CSV bill; each row is `LINE` with what it says itself."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, HEADER)
        writer.writeheader()
        writer.writerows({**LINE, **row} for row in rows)
    return path
