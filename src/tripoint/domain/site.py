"""Places with power and an address: sites, their power envelope, cooling and expansion steps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.purchase import NodePool
from tripoint.domain.units import SiteId


class SiteKind(StrEnum):
    """What sort of place a site is."""

    CLOUD = "cloud"
    GPU_CLOUD = "gpu_cloud"
    COLO = "colo"
    ON_PREM = "on_prem"
    EDGE = "edge"

    @property
    def layer(self) -> Layer:
        """The layer of the estate the kind belongs to."""
        if self is SiteKind.CLOUD:
            return Layer.PUBLIC
        return Layer.EDGE if self is SiteKind.EDGE else Layer.DENSE

    @property
    def is_rented(self) -> bool:
        """True where the provider runs the facility and power is inside the node-hour price."""
        return self in (SiteKind.CLOUD, SiteKind.GPU_CLOUD)


class Layer(StrEnum):
    """The three territories that meet: public cloud, GPU-dense private or specialised, edge."""

    PUBLIC = "public"
    DENSE = "dense"
    EDGE = "edge"


class Redundancy(StrEnum):
    """Electrical feed redundancy; it decides how much of the envelope may be loaded."""

    N = "N"
    N_PLUS_1 = "N+1"
    TWO_N = "2N"


class CoolingClass(StrEnum):
    """Cooling classes, ascending in the rack density they carry."""

    PASSIVE = "passive"
    AIR = "air"
    AIR_CONTAINED = "air_contained"
    REAR_DOOR = "rear_door"
    DIRECT_LIQUID = "direct_liquid"

    @property
    def rank(self) -> int:
        """Position in ascending order; a site can cool every node whose class ranks no higher."""
        return list(CoolingClass).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerEnvelope:
    """Electrical and cooling limits of a dense or edge site, and what they cost."""

    it_kw: float | None = None
    """IT load the site may draw, kW, before expansion."""
    feeds: Redundancy = Redundancy.N_PLUS_1
    """Feed redundancy."""
    feed_count: int = 2
    """Independent feeds; with N+1 one of them may be lost without shedding load."""
    envelope_is_after_redundancy: bool = True
    """True when `it_kw` is already the load that survives the loss of a feed (the usual contract)."""
    rack_density_kw: float | None = None
    """Most IT load in one rack, kW."""
    racks: int | None = None
    """Racks available."""
    cooling: CoolingClass | None = None
    """Best cooling available."""
    pue: float | None = None
    """Power usage effectiveness, total over IT energy (ISO/IEC 30134-2)."""
    energy_usd_per_kwh: float | None = None
    """Energy price, USD per kWh."""
    colo_usd_per_kw_month: float | None = None
    """Space-and-power price per kW of IT load and month, USD."""
    contracted_kw: float = 0.0
    """IT load paid every month whether used or not, kW."""
    grid_gco2_per_kwh: float | None = None
    """Carbon intensity of the supply, gCO2e per kWh."""

    @property
    def usable_kw(self) -> float | None:
        """IT load that survives the loss of one feed (2N: of half of them), kW; `None` when not declared."""
        return None if self.it_kw is None else self.it_kw * self._usable_share

    @property
    def _usable_share(self) -> float:
        if self.envelope_is_after_redundancy or self.feeds is Redundancy.N:
            return 1.0
        return 0.5 if self.feeds is Redundancy.TWO_N else max(self.feed_count - 1, 1) / max(self.feed_count, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpansionStep:
    """A way to make a site bigger, once."""

    id: str
    """Name, unique within the site."""
    adds_kw: float = 0.0
    """IT load added, kW."""
    adds_racks: int = 0
    """Racks added."""
    one_off_usd: float = 0.0
    """Cost when ordered, USD; billed then, effective over the life of a facility."""
    usd_per_month: float = 0.0
    """Running cost once in service, USD per month."""
    lead_time_months: int = 0
    """Months from order to service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place with power and an address, or a number of identical ones."""

    id: SiteId
    """Unique name."""
    kind: SiteKind
    """What sort of place."""
    provider: str = "own"
    """Who runs it, e.g. `aws`; matched against the price catalogues without regard to case."""
    region: str | None = None
    """The provider's region, e.g. `us-east-1`; gives country, carbon and prices."""
    country: str | None = None
    """ISO 3166 alpha-2 country; from the region when not declared."""
    jurisdiction: str | None = None
    """Country whose law reaches the operator; the site's country when not declared."""
    certifications: tuple[str, ...] = ()
    """Certificates held, e.g. `iso27001`, `soc2`, `hipaa_baa`, `pci_dss`, `c5`."""
    failure_domains: tuple[str, ...] = ()
    """Names of things shared with other sites that fail together (grid, metro, conduit, provider region)."""
    power: PowerEnvelope | None = None
    """Limits and prices of the facility; needed by `colo`, `on_prem` and `edge` sites that host nodes."""
    expansion: tuple[ExpansionStep, ...] = ()
    """Ways to grow."""
    pools: tuple[NodePool, ...] | None = None
    """Nodes held and obtainable; for rented sites every catalogue SKU of the region when not declared."""
    apis: tuple[str, ...] = ()
    """Token-priced API models sold here (catalogue ids)."""
    storage_usd_per_gb_month: float | None = None
    """Own price of hot storage, USD per GB and month."""
    count: int = 1
    """Number of identical sites this entry stands for; limits and nodes are per site."""
