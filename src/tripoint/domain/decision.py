"""What a plan decides: who runs where, which nodes are bought or kept, which data is copied and moved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Part of a workload on a pool in one period and block."""

    workload: str
    """Workload id."""
    site: str
    """Site id."""
    pool: str
    """Pool id, `site/node_type`."""
    node_type: str
    """Node type or API model."""
    lane: str
    """`firm` (owned, committed or on-demand nodes), `spot` or `api`."""
    period: int
    """Period index."""
    block: int
    """Block index."""
    share: float
    """Share of the workload's demand (interactive) or work (energy kinds) of the period served here."""
    nodes: float
    """Nodes occupied on average in the block."""


class PurchaseAction(StrEnum):
    """What happens to nodes."""

    BUY = "buy"
    COMMIT = "commit"
    KEEP = "keep"
    LAPSE = "lapse"
    RETIRE = "retire"
    BURST = "burst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A decision on nodes of a pool."""

    pool: str
    """Pool id."""
    site: str
    """Site id."""
    node_type: str
    """Node type."""
    action: PurchaseAction
    """What happens."""
    option: str
    """Purchase option."""
    nodes: float
    """Nodes (mean nodes for `burst`)."""
    order_period: int
    """Period in which it must be ordered or signed; negative when before the horizon."""
    service_period: int
    """Period from which it serves."""
    until_period: int
    """Last period it serves (index); -1 for nodes retired before the first one."""
    term_months: int | None = None
    """Term of a commitment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpansionDecision:
    """An expansion step taken."""

    site: str
    """Site id."""
    step: str
    """Step id."""
    order_period: int
    """Period of the order."""
    service_period: int
    """Period from which it counts."""
    adds_kw: float
    """IT load added, kW."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyDecision:
    """A dataset copy kept at a site."""

    dataset: str
    """Dataset id."""
    site: str
    """Site id."""
    from_period: int
    """First period."""
    to_period: int
    """Last period."""
    is_new: bool
    """True when today's estate does not have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyDecision:
    """Capacity kept for the loss of another site."""

    workload: str
    """Workload id."""
    site: str
    """Where it waits."""
    pool: str
    """Pool id."""
    mode: str
    """`hot`, `warm` or `cold`."""
    period: int
    """Period index."""
    share: float
    """Share of the peak it can take over."""
    nodes: float
    """Nodes kept running for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRow:
    """Data moved between two places in a period."""

    source: str
    """From."""
    target: str
    """To."""
    purpose: str
    """`callers`, `reads`, `sync` or `seed`."""
    period: int
    """Period index."""
    gb: float
    """Volume, GB in the period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """Nodes of a pool in one period and block."""

    pool: str
    """Pool id."""
    site: str
    """Site id."""
    node_type: str
    """Node type."""
    period: int
    """Period index."""
    block: int
    """Block index."""
    owned: float
    """Owned nodes in service."""
    committed: float
    """Committed nodes."""
    on_demand: float
    """Mean on-demand nodes."""
    spot: float
    """Mean spot nodes."""
    used: float
    """Nodes occupied by workloads and standby."""
    gpus_per_node: int
    """Accelerators per node."""
