"""The answer: what to run where, what to buy when, what it costs, how sure that is, and which limit comes first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.charge import Charge
from tripoint.domain.decision import (
    CopyDecision,
    ExpansionDecision,
    Placement,
    PoolState,
    Purchase,
    StandbyDecision,
    TransferRow,
)
from tripoint.domain.demand import Block, DemandTaken
from tripoint.domain.errors import Finding
from tripoint.domain.fit import Refusal
from tripoint.domain.near_plan import NearPlan
from tripoint.domain.outlook import Weighed
from tripoint.domain.provenance import Assumption

PLAN_SCHEMA = "tripoint/plan/v1"


class PlanStatus(StrEnum):
    """How the search ended; an unwelcome answer is still an answer."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveSummary:
    """The certificate of a plan."""

    strategy: str
    """How it was solved, e.g. `monolithic`."""
    incumbent_usd: float
    """Objective of the plan, discounted USD."""
    bound_usd: float
    """Proven lower bound on any plan's objective, discounted USD."""
    gap: float
    """(incumbent - bound) / incumbent."""
    seconds: float
    """Wall time of the solve."""
    nodes: int
    """Branch-and-bound nodes."""
    columns: int
    """Columns of the program."""
    rows: int
    """Rows of the program."""
    integers: int
    """Integer columns."""
    was_interrupted: bool = False
    """True when the user or a limit stopped it early, or planning again ended before the gap asked for."""
    undiscounted_usd: float = 0.0
    """Sum of effective charges over the horizon, USD: equals the charge rows to the cent."""
    penalties_usd: float = 0.0
    """Stated penalties inside the objective that are not charges, discounted USD."""
    peak_mb: float = 0.0
    """Most memory the run held, with that of the largest process it waited for, MB; 0 where it is not known."""

    @property
    def open_usd(self) -> float:
        """How much cheaper the best plan may be than this one, undiscounted USD: the gap, as money."""
        return self.gap * abs(self.undiscounted_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """A physical or financial limit over time."""

    resource: str
    """`power`, `racks`, `nodes`, `gpus`, `link` or `budget`."""
    name: str
    """What is limited, e.g. `colo-ams power`."""
    site: str
    """Site id; empty for links and budget."""
    unit: str
    """Unit of the series."""
    used: tuple[float, ...]
    """[period] used."""
    limit: tuple[float, ...]
    """[period] limit."""
    exhausted: str
    """First period label in which it is full, by plan or by extrapolated growth; empty when not in sight (10 years)."""
    order_by: str
    """Month by which to order more, given lead times; empty when nothing need be ordered."""
    lead_time_months: float
    """Lead time used, months."""
    note: str
    """How it was found, and what can be ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """An obvious alternative priced with the same function."""

    name: str
    """`today`, `on_demand`, `committed`, `private` or `plan`."""
    label: str
    """Human name."""
    status: PlanStatus
    """Whether it exists at all."""
    total_usd: float
    """Effective cost over the horizon, USD; 0 when infeasible."""
    npv_usd: float
    """Discounted effective cost, USD."""
    billed_usd: float
    """Billed cost over the horizon, USD."""
    by_period_usd: tuple[float, ...]
    """Effective cost per period, USD."""
    by_layer_usd: dict[str, float]
    """Effective cost by layer, USD."""
    carbon_kg: float
    """Operational emissions, kgCO2e."""
    usd_per_mtok: float
    """Effective cost of token workloads per million tokens (in + out), their part of idle nodes with it, USD, or 0."""
    gap: float
    """Proven optimality gap of this alternative."""
    note: str
    """What it assumes, or why it is infeasible."""
    carbon_unknown_usd: float = 0.0
    """Part of the cost whose emissions nobody publishes (token APIs), USD; `carbon_kg` leaves them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPoint:
    """One point of a cost curve."""

    x: float
    """Utilisation (0 to 1) or million tokens per month."""
    usd: float
    """USD per month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostCurve:
    """Monthly cost of one way to buy."""

    label: str
    """`owned`, `committed 3y`, `on_demand`, ..."""
    points: tuple[CostPoint, ...]
    """Ascending x."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """When a firm way of buying beats an elastic one."""

    subject: str
    """Workload id or pool id."""
    kind: str
    """`workload` or `pool`."""
    firm: str
    """Firm way, e.g. `colo-ams/dgx-h100 owned`."""
    elastic: str
    """Elastic way it is compared with."""
    firm_usd_per_node_month: float
    """All-in cost of the firm node per month, USD."""
    elastic_usd_per_node_hour: float
    """Cost of the equivalent elastic capacity per hour, USD."""
    utilisation: float | None
    """Utilisation above which the firm way is cheaper; above 1 means never, `None` when not comparable."""
    utilisation_low: float | None
    """Same, at the favourable end of the price ranges."""
    utilisation_high: float | None
    """Same, at the unfavourable end."""
    mtok_per_month: float | None
    """Workloads: million tokens per month at the threshold."""
    mtok_low: float | None
    """Low end over prices."""
    mtok_high: float | None
    """High end over prices."""
    month: str
    """Calendar month the workload's demand crosses it; `already`, or `beyond` ten years; empty for pools."""
    month_early: str
    """Same, at favourable prices and growth plus half."""
    month_late: str
    """Same, at unfavourable prices and growth minus half."""
    demand_mtok_per_month: float | None
    """Workloads: demand today, million tokens per month."""
    curves: tuple[CostCurve, ...]
    """Cost curves for the picture."""
    note: str
    """The sentence for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseAdvice:
    """What to do with a commitment already signed."""

    pool: str
    """Pool id."""
    nodes: int
    """Nodes committed."""
    ends: str
    """Month it ends."""
    mean_use: float
    """Mean share of it the plan uses until then."""
    unused_usd: float
    """Effective cost of the unused part over the horizon, USD."""
    renew_nodes: int
    """Nodes the plan commits anew within two periods of the end."""
    advice: str
    """The sentence for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSummary:
    """A site as the map draws it."""

    id: str
    """Site id."""
    kind: str
    """Kind."""
    layer: str
    """Layer."""
    provider: str
    """Provider."""
    country: str
    """Country."""
    count: int
    """Identical sites it stands for."""
    cost_usd: float
    """Effective cost over the horizon, USD."""
    gpus_last: float
    """Accelerators in use in the last period's busiest block."""
    region: str = ""
    """Provider's region; empty for own sites."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSummary:
    """A workload's bottom line."""

    id: str
    """Workload id."""
    kind: str
    """Kind."""
    cost_usd: float
    """Effective cost over the horizon, USD, its part of idle included."""
    idle_usd: float
    """Part of it that is idle capacity."""
    mtok: float
    """Million tokens over the horizon; 0 for training."""
    usd_per_mtok_usage: float | None
    """USD per million tokens, usage-based: idle left out."""
    usd_per_mtok_reserved: float | None
    """USD per million tokens, reservation-based: idle included."""
    carbon_kg: float
    """Emissions, kgCO2e."""
    sites_first: tuple[str, ...]
    """Sites in the first period."""
    sites_last: tuple[str, ...]
    """Sites in the last period."""
    why: str
    """One sentence: what holds it there."""
    moves: int
    """Times it enters a site it was not at."""
    carbon_unknown_usd: float = 0.0
    """Part of the cost whose emissions nobody publishes (token APIs), USD; `carbon_kg` leaves them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictSet:
    """Why no plan exists: constraint families that cannot hold together, in the estate's words."""

    families: tuple[str, ...]
    """Families whose removal, one at a time, would make it feasible; smallest set found."""
    details: tuple[str, ...]
    """The rows that give, with both numbers."""
    hint: str
    """What would help most."""
    members: tuple[str, ...] = ()
    """Rules of these families that cannot hold together while those without any one of them can; empty where that was
    not found in time, or where a workload has no offer at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The plan: everything a machine needs to replay it and a person to judge it."""

    schema: str = PLAN_SCHEMA
    """Schema version."""
    name: str
    """Estate name."""
    tripoint_version: str
    """Version that made it."""
    estate_digest: str
    """`sha256:` of the estate planned: as declared, or with `demand` in it."""
    catalog_digest: str
    """`sha256:` of the catalogue used."""
    options: dict[str, str]
    """Options of the run."""
    status: PlanStatus
    """How the search ended."""
    solve: SolveSummary | None
    """Certificate; `None` when infeasible."""
    conflict: ConflictSet | None
    """Why infeasible."""
    currency: str
    """Display currency."""
    usd_per_unit: float
    """USD per unit of it."""
    start: str
    """First month."""
    period_months: int
    """Length of a period, months."""
    period_hours: float
    """Length of a period, hours."""
    discount_rate: float
    """Per year."""
    periods: tuple[str, ...]
    """Labels."""
    blocks: tuple[Block, ...]
    """Common blocks."""
    sites: tuple[SiteSummary, ...]
    """Sites."""
    workloads: tuple[WorkloadSummary, ...]
    """Workloads."""
    placements: tuple[Placement, ...]
    """Who runs where."""
    pools: tuple[PoolState, ...]
    """Nodes."""
    purchases: tuple[Purchase, ...]
    """Node decisions."""
    expansions: tuple[ExpansionDecision, ...]
    """Expansion steps."""
    copies: tuple[CopyDecision, ...]
    """Dataset copies."""
    standby: tuple[StandbyDecision, ...]
    """Standby capacity."""
    transfers: tuple[TransferRow, ...]
    """Data moved."""
    charges: tuple[Charge, ...]
    """The statement."""
    baselines: tuple[Baseline, ...]
    """Plan and alternatives; the plan first."""
    breakevens: tuple[BreakEven, ...]
    """Break-even points."""
    lapses: tuple[LapseAdvice, ...]
    """Advice on signed commitments."""
    headroom: tuple[Headroom, ...]
    """Capacity roadmap, first exhausted first."""
    assumptions: tuple[Assumption, ...]
    """What was assumed, most money first."""
    refusals: tuple[Refusal, ...]
    """Pairs refused, with numbers."""
    findings: tuple[Finding, ...]
    """Warnings and notes that did not stop the run."""
    near: tuple[NearPlan, ...] = ()
    """The plan itself, then plans nearly as cheap that differ from it; empty where none were asked for."""
    weighed: Weighed | None = None
    """What is best decided before one knows which outlook comes true, where outlooks were given."""
    proof: str = ""
    """The program that `solve.bound_usd` was proven for, packed: planning again from this plan carries it over."""
    demand: DemandTaken | None = None
    """Observed demand it was made on; `None` for what the estate declares."""

    def is_of(self, digest: str) -> bool:
        """True where it was made for the estate of this digest, on declared or on observed demand."""
        return digest == self.estate_digest or (self.demand is not None and digest == self.demand.declared_digest)

    @property
    def why_none(self) -> str:
        """Why there is no plan: the limits in conflict, or that the search found none; for a sentence."""
        return " + ".join(self.conflict.families) if self.conflict else "its search found none"

    def __repr__(self) -> str:
        """One line, since a notebook shows it: the whole would be megabytes."""
        span = f"{len(self.periods) * self.period_months} months from {self.start}"
        size = f"{len(self.workloads)} workloads, {len(self.sites)} sites"
        if self.solve is None:
            conflict = " + ".join(self.conflict.families) if self.conflict else "no solution"
            return f"Plan({self.name!r}: {self.status}, {conflict}; {span})"
        cost = f"{self.solve.undiscounted_usd:,.0f} USD over {span}, gap {self.solve.gap:.2%}"
        return f"Plan({self.name!r}: {self.status}, {cost}; {size})"
