"""What does a million tokens cost? Usage-based leaves idle capacity out, reservation-based counts it.

    usage-based        = cost of the capacity while it served / million tokens served
    reservation-based  = cost of all capacity held            / million tokens served

The two meet at full use; their distance is the price of idleness. Both count input and output tokens alike.
"""

from __future__ import annotations

from typing import NamedTuple


class TokenCost(NamedTuple):
    """USD per million tokens, both ways."""

    usage: float
    """Idle capacity left out, USD per Mtok."""
    reserved: float
    """Idle capacity included, USD per Mtok."""


def token_cost(used_usd: float, idle_usd: float, mtok: float) -> TokenCost | None:
    """Cost per million tokens of capacity that served for `used_usd` and stood idle for `idle_usd`.

    `None` without tokens.
    """
    return None if mtok <= 0 else TokenCost(usage=used_usd / mtok, reserved=(used_usd + idle_usd) / mtok)
