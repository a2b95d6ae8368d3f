"""Where does a bill say that something ran, whether or not the catalogue knows what?"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from tripoint.domain.quote import BilledPlace

MOST_UNKNOWN: Final = 50
"""Different things without a node type that are told per place; what is beyond is counted only."""


@dataclass(slots=True)
class _Sums:
    rows: int = 0
    usd: Decimal = Decimal(0)
    unknown: dict[str, Decimal] = field(default_factory=dict)


class Places:
    """Sums usage by provider and region."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], _Sums] = {}

    def add(self, provider: str, region: str, usd: Decimal) -> None:
        """Counts a row of usage."""
        sums = self._sums.setdefault((provider, region), _Sums())
        sums.rows += 1
        sums.usd += usd

    def add_unknown(self, provider: str, region: str, says: str, hours: Decimal) -> None:
        """Counts hours of a row, which `add` has counted, that names no node type."""
        unknown = self._sums[provider, region].unknown
        if says in unknown or len(unknown) < MOST_UNKNOWN:
            unknown[says] = unknown.get(says, Decimal(0)) + hours

    def found(self) -> tuple[BilledPlace, ...]:
        """Every place, by provider and region."""
        return tuple(
            BilledPlace(
                provider=provider,
                region=region,
                rows=sums.rows,
                usd=sums.usd,
                unknown=tuple(sorted(sums.unknown.items(), key=lambda each: (-each[1], each[0]))),
            )
            for (provider, region), sums in sorted(self._sums.items())
        )
