"""What trials found: outcomes per workload, verdicts per scenario, and how far each objective is from breaking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Aim(StrEnum):
    """Objectives an outcome is held against."""

    AVAILABILITY = "availability"
    TTFT = "ttft"
    RTO = "rto"
    RPO = "rpo"
    CAPACITY = "capacity"
    COST = "cost"
    RESIDENCY = "residency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One workload in one trial; requests in `requests` mode, thousand requests or work hours in `hours` mode."""

    workload: str
    """Workload id."""
    offered: float
    """Asked of it."""
    answered: float
    """Answered whole, late ones included."""
    late: float
    """Answered after its objective."""
    shed: float
    """Refused for want of room (429 or 503 told at once)."""
    lost: float
    """Failed in any other way."""
    outside: float
    """Served where its policy forbids; must be 0."""
    outage_s: float
    """Longest time it was served below the least share its objective asks for, s: the recovery time achieved."""
    stale_s: float
    """Age of the newest data that survived, s: the recovery point achieved; 0 where nothing was lost."""
    ttft_p99_ms: float
    """Time to first token, 99th percentile, ms; 0 where not measured."""
    wait_p99_ms: float
    """Time spent in queues, 99th percentile, ms."""
    usd: float
    """What serving cost during the trial, USD."""
    usual_usd: float
    """What it costs over the same time with the same arrivals and no fault, USD."""
    margin: float
    """Least free share of the capacity it may use, 0 to 1; negative when more was asked than there was."""
    first_limit: str
    """First limit reached, in the estate's words; empty when none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One trial that is to be played; it says nothing of where or when."""

    scenario: str
    """Scenario id; several joined by `+` where they come together."""
    number: int
    """Its number among the trials of the scenario; with the seed it fixes every random draw."""
    magnitudes: dict[str, float]
    """Values of the knobs."""

    @property
    def key(self) -> str:
        """Tells trials of one run apart: the same key, the same trial."""
        knobs = ",".join(f"{name}={self.magnitudes[name]!r}" for name in sorted(self.magnitudes))
        return f"{self.scenario}#{self.number}?{knobs}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of one scenario."""

    scenario: str
    """Scenario id."""
    number: int
    """Its number among the trials of the scenario; with the seed of the report it fixes every random draw."""
    magnitudes: dict[str, float]
    """Values of the knobs."""
    outcomes: tuple[Outcome, ...]
    """Per workload."""
    events: int
    """Events processed, for speed and for telling whether two runs were the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A statistic over trials."""

    mean: float
    """Mean over trials."""
    p5: float
    """5th percentile."""
    p95: float
    """95th percentile."""
    worst: float
    """The worst of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One objective of one workload under one scenario."""

    aim: Aim
    """Which objective."""
    target: float
    """What is asked, in the aim's unit."""
    reached: Interval
    """What was reached over the trials, same unit."""
    met_share: float
    """Share of trials that met it."""
    is_met: bool
    """True when 95 % of the trials met it; residency asks for all."""
    breaks_at: float | None
    """Value of the scenario's first magnitude from which it is not met; `None` when it holds over the whole range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One workload under one scenario."""

    scenario: str
    """Scenario id."""
    workload: str
    """Workload id."""
    availability: Interval
    """Answered in time over offered."""
    shed: Interval
    """Share refused for want of room."""
    lost: Interval
    """Share failed."""
    outage_s: Interval
    """Recovery time achieved, s."""
    stale_s: Interval
    """Recovery point achieved, s."""
    wait_p99_ms: Interval
    """Queueing, ms."""
    cost_delta_usd: Interval
    """Cost beyond the usual, USD per trial."""
    margin: Interval
    """Least free share of capacity."""
    outside: float
    """Requests served where policy forbids, over all trials; must be 0."""
    first_limit: str
    """Limit most often reached first; empty when none."""
    held: tuple[Held, ...]
    """Objectives, each with its distance to failure."""
