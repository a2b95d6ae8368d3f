"""What does a million tokens cost? Usage-based leaves idle capacity out, reservation-based counts it.

    usage-based        = cost of the capacity while it served / million tokens served
    reservation-based  = cost of all capacity held            / million tokens served

The two meet at full use; their distance is the price of idleness. Both count input and output tokens alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tripoint.domain.charge import Charge, CommitmentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCost:
    """USD per million tokens, both ways."""

    usage: float
    """Idle capacity left out, USD per Mtok."""
    reserved: float
    """Idle capacity included, USD per Mtok."""


def token_cost(charges: Iterable[Charge], mtok: float) -> TokenCost | None:
    """Effective cost per million tokens of `charges`, whose idle rows are Unused; `None` without tokens."""
    if mtok <= 0:
        return None
    rows = tuple(charges)
    idle = sum(row.effective_usd for row in rows if row.status is CommitmentStatus.UNUSED)
    total = sum(row.effective_usd for row in rows)
    return TokenCost(usage=(total - idle) / mtok, reserved=total / mtok)
