"""What is committed, and how well is it used?

A bill charges a commitment's share of each hour to the rows it was used for, and what was left of it to rows with the
status `Unused`: effective cost used over effective cost is the utilisation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tripoint.domain.bill import BillRow
from tripoint.domain.quote import CommitmentUse
from tripoint.domain.units import NodeTypeId


@dataclass(slots=True)
class _Sums:
    """One commitment, summed so far."""

    row: BillRow
    provider: str
    regions: set[str] = field(default_factory=set)
    node_types: set[NodeTypeId] = field(default_factory=set)
    used_usd: Decimal = Decimal(0)
    unused_usd: Decimal = Decimal(0)
    used_hours: Decimal = Decimal(0)
    rows: int = 0
    has_effective: bool = True


class Commitments:
    """Sums the rows of each commitment."""

    def __init__(self) -> None:
        self._sums: dict[str, _Sums] = {}

    def add(self, provider: str, region: str, row: BillRow, usd: Decimal) -> None:
        """Counts a row of usage that a commitment applies to, used or not."""
        sums = self._sums.setdefault(_key(row), _Sums(row, provider))
        sums.rows += 1
        sums.has_effective = sums.has_effective and row.has_effective
        if region:
            sums.regions.add(region)
        if row.commitment_status == "Unused":
            sums.unused_usd += usd
        else:
            sums.used_usd += usd

    def add_nodes(self, row: BillRow, node_type: NodeTypeId, hours: Decimal) -> None:
        """Counts node-hours of a row that `add` has counted."""
        sums = self._sums.get(_key(row))
        if sums is not None:
            sums.node_types.add(node_type)
            sums.used_hours += hours

    def found(self) -> tuple[CommitmentUse, ...]:
        """Every commitment, dearest first."""
        uses = (
            CommitmentUse(
                id=name,
                type=sums.row.commitment_type,
                category=sums.row.commitment_category,
                provider=sums.provider,
                regions=tuple(sorted(sums.regions)),
                node_types=tuple(sorted(sums.node_types)),
                used_usd=sums.used_usd,
                unused_usd=sums.unused_usd,
                used_hours=sums.used_hours,
                rows=sums.rows,
                has_effective=sums.has_effective,
            )
            for name, sums in self._sums.items()
        )
        return tuple(sorted(uses, key=lambda use: (-(use.used_usd + use.unused_usd), use.id)))


def _key(row: BillRow) -> str:
    """The commitment's id; where the bill has none, what it is for."""
    return row.commitment or f"{row.provider} {row.region or row.region_name} {row.sku}".strip()
