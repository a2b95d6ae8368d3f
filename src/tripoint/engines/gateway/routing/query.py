"""What is asked of the router and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tripoint.domain.record import Reason
from tripoint.domain.serving import Api
from tripoint.domain.table import Candidate, Route, Target

if TYPE_CHECKING:
    from tripoint.engines.gateway.routing.flow import Way


class Query:
    """A request as far as routing is concerned; one per request, used by all its attempts."""

    __slots__ = (
        "api", "is_stream", "label", "must_reproduce", "prefix", "route", "sites", "tokens_in", "tokens_out",
        "workload",
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
        """The workload asked for; after a reload the route of that name in the present table decides."""
        self.workload = route.workload
        """Its name: a route's members cost more to reach."""
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


class Choice:
    """A place taken on a target; given back by `Router.ended`. Mutable, since it is the identity of that place."""

    __slots__ = (
        "at", "candidate", "epoch", "index", "is_answered", "is_over", "is_trial", "query", "reason",
        "target", "way",
    )  # fmt: skip

    def __init__(self, way: Way, query: Query, reason: Reason, at: float) -> None:
        self.way = way
        """Where the outcome is noted; the router's own."""
        self.candidate: Candidate = way.candidate
        self.target: Target = way.station.target
        self.index = way.slot
        """The target's slot, which outlives reloads: what goes into `tried`."""
        self.reason = reason
        self.query = query
        self.at = at
        """When the place was taken, s."""
        self.epoch = way.station.breaker.epoch
        """Epoch of the breaker then: an outcome from an earlier one tells nothing about this one."""
        self.is_trial = False
        """True for the one live request that decides whether a target is well again."""
        self.is_answered = False
        self.is_over = False
        """True once the place was given back: doing so again does nothing."""


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
    """Requests it may have now: 0 while shut or limited, a growing part of `capacity` while it starts."""
    limited_s: float
    """How long it still asks to be left alone, s."""
    is_silent: bool
    """True while several requests wait for it much longer than usual and it has said nothing."""
    ttft_p50_s: float
    """Live time to first token, s, as seen by the slowest model on it; 0 without measurement, as below."""
    ttft_p95_s: float
    ttft_p99_s: float
    tpot_p50_s: float
    """Live time per output token, s."""
    weights: tuple[tuple[str, float, float], ...]
    """Per workload: share of its traffic here now, and the plan's share."""
