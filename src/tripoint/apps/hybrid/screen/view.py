"""What a moment of the run looks like: figures and events, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """One site, over the last few seconds."""

    site: str
    """Site id; `all` for the sum."""
    layer: str
    """`public`, `dense` or `edge`; empty for the sum."""
    state: str
    """`serving`, `killed`, `shut` or `starting`."""
    requests_per_s: float
    """Requests answered a second."""
    tokens_per_s: float
    """Output tokens a second."""
    ttft_p50_s: float | None
    """Median time to the first token, s; `None` without any."""
    ttft_p95_s: float | None
    """95th percentile of it, s."""
    usd_per_hour: float
    """Effective cost at this pace, USD an hour."""
    today_usd: float
    """Effective cost of the day so far, as the ledger has it, USD; idle capacity included."""
    in_flight: int
    """Requests under way."""
    capacity: int
    """Requests it may have at once."""
    past: tuple[float, ...]
    """Requests a second of the last seconds, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamView:
    """One upstream's breaker."""

    upstream: str
    """Upstream id."""
    breaker: str
    """`closed`, `half_open`, `open`, or empty when not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantView:
    """Who pays, as the ledger has it."""

    tenant: str
    """Tenant id; `idle` for capacity nobody used."""
    today_usd: float
    """Effective cost of the day so far, USD."""
    spent_usd: float = 0.0
    """Spent of its fullest budget, USD."""
    limit_usd: float = 0.0
    """That budget, USD; 0 when it has none."""
    window: str = ""
    """`day` or `month`."""
    refused: int = 0
    """Requests callers saw refused for it."""

    @property
    def share(self) -> float:
        """How full the budget is, from 0 to 1; 0 without one."""
        return self.spent_usd / self.limit_usd if self.limit_usd > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    at_s: float
    """Seconds since the start."""
    told: str
    """What, in a line."""
    is_bad: bool = False
    """True for what costs somebody something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A moment."""

    at_s: float
    """Seconds since the start."""
    estate: str
    """Name of the estate."""
    address: str
    """Where callers call."""
    key_file: str
    """File with a key that anybody at this machine may call with."""
    is_ready: bool
    """Whether the gateway says it is ready."""
    sites: tuple[SiteView, ...]
    """Sites in the estate's order."""
    whole: SiteView
    """Their sum."""
    upstreams: tuple[UpstreamView, ...]
    """Upstreams in the estate's order."""
    shares: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    """Per workload: upstream and the share of traffic it is meant to get now."""
    tenants: tuple[TenantView, ...]
    """Who pays, by name."""
    models: tuple[tuple[str, float], ...]
    """Model and its effective cost of the day so far, USD, the dearest first."""
    sent: int
    """Requests callers sent."""
    answered: int
    """Answered whole."""
    lost: int
    """Lost."""
    refused: int
    """Refused, since a budget is spent."""
    strayed: int
    """Answered where policy forbids it."""
    events: tuple[Event, ...]
    """What happened, oldest first."""
    prompt: str = ""
    """A question to the person at the keys, instead of the list of keys."""
