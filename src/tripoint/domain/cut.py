"""What an estate cannot lose: cut sets, what they cost in a year, and how hard each dependency is to leave."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.provenance import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A quantity and the 90 % interval that uncertain failure rates leave it."""

    value: float
    """At the typical rates."""
    low: float
    """5th percentile over the uncertainty of rates."""
    high: float
    """95th percentile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Something that fails by itself."""

    id: str
    """`kind:name`, e.g. `feed:colo-ams/1`."""
    text: str
    """For people, e.g. `feed 1 of colo-ams`."""
    per_year: Figure
    """Failures per year."""
    hours: Figure
    """Mean length, hours."""
    grace_hours: float = 0.0
    """What needs it goes on this long without it, hours."""
    copies: int = 1
    """Identical things it stands for; more than 1 only below a site declared with `count`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A smallest set of things whose failing together takes a workload below its least share."""

    members: tuple[str, ...]
    """Member ids, one or two."""
    text: str
    """For people."""
    instances: int
    """Sets it stands for: more than 1 where sites are declared with `count`."""
    lost_share: float
    """Share of what is served that one of them takes away, 0 to 1."""
    per_year: float
    """Expected times per year, all instances together."""
    hours: float
    """Mean length of one, hours: until repair, or until the rest has taken over."""
    hours_per_year: float
    """Expected hours per year, part outages counted by the share they take."""
    probability: float
    """Chance of at least one in a year, 0 to 1."""
    usd_per_year: float | None
    """Expected loss per year, USD; `None` where nobody said what an hour costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliance:
    """What one workload cannot lose."""

    workload: str
    """Workload id."""
    least_share: float
    """Share of its demand below which it counts as down, 0 to 1."""
    singles: tuple[Cut, ...]
    """Cut sets of one, most hours first."""
    pairs: tuple[Cut, ...]
    """Cut sets of two, most hours first."""
    hours_per_year: Spread
    """Expected hours down per year, part outages counted by the share they take."""
    p95_hours: float
    """The same in a bad year, one in twenty."""
    usd_per_year: Spread | None
    """Expected annual loss, USD; `None` where nobody said what an hour costs."""
    largest: str
    """Thing whose failure alone takes most of what is served; empty where none takes any."""
    largest_share: float
    """That part, 0 to 1; the largest over the plan's periods."""
    period: str = ""
    """Label of the plan's period in which it is down longest, that of these hours and this loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinglePoint:
    """One thing that takes workloads down alone."""

    member: str
    """Member id."""
    text: str
    """For people."""
    workloads: tuple[str, ...]
    """Workloads it takes down."""
    per_year: float
    """Expected times per year, all instances together."""
    hours_per_year: float
    """Expected workload-hours per year: the hours of each of these workloads added up, part outages counted by the
    share they take."""
    usd_per_year: float | None
    """Expected loss per year, USD; `None` where nobody said what an hour costs."""
    periods: tuple[str, ...] = ()
    """Labels of the plan's periods in which it does, in order; frequency, hours and loss are those of the worst."""


class Bound(StrEnum):
    """What the business bears, bound by bound."""

    ANNUAL_LOSS = "annual_loss_usd"
    P95_HOURS = "p95_outage_hours"
    LARGEST_SHARE = "largest_dependency_share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearing:
    """One tolerance of the business, held against what was computed."""

    workloads: tuple[str, ...]
    """Workloads counted together."""
    bound: Bound
    """Which bound."""
    allowed: float
    """Most that is borne, in the bound's unit."""
    found: float | None
    """What was computed; `None` where it cannot be: nobody said what an hour costs."""
    is_met: bool
    """True when it is known and within."""
    by: str
    """What it mostly comes from; empty when nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockIn:
    """How hard one dependency is to leave."""

    id: str
    """`kind:name`."""
    text: str
    """For people."""
    workloads: tuple[str, ...]
    """Workloads that lean on it."""
    stranded: tuple[str, ...]
    """Of these, the ones no other site of the estate could run."""
    data_gb: float
    """Data of which no other copy exists, GB."""
    move_days: float
    """Days to move it."""
    rebuild_days: Figure
    """Days until a substitute serves."""
    revalidate_days: Figure
    """Days of tests and approvals."""
    exit_days: float
    """All three, days."""
    egress_usd: float
    """Moving the data, USD."""
    dual_run_usd: float
    """Paying both for a while, USD."""
    commitment_usd: float
    """Commitments that run on, USD."""
    one_off_usd: float
    """Declared penalties and projects, USD."""
    exit_usd: float
    """All four, USD."""
    substitutes: int
    """Places that could take over the workload with the fewest, declared ones included."""
    tested: int
    """Of these, tested within the last year."""
    surface: tuple[str, ...]
    """What of it is not portable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyReport:
    """All of it."""

    members: tuple[Member, ...]
    """Everything that fails by itself."""
    pairs_tried: int
    """Pairs of members tried, all of them."""
    reliances: tuple[Reliance, ...]
    """Per workload, in the estate's order."""
    points: tuple[SinglePoint, ...]
    """Everything that takes a workload down alone, most costly first."""
    bearings: tuple[Bearing, ...]
    """Tolerances of the estate, in its order."""
    knots: tuple[tuple[str, ...], ...]
    """Things that need each other in a circle: once all are down none can start first."""
    lockins: tuple[LockIn, ...]
    """Per dependency, slowest to leave first."""
    undeclared: tuple[str, ...]
    """Kinds every estate leans on that this one does not mention."""
    usd_per_year: Spread | None
    """Expected annual loss of all workloads, USD; `None` where nobody said what an hour costs."""
