"""Directed connections between sites, and what moving data over them costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.units import LinkId, SiteId


class TransferClass(StrEnum):
    """Which of a provider's egress tariffs a transfer falls under."""

    INTERNET = "internet"
    INTER_REGION = "inter_region"
    INTERCONNECT = "interconnect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A connection between two places (site ids, or names used as callers' places)."""

    id: LinkId
    """Unique name."""
    source: SiteId
    """Where it starts."""
    target: SiteId
    """Where it ends."""
    rtt_ms: float | None = None
    """Round-trip time, ms; estimated from the catalogue when not declared."""
    bandwidth_gbps: float | None = None
    """Usable bandwidth in each direction, Gbit/s; not a limit when not declared."""
    usd_per_gb: float | None = None
    """Price of transfer out over this link, USD per GB; the provider's interconnect tariff when not declared."""
    port_usd_per_month: float = 0.0
    """Ports, cross-connects and circuits, USD per month."""
    is_private: bool = True
    """True for interconnects and own circuits; false for the open internet."""
    both_ways: bool = True
    """True when the link carries traffic in both directions."""
    conduits: tuple[str, ...] = ()
    """Physical things it shares with other links and that fail together."""
