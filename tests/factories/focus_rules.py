"""What FOCUS 1.2 asks of the columns of an export, in our words, as data and a few conditions.

Rows are texts by column, `None` where null. Rules no program can check (what an invoice says, say) are left out. A
column that is not in the table may only be one of the provider's own, whose names begin with `x_`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from tripoint.engines.governance.focus.columns import Kind

TextRow = Mapping[str, str | None]
"""A row, as texts by column."""
SERVICE_SUBCATEGORIES: Final = frozenset(
    (
        "AI Platforms", "Bots", "Generative AI", "Machine Learning", "Natural Language Processing",
        "Other (AI and Machine Learning)",
    )
)  # fmt: skip
"""Subcategories of `AI and Machine Learning`, the only category of an export."""
_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?(E-?\d+)?\Z", re.IGNORECASE)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z\Z")
_UNIT = re.compile(r"(\d+ )?[A-Za-z][A-Za-z0-9]*( [A-Za-z][A-Za-z0-9]*)*(-(Hours|Days|Months|Years))?\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


class Rule(NamedTuple):
    """What one column must be."""

    column: str
    """Its name."""
    kind: Kind
    """What it holds."""
    is_required: bool = False
    """True where it must be in every file."""
    is_nullable: bool = True
    """True where it may be null in some rows."""
    allowed: frozenset[str] = frozenset()
    """Its values, where they are listed."""
    pattern: re.Pattern[str] | None = None
    """What its texts look like."""
    is_positive: bool = False
    """True where it may not be negative."""


class Condition(NamedTuple):
    """What several columns of a row must be together."""

    name: str
    """What it asks, in a few words."""
    column: str
    """The column at fault."""
    holds: Callable[[TextRow], bool]
    """Whether a row keeps it."""


class Violation(NamedTuple):
    """A row, or a file, that breaks a rule."""

    row: int
    """Number of the row, from 1; 0 for the file as a whole."""
    column: str
    """The column at fault."""
    message: str
    """What is asked, and what is there."""


_T, _D, _I, _K = Kind.TEXT, Kind.DECIMAL, Kind.INSTANT, Kind.KEYS
_CATEGORIES = frozenset(("Usage", "Purchase", "Tax", "Credit", "Adjustment"))


def _must(column: str, kind: Kind = _T, allowed: frozenset[str] = frozenset()) -> Rule:
    return Rule(column, kind, is_required=True, is_nullable=False, allowed=allowed)


RULES: Final = (
    _must("BilledCost", _D),
    _must("BillingAccountId"),
    Rule("BillingAccountName", _T, is_required=True),
    Rule("BillingAccountType", _T),
    Rule("BillingCurrency", _T, is_required=True, is_nullable=False, pattern=_CURRENCY),
    _must("BillingPeriodEnd", _I),
    _must("BillingPeriodStart", _I),
    Rule("CapacityReservationId", _T),
    Rule("CapacityReservationStatus", _T, allowed=frozenset(("Used", "Unused"))),
    _must("ChargeCategory", _T, _CATEGORIES),
    Rule("ChargeClass", _T, is_required=True, allowed=frozenset(("Correction",))),
    Rule("ChargeDescription", _T, is_required=True),
    Rule(
        "ChargeFrequency", _T, is_nullable=False, allowed=frozenset(("One-Time", "Recurring", "Usage-Based"))
    ),
    _must("ChargePeriodEnd", _I),
    _must("ChargePeriodStart", _I),
    Rule("CommitmentDiscountStatus", _T, allowed=frozenset(("Used", "Unused"))),
    Rule("ConsumedQuantity", _D),
    Rule("ConsumedUnit", _T, pattern=_UNIT),
    _must("ContractedCost", _D),
    Rule("ContractedUnitPrice", _D, is_positive=True),
    _must("EffectiveCost", _D),
    Rule("InvoiceId", _T),
    _must("InvoiceIssuerName"),
    _must("ListCost", _D),
    Rule("ListUnitPrice", _D, is_positive=True),
    Rule("PricingCategory", _T, allowed=frozenset(("Standard", "Committed", "Dynamic", "Other"))),
    Rule("PricingCurrency", _T, is_nullable=False, pattern=_CURRENCY),
    Rule("PricingCurrencyContractedUnitPrice", _D, is_positive=True),
    Rule("PricingCurrencyEffectiveCost", _D, is_nullable=False),
    Rule("PricingCurrencyListUnitPrice", _D, is_positive=True),
    Rule("PricingQuantity", _D, is_required=True),
    Rule("PricingUnit", _T, is_required=True, pattern=_UNIT),
    _must("ProviderName"),
    _must("PublisherName"),
    Rule("RegionId", _T),
    Rule("RegionName", _T),
    Rule("ResourceId", _T),
    Rule("ResourceName", _T),
    Rule("ResourceType", _T),
    _must("ServiceCategory", _T, frozenset(("AI and Machine Learning",))),
    _must("ServiceName"),
    Rule("ServiceSubcategory", _T, is_nullable=False, allowed=SERVICE_SUBCATEGORIES),
    Rule("SkuId", _T),
    Rule("SkuMeter", _T),
    Rule("SkuPriceDetails", _K),
    Rule("SkuPriceId", _T),
    Rule("SubAccountId", _T),
    Rule("SubAccountName", _T),
    Rule("SubAccountType", _T),
    Rule("Tags", _K),
)  # fmt: skip
"""Rules of single columns."""


def _is(row: TextRow, column: str, *values: str) -> bool:
    return row.get(column) in values


def _null(row: TextRow, column: str) -> bool:
    return row.get(column) is None


def _is_sold(row: TextRow) -> bool:
    """Usage or a purchase that corrects nothing: what a price list must explain."""
    return _is(row, "ChargeCategory", "Usage", "Purchase") and not _is(row, "ChargeClass", "Correction")


def _product(row: TextRow, price: str, cost: str) -> bool:
    if _is(row, "ChargeClass", "Correction") or _null(row, price) or _null(row, "PricingQuantity"):
        return True
    try:
        return Decimal(row[price] or 0) * Decimal(row["PricingQuantity"] or 0) == Decimal(row[cost] or 0)
    except (InvalidOperation, KeyError):
        return True  # told by the column's own rule


def _together(one: str, other: str) -> Condition:
    return Condition(f"null exactly where {other} is", one, lambda row: _null(row, one) == _null(row, other))


def _if_sold(column: str) -> Condition:
    return Condition(
        "not null for usage and purchases that are no correction",
        column,
        lambda row: not _is_sold(row) or not _null(row, column),
    )


def _no_tax(column: str) -> Condition:
    return Condition("null for taxes", column, lambda row: not _is(row, "ChargeCategory", "Tax") or _null(row, column))


_SOLD = (
    "ContractedUnitPrice", "ListUnitPrice", "PricingCategory", "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyListUnitPrice", "PricingQuantity", "SkuId", "SkuPriceId",
)  # fmt: skip
CONDITIONS: Final = (
    *(_if_sold(column) for column in _SOLD),
    *(_no_tax(column) for column in _SOLD),
    _together("ConsumedUnit", "ConsumedQuantity"),
    _together("PricingUnit", "PricingQuantity"),
    _together("SubAccountName", "SubAccountId"),
    _together("SubAccountType", "SubAccountId"),
    _together("ResourceType", "ResourceId"),
    _together("RegionName", "RegionId"),
    Condition("null where SkuId is", "SkuMeter", lambda row: not _null(row, "SkuId") or _null(row, "SkuMeter")),
    Condition(
        "null where SkuPriceId is",
        "SkuPriceDetails",
        lambda row: not _null(row, "SkuPriceId") or _null(row, "SkuPriceDetails"),
    ),
    Condition(
        "not null for usage that is no correction",
        "ConsumedQuantity",
        lambda row: (
            not (_is(row, "ChargeCategory", "Usage") and _null(row, "ChargeClass"))
            or not _null(row, "ConsumedQuantity")
        ),
    ),
    Condition(
        "null for what is no usage",
        "ConsumedQuantity",
        lambda row: _is(row, "ChargeCategory", "Usage") or _null(row, "ConsumedQuantity"),
    ),
    Condition(
        "a purchase is not charged by usage",
        "ChargeFrequency",
        lambda row: not (_is(row, "ChargeCategory", "Purchase") and _is(row, "ChargeFrequency", "Usage-Based")),
    ),
    Condition(
        "the contracted cost is price times quantity",
        "ContractedUnitPrice",
        lambda row: _product(row, "ContractedUnitPrice", "ContractedCost"),
    ),
    Condition(
        "the list cost is price times quantity", "ListUnitPrice", lambda row: _product(row, "ListUnitPrice", "ListCost")
    ),
    Condition(
        "a reservation's status goes with its id",
        "CapacityReservationStatus",
        lambda row: _null(row, "CapacityReservationId") == _null(row, "CapacityReservationStatus"),
    ),
    Condition(
        "not the resource's id once more",
        "ResourceName",
        lambda row: _null(row, "ResourceName") or row.get("ResourceName") != row.get("ResourceId"),
    ),
    Condition(
        "the charge ends after it begins",
        "ChargePeriodEnd",
        lambda row: (row.get("ChargePeriodStart") or "") < (row.get("ChargePeriodEnd") or ""),
    ),
    Condition(
        "the charge lies in its billing period",
        "BillingPeriodStart",
        lambda row: (
            (row.get("BillingPeriodStart") or "") <= (row.get("ChargePeriodStart") or "")
            and (row.get("ChargePeriodEnd") or "") <= (row.get("BillingPeriodEnd") or "")
        ),
    ),
)
"""Rules of several columns of one row."""
ONE_EACH: Final = (("SkuPriceId", "SkuId"), ("ServiceName", "ServiceCategory"), ("ServiceName", "ServiceSubcategory"))
"""Pairs of columns in which each value of the first has one value of the second, in the whole file."""


def check_rows(columns: Iterable[str], rows: Iterable[TextRow], most: int = 100) -> tuple[Violation, ...]:
    """What a file breaks, at most `most` of it; nothing where it keeps every rule."""
    names = tuple(columns)
    found = list(_check_columns(names))
    rules = [rule for rule in RULES if rule.column in names]
    seen: dict[tuple[str, str, str], str] = {}
    for number, row in enumerate(rows, 1):
        found += (Violation(number, each.column, text) for each in rules for text in _check(each, row.get(each.column)))
        found += (
            Violation(number, each.column, f"{each.name}; it is {row.get(each.column)!r}")
            for each in CONDITIONS
            if each.column in names and not each.holds(row)
        )
        for one, other in ONE_EACH:
            value, its = row.get(one), row.get(other) or ""
            if value is not None and seen.setdefault((one, other, value), its) != its:
                text = f"`{value}` has both {seen[one, other, value]!r} and {its!r} as {other}"
                found.append(Violation(number, one, text))
        if len(found) >= most:
            break
    return tuple(found[:most])


def _check_columns(names: tuple[str, ...]) -> Iterable[Violation]:
    known = {rule.column for rule in RULES}
    for rule in RULES:
        if rule.is_required and rule.column not in names:
            yield Violation(0, rule.column, "the column is missing")
    for name in names:
        if name not in known and not re.match(r"x_[A-Z][A-Za-z0-9]*\Z", name):
            yield Violation(0, name, "not a column of FOCUS 1.2, and not spelt like one of the provider's own")
    for name in {name for name in names if names.count(name) > 1}:
        yield Violation(0, name, "the column is there twice")
    own = [name.startswith("x_") for name in names]
    if own != sorted(own):
        yield Violation(0, names[own.index(True)], "the provider's own columns come after those of FOCUS")


def _check(rule: Rule, value: str | None) -> Iterable[str]:
    if value is None:
        if not rule.is_nullable:
            yield "may not be null"
        return
    if not value.strip():
        yield "an empty text stands where null belongs"
    elif rule.allowed and value not in rule.allowed:
        yield f"`{value}` is none of {', '.join(sorted(rule.allowed))}"
    elif rule.pattern and not rule.pattern.match(value):
        yield f"`{value}` is not of its form"
    elif rule.kind is Kind.INSTANT and not _INSTANT.match(value):
        yield f"`{value}` is no instant in UTC such as 2026-11-01T00:00:00Z"
    elif rule.kind is Kind.DECIMAL and not _DECIMAL.match(value):
        yield f"`{value}` is no number"
    elif rule.kind is Kind.DECIMAL and rule.is_positive and Decimal(value) < 0:
        yield f"{value} is negative"
    elif rule.kind is Kind.KEYS and not _is_flat(value):
        yield f"`{value}` is not a JSON object of single values"


def _is_flat(text: str) -> bool:
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except ValueError:
        return False
    return isinstance(value, dict) and not any(isinstance(each, (dict, list)) for each in value.values())


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found
