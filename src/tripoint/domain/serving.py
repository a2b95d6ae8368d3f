"""How the estate is served: upstreams behind the one endpoint, who may call, and how far live cost may move traffic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.units import ModelId, NodeTypeId, SiteId, UpstreamId, WorkloadId


class Api(StrEnum):
    """The inference interfaces callers use."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    RESPONSES = "responses"
    MESSAGES = "messages"


class Dialect(StrEnum):
    """What an upstream speaks."""

    OPENAI = "openai"
    AZURE = "azure"
    ANTHROPIC = "anthropic"


class Probe(StrEnum):
    """The synthetic request that asks whether a dead upstream is back."""

    MODELS = "models"
    GENERATE = "generate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A model server or provider that answers requests at a site."""

    id: UpstreamId
    """Unique name."""
    site: SiteId
    """Where it is: policy looks at this site, whatever the address."""
    url: str
    """Base address, e.g. `http://10.0.0.5:8000/v1`; only this file says where requests may go."""
    models: dict[ModelId, str]
    """Models it serves, each with the name it is known by there."""
    dialect: Dialect = Dialect.OPENAI
    """What it speaks."""
    apis: tuple[Api, ...] | None = None
    """Interfaces it offers; when not declared, `messages` for the Anthropic dialect, all others for the rest."""
    node_type: NodeTypeId | None = None
    """Node type it runs on, or the token-priced API model it sells: gives its price by the cost function, and its part
    of the plan. The only one of its site when not declared."""
    option: PurchaseOption | None = None
    """How that capacity is bought; when not declared as the plan buys it, else the firmest way the pool has."""
    nodes: float = 1.0
    """Nodes behind it, all sites of the entry together."""
    max_concurrency: int | None = None
    """Requests it may have at once; from its nodes and the workloads' fits when not declared."""
    secret: str | None = None
    """Credential sent to it, by reference: `env:NAME` or `file:PATH`."""
    ca_file: str | None = None
    """Certificate authority of your own that signed its certificate: path of a PEM file."""
    api_version: str | None = None
    """Azure: value of `api-version`; Anthropic: value of `anthropic-version`."""
    is_reproducible: bool = False
    """True when seeded or greedy requests give the same text on every upstream that declares so for the same model."""
    metrics: str | None = None
    """Path of its Prometheus metrics, e.g. `/metrics`; not scraped when not declared."""
    probe: Probe = Probe.MODELS
    """How to ask whether it is back: a list of its models, or one generated token."""
    usd_in_per_mtok: float | None = None
    """Own price of a million input tokens, cached ones too, USD: steers traffic, and is billed where tokens are what is
    bought; by the cost function when not declared."""
    usd_out_per_mtok: float | None = None
    """Own price of a million output tokens, USD, likewise; by the cost function when not declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKey:
    """Who may call, until tenants have a store of their own."""

    id: str
    """Unique name; the only part of it that is ever logged."""
    secret: str
    """The key, by reference: `env:NAME` or `file:PATH`."""
    tenant: str = "default"
    """Who pays."""
    workloads: tuple[WorkloadId, ...] = ()
    """Workloads it may call; all when empty."""
    only_at: tuple[str, ...] = ()
    """Sites, layers or kinds its requests are confined to; anywhere policy allows when empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """Another model may answer when nobody can serve the one asked for."""

    workload: WorkloadId
    """For this workload."""
    models: tuple[ModelId, ...]
    """In this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifting:
    """The envelope within which live cost and load may move traffic away from the plan's shares."""

    max_share: float = 1.0
    """Most of a workload's traffic that may be elsewhere than planned, 0 to 1; 0 keeps to the plan."""
    hysteresis: float = 0.1
    """How much cheaper a place must be before traffic moves, as a share of the present cost."""
    min_dwell_s: float = 60.0
    """Least time between two moves of one workload, s."""
    step: float = 0.25
    """Share of a workload's traffic moved at once."""
    max_cost_factor: float | None = None
    """Dearest place traffic may be moved to for the sake of an objective, over the cheapest; no limit when absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedging:
    """A second attempt elsewhere when the first byte is late; whichever answers first is kept."""

    quantile: float = 0.95
    """The wait, as a quantile of the live time to first token."""
    max_share: float = 0.05
    """Most requests hedged, as a share of traffic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What `tripoint serve` needs beside the rest of the estate."""

    upstreams: tuple[Upstream, ...] = ()
    """Model servers and providers."""
    keys: tuple[ClientKey, ...] = ()
    """Who may call; without any, everybody on this machine may and nobody else."""
    fallbacks: tuple[Fallback, ...] = ()
    """Other models allowed."""
    labels: tuple[str, ...] = ()
    """Classifications a request may carry beside those the estate uses anyway."""
    retry_share: float = 0.1
    """Retries and failovers as a share of traffic, beside a floor of ten in ten seconds."""
    deadline_s: float = 600.0
    """Longest a request may take, s."""
    first_byte_s: float = 60.0
    """Longest wait for a first byte before much has been measured, s."""
    stall_s: float = 30.0
    """Longest silence in the middle of a stream, s."""
    shifting: Shifting = Shifting()
    """How live cost may move traffic."""
    hedging: Hedging | None = None
    """Hedged requests; none when not declared."""
    prefix_affinity: bool = True
    """True to keep requests that begin alike on one upstream, for its cache."""
