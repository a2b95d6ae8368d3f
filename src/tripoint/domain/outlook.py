"""Outlooks: how demand and prices may turn out, with weights, and what is best decided before one knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

OUTLOOKS_VERSION = "tripoint/outlooks/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFactors:
    """Factors on what is bought by the hour or the token; commitments and servers keep the price they are bought at."""

    on_demand: float = 1.0
    """On hours of nodes on demand."""
    spot: float = 1.0
    """On hours of spot nodes."""
    per_token: float = 1.0
    """On tokens."""

    @property
    def by_option(self) -> dict[str, float]:
        """Factors by purchase option."""
        return {"on_demand": self.on_demand, "spot": self.spot, "per_token": self.per_token}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One way in which demand and prices may turn out."""

    id: str
    """Name, e.g. `boom`."""
    weight: float
    """How likely it is, relative to the others; above 0."""
    since: str = ""
    """First period it differs in, e.g. `2028-Q1`; the second placement review where empty, the start without one."""
    demand: float = 1.0
    """Factor on every workload's demand."""
    demand_of: dict[str, float] = field(default_factory=dict)
    """Factor on one workload's demand instead, by its id."""
    prices: PriceFactors = PriceFactors()
    """Factors on prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookFile:
    """A file of outlooks."""

    apiVersion: Literal["tripoint/outlooks/v1"]  # noqa: N815 - the field's spelling in every such file
    """Schema version of this file: `tripoint/outlooks/v1`."""
    outlooks: tuple[Outlook, ...]
    """Two to five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What could be ordered, signed, given up and built at the first review, and what becomes of it."""

    name: str
    """Whose choice it is: `all outlooks together`, `as declared`, `as if boom were certain`."""
    expected_npv_usd: float | None
    """Cost over the outlooks by their weights, discounted USD; `None` where some outlook has no plan after it."""
    regret_npv_usd: float | None
    """The most it costs more in any outlook than what is best there, discounted USD; `None` likewise."""
    npv_usd: tuple[float | None, ...]
    """[outlook] cost, discounted USD; `None` where no plan is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What is best decided before one knows which outlook comes true."""

    outlooks: tuple[Outlook, ...]
    """As declared, weights adding up to 1."""
    choices: tuple[Choice, ...]
    """The first is the plan's."""
    decisions: tuple[str, ...]
    """What the plan's choice orders, signs, gives up and builds at the first review."""
    perfect_npv_usd: float
    """Expected cost if one knew: each outlook's own best by its weight, discounted USD."""
    bound_npv_usd: float
    """No choice is proven to have an expected cost below this, discounted USD."""
    gap: float
    """(expected cost of the plan's choice - bound) / expected cost."""
    note: str = ""
    """What to bear in mind."""
