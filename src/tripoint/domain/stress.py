"""What trials found: outcomes per workload, verdicts per scenario, and how far each objective is from breaking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.cut import Spread
from tripoint.domain.errors import Finding
from tripoint.domain.scenario import Scenario

STRESS_SCHEMA = "tripoint/stress/v1"


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
    """Age of the newest copy of its data that was left, or would have been at the worst moment, s: the recovery point
    achieved; 0 where nothing was done to its data or to the way to its copies."""
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
    after_s: float = 0.0
    """How long it stays without service after the trial's end, s: the rest of a restore that takes longer."""


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
    """Share refused for lack of room."""
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
    late: Interval | None = None
    """Share answered after its objective; `None` in reports of versions that did not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A strike beside a scenario's first that hits nothing here: less happened than was meant."""

    scenario: str
    """Scenario id."""
    strike: int
    """Its number among the strikes, from 0."""
    why: str
    """Why it hits nothing, with the nearest name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """What the strikes of a scenario hit here that take the worst of several things."""

    scenario: str
    """Scenario id."""
    ids: tuple[str, ...]
    """Ids of the estate or the plan, strike after strike; several where they fail together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """An objective that a scenario's trials cannot tell about; it counts as not met wherever shares are told."""

    scenario: str
    """Scenario id."""
    workload: str
    """Workload id."""
    aim: Aim
    """Which objective."""
    target: float
    """What is asked, in the aim's unit."""
    most: float
    """The worst its trials can show, in the same unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlyLoss:
    """What a scenario takes away in a year: how often it comes, times what its trials lost."""

    scenario: str
    """Scenario id."""
    per_year: Spread
    """Events a year on all things that may be struck; less is served at one, the less it counts."""
    hours: Spread
    """Workload-hours without service, per year; an hour in which half was served counts half."""
    usd: Spread | None
    """What these cost, USD per year; `None` where no workload that loses any has an impact declared."""
    extra_usd: float
    """What serving cost beyond the usual, USD per year; negative where idle places cost less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untried:
    """A scenario that was not tried; it counts as not met wherever shares of scenarios are told."""

    scenario: str
    """Scenario id."""
    why: str
    """Why not, in the estate's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replanned:
    """What planning again came to under one scenario that lasts."""

    scenario: str
    """Scenario id."""
    magnitudes: dict[str, float]
    """Values of the knobs."""
    usual_usd: float
    """The plan as it is, without the scenario: effective cost over the horizon, USD."""
    held_usd: float | None
    """The same decisions at the prices of the scenario, USD; `None` where they cannot be held."""
    new_usd: float | None
    """The plan made anew, USD; `None` where none exists."""
    given_up: tuple[str, ...]
    """Workloads given up until a plan existed, in that order."""
    conflict: tuple[str, ...]
    """Families that cannot hold together with all workloads; empty where a plan exists for all."""
    first_limit: str
    """First limit that is reached; empty when none within ten years."""
    first_limit_at: str
    """Period in which it is."""
    is_held: bool = False
    """True where the search found nothing cheaper than the old decisions, which are the new plan then."""

    @property
    def regret_usd(self) -> float | None:
        """What holding on costs beyond the best that could be done, USD; never below 0: one may always hold on."""
        if self.held_usd is None or self.new_usd is None or self.given_up:
            return None
        return max(0.0, self.held_usd - self.new_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageCourse:
    """One workload over the first trial of a scenario that is played; requests by the bin in which they arrived."""

    scenario: str
    """Scenario id."""
    workload: str
    """Workload id."""
    bin_s: float
    """Width of a bin, s."""
    offered: tuple[float, ...]
    """Asked in each bin."""
    answered: tuple[float, ...]
    """Of those: answered whole, late ones included."""
    late: tuple[float, ...]
    """Of those: answered after the objective."""
    shed: tuple[float, ...]
    """Refused for want of room."""
    lost: tuple[float, ...]
    """Failed in any other way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remeasured:
    """How a model's times at a site were taken from what was really answered there."""

    site: str
    """Site id."""
    model: str
    """Model spec id."""
    answers: int
    """Answers they rest on."""
    is_own: bool
    """True for times of their own; false where the catalogue's were made longer or shorter as a whole."""
    ratio: float
    """Measured time per token over the catalogue's, median; above 1 the place is slower."""
    error: float
    """Median relative error of the time per token that is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StressReport:
    """What an estate and its plan withstood."""

    schema: str = STRESS_SCHEMA
    """Schema version."""
    name: str
    """Estate name."""
    tripoint_version: str
    """Version that made it."""
    estate_digest: str
    """`sha256:` of the estate as declared."""
    plan_digest: str
    """`sha256:` of the plan tried."""
    seed: int
    """Seed of every draw."""
    trials: int
    """Trials of each scenario that is played."""
    scenarios: tuple[Scenario, ...]
    """What was tried, in order; pairs at the end."""
    verdicts: tuple[Verdict, ...]
    """Per scenario and workload."""
    replanned: tuple[Replanned, ...]
    """Scenarios that last, at their usual magnitudes."""
    untried: tuple[Untried, ...]
    """Scenarios that mean nothing here, with the reason."""
    courses: tuple[OutageCourse, ...]
    """First trials of scenarios played request by request."""
    played: int
    """Trials played, those of the search included."""
    is_searched: bool = True
    """False where it was not looked for where objectives break: `breaks_at` then says nothing."""
    findings: tuple[Finding, ...] = ()
    """Warnings about the scenarios."""
    remeasured: tuple[Remeasured, ...] = ()
    """Times taken from what was answered; the planner's figures hold everywhere else."""
    passed_over: tuple[PassedOver, ...] = ()
    """Strikes that hit nothing here."""
    losses: tuple[YearlyLoss, ...] = ()
    """Per scenario that is played and has a frequency, the dearest first; pairs are left out."""
    usd_per_year: Spread | None = None
    """Expected annual loss of all of them together, USD; `None` where nobody said what an hour costs."""
    unpriced: tuple[str, ...] = ()
    """Workloads whose hours count for nothing in it, since no impact is declared."""
    unjudged: tuple[Unjudged, ...] = ()
    """Objectives that trials are too short for."""
    period: str = ""
    """Label of the period of the plan that trials were played in, such as `2028-Q1`; empty where it was not told."""
    struck: tuple[Struck, ...] = ()
    """Per scenario whose strikes take the worst; what is struck by chance, by name or altogether is left out."""

    @property
    def is_met(self) -> bool:
        """True where every objective is met under every scenario that was tried."""
        return all(held.is_met for verdict in self.verdicts for held in verdict.held)
