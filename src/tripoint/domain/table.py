"""The routing table: what the estate and the plan say about serving, compiled once and read on every request.

It holds no secret (only references) and no rule: policy has already removed what may not be, for every label a
request can carry. It is a frozen value, saved as JSON, so that a recorded run can be replayed against it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.money import Tariff
from tripoint.domain.serving import Api, Dialect, Hedging, Probe, Shifting

TABLE_SCHEMA = "tripoint/routing-table/v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrice:
    """What one request costs at the margin: linear in its tokens. For choosing only; what is billed is a `Tariff`."""

    usd_in: float
    """USD per input token."""
    usd_out: float
    """USD per output token."""
    usd_cached: float
    """USD per cached input token."""
    usd_request: float = 0.0
    """USD per request: egress of a typical answer, call fees."""

    def of(self, tokens_in: float, tokens_out: float, cached: float = 0) -> float:
        """Cost of a request, USD; `cached` tokens are part of `tokens_in`."""
        return (
            self.usd_request + (tokens_in - cached) * self.usd_in + cached * self.usd_cached + tokens_out * self.usd_out
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An upstream as the data path sees it."""

    id: str
    """Upstream id."""
    slot: int
    """Its place in the shared board; kept over reloads while id and address stay the same."""
    site: str
    """Site id."""
    layer: str
    """`public`, `dense` or `edge`."""
    kind: str
    """Site kind."""
    provider: str
    """Who is paid."""
    country: str
    """Country of the site, empty when unknown."""
    dialect: Dialect
    """What it speaks."""
    is_tls: bool
    """True for https."""
    host: str
    """Name or address to connect to."""
    port: int
    """TCP port."""
    base_path: str
    """Path before `/chat/completions`, e.g. `/v1`; no trailing slash."""
    apis: tuple[Api, ...]
    """Interfaces it offers."""
    max_concurrency: int
    """Requests it may have at once, all workers together."""
    secret: str | None = None
    """Reference to its credential."""
    ca_file: str | None = None
    """Private certificate authority, PEM file."""
    api_version: str | None = None
    """Azure and Anthropic version header or parameter."""
    is_reproducible: bool = False
    """True when seeded or greedy output is the same on all such upstreams of a model."""
    metrics_path: str | None = None
    """Path of its Prometheus metrics."""
    probe: Probe = Probe.MODELS
    """How a dead one is asked whether it is back."""
    held_nano_per_hour: int = 0
    """What its nodes cost an hour whether they work or not, nano-dollars; 0 for token APIs and where not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A way to serve a workload: a model on a target."""

    target: int
    """Index into the table's targets."""
    model: str
    """Model spec id."""
    name: str
    """What the target calls the model."""
    share: float
    """Share of the workload's traffic the plan puts here, 0 to 1; 0 for places the plan does not use, and for all
    without a plan. Shares of a route that has any sum to 1; a fallback has none."""
    price: TokenPrice
    """Marginal cost: what one more request costs now; routing compares it."""
    tariff: Tariff
    """Effective cost: what a request is billed, capacity it takes up included."""
    list_tariff: Tariff
    """The same at list prices."""
    marginal: Tariff
    """`price`, exact, for the record."""
    firm: Tariff
    """The part of `tariff` that pays for capacity which is paid whether it works or not."""
    basis: str
    """Where the price comes from, for records and people."""
    rtt_ms: float = 0.0
    """Network round trip from the workload's callers, ms."""
    context_tokens: int = 0
    """Longest context it was sized for; 0 when not known."""
    is_fallback: bool = False
    """True for another model than the one asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A workload as the data path sees it."""

    workload: str
    """Workload id; callers may name it as the model."""
    model: str
    """Model spec id; callers may name it where it decides the workload."""
    candidates: tuple[Candidate, ...]
    """Every candidate policy allows for the workload's own classification."""
    allowed: dict[str, tuple[int, ...]]
    """Per label a request may carry: indices of the candidates still allowed; a label that is absent allows none."""
    priority: int
    """1 is served first when capacity is short, 5 last."""
    ttft_ms: float | None
    """Objective: time to first token, ms."""
    tpot_ms: float | None
    """Objective: time per output token, ms."""
    tokens_out: int
    """Output tokens of a typical request, for the cost expected of one that sets no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A client key as the data path sees it."""

    id: str
    """Key id."""
    tenant: str
    """Who pays."""
    secret: str
    """Reference to the secret."""
    workloads: tuple[str, ...]
    """Workloads it may call; all when empty."""
    sites: tuple[str, ...] | None
    """Sites it is confined to; all when `None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingTable:
    """Everything a worker needs."""

    schema: str = TABLE_SCHEMA
    """Schema version."""
    name: str
    """Estate name."""
    estate_digest: str
    """`sha256:` of the estate, its serving section left out, as the plan has it."""
    plan_digest: str
    """`sha256:` over what serving reads of the plan, empty without one."""
    prices: str
    """Price version: a short digest of every tariff of the table."""
    targets: tuple[Target, ...]
    """Upstreams."""
    routes: tuple[Route, ...]
    """Workloads that can be served."""
    keys: tuple[KeyEntry, ...]
    """Who may call; anybody when empty (and then only on loopback)."""
    labels: tuple[str, ...]
    """Every classification a request may carry."""
    retry_share: float
    """Retries and failovers as a share of traffic."""
    deadline_s: float
    """Longest a request may take, s."""
    first_byte_s: float
    """Longest wait for a first byte before much has been measured, s."""
    stall_s: float
    """Longest silence in the middle of a stream, s."""
    shifting: Shifting
    """Envelope of live moves."""
    hedging: Hedging | None
    """Hedged requests."""
    prefix_affinity: bool
    """True to keep requests that begin alike together."""
