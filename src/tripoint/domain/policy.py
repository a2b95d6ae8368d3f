"""Rules that remove candidates before cost is looked at, and caps on what the whole plan may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.units import WorkloadId


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidencyRule:
    """Where matching workloads and datasets may be."""

    allow: tuple[str, ...]
    """Countries (alpha-2) or country sets (`EEA`, `EU`, `GDPR_adequate`)."""
    classifications: tuple[str, ...] = ()
    """Matches these classifications; any when this and `regimes` and `workloads` are all empty."""
    regimes: tuple[str, ...] = ()
    """Matches these regimes."""
    workloads: tuple[WorkloadId, ...] = ()
    """Matches these workloads."""
    by_jurisdiction: bool = False
    """True to test the operator's jurisdiction as well as the country."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationRule:
    """Certificates a site must hold for matching workloads."""

    requires: tuple[str, ...]
    """All of these."""
    classifications: tuple[str, ...] = ()
    """Matches these classifications; any when this, `regimes` and `workloads` are all empty."""
    regimes: tuple[str, ...] = ()
    """Matches these regimes."""
    workloads: tuple[WorkloadId, ...] = ()
    """Matches these workloads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcentrationCap:
    """The largest share of effective cost one provider may have."""

    max_share: float
    """Share of the period's effective cost, 0 to 1."""
    provider: str | None = None
    """One provider; every provider other than `own` when not declared."""


class CostView(StrEnum):
    """Which cost a budget counts."""

    EFFECTIVE = "effective"
    BILLED = "billed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Most money per period."""

    usd_per_period: float
    """USD per planning period."""
    view: CostView = CostView.EFFECTIVE
    """Amortised (effective) or as invoiced (billed) cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """All rules of the estate."""

    residency: tuple[ResidencyRule, ...] = ()
    """Where data and workloads may be."""
    certification: tuple[CertificationRule, ...] = ()
    """Certificates needed, beside those the regimes ask for."""
    concentration: tuple[ConcentrationCap, ...] = ()
    """Vendor concentration caps."""
    budget: Budget | None = None
    """Most money per period."""
    max_moves_per_period: int | None = None
    """Most workload moves between sites per period."""
    regimes_from_catalogue: bool = True
    """True to apply the catalogue's residency and certification rules of each declared regime."""
