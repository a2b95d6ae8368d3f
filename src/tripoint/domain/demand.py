"""Demand as the planner uses it: profiles fitted from traces, and the grid of periods and blocks."""

from __future__ import annotations

from dataclasses import dataclass, field

from tripoint.domain.units import WorkloadId

PROFILE_SCHEMA = "tripoint/demand/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A token-count distribution, tokens."""

    mean: float
    """Mean."""
    p50: float
    """Median."""
    p95: float
    """95th percentile."""
    p99: float
    """99th percentile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveBlock:
    """One block of a load-duration curve."""

    weight: float
    """Share of the time, 0 to 1; the weights of a curve sum to 1."""
    level: float
    """Mean rate in the block relative to the overall mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandProfile:
    """What `tripoint demand fit` learned from a log or trace."""

    schema: str = PROFILE_SCHEMA
    """Schema of the file."""
    name: str
    """Name, from the file unless given."""
    kind: str
    """`requests` or `gpu_jobs`."""
    source: str
    """File name and what it is, as the user described it."""
    window_s: float
    """Length of the trace, seconds."""
    rows: int
    """Rows used."""
    requests_per_s: float = 0.0
    """Mean rate, requests (or jobs) per second."""
    input_tokens: Distribution | None = None
    """Input tokens per request."""
    output_tokens: Distribution | None = None
    """Output tokens per request."""
    burstiness_cv: float | None = None
    """Coefficient of variation of inter-arrival times."""
    peak_to_mean: float = 1.0
    """Highest one-minute rate over the mean."""
    hour_of_week: tuple[float, ...] | None = None
    """168 relative weights with mean 1, when the trace covers enough time; else `None`."""
    curve: tuple[CurveBlock, ...] = ()
    """Load-duration curve."""
    cacheable_share: float | None = None
    """Share of input tokens whose prefix block was seen before, when the trace shows it."""
    tenants: int | None = None
    """Distinct tenants, when the trace shows them."""
    gpu_hours: float | None = None
    """GPU jobs: accelerator-hours in the window."""
    gang_gpus: int | None = None
    """GPU jobs: accelerators of the 95th-percentile job."""
    job_hours: Distribution | None = None
    """GPU jobs: duration, hours (not tokens)."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows dropped, by reason."""
    notes: tuple[str, ...] = ()
    """Gaps, clock jumps and other things worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandTaken:
    """Observed demand that stands in for what an estate declares."""

    source: str
    """Where it was observed, e.g. `ledger (2026-11-16 00:00 to 2026-11-23 00:00)`, or the name of an export."""
    since: float
    """Begin of the time observed, seconds since 1970."""
    until: float
    """Its end: what the demand is as of."""
    step_s: float = 0.0
    """Steps by which begin and end are known, s; 0 where requests were seen singly."""
    declared_digest: str
    """`sha256:` of the estate with what it declares."""
    profiles: dict[WorkloadId, DemandProfile]
    """By workload; others are planned as declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of the common load-duration curve: a set of hours of the week."""

    name: str
    """`b1` is the busiest."""
    hours_of_week: tuple[int, ...]
    """Hours 0..167 from Monday 00:00 UTC."""
    weight: float
    """Share of the time, 0 to 1."""
    longest_gap_hours: float
    """Longest stretch of the week, hours, in which the block does not occur."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadDemand:
    """Demand of one workload over periods and blocks, requests (or work units) in the units of its kind."""

    workload: WorkloadId
    """Whose demand."""
    peak_rate: tuple[tuple[float, ...], ...]
    """[period][block]: requests per second capacity must carry in the busiest hour of the block; 0 for energy kinds."""
    mean_rate: tuple[tuple[float, ...], ...]
    """[period][block]: mean requests per second, for volumes and energy; 0 for energy kinds."""
    work: tuple[float, ...]
    """[period]: work units to finish in the period (Mtok for batch and embedding, reference GPU-hours for training)."""
    input_tokens: float
    """Mean input tokens per request."""
    output_tokens: float
    """Mean output tokens per request."""
    cached_share: float
    """Share of input tokens from a prefix cache."""
    burstiness_cv: float
    """Coefficient of variation of inter-arrival times."""
    mtok_in: tuple[float, ...]
    """[period]: million input tokens in the period (0 for training)."""
    mtok_out: tuple[float, ...]
    """[period]: million output tokens in the period."""
    gb_wire: tuple[float, ...]
    """[period]: GB between callers and the workload, both ways."""
    gang_gpus: int = 0
    """Accelerators one run needs at once, declared or from the job log; 0 when it needs no gang."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandGrid:
    """Demand of all workloads on the common grid."""

    periods: tuple[str, ...]
    """Labels, `2027-Q1` or `2027-01`."""
    period_hours: float
    """Hours in a period."""
    blocks: tuple[Block, ...]
    """Common blocks, busiest first."""
    workloads: tuple[WorkloadDemand, ...]
    """One per workload, in the estate's order."""
