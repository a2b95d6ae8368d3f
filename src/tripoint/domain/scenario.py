"""What an estate is tried against: scenarios as data, with the magnitudes that are turned up until something breaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.fault import FaultKind
from tripoint.domain.provenance import Confidence, Provenance
from tripoint.domain.units import SECONDS_PER_MINUTE

SCENARIOS_VERSION = "tripoint/scenarios/v1"
OWN_JUDGEMENT = Provenance(source="own", as_of="", confidence=Confidence.ESTIMATE)
"""Figures somebody wrote into a file of scenarios without saying where they are from."""


class TrialMode(StrEnum):
    """How a scenario is played."""

    REQUESTS = "requests"
    """Request by request through the gateway's own machines: seconds to hours."""
    HOURS = "hours"
    """As flows of work, hour by hour: days to years."""
    PLAN = "plan"
    """The estate is changed and planned anew: months to years."""


class Pick(StrEnum):
    """Which of the things a strike could hit are hit."""

    WORST = "worst"
    """The one whose loss takes away most of what is served."""
    RANDOM = "random"
    """One per trial, by chance."""
    ALL = "all"
    """Every one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Magnitude:
    """One knob of a scenario."""

    name: str
    """Unique within the scenario; strikes refer to it."""
    unit: str
    """Unit of its figures, e.g. `share`, `times`; times are `s`, `min`, `h` or `d`."""
    mild: float
    """Where the range begins: what an estate should bear easily."""
    usual: float
    """Value of a plain run."""
    severe: float
    """Where the range ends; below `mild` where less is worse (capacity left)."""
    provenance: Provenance = OWN_JUDGEMENT
    """Where the range comes from."""

    @property
    def ends(self) -> tuple[float, float]:
        """The range, lower end first."""
        return min(self.mild, self.severe), max(self.mild, self.severe)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityTrace:
    """What was left of a capacity over time, as stretches in which the same was left."""

    name: str
    """What it is of, such as `availability us-west-2b v100`; its words tell series apart."""
    seconds: tuple[float, ...]
    """Length of each stretch, s."""
    left: tuple[float, ...]
    """Share left in each, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """What a scenario does, before it is known to which estate."""

    kind: FaultKind
    """What happens."""
    hits: str
    """What may be struck: `site`, `site:cloud`, `provider`, `region`, `domain`, `conduit`, `link`, `pool`, `pool:spot`,
    `node`, `accelerator`, `workload`, `dataset`, `labelled`, `dependants:keys`, `service:dns`, `price:spot`, `people`,
    or one id of the estate."""
    pick: Pick = Pick.WORST
    """Which of them."""
    at: float | str = 0.0
    """Begin, minutes from the start; a number or the name of a magnitude."""
    lasts: float | str | None = None
    """Length in minutes, or the name of a magnitude; to the end when not given."""
    delay: float | str = 0.0
    """Minutes it is not felt (what is cached still works), or the name of a magnitude; the end stays where it is."""
    size: float | str = 1.0
    """How hard, or the name of a magnitude; of `node` and `accelerator` the number that fails at once, of data the
    hours that even the copy kept apart is not to be trusted for."""
    ramp: float | str = 0.0
    """Minutes until it is in full force, or the name of a magnitude."""
    mtbf_hours: float | str | None = None
    """Mean hours between failures of one such thing, or the name of a magnitude: it strikes again and again, by chance
    (exponential times), and each time lasts `lasts`. Once when not given."""
    trace: str = ""
    """File beside this one with what was left of a capacity step by step, read into `traces`: JSON as SkyPilot's spot
    traces have it, CSV or Parquet; `FILE#WORD` takes the series of that name. A trial begins anywhere in any of them by
    chance."""
    traces: tuple[CapacityTrace, ...] = ()
    """What was left of the capacity over time; each begins again at its end. `size` is then how many times what a trace
    takes away is taken away."""
    left: tuple[float, ...] = ()
    """A short one written out: share of the capacity that is left, step by step."""
    step_minutes: float = 10.0
    """Length of a step, minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """How often it happens."""

    per_year: float
    """Expected events per year and thing that can be struck."""
    low: float
    """Lower end of the 90 % interval."""
    high: float
    """Upper end of it."""
    provenance: Provenance = OWN_JUDGEMENT
    """Where the figure comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that may come."""

    id: str
    """Unique name, e.g. `site-loss`."""
    number: int
    """Row of the catalogue, 1 to 28; 0 for one's own."""
    title: str
    """For people."""
    disruption: DisruptionClass
    """Which objectives it is held against."""
    mode: TrialMode
    """How it is played."""
    minutes: float
    """Length of a trial, minutes."""
    magnitudes: tuple[Magnitude, ...]
    """Its knobs; the first is turned to find the distance to failure."""
    strikes: tuple[Strike, ...]
    """What happens."""
    frequency: Frequency | None = None
    """How often; without it the scenario counts for no annual loss."""
    why: str = ""
    """What it is a model of, in one or two sentences."""
    hour_of_week: int | None = None
    """Hour it begins in, 0 to 167 from Monday 00:00 UTC; the busiest in `requests` mode, one by chance in `hours` mode
    when not declared."""

    @property
    def seconds(self) -> float:
        """Length of a trial, s."""
        return self.minutes * SECONDS_PER_MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFile:
    """A file of scenarios."""

    apiVersion: Literal["tripoint/scenarios/v1"]  # noqa: N815 - the field's spelling in every such file
    """Schema version of this file: `tripoint/scenarios/v1`."""
    scenarios: tuple[Scenario, ...]
    """What may come."""
    sources: dict[str, str] = field(default_factory=dict)
    """Source keys of its figures, in words."""
