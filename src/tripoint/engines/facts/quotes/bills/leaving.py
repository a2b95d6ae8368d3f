"""Which rows of a bill are bytes that leave, and for where?

Bills have no column for it: the unit is a volume and the words say transfer. Words are those the large providers use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from tripoint.domain.bill import BillRow
from tripoint.domain.quote import Leaving

_GB: Final[Mapping[str, Decimal]] = {
    "gb": Decimal(1),
    "gigabytes": Decimal(1),
    "gib": Decimal("1.073741824"),
    "gibibytes": Decimal("1.073741824"),
    "tb": Decimal(1000),
    "tib": Decimal("1099.511627776"),
    "mb": Decimal("0.001"),
    "mib": Decimal("0.001048576"),
    "bytes": Decimal("1e-9"),
}
_MOVES: Final = re.compile(r"\b(data transfer|datatransfer|bandwidth|egress)\b")
_STAYS: Final = re.compile(r"\b(data transfer in\b(?!/)|data transfer from|ingress|(to|from) cloudfront)\b")
"""Comes in, or goes to the provider's own caches, which charge for what leaves there."""
_ZONES: Final = re.compile(r"\b(regional data transfer|between .*\b(zones|azs)\b|inter[- ]zone|intra[- ]region)\b")
_FAR: Final = re.compile(r"\b(data transfer to|inter[- ]region|between regions|from .* to)\b")


class Leavings:
    """Sums what left, by provider, region and path."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str, str], tuple[Decimal, Decimal, int]] = {}

    def add(self, provider: str, region: str, row: BillRow, usd: Decimal) -> bool:
        """Counts a row; False when it is none of bytes that leave."""
        moved, path = _gb(row), path_of(row)
        if moved is None or not path:
            return False
        gb, cost, rows = self._sums.get((provider, region, path), (Decimal(0), Decimal(0), 0))
        self._sums[provider, region, path] = (gb + moved, cost + usd, rows + 1)
        return True

    def found(self) -> tuple[Leaving, ...]:
        """What left, dearest first."""
        rows = (Leaving(*key, *sums) for key, sums in self._sums.items())
        return tuple(sorted(rows, key=lambda each: (-each.usd, -each.gb, each.provider, each.region, each.path)))


def _gb(row: BillRow) -> Decimal | None:
    """What a row counts, GB: as it was used, else as it was priced; `None` where neither is a volume."""
    for unit, quantity in ((row.unit, row.consumed), (row.pricing_unit, row.priced)):
        factor = _GB.get(unit.lower())
        if factor is not None and quantity is not None:
            return quantity * factor
    return None


def path_of(row: BillRow) -> str:
    """`internet`, `inter_region` or `zones`; empty where nothing leaves."""
    if row.custom.get("x_Kind") == "egress":
        return row.sku
    text = f"{row.description} {row.meter} {row.sku}".lower()
    if not _MOVES.search(text):
        return ""
    if _ZONES.search(text):
        return "zones"
    if _STAYS.search(text):
        return ""
    return "inter_region" if "internet" not in text and _FAR.search(text) else "internet"
