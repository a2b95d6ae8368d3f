"""Everything declared: the estate, with its horizon and finance."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from tripoint.domain.dataset import Dataset
from tripoint.domain.dependency import Dependency
from tripoint.domain.hardware import NodeType
from tripoint.domain.link import Link
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.policy import Policies
from tripoint.domain.purchase import OwnPrice
from tripoint.domain.recovery import RecoveryRules
from tripoint.domain.serving import Serving
from tripoint.domain.site import Site
from tripoint.domain.workload import Workload

API_VERSION = "tripoint/v1"


class RiskTolerance(StrEnum):
    """How much headroom interactive demand gets: low plans for 20 % more, medium 10 %, high none."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finance:
    """Rates that turn purchases into monthly cost."""

    currency: str = "USD"
    """Currency shown, its ISO 4217 code; figures in the estate are USD whatever it is."""
    usd_per_unit: float = 1.0
    """USD per unit of `currency`."""
    discount_rate: float | None = None
    """Cost of capital per year; catalogue figure when not declared."""
    amortisation_years: float | None = None
    """Life of owned nodes, years; catalogue figure when not declared."""
    residual_share: float | None = None
    """Value left at the end of that life, as a share of the purchase price."""
    maintenance_share_per_year: float | None = None
    """Vendor support per year as a share of the purchase price."""
    staff_usd_per_fte_year: float | None = None
    """Loaded cost of one engineer, USD per year."""
    gpus_per_fte: float | None = None
    """Accelerators one engineer runs."""
    risk_tolerance: RiskTolerance = RiskTolerance.MEDIUM
    """Headroom on interactive demand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The time planned."""

    start: str = "2027-01"
    """First month, `YYYY-MM`."""
    months: int = 36
    """Length, months; a multiple of `period_months`."""
    period_months: int = 3
    """Length of one planning period, months."""
    blocks: int = 4
    """Blocks of the load-duration curve."""
    review_months: int = 12
    """Months between placement reviews, a multiple of `period_months`: where replicas and dataset copies are kept
    changes only then; shares, nodes and bursts follow demand in every period."""

    @property
    def periods(self) -> int:
        """Number of planning periods."""
        return self.months // self.period_months

    def review_of(self, period: int) -> int:
        """First period of the review a period belongs to."""
        length = max(1, self.review_months // self.period_months)
        return period - period % length


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Everything declared."""

    apiVersion: Literal["tripoint/v1"]  # noqa: N815 - the field's spelling in every such file
    """Schema version of this file: `tripoint/v1`."""
    name: str = "estate"
    """Name shown in reports."""
    horizon: Horizon = Horizon()
    """The time planned."""
    sites: tuple[Site, ...]
    """Places."""
    models: tuple[ModelSpec, ...] = ()
    """Models."""
    workloads: tuple[Workload, ...]
    """Things to run."""
    links: tuple[Link, ...] = ()
    """Connections; places without one reach each other over the internet."""
    datasets: tuple[Dataset, ...] = ()
    """Data with weight."""
    node_types: tuple[NodeType, ...] = ()
    """Own node types beside the catalogue's."""
    policies: Policies = Policies()
    """Rules."""
    finance: Finance = Finance()
    """Rates."""
    prices: tuple[OwnPrice, ...] = ()
    """Own price sheet; the most specific line wins, and it replaces list prices."""
    serving: Serving = Serving()
    """How it is served by `tripoint serve`; the planner does not look at it."""
    recovery: RecoveryRules = RecoveryRules()
    """What is asked after losses, and what is known of the way back; `tripoint assess recovery` reads it."""
    dependencies: tuple[Dependency, ...] = ()
    """Shared things workloads and places lean on, beside those the rest of the estate shows."""
    assumptions: dict[str, float] = field(default_factory=dict)
    """Own values for tripoint's defaults, by key (see `tripoint prices assumptions`)."""
