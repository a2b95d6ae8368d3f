"""Recovery: what the business asks for after a loss, what is known of the steps back, and what they amount to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.units import DatasetId, SiteId, WorkloadId


class Part(StrEnum):
    """Steps of a recovery, in their order; each takes its time."""

    DETECT = "detect"
    """Until the loss is known."""
    DECIDE = "decide"
    """Until somebody who may has approved; nothing where the gateway moves by itself."""
    PROVISION = "provision"
    """Until nodes are there: rented, or idle ones cleared of other work; nothing where they stand by."""
    REPAIR = "repair"
    """Instead of these two, where nothing else comes sooner: until what was lost is mended or started again."""
    STAGE = "stage"
    """Until weights and data are at the place: bytes over the bandwidth that is left."""
    LOAD = "load"
    """Until weights are in the accelerators' memory."""
    WARM_UP = "warm_up"
    """Until the server answers at its usual speed: graphs captured, caches filled."""
    SHIFT = "shift"
    """Until traffic goes there."""
    VALIDATE = "validate"
    """Until answers are checked and the place is called recovered."""


class Replication(StrEnum):
    """How a store's copies follow it."""

    NONE = "none"
    """They do not; only snapshots survive."""
    ASYNC = "async"
    """Behind it, by a lag."""
    SYNC = "sync"
    """A write counts once every copy has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What is asked after a loss; the one that names the workload and has the strictest time counts."""

    workloads: tuple[WorkloadId, ...] = ()
    """For these; all when empty."""
    after: tuple[DisruptionClass, ...]
    """After the loss of any of these."""
    rto_minutes: float | None = None
    """Recovery time objective: longest time below `least_share`, minutes."""
    rpo_minutes: float | None = None
    """Recovery point objective: most work lost, minutes of it."""
    least_share: float | None = None
    """Share of what is asked that must be served again, 0 to 1; the workload's `survive_share` when not declared."""
    highest_cost_factor: float | None = None
    """Most that serving the least share may cost then, as a multiple of what the whole costs usually."""
    residency: tuple[str, ...] = ()
    """Countries or country sets recovery must stay in, beside the policies; anywhere they allow when empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What the business bears in a year."""

    workloads: tuple[WorkloadId, ...] = ()
    """Counted together; all when empty."""
    annual_loss_usd: float | None = None
    """Most expected loss, USD per year."""
    p95_outage_hours: float | None = None
    """Most hours of outage in 19 years of 20."""
    largest_dependency_share: float | None = None
    """Largest part of what is served that may rest on one thing, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What an outage costs."""

    workloads: tuple[WorkloadId, ...] = ()
    """Each of these; all when empty."""
    usd_per_hour: float
    """Loss per hour in which nothing is served, USD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a step takes, as known here; the most specific counts, then the best known, then the newest."""

    part: Part
    """Which step."""
    seconds: float
    """How long, s."""
    source: TermSource = TermSource.ASSUMED
    """How it is known."""
    as_of: str = ""
    """Date of the figure, `YYYY`, `YYYY-MM` or `YYYY-MM-DD`."""
    after: tuple[DisruptionClass, ...] = ()
    """After these losses; any when empty."""
    workloads: tuple[WorkloadId, ...] = ()
    """For these; any when empty."""
    sites: tuple[SiteId, ...] = ()
    """Where capacity comes back at these; anywhere when empty."""
    note: str = ""
    """How it was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where workloads keep what they write, and how its copies follow."""

    id: str
    """Unique name."""
    workloads: tuple[WorkloadId, ...] = ()
    """Who needs it back; with a dataset, who writes that when empty."""
    dataset: DatasetId | None = None
    """The dataset it keeps: size, change and copies come from there and from the plan."""
    sites: tuple[SiteId, ...] = ()
    """Where it is, the source first; the dataset's copies when empty."""
    size_gb: float | None = None
    """What must be restored, GB."""
    change_gb_per_hour: float | None = None
    """What changes, GB per hour on average; half as much again at peak is kept free."""
    replication: Replication = Replication.ASYNC
    """How copies follow; nothing does without a second site."""
    lag_p99_s: float | None = None
    """Replication lag, 99th percentile, s; a default where not measured."""
    snapshot_every_minutes: float | None = None
    """Time between snapshots that corruption cannot reach; none when not declared."""
    snapshot_site: SiteId | None = None
    """Where snapshots are; at the last of its sites when not declared."""
    restore_gb_per_s: float | None = None
    """Rate at which a snapshot comes back, GB/s; a default where not measured."""
    source: TermSource = TermSource.ASSUMED
    """How lag and rate are known."""
    as_of: str = ""
    """Date of these figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Losses that are not tried, neither in simulation nor in drills; they stay asked, and count as not met there."""

    workloads: tuple[WorkloadId, ...] = ()
    """Of these; all when empty."""
    after: tuple[DisruptionClass, ...]
    """Losses not tried."""
    because: str
    """Why not, for whoever reads the score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRules:
    """What the estate says about recovery."""

    objectives: tuple[Objective, ...] = ()
    """What is asked, beside the workloads' own `recovery` (which is about sites)."""
    tolerances: tuple[Tolerance, ...] = ()
    """What the business bears."""
    impacts: tuple[Impact, ...] = ()
    """What outages cost."""
    exclusions: tuple[Exclusion, ...] = ()
    """What is not tried, and why."""
    timings: tuple[Timing, ...] = ()
    """Steps whose length is known better than by tripoint's defaults."""
    stores: tuple[Store, ...] = ()
    """Where state is kept."""
    weights_at: tuple[SiteId, ...] = ()
    """Sites that keep a copy of every model's weights; elsewhere they come from the internet."""
    approval_on: tuple[DisruptionClass, ...] = (DisruptionClass.REGION, DisruptionClass.PROVIDER, DisruptionClass.DATA)
    """Losses a person decides about even where capacity stands by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One step of one recovery, with where its length comes from."""

    part: Part
    """Which step."""
    seconds: float
    """Length, s; infinite where it never ends."""
    low_s: float
    """At the favourable end of what it rests on, s."""
    high_s: float
    """At the unfavourable end, s."""
    source: TermSource
    """How it is known: the weakest of what it rests on."""
    as_of: str
    """Date of the oldest figure it rests on; empty when undated."""
    basis: str
    """What it rests on, in a few words with numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Capacity that is there from a moment on."""

    at_s: float
    """Seconds after the loss: the sum of its terms."""
    share: float
    """What it adds, as a share of what is asked of the workload at the time."""
    how: str
    """`stays`, `standby`, `rerouted`, `restarted`, `api`, `spare`, `rented`, `restored`
    or `repaired` (once the loss is over)."""
    site: str
    """Where."""
    pool: str
    """Pool id; empty for what is not on nodes."""
    terms: tuple[Term, ...]
    """What the time is made of; empty for what stays."""
    nodes: float = 0.0
    """Nodes it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAge:
    """How old a store's newest surviving copy is after a loss."""

    store: str
    """Store or dataset id."""
    seconds: float
    """Work lost, s; infinite where nothing survives."""
    source: TermSource
    """How it is known."""
    as_of: str
    """Date of the figure; empty when undated."""
    basis: str
    """The copy it is, and why it is as old as that."""
    link_load: float = 0.0
    """Part of the link to the copy that changes take up; from 1 on the lag grows without end."""


class Miss(StrEnum):
    """What of an objective is not met."""

    TIME = "time"
    """Too long until the least share is served."""
    CAPACITY = "capacity"
    """The least share is never served while the loss lasts."""
    POINT = "point"
    """Too much work is lost."""
    COST = "cost"
    """What is left costs too much."""


def cost_told(factor: float) -> str:
    """A cost factor in words: `cost x4.2`; without end where nothing is paid usually."""
    return "cost where none is usual" if math.isinf(factor) else f"cost x{factor:.3g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One workload after the worst loss of one class: by design, before anything was tried."""

    workload: str
    """Workload id."""
    disruption: DisruptionClass
    """What was lost."""
    loss: str
    """Which, in the estate's words; empty where nothing it rests on can be lost in that way."""
    objective: Objective | None
    """What is asked; `None` where nothing is."""
    least_share: float
    """Share of what is asked that counts as recovered."""
    steps: tuple[Step, ...]
    """Capacity as it comes back, earliest first."""
    rta_s: float
    """Time until the least share is served again, s; 0 where it always is, infinite where it never is."""
    low_s: float
    """The same with every term at its favourable end, s."""
    high_s: float
    """The same with every term at its unfavourable end, s."""
    share: float
    """Share of what is asked that is served in the end, before the loss is over."""
    stores: tuple[StoreAge, ...]
    """State it needs back."""
    rpa_s: float
    """Work lost, s: the worst of the stores over all losses of the class; 0 without one."""
    cost_factor: float
    """What serving the least share costs, as a multiple of the usual cost of the whole: the highest over all losses of
    the class. Nodes of the plan count as paid, lost or not."""
    misses: tuple[Miss, ...]
    """What is not met; empty where all is, or nothing is asked."""
    waits_for: tuple[str, ...] = ()
    """Datasets it reads of which the loss takes every copy: nothing serves until it is over."""
    stopped_by: tuple[str, ...] = ()
    """Declared dependencies it needs that the loss takes along: nothing serves until it is over."""
    elsewhere_s: float | None = None
    """`rta_s` over those losses of the class that take nothing along it needs, s; `None` where all do."""

    @property
    def is_met(self) -> bool:
        """True where something is asked and all of it is met."""
        return self.objective is not None and not self.misses

    @property
    def missed(self) -> tuple[str, ...]:
        """What is not met, in a word each; cost with the factor it comes to."""
        return tuple(cost_told(self.cost_factor) if each is Miss.COST else each.value for each in self.misses)

    @property
    def terms(self) -> tuple[Term, ...]:
        """What the recovery time is made of: the terms of the step that reaches the least share."""
        return next((step.terms for step in self.steps if step.at_s == self.rta_s and step.terms), ())

    @property
    def weakest(self) -> TermSource | None:
        """How well the time is known: the weakest source among its terms; `None` without any."""
        order = tuple(TermSource)
        return min((term.source for term in self.terms), key=order.index, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What would meet an objective that is missed, and its price."""

    workload: str
    """Workload id."""
    disruption: DisruptionClass
    """After which loss."""
    asked: str
    """The objective, as a person says it."""
    does: str
    """What to add, in the estate's words; why nothing does where `is_possible` is false."""
    usd_per_month: float
    """What the whole estate costs more, USD per month, undiscounted; negative where the search found better."""
    rta_s: float
    """Recovery time with it, s."""
    rpa_s: float
    """Recovery point with it, s."""
    is_possible: bool
    """False where no plan meets it."""
    change: str = ""
    """The lines of the estate that ask for it."""
    cost_factor: float | None = None
    """What serving the least share costs then, as in `Reached`; `None` where the cost was not what is missed."""
    open_usd_per_month: float = 0.0
    """What the two searches leave open together, USD per month: a price below it may be chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandsBy:
    """What a plan keeps for a workload against the loss of any one site or shared failure domain."""

    workload: str
    """Workload id."""
    mode: str
    """`hot`, `warm` or `cold`."""
    share: float
    """Part of the busiest hour of every block that is served elsewhere or stands by, 0 to 1: its `survive_share`."""
