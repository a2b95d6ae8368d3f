"""Who may run where: a fit carries the numbers the program needs, a refusal the numbers that forbid it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.units import NodeTypeId, PoolId, SiteId, WorkloadId


class RefusalReason(StrEnum):
    """Why a workload may not run on an offer; policy reasons come first and are never traded against cost."""

    RESIDENCY = "residency"
    CERTIFICATION = "certification"
    LICENCE = "licence"
    CONFINED = "confined"
    SPOT_NOT_ALLOWED = "spot_not_allowed"
    COOLING = "cooling"
    RACK_DENSITY = "rack_density"
    POWER = "power"
    MEMORY = "memory"
    NO_THROUGHPUT = "no_throughput"
    LATENCY = "latency"
    TPOT = "tpot"
    GANG = "gang"
    CAPACITY = "capacity"
    NO_PRICE = "no_price"
    CONTEXT = "context"

    @property
    def is_policy(self) -> bool:
        """True for rules somebody set, false for physics and missing figures."""
        return self in (
            RefusalReason.RESIDENCY,
            RefusalReason.CERTIFICATION,
            RefusalReason.LICENCE,
            RefusalReason.CONFINED,
            RefusalReason.SPOT_NOT_ALLOWED,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A (workload, pool) pair that is out, and why."""

    workload: WorkloadId
    """Which workload."""
    site: SiteId
    """Where."""
    node_type: str
    """On what (node type, API model, or `*` when the whole site is refused)."""
    reason: RefusalReason
    """Kind of reason."""
    text: str
    """The reason with its numbers."""
    actual: float | None = None
    """The figure found."""
    limit: float | None = None
    """The figure allowed."""
    unit: str = ""
    """Unit of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A (workload, pool) pair that is in, with the capacity it needs.

    Interactive: serving a share of the demand planned for takes share x `nodes`, what the queue needs for the whole;
    `fixed_nodes` + `nodes_per_unit` x peak requests/s is a line above that at any rate up to the largest, for
    questions about other demands. Energy kinds: doing `work` units takes nodes_per_unit x work node-hours, and at
    least `fixed_nodes` nodes must be obtainable at once (the gang). Token APIs: all are 0.
    """

    workload: WorkloadId
    """Which workload."""
    site: SiteId
    """Where."""
    pool: PoolId
    """`site/node_type`, or `site/api-model`."""
    node_type: NodeTypeId
    """On what."""
    is_api: bool = False
    """True for token-priced APIs."""
    precision: str = ""
    """Weight precision chosen."""
    gpus_per_replica: int = 0
    """Accelerators per replica (tensor parallel width)."""
    nodes: tuple[tuple[float, ...], ...] = ()
    """[period][block] nodes the whole demand takes (interactive, all sites of the entry); nothing for other kinds."""
    fixed_nodes: float = 0.0
    """Nodes of the line at any rate (interactive, all sites of the entry), or the gang at one site."""
    nodes_per_unit: float = 0.0
    """Nodes of the line per request/s (interactive), node-hours per work unit (energy kinds)."""
    busy_nodes_per_unit: float = 0.0
    """Busy nodes per request/s (node-hours per work unit for energy kinds), also where `nodes_per_unit` is 0."""
    ttft_ms: float | None = None
    """Predicted time to first token at the sized load, network included, ms."""
    tpot_ms: float | None = None
    """Time per output token at the sized load, ms."""
    rtt_ms: float | None = None
    """Worst caller's round-trip time, ms."""
    basis: tuple[str, ...] = ()
    """Keys of the figures it rests on."""
