"""What is asked of the router and what it answers."""

from __future__ import annotations

from typing import NamedTuple

from tripoint.domain.record import Reason
from tripoint.domain.serving import Api
from tripoint.domain.table import Candidate, Route, Target


class Query:
    """A request as far as routing is concerned; one per request, reused by all its attempts."""

    __slots__ = (
        "api", "is_stream", "label", "must_reproduce", "prefix", "route", "sites", "tokens_in", "tokens_out",
    )  # fmt: skip

    def __init__(
        self,
        route: Route,
        sites: frozenset[str] | None = None,
        label: str | None = None,
        api: Api = Api.CHAT,
        tokens_in: int = 0,
        tokens_out: int = 0,
        prefix: int = 0,
    ) -> None:
        self.route = route
        self.sites = sites
        """Sites the caller is confined to; all when `None`."""
        self.label = label
        """Classification the request carries; the workload's own when `None`."""
        self.api = api
        self.tokens_in = tokens_in
        self.tokens_out = tokens_out
        """Limit the caller set; 0 when none."""
        self.prefix = prefix
        """Checksum of the prompt's beginning; 0 when there is nothing to keep together."""
        self.must_reproduce = False
        """True while only reproducible upstreams of the same model will do (resumption)."""
        self.is_stream = False
        """True when the first byte comes with the first token rather than with the whole answer."""


class Choice(NamedTuple):
    """A place taken on a target; given back by `Router.ended`, exactly once."""

    index: int
    """Index of the target in the table: what goes into `tried`."""
    candidate: Candidate
    target: Target
    reason: Reason
    expected_usd: float
    """What the request is expected to cost here at the margin, USD."""


class Shed(NamedTuple):
    """No choice, and what to tell the caller."""

    status: int
    code: str
    message: str
    retry_after_s: float
    """When to ask again, s; 0 when asking again will not do."""


class TargetState(NamedTuple):
    """How a target is doing, for metrics and the dashboard."""

    upstream: str
    """Upstream id."""
    site: str
    """Site id."""
    breaker: str
    """`closed`, `open` or `half_open`."""
    held: int
    """Requests it has, all workers together."""
    capacity: int
    """Requests it may have when well."""
    limit: int
    """Requests it may have now: 0 while shut, a growing share of `capacity` while it starts."""
    limited_s: float
    """How long it still asks to be left alone, s."""
    ttft_p50_s: float
    """Live time to first token, s; 0 without measurement, as below."""
    ttft_p95_s: float
    ttft_p99_s: float
    tpot_p50_s: float
    """Live time per output token, s."""
    weights: tuple[tuple[str, float], ...]
    """Share of each workload's traffic it gets now."""
