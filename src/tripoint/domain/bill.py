"""A bill in the FOCUS format, whoever issued it: its rows as they were read, exact."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple


class BillRow(NamedTuple):
    """One row; texts are empty and quantities `None` where the bill says nothing."""

    place: int
    """Its line in the file, the header being 1; in Parquet its number, from 1."""
    start: float
    """First moment of the charge, seconds since 1970."""
    end: float
    """First moment after it."""
    category: str
    """Charge category: `Usage`, `Purchase`, `Tax`, `Credit` or `Adjustment`."""
    charge_class: str
    """`Correction`, or empty."""
    provider: str
    """Who provides the service."""
    service: str
    """Its name."""
    region: str
    """Region id."""
    resource: str
    """Resource id."""
    sub_account: str
    """Sub account id."""
    sku: str
    """SKU id."""
    sku_price: str
    """SKU price id."""
    meter: str
    """SKU meter."""
    description: str
    """Charge description."""
    currency: str
    """Billing currency."""
    unit: str
    """Unit of what was consumed."""
    consumed: Decimal | None
    """How much was consumed."""
    pricing_unit: str
    """Unit that is priced."""
    priced: Decimal | None
    """How many of those."""
    billed: Decimal
    """Billed cost."""
    effective: Decimal
    """Effective cost."""
    listed: Decimal
    """List cost."""
    details: Mapping[str, str]
    """`SkuPriceDetails`: properties of the price."""
    tags: Mapping[str, str]
    """Tags."""
    custom: Mapping[str, str]
    """Columns of the provider's own, by their names, `x_` included; those that are null are left out."""
    region_name: str = ""
    """Name of the region."""
    service_category: str = ""
    """Service category, e.g. `Compute`."""
    pricing_category: str = ""
    """`Standard`, `Dynamic`, `Committed` or `Other`."""
    commitment: str = ""
    """Id of the commitment discount that applies."""
    commitment_category: str = ""
    """`Spend` or `Usage`."""
    commitment_type: str = ""
    """The provider's word for the commitment."""
    commitment_status: str = ""
    """`Used` or `Unused`."""
    sub_account_name: str = ""
    """Sub account name."""
    has_effective: bool = True
    """False where the bill gives no effective cost: it is the billed cost then."""
