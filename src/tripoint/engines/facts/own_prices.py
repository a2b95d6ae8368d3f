"""Which line of the estate's own price sheet applies? The one with most matching fields; the first of
equals.

Assumes a line carries a rate per node-hour, token prices, or a discount off list: one of the three. A rate per
hour says nothing about a purchase or a token price, so it never matches owned nodes or APIs; token prices match APIs
only."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.provenance import Figure, Origin
from tripoint.domain.purchase import OwnPrice, PurchaseOption


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is being priced."""

    provider: str
    """Provider, lower case."""
    skus: tuple[str, ...]
    """Names the price sheet may know it by."""
    region: str | None
    """Region."""
    option: PurchaseOption
    """Purchase option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLine:
    """A price-sheet line that applies, and where it stands in the sheet."""

    index: int
    """Position in `prices`."""
    line: OwnPrice
    """The line."""

    def figure(self) -> Figure:
        """The line's rate or discount as a figure."""
        rate, discount = self.line.usd_per_hour, self.line.discount
        is_rate = rate is not None
        return Figure(
            key=f"prices[{self.index}].{'usd_per_hour' if is_rate else 'discount'}",
            value=(rate if rate is not None else discount) or 0.0,
            unit="USD/node-hour" if is_rate else "share of list",
            origin=Origin.DECLARED,
            note="own price sheet; replaces the list price" if is_rate else "own discount, taken off the list price",
        )


def best_line(prices: tuple[OwnPrice, ...], subject: Subject) -> OwnLine | None:
    """The most specific line that applies to `subject`."""
    fitting = [OwnLine(index=i, line=line) for i, line in enumerate(prices) if _applies(line, subject)]
    return max(fitting, key=lambda own: _specificity(own.line), default=None)


def _applies(line: OwnPrice, subject: Subject) -> bool:
    skus = {name.lower() for name in subject.skus}
    is_hourly = subject.option not in (PurchaseOption.OWNED, PurchaseOption.PER_TOKEN)
    return (
        (line.provider is None or line.provider.strip().lower() == subject.provider)
        and (line.sku is None or line.sku.lower() in skus)
        and (line.region is None or line.region.lower() == (subject.region or "").lower())
        and (line.option is None or line.option is subject.option)
        and (
            line.discount is not None
            or (is_hourly and line.usd_per_hour is not None)
            or (subject.option is PurchaseOption.PER_TOKEN and line.usd_in_per_mtok is not None)
        )
    )


def _specificity(line: OwnPrice) -> int:
    return sum(field is not None for field in (line.provider, line.sku, line.region, line.option))
