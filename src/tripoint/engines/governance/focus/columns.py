"""The columns of an export, version by version: one table, read by the writers, the checker and the reader.

FOCUS is a specification of the FinOps Foundation. 1.2 is the base; columns of later versions come by a switch. Until
1.5 a key of `SkuPriceDetails` that FOCUS does not define begins with `x_`, as every column of ours does.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

VERSIONS: Final = ("1.2", "1.3", "1.4", "1.5")
"""Versions an export can be written in, oldest first."""
DEFAULT_VERSION: Final = "1.2"
"""The newest version for which a validator exists that works."""


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    DECIMAL = "decimal"
    COUNT = "count"
    INSTANT = "instant"
    KEYS = "keys"
    """A JSON object of texts."""


class Part(StrEnum):
    """Which part of a row a column belongs to; parts repeat from row to row and are written once where they can be."""

    PERIOD = "period"
    LINE = "line"
    SKU = "sku"
    AMOUNT = "amount"


class Column(NamedTuple):
    """One column."""

    name: str
    """As the specification spells it; `x_` before those that are ours."""
    kind: Kind
    """What it holds."""
    part: Part
    """Where its value comes from."""
    fact: str
    """Which fact of that part."""
    scale: int = 0
    """Decimals, where the fact is a whole number of smaller units."""
    since: str = "1.2"
    """First version that has it."""
    until: str = ""
    """Last version that has it; empty when it stays."""


_T, _D, _C, _I, _K = Kind.TEXT, Kind.DECIMAL, Kind.COUNT, Kind.INSTANT, Kind.KEYS
_P, _L, _S, _A = Part.PERIOD, Part.LINE, Part.SKU, Part.AMOUNT

TABLE: Final = (
    Column("BilledCost", _D, _A, "nano", 9),
    Column("BillingAccountId", _T, _L, "account"),
    Column("BillingAccountName", _T, _L, "account"),
    Column("BillingAccountType", _T, _L, "account_type"),
    Column("BillingCurrency", _T, _L, "currency"),
    Column("BillingPeriodEnd", _I, _P, "billing_end"),
    Column("BillingPeriodStart", _I, _P, "billing_start"),
    Column("CapacityReservationId", _T, _L, "reservation"),
    Column("CapacityReservationStatus", _T, _L, "reservation_status"),
    Column("ChargeCategory", _T, _L, "category"),
    Column("ChargeClass", _T, _L, "charge_class"),
    Column("ChargeDescription", _T, _S, "description"),
    Column("ChargeFrequency", _T, _L, "frequency"),
    Column("ChargePeriodEnd", _I, _P, "end"),
    Column("ChargePeriodStart", _I, _P, "start"),
    Column("CommitmentDiscountStatus", _T, _L, "commitment_status"),
    Column("ConsumedQuantity", _D, _A, "quantity"),
    Column("ConsumedUnit", _T, _S, "unit"),
    Column("ConsumerId", _T, _L, "tenant", since="1.5"),
    Column("ContractedCost", _D, _A, "contracted_pico", 12),
    Column("ContractedUnitPrice", _D, _S, "contracted_price"),
    Column("CredentialDetails", _K, _L, "credential", since="1.5"),
    Column("CredentialId", _T, _L, "key", since="1.5"),
    Column("EffectiveCost", _D, _A, "nano", 9),
    Column("HostProviderName", _T, _L, "host", since="1.3"),
    Column("InvoiceDetailId", _T, _L, "invoice", since="1.4"),
    Column("InvoiceId", _T, _L, "invoice"),
    Column("InvoiceIssuerName", _T, _L, "provider"),
    Column("ListCost", _D, _A, "listed_pico", 12),
    Column("ListUnitPrice", _D, _S, "list_price"),
    Column("PricingCategory", _T, _S, "pricing_category"),
    Column("PricingCurrency", _T, _L, "currency"),
    Column("PricingCurrencyContractedUnitPrice", _D, _S, "contracted_price"),
    Column("PricingCurrencyEffectiveCost", _D, _A, "nano", 9),
    Column("PricingCurrencyListUnitPrice", _D, _S, "list_price"),
    Column("PricingQuantity", _D, _A, "pricing_micro", 6),
    Column("PricingUnit", _T, _S, "pricing_unit"),
    Column("ProviderName", _T, _L, "provider", until="1.3"),
    Column("PublisherName", _T, _L, "provider", until="1.3"),
    Column("RegionId", _T, _L, "site"),
    Column("RegionName", _T, _L, "site"),
    Column("ResourceId", _T, _L, "upstream"),
    Column("ResourceName", _T, _L, "resource_name"),
    Column("ResourceType", _T, _L, "resource_type"),
    Column("ServiceCategory", _T, _L, "service_category"),
    Column("ServiceName", _T, _L, "service"),
    Column("ServiceProviderName", _T, _L, "provider", since="1.3"),
    Column("ServiceSubcategory", _T, _L, "service_subcategory"),
    Column("SkuId", _T, _S, "sku"),
    Column("SkuMeter", _T, _S, "meter"),
    Column("SkuPriceDetails", _K, _S, "own_details", until="1.4"),
    Column("SkuPriceDetails", _K, _S, "details", since="1.5"),
    Column("SkuPriceId", _T, _S, "price"),
    Column("SubAccountId", _T, _L, "tenant"),
    Column("SubAccountName", _T, _L, "tenant_name"),
    Column("SubAccountType", _T, _L, "tenant_type"),
    Column("Tags", _K, _L, "tags"),
    Column("x_EntryKind", _T, _L, "kind"),
    Column("x_EstimatedRequests", _C, _A, "estimated"),
    Column("x_FailedRequests", _C, _A, "failed"),
    Column("x_Key", _T, _L, "key"),
    Column("x_LedgerListCost", _D, _A, "list_nano", 9),
    Column("x_MarginalCost", _D, _A, "marginal_nano", 9),
    Column("x_Model", _T, _L, "model"),
    Column("x_ObservedSince", _T, _L, "observed_since"),
    Column("x_ObservedUntil", _T, _L, "observed_until"),
    Column("x_PriceVersion", _T, _L, "prices"),
    Column("x_ReasoningTokens", _C, _A, "reasoning"),
    Column("x_Requests", _C, _A, "requests"),
    Column("x_Tariff", _T, _L, "tariff"),
    Column("x_Workload", _T, _L, "workload"),
)
"""Every column, those of FOCUS first, each by its name."""


def columns_of(version: str) -> tuple[Column, ...]:
    """The columns of a version, in order; raises `KeyError` for one that is not known."""
    if version not in VERSIONS:
        raise KeyError(version)
    at = VERSIONS.index(version)
    return tuple(
        column
        for column in TABLE
        if VERSIONS.index(column.since) <= at and (not column.until or at <= VERSIONS.index(column.until))
    )


def amount_texts(column: Column, values: Sequence[int | None]) -> list[str]:
    """What a column of amounts shows, empty for `None`; a decimal always has a point, lest it is read as a count."""
    scale = column.scale
    if not scale:
        point = ".0" if column.kind is Kind.DECIMAL else ""
        return ["" if value is None else f"{value}{point}" for value in values]
    unit = 10**scale
    return [
        ("" if value is None else decimal_text(value, scale))
        if value is None or value < 0
        else f"{value // unit}.{value % unit:0{scale}d}"
        for value in values
    ]


def decimal_text(value: int, scale: int) -> str:
    """A whole number of smaller units as an exact decimal: 1234 at scale 3 is `1.234`."""
    if not scale:
        return str(value)
    sign, digits = ("-", -value) if value < 0 else ("", value)
    whole, rest = divmod(digits, 10**scale)
    return f"{sign}{whole}.{rest:0{scale}d}"
