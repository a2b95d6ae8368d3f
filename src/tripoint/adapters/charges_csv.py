"""The plan's statement as CSV with FOCUS 1.2 column names; what FOCUS has no column for is an `x_` column.

One row per charge, costs in USD, written with the shortest digits that read back to the same number, so the
columns sum to the plan's totals. Region is the site's provider region when the plan knows it.
"""

from __future__ import annotations

import csv
import io

from tripoint.domain.charge import Charge
from tripoint.domain.plan import Plan
from tripoint.domain.purchase import PurchaseOption

BILLING_CURRENCY = "USD"

COLUMNS = (
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ChargeCategory",
    "PricingCategory",
    "ProviderName",
    "RegionName",
    "SkuId",
    "ListCost",
    "ContractedCost",
    "BilledCost",
    "EffectiveCost",
    "CommitmentDiscountStatus",
    "ConsumedQuantity",
    "ConsumedUnit",
    "BillingCurrency",
    "x_Workload",
    "x_Site",
    "x_Layer",
    "x_Kind",
    "x_PurchaseOption",
    "x_CarbonKg",
)


def charges_to_csv(plan: Plan) -> str:
    """All charge rows of the plan, in the plan's order, under a header."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    regions = {site.id: site.region or site.country for site in plan.sites}
    bounds = [(_instant(plan, period), _instant(plan, period + 1)) for period in range(len(plan.periods))]
    for charge in plan.charges:
        writer.writerow([*bounds[charge.period], *_cells(charge, regions.get(charge.site, ""))])
    return stream.getvalue()


def _cells(charge: Charge, region: str) -> tuple[str, ...]:
    return (
        charge.kind.focus_category,
        _pricing_category(charge.option),
        _plain(charge.provider),
        _plain(region),
        _plain(charge.resource),
        repr(float(charge.list_usd)),
        repr(float(charge.contracted_usd)),
        repr(float(charge.billed_usd)),
        repr(float(charge.effective_usd)),
        str(charge.status) if charge.status else "",
        repr(float(charge.quantity)),
        charge.unit,
        BILLING_CURRENCY,
        _plain(charge.workload or ""),
        _plain(charge.site),
        charge.layer,
        str(charge.kind),
        charge.option,
        repr(float(charge.carbon_kg)) if charge.kind.has_known_carbon else "",
    )


def _pricing_category(option: str) -> str:
    """FOCUS wants a category on every row; what has no purchase option is bought at list."""
    known = {member.value: member for member in PurchaseOption}
    return known[option].focus_pricing_category if option in known else "Standard"


def _plain(name: str) -> str:
    """The name, with an apostrophe in front where a spreadsheet would run it as a formula (CSV injection)."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name


def _instant(plan: Plan, period: int) -> str:
    """Start of a period as FOCUS writes it: ISO 8601, UTC."""
    year, month = (int(part) for part in plan.start.split("-")[:2])
    index = year * 12 + month - 1 + period * plan.period_months
    return f"{index // 12:04d}-{index % 12 + 1:02d}-01T00:00:00Z"
