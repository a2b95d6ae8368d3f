"""Charge rows in FOCUS terms, and rates: the unit prices one activity causes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class ChargeKind(StrEnum):
    """What a charge row pays for."""

    COMPUTE = "compute"
    AMORTISATION = "amortisation"
    CAPITAL = "capital"
    PURCHASE = "purchase"
    MAINTENANCE = "maintenance"
    STAFF = "staff"
    ENERGY = "energy"
    FACILITY = "facility"
    EXPANSION = "expansion"
    API_TOKENS = "api_tokens"
    EGRESS = "egress"
    PORT = "port"
    STORAGE = "storage"
    RETRIEVAL = "retrieval"
    MIGRATION = "migration"

    @property
    def focus_category(self) -> str:
        """Value of the FOCUS 1.2 column ChargeCategory."""
        return "Purchase" if self in (ChargeKind.PURCHASE, ChargeKind.EXPANSION) else "Usage"

    @property
    def has_known_carbon(self) -> bool:
        """False where emissions are caused and nobody publishes them."""
        return self is not ChargeKind.API_TOKENS


class CommitmentStatus(StrEnum):
    """FOCUS CommitmentDiscountStatus: whether committed (or owned) capacity was used."""

    USED = "Used"
    UNUSED = "Unused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Unit price of one thing an activity consumes; charges are rates times quantity in plan, bill and ledger alike."""

    kind: ChargeKind
    """What it pays for."""
    unit: str
    """Unit of the quantity, e.g. `node-month`."""
    list_usd: float
    """List unit cost, USD."""
    contracted_usd: float
    """Unit cost after own rates and discounts, USD."""
    billed_usd: float
    """Invoiced in the period, USD; 0 for amortisation of an earlier purchase."""
    effective_usd: float
    """Amortised unit cost, USD: what the optimiser minimises and reports compare."""
    carbon_kg: float = 0.0
    """Operational emissions per unit, kgCO2e."""
    basis: tuple[str, ...] = ()
    """Keys of the figures it rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One row of the statement."""

    period: int
    """Index of the planning period."""
    kind: ChargeKind
    """What it pays for."""
    provider: str
    """Who is paid."""
    site: str
    """Where."""
    layer: str
    """`public`, `dense` or `edge`."""
    resource: str
    """SKU, system, link, dataset or API model."""
    option: str
    """Purchase option; empty where none applies."""
    workload: str | None
    """Who caused it; `None` for idle and shared rows."""
    status: CommitmentStatus | None
    """Used or Unused for committed and owned capacity."""
    quantity: float
    """Units consumed."""
    unit: str
    """Unit of `quantity`."""
    list_usd: float
    """List cost, USD."""
    contracted_usd: float
    """Contracted cost, USD."""
    billed_usd: float
    """Billed cost, USD."""
    effective_usd: float
    """Effective cost, USD."""
    carbon_kg: float
    """Emissions, kgCO2e."""
    basis: tuple[str, ...]
    """Keys of the figures it rests on."""


def carbon_unknown_usd(charges: Iterable[Charge]) -> float:
    """Effective cost of what causes emissions that nobody publishes, USD."""
    return sum(row.effective_usd for row in charges if not row.kind.has_known_carbon)
