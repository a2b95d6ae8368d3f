"""The planning instance: everything the program needs, resolved to numbers and indexed.

A *lane* is one way for one workload to run: a fit on a pool's firm-or-on-demand nodes, on its spot nodes, or on
a token API. Restricting an instance (for a baseline) removes lanes and purchase options and changes nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tripoint.domain.catalog import Catalog
from tripoint.domain.charge import Rate
from tripoint.domain.demand import DemandGrid, WorkloadDemand
from tripoint.domain.estate import Estate
from tripoint.domain.fit import Fit, Refusal
from tripoint.domain.provenance import Figure
from tripoint.domain.purchase import Offer
from tripoint.domain.site import ExpansionStep, Site
from tripoint.domain.workload import Workload
from tripoint.engines.facts.figures import FinanceFigures, NodeFigures, SiteFigures
from tripoint.engines.facts.pools import PoolSpec


class LaneKind(StrEnum):
    """What a lane consumes."""

    FIRM = "firm"
    SPOT = "spot"
    API = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One way for one workload to run."""

    workload: int
    """Index into `estate.workloads`."""
    site: int
    """Index into `instance.sites`."""
    pool: int | None
    """Index into `instance.pools`; `None` for APIs."""
    kind: LaneKind
    """What it consumes."""
    fit: Fit
    """Capacity need."""
    offer: Offer | None = None
    """The spot or API offer; `None` for firm lanes, whose nodes are bought by the pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermOffer:
    """A commitment that may be signed."""

    offer: Offer
    """Price per node-hour."""
    periods: int
    """Length in periods."""
    month_rates: tuple[Rate, ...]
    """Rates of one node-month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCommitment:
    """A commitment that runs on."""

    nodes: int
    """Nodes (all sites of the entry)."""
    ends: str
    """Last month."""
    months: tuple[int, ...]
    """[period] months of it that fall in the period."""
    month_rates: tuple[Rate, ...]
    """Rates of one node-month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolModel:
    """A pool with its prices resolved to rates; nodes are counted per site and multiplied by `count`."""

    spec: PoolSpec
    """The pool."""
    site: int
    """Index into `instance.sites`."""
    gpus: int
    """Accelerators per node."""
    count: int
    """Identical sites."""
    figures: NodeFigures
    """Figures of one node."""
    node_kw: float
    """Nameplate draw of a node, kW."""
    max_nodes: float
    """Most nodes per site; infinite when unlimited."""
    lead_periods: int
    """Periods from order to service of an owned node."""
    lead_months: float
    """Same, months."""
    held: int
    """Owned nodes installed today, per site."""
    held_months: tuple[int, ...]
    """[period] months in which the held nodes are still being written off."""
    owned_month: tuple[Rate, ...]
    """Rates of one owned node-month; empty when it cannot be owned."""
    owned_purchase: tuple[Rate, ...]
    """Rates of buying one node."""
    held_running: tuple[Rate, ...]
    """Rates of keeping one held node a month, write-off apart."""
    held_sunk: tuple[Rate, ...]
    """Write-off of one held node a month, paid whatever is decided."""
    busy_hour: tuple[Rate, ...]
    """Rates of a busy owned node-hour above idle."""
    on_demand_hour: tuple[Rate, ...]
    """Rates of one on-demand node-hour; empty when not offered."""
    spot_hour: tuple[Rate, ...]
    """Rates of one spot node-hour; empty when not offered."""
    terms: tuple[TermOffer, ...]
    """Commitments that may be signed."""
    signed: tuple[SignedCommitment, ...]
    """Commitments that run on."""
    offers: tuple[Offer, ...]
    """All priced offers, for reports and break-even."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteModel:
    """A site with its limits resolved to numbers."""

    site: Site
    """As declared."""
    figures: SiteFigures
    """Figures of the site."""
    layer: str
    """Layer."""
    usable_kw: float
    """IT load that survives the loss of a feed, per site, kW; infinite for rented sites."""
    racks: float
    """Racks per site; infinite when not declared."""
    expansion_lead: tuple[int, ...]
    """[step] periods from order to service."""

    @property
    def steps(self) -> tuple[ExpansionStep, ...]:
        """Expansion steps that may be ordered."""
        return self.site.expansion


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """Everything the program needs."""

    estate: Estate
    """As declared."""
    catalog: Catalog
    """Facts."""
    grid: DemandGrid
    """Demand on the common grid."""
    finance: FinanceFigures
    """Rates."""
    sites: tuple[SiteModel, ...]
    """Sites in the estate's order."""
    pools: tuple[PoolModel, ...]
    """Pools some lane can use or somebody already pays for."""
    lanes: tuple[Lane, ...]
    """All ways to run."""
    discount: tuple[float, ...]
    """[period] discount factor."""
    refusals: tuple[Refusal, ...]
    """Pairs that are out."""
    figures: tuple[Figure, ...]
    """Every figure used, by key."""
    price_factors: Mapping[str, float] = field(default_factory=dict)
    """Factors of an outlook on what is bought by the hour or the token, by purchase option."""
    prices_from: int = 0
    """First period they hold in."""

    @property
    def periods(self) -> range:
        """Period indices."""
        return range(len(self.grid.periods))

    @property
    def blocks(self) -> range:
        """Block indices."""
        return range(len(self.grid.blocks))

    def block_hours(self, block: int) -> float:
        """Hours of the block in one period."""
        return self.grid.blocks[block].weight * self.grid.period_hours

    def workload(self, lane: Lane) -> Workload:
        """The workload of a lane."""
        return self.estate.workloads[lane.workload]

    def demand(self, lane: Lane) -> WorkloadDemand:
        """The demand of a lane's workload."""
        return self.grid.workloads[lane.workload]
