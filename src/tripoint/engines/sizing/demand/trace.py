"""What a reader must say about a log before a demand profile can be made of it.

Readers aggregate (out of core, in whatever engine they like); these values are small whatever the size of the
log: one entry per hour or minute, never one per row. Times are seconds, since 1970 UTC where `has_calendar`,
else since the start of the trace.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tripoint.domain.demand import Distribution
from tripoint.domain.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A stretch of time with a burstiness of its own (an hour of a log, a window of a published summary)."""

    weight: float
    """Arrivals in the spell."""
    cv: float
    """Coefficient of variation of the inter-arrival times inside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSeries:
    """Amount of load per equal time bin; bins not listed carried none."""

    width_s: float
    """Width of a bin, seconds."""
    origin_s: float
    """Start of bin 0, seconds on the clock of the trace."""
    amounts: tuple[tuple[int, float], ...]
    """(bin, amount), bins ascending; requests, or accelerator-seconds for GPU jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """When things arrived."""

    amount: float
    """Requests or jobs in the window."""
    first_s: float
    """Start of the window, seconds."""
    last_s: float
    """End of the window, seconds."""
    has_calendar: bool
    """True when times are since 1970 UTC, so weekdays are known."""
    peak_per_s: float
    """Highest rate over one minute (or over the finest bin the trace has), per second."""
    spells: tuple[Spell, ...]
    """Burstiness by spell."""
    load: LoadSeries
    """Load over time, in bins `load_bin_s` wide."""

    @property
    def window_s(self) -> float:
        """Length of the trace, seconds."""
        return self.last_s - self.first_s


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceHeader:
    """Where a trace came from and what was set aside on the way."""

    name: str
    """Name of the profile."""
    source: str
    """File name and what it is."""
    rows: int
    """Rows used."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows set aside, by reason."""
    notes: tuple[str, ...] = ()
    """What the reader found worth saying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTrace:
    """An aggregated log of requests."""

    header: TraceHeader
    """Origin and losses."""
    arrivals: Arrivals
    """When requests arrived."""
    input_tokens: Distribution | None
    """Input tokens per request."""
    output_tokens: Distribution | None
    """Output tokens per request."""
    prefix_blocks: int = 0
    """Prefix-cache blocks asked for; 0 when the trace does not show them."""
    repeated_blocks: int = 0
    """Of these, blocks that an earlier request (or an earlier part of the same one) had asked for."""
    tenants: int | None = None
    """Distinct tenants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRows:
    """Requests of a log one by one, in the order they came; all columns are of one length."""

    at_s: tuple[float, ...]
    """Seconds after the first."""
    input_tokens: tuple[int, ...]
    """Input tokens."""
    output_tokens: tuple[int, ...]
    """Output tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTrace:
    """An aggregated log of accelerator jobs."""

    header: TraceHeader
    """Origin and losses."""
    arrivals: Arrivals
    """When jobs arrived; its load counts accelerator-seconds in use."""
    gpu_hours: float
    """Accelerator-hours of the jobs that arrived in the window."""
    gang_gpus: int
    """Accelerators of the 95th-percentile job."""
    job_hours: Distribution
    """Duration, hours."""
    tenants: int | None = None
    """Distinct tenants."""


def load_bin_s(window_s: float) -> float:
    """Width of the load bins a trace of this length deserves: hours from a day on, minutes from ten minutes
    on.
    """
    if window_s >= SECONDS_PER_DAY:
        return SECONDS_PER_HOUR
    return SECONDS_PER_MINUTE if window_s >= 10 * SECONDS_PER_MINUTE else 1.0
