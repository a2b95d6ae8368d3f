"""Things to run: the five kinds of workload, their demand, objectives, data and recovery class."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.units import AcceleratorId, DatasetId, ModelId, NodeTypeId, SiteId, WorkloadId


class WorkloadKind(StrEnum):
    """The five kinds."""

    INFERENCE = "inference"
    BATCH_INFERENCE = "batch_inference"
    EMBEDDING = "embedding"
    TRAINING = "training"
    FINE_TUNING = "fine_tuning"

    @property
    def is_interactive(self) -> bool:
        """True where a caller waits, so capacity follows the peak; the others are energy-like."""
        return self is WorkloadKind.INFERENCE

    @property
    def answers_requests(self) -> bool:
        """True where something can be asked of it over the endpoint; the others are runs."""
        return self not in (WorkloadKind.TRAINING, WorkloadKind.FINE_TUNING)


class Standby(StrEnum):
    """How capacity for a lost site is kept."""

    NONE = "none"
    COLD = "cold"
    WARM = "warm"
    HOT = "hot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Where requests come from."""

    place: str
    """A site id, a `provider:region`, or a country code."""
    share: float = 1.0
    """Part of the demand, 0 to 1; shares of one workload sum to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """How much is asked of a workload today."""

    requests_per_s: float | None = None
    """Interactive: mean requests per second over the week."""
    requests_per_day: float | None = None
    """Same, per day; exclusive with `requests_per_s`."""
    input_tokens: float | None = None
    """Mean input tokens per request (or document)."""
    output_tokens: float | None = None
    """Mean output tokens per request."""
    cached_share: float = 0.0
    """Share of input tokens served from a prefix cache, 0 to 1."""
    burstiness_cv: float | None = None
    """Coefficient of variation of inter-arrival times within an hour; 1 is Poisson."""
    shape: str | None = None
    """Hour-of-week shape: `flat`, `office_hours`, `consumer`, `evening`, `nightly`; `flat` when not declared."""
    hour_of_week: tuple[float, ...] | None = None
    """168 relative weights from Monday 00:00 UTC; replaces `shape`."""
    profile: str | None = None
    """Path of a demand profile written by `tripoint demand fit`, relative to the estate; replaces the fields above."""
    scale: float = 1.0
    """Factor on a profile's request rate (a trace is often a sample of the whole)."""
    payload_kb: float | None = None
    """Bytes on the wire per request, both ways, kB; from the token counts when not declared."""
    mtok_per_month: float | None = None
    """Batch and embedding: million tokens to process per month."""
    gpu_hours_per_month: float | None = None
    """Training and fine-tuning: accelerator-hours per month on `reference_accelerator`."""
    reference_accelerator: AcceleratorId | None = None
    """Accelerator the GPU-hours were counted on."""
    gang_gpus: int | None = None
    """Accelerators one run needs at once, in one site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """Service level objective."""

    ttft_ms: float | None = None
    """Time to first token, ms, at the 95th percentile, network included."""
    tpot_ms: float | None = None
    """Time per output token, ms."""
    availability: float | None = None
    """Share of time the workload must answer, e.g. 0.999; 0.999 and up asks for N+1 replicas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetUse:
    """Data a workload reads or writes."""

    dataset: DatasetId
    """Which dataset."""
    gb_per_month: float
    """Volume moved at full demand, GB per month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What must survive the loss of a site."""

    standby: Standby = Standby.NONE
    """How the capacity is kept: hot holds it all, warm a catalogue share of it, cold none but an offer to get it."""
    rto_minutes: float | None = None
    """Recovery time objective, minutes; chooses `standby` when that is not declared."""
    rpo_minutes: float | None = None
    """Recovery point objective of the data the workload writes, minutes; the strictest of writers and dataset holds."""
    survive_share: float = 1.0
    """Share of demand that must be served after any one site is lost, 0 to 1; a plan keeps capacity for it where
    `standby` or `rto_minutes` is declared too."""
    spare_nodes: int = 0
    """Interactive: nodes kept idle in every pool it runs on, so that nodes may fail; one spare serves all who ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayShare:
    """Where part of a workload runs today; the first baseline."""

    site: SiteId
    """Which site."""
    node_type: NodeTypeId | None = None
    """On what; the cheapest fitting one when not declared."""
    option: PurchaseOption | None = None
    """Bought how; the pool's own when not declared."""
    share: float = 1.0
    """Part of the demand, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A thing to run."""

    id: WorkloadId
    """Unique name."""
    kind: WorkloadKind
    """Which of the five kinds."""
    model: ModelId | None = None
    """Model it serves, embeds with or trains."""
    demand: Demand
    """How much is asked of it."""
    callers: tuple[Caller, ...] = ()
    """Where requests come from; network latency is not checked when empty."""
    slo: Slo = Slo()
    """Objectives of interactive workloads."""
    deadline_hours: float | None = None
    """Batch and training: hours from arrival to completion."""
    reads: tuple[DatasetUse, ...] = ()
    """Datasets read."""
    writes: tuple[DatasetUse, ...] = ()
    """Datasets written."""
    classification: str = "internal"
    """Label used by policies."""
    regimes: tuple[str, ...] = ()
    """Compliance regimes, e.g. `gdpr`, `hipaa`, `pci_dss`."""
    recovery: Recovery = Recovery()
    """What must survive."""
    growth_per_year: float = 0.0
    """Growth of demand per year as a fraction (0.5 is 50 %)."""
    priority: int = 3
    """1 is served first when capacity is short, 5 last."""
    allows_spot: bool | None = None
    """Whether interruptible capacity may be used; batch and training yes, interactive no, when not declared."""
    is_indivisible: bool | None = None
    """Whether it must run in one site per period; training yes, others no, when not declared."""
    min_replicas: int | None = None
    """Least running copies wherever it runs, in its busiest hours; 1 when not declared. The spare copy that
    availability asks for is sized into the whole workload, wherever its replicas are."""
    only_at: tuple[str, ...] = ()
    """Sites, layers or kinds it is confined to; anywhere when empty."""
    not_at: tuple[str, ...] = ()
    """Sites, layers or kinds it may not use."""
    today: tuple[TodayShare, ...] = ()
    """Where it runs today."""
