"""Data with weight: what must be stored, copied and read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.units import DatasetId, SiteId


class StorageTier(StrEnum):
    """Retention tiers, hottest first."""

    HOT = "hot"
    COOL = "cool"
    COLD = "cold"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A body of data that workloads read or write."""

    id: DatasetId
    """Unique name."""
    size_gb: float
    """Size today, GB."""
    growth_per_year: float = 0.0
    """Growth per year as a fraction (0.3 is 30 %)."""
    change_gb_per_month: float = 0.0
    """Volume changed per month, which every extra copy must receive, GB."""
    copies: tuple[SiteId, ...] = ()
    """Sites that hold a copy today; the first is the source of truth."""
    classification: str = "internal"
    """Label used by policies: `public`, `internal`, `confidential`, `restricted` or your own."""
    regimes: tuple[str, ...] = ()
    """Compliance regimes that apply, e.g. `gdpr`, `hipaa`."""
    tier: StorageTier = StorageTier.HOT
    """Storage tier of the copies."""
    retention_months: int | None = None
    """Months data must be kept; adds an archive copy when set."""
    rpo_minutes: float | None = None
    """Most data loss tolerated, minutes; 60 or less asks for a second copy in another failure domain."""
