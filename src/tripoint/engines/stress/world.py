"""What an estate is while it is tried: places that serve, workloads that are asked, links between, one routing table.

It is compiled once from estate, catalogue and plan, holds no rule and no randomness, and is the same for the request
simulator and for the fluid one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tripoint.domain.table import RoutingTable
from tripoint.engines.sizing.demand.trace import TraceRows


class Timing(Protocol):
    """How long one model takes on a place."""

    def times(self, running: float, tokens_in: int, tokens_out: int) -> tuple[float, float]:
        """Seconds from begin to first token and from that to the last, `running` sequences sharing the place.

        `running` counts the request itself, and is more than there are where a part of the nodes is gone; waiting
        before it begins is no part of it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyTiming:
    """The plainest timing: prompt and output at rates that do not depend on who else is there."""

    first_s: float
    """Seconds to the first token of an empty prompt."""
    in_s: float
    """Seconds per input token."""
    out_s: float
    """Seconds per output token."""

    def times(self, running: float, tokens_in: int, tokens_out: int) -> tuple[float, float]:
        """See `Timing`."""
        del running
        return self.first_s + tokens_in * self.in_s, max(0, tokens_out - 1) * self.out_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What stands behind one upstream of the table: nodes of one pool, or a token API."""

    upstream: str
    """Upstream id; place `i` of a world is target `i` of its table."""
    site: str
    """Site id."""
    pool: str
    """`site/node_type`, or `site/api-model`; `site/` where nobody declared what it runs on."""
    provider: str
    """Who runs the site."""
    region: str
    """The provider's region; empty for own sites."""
    kind: str
    """Site kind."""
    option: str
    """How its nodes are paid: `owned`, `committed`, `on_demand`, `spot` or `per_token`."""
    nodes: float
    """Nodes that serve; 0 for a token API, and for a cold standby until its nodes are there."""
    slots: int
    """Sequences it works on at once with these nodes, or with all it can have where it has none yet; what comes
    beyond waits in its own queue."""
    timings: Mapping[str, Timing]
    """Model spec id -> how long it takes."""
    most_nodes: float
    """Nodes that can be had here, those that serve included; `inf` where they are rented without a limit."""
    ready_after_s: float
    """Seconds from a loss elsewhere until one more node serves here: noticed, provided, loaded, warmed up; `inf` where
    no more can be had."""
    usd_per_node_hour: float
    """What one more node costs an hour, USD; 0 for a token API and where nobody knows."""
    rates: Mapping[str, float]
    """Workload id -> requests per second it sustains within the objectives, were it that workload's alone; `inf` for
    a token API."""
    is_cold: bool = False
    """True for a standby that has no nodes until they are needed."""
    kept_nodes: float = 0.0
    """Nodes a cold standby is to have, for which its rates and slots are; not read elsewhere."""
    is_approved: bool = False
    """True where nobody must approve of more nodes: the plan has said that they are to be rented."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """Where a part of a workload's requests comes from."""

    place: str
    """As declared; empty where no callers are."""
    share: float
    """Part of the requests, 0 to 1."""
    rtt_ms: Mapping[str, float]
    """Site id -> round trip, ms."""
    links: Mapping[str, tuple[str, ...]]
    """Site id -> links of the estate on the way; empty over the open internet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demanded:
    """A workload as it is asked."""

    workload: str
    """Workload id."""
    kind: str
    """Workload kind."""
    model: str
    """Model spec id."""
    requests_per_s: float
    """Mean over the week."""
    hour_of_week: tuple[float, ...]
    """168 UTC weights of mean 1, from Monday 00:00."""
    burstiness_cv: float
    """Coefficient of variation of the times between arrivals; 1 is Poisson."""
    tokens_in: float
    """Mean input tokens of a request."""
    tokens_out: float
    """Mean output tokens."""
    growth_per_year: float
    """Growth of demand per year as a fraction."""
    priority: int
    """1 is served first, 5 last."""
    is_interactive: bool
    """True where a caller waits: its requests are streamed and late ones count."""
    ttft_ms: float | None
    """Objective: time to first token, ms."""
    tpot_ms: float | None
    """Objective: time per output token, ms."""
    availability: float | None
    """Objective: share of requests answered in time."""
    least_share: float
    """Share of its demand it must be served with, 0 to 1; below it is an outage."""
    deadline_hours: float | None
    """Work nobody waits for: hours until it must be done."""
    permitted: tuple[str, ...]
    """Sites policy permits, in the estate's order: judged anew, not taken from the table."""
    callers: tuple[Callers, ...]
    """Where its requests come from; one nameless entry where nothing was declared."""
    tokens_in_cv: float = 0.0
    """Coefficient of variation of input tokens; 0 where only their mean is known, which is what was planned for."""
    tokens_out_cv: float = 1.0
    """Coefficient of variation of output tokens."""
    kb_per_request: float = 0.0
    """Bytes of a mean request on the wire, both ways, kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAt:
    """Where a part of a workload of runs is done."""

    place: Place
    """The pool, as faults strike it; it is no target of the table, and its rates and slots are not read."""
    work_per_hour: float
    """Node-hours of work that come in each hour."""
    gang_nodes: int
    """Nodes one run takes together."""
    nodes: int
    """Nodes that are there for it, or that can be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A workload of training runs, as the plan places it."""

    workload: str
    """Workload id."""
    places: tuple[RunAt, ...]
    """Where it is done."""
    deadline_hours: float | None
    """Hours until work that came in must be done."""
    checkpoint_s: float
    """Time between checkpoints, s."""
    restart_s: float
    """From nodes that stand to a run that goes on from its last checkpoint, s."""
    permitted: tuple[str, ...]
    """Sites policy permits, judged anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A declared link."""

    id: str
    """Link id."""
    ends: tuple[str, str]
    """The two places."""
    bandwidth_gbps: float | None
    """Usable bandwidth, Gbit/s; `None` where it is no limit."""
    conduits: tuple[str, ...]
    """Physical things it shares with other links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a trial is played on."""

    name: str
    """Estate name."""
    table: RoutingTable
    """What the gateway routes by."""
    places: tuple[Place, ...]
    """In the order of the table's targets."""
    demanded: tuple[Demanded, ...]
    """Workloads that answer requests and have a route, in the estate's order."""
    lines: tuple[Line, ...] = ()
    """Declared links."""
    unserved: tuple[str, ...] = ()
    """Workloads that answer requests and that nothing serves, in the estate's order."""
    runs: tuple[Run, ...] = ()
    """Workloads of training runs, in the estate's order; played in trials of hours."""
    traces: Mapping[str, TraceRows] = field(default_factory=dict)
    """Workload id -> requests of a log: how they come and how long they are; its demand says how many."""
    wide: World | None = None
    """The same with places the plan has nothing at and policy permits, after its own: what could be rented there.

    Trials of hours are played on it; in minutes nothing is rented anew. `None` where there is no such place.
    """
