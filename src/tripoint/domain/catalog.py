"""Dated facts tripoint ships: typed rows of the catalogue tables. Every row carries its provenance."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.hardware import Accelerator, NodeType
from tripoint.domain.provenance import Provenance
from tripoint.domain.purchase import PurchaseOption


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputePrice:
    """Price of a node-hour at a provider."""

    provider: str
    """Provider, lower case (`aws`)."""
    sku: str
    """Node type id."""
    region: str
    """Region, or `global`."""
    option: PurchaseOption
    """Purchase option."""
    term_months: int | None
    """12 or 36 for commitments."""
    usd_per_hour: float
    """USD per node-hour."""
    provenance: Provenance
    """Source."""
    note: str = ""
    """How a derived or estimated price was made; empty for observed ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRatio:
    """Price of an option relative to on-demand, used where no own row exists."""

    provider: str
    """Provider, lower case; `*` for any."""
    option: PurchaseOption
    """`committed` or `spot`."""
    term_months: int | None
    """12 or 36 for commitments."""
    low: float
    """Low end of the ratio."""
    typical: float
    """Ratio used."""
    high: float
    """High end of the ratio."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPrice:
    """Price of a token-priced API model."""

    id: str
    """`provider/model`."""
    provider: str
    """Provider, lower case."""
    model: str
    """Model name at that provider."""
    mode: str
    """`chat` or `embedding`."""
    usd_in_per_mtok: float
    """USD per million input tokens."""
    usd_out_per_mtok: float
    """USD per million output tokens; 0 for embeddings."""
    usd_cached_per_mtok: float | None
    """USD per million cached input tokens."""
    usd_batch_in_per_mtok: float | None
    """USD per million input tokens in batch mode."""
    usd_batch_out_per_mtok: float | None
    """USD per million output tokens in batch mode."""
    max_input_tokens: int | None
    """Context limit, tokens."""
    retires: str | None
    """Date the vendor withdraws it, ISO; `None` when not announced."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressTier:
    """One tier of a provider's egress tariff."""

    provider: str
    """Provider, lower case; `private` for own sites."""
    path: str
    """`internet`, `inter_region` or `interconnect`."""
    scope: str
    """`NA_EU`, a region, or `any`."""
    from_gb: float
    """Lower bound of the monthly volume, GB."""
    to_gb: float | None
    """Upper bound; `None` for the last tier."""
    usd_per_gb: float
    """Marginal price inside the tier, USD per GB."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortPrice:
    """Price of an interconnect port or circuit."""

    provider: str
    """Provider or carrier."""
    product: str
    """Product name."""
    capacity_gbps: float
    """Capacity, Gbit/s."""
    usd_per_month: float
    """USD per month."""
    usd_per_gb_out: float
    """USD per GB sent out over it."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePrice:
    """Price of a storage tier."""

    provider: str
    """Provider, lower case; `private` for own sites."""
    product: str
    """Product name."""
    tier: str
    """`hot`, `cool`, `cold` or `archive`."""
    usd_per_gb_month: float
    """USD per GB and month."""
    retrieval_usd_per_gb: float
    """USD per GB read back."""
    min_days: int
    """Least days billed."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRow:
    """A provider's region."""

    provider: str
    """Provider, lower case."""
    region: str
    """Region id."""
    country: str
    """ISO 3166 alpha-2."""
    city: str
    """City or state."""
    geo: str
    """`NA`, `EU`, `APAC`, `LATAM`, `ME` or `AF`."""
    gco2_per_kwh: float | None
    """Grid carbon intensity, gCO2e per kWh."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRow:
    """Round-trip time between two classes of places."""

    source: str
    """Country, geo or place class."""
    target: str
    """Country, geo or place class."""
    low_ms: float
    """Low, ms."""
    typical_ms: float
    """Value used, ms."""
    high_ms: float
    """High, ms."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricityRow:
    """Electricity price and carbon of a country or state."""

    region: str
    """Country alpha-2, or `US-VA` for a state."""
    low: float
    """USD per kWh, low."""
    typical: float
    """USD per kWh, value used."""
    high: float
    """USD per kWh, high."""
    gco2_per_kwh: float | None
    """Grid carbon intensity, gCO2e per kWh."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultRow:
    """A facility, finance or sizing figure by key, e.g. `pue.colo`; overridable by the estate's `assumptions`."""

    key: str
    """Dotted key."""
    low: float | None
    """Low end."""
    typical: float
    """Value used."""
    high: float | None
    """High end."""
    unit: str
    """Unit."""
    provenance: Provenance
    """Source."""
    note: str
    """What it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogModel:
    """A model the catalogue knows."""

    id: str
    """Name, e.g. `llama3.1-70b`."""
    parameters_b: float
    """Parameters, billions."""
    active_parameters_b: float
    """Active per token, billions."""
    kv_mb_per_token: float | None
    """KV cache per token at bf16, MB."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThroughputPoint:
    """One measured (or modelled) serving speed: the key is the whole configuration, never the GPU's name alone."""

    model: str
    """Catalogue model id."""
    accelerator: str
    """Accelerator id."""
    precision: str
    """Weight precision."""
    scenario: str
    """`offline`, `server`, `interactive`, `chat` or `rag`."""
    input_tokens: float
    """Input tokens of the measured shape."""
    output_tokens: float
    """Output tokens of the measured shape."""
    tokens_per_s_per_gpu: float
    """Output tokens (documents x input tokens for embeddings) per second and accelerator."""
    low: float | None
    """Lowest of several results."""
    high: float | None
    """Highest of several results."""
    ttft_ms: float | None
    """Time to first token at the point, or the bound it was measured under, ms; `None` when unbounded (offline)."""
    tpot_ms: float | None
    """Time per output token at the point, or its bound, ms."""
    gpus_per_replica: int | None
    """Tensor (or expert) parallel width of the measurement."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPoint:
    """Relative training speed of an accelerator."""

    workload: str
    """Catalogue training workload, e.g. `llama2-70b LoRA`."""
    accelerator: str
    """Accelerator id."""
    gpus: int
    """Scale of the measurement."""
    tokens_per_s_per_gpu: float
    """Tokens per second and accelerator."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeRule:
    """What a compliance regime asks of the place where data is handled; not legal advice."""

    regime: str
    """Regime key used in estates, e.g. `gdpr`."""
    rule: str
    """Rule id in the catalogue."""
    allow: tuple[str, ...]
    """Countries or sets a site must be in; any when empty."""
    requires: tuple[str, ...]
    """Certificates a site must hold; none when empty."""
    summary: str
    """The rule in a few words."""
    legal_ref: str
    """Article or section."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountrySet:
    """A named set of countries."""

    name: str
    """`EEA`, `EU`, `GDPR_adequate`, ..."""
    members: tuple[str, ...]
    """Alpha-2 codes."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All tables. `digest` identifies the shipped data in a plan."""

    digest: str
    """`sha256:` of the files read, in name order."""
    as_of: str
    """Newest date in the tables."""
    accelerators: tuple[Accelerator, ...]
    node_types: tuple[NodeType, ...]
    compute_prices: tuple[ComputePrice, ...]
    price_ratios: tuple[PriceRatio, ...]
    api_prices: tuple[ApiPrice, ...]
    egress: tuple[EgressTier, ...]
    ports: tuple[PortPrice, ...]
    storage: tuple[StoragePrice, ...]
    regions: tuple[RegionRow, ...]
    latency: tuple[LatencyRow, ...]
    electricity: tuple[ElectricityRow, ...]
    defaults: tuple[DefaultRow, ...]
    models: tuple[CatalogModel, ...]
    throughput: tuple[ThroughputPoint, ...]
    training: tuple[TrainingPoint, ...]
    regimes: tuple[RegimeRule, ...]
    country_sets: tuple[CountrySet, ...]
    sources: dict[str, str]
    """Source key -> one line that says what it is."""
