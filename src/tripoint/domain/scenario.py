"""What an estate is tried against: scenarios as data, with the magnitudes that are turned up until something breaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.fault import FaultKind
from tripoint.domain.provenance import Provenance


class TrialMode(StrEnum):
    """How a scenario is played."""

    REQUESTS = "requests"
    """Request by request through the gateway's own machines: seconds to hours."""
    HOURS = "hours"
    """As flows of work, hour by hour: days to years."""


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
    """Unit of its figures, e.g. `min`, `share`, `times`."""
    mild: float
    """Where the range begins: what an estate should bear easily."""
    usual: float
    """Value of a plain run."""
    severe: float
    """Where the range ends; below `mild` where less is worse (capacity left)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """What a scenario does, before it is known to which estate."""

    kind: FaultKind
    """What happens."""
    on: str
    """What may be struck: `site`, `site:cloud`, `provider`, `region`, `pool`, `pool:spot`, `link`, `workload`,
    `service:dns`, `price:spot`, or one id of the estate."""
    pick: Pick = Pick.WORST
    """Which of them."""
    at: float | str = 0.0
    """Begin, minutes from the start; a number or the name of a magnitude."""
    lasts: float | str | None = None
    """Length in minutes, or the name of a magnitude; to the end when not given."""
    size: float | str = 1.0
    """How hard, or the name of a magnitude."""
    ramp: float | str = 0.0
    """Minutes until it is in full force, or the name of a magnitude."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """How often it happens."""

    per_year: float
    """Expected events per year and thing that can be struck."""
    low: float
    """Lower end of the 90 % interval."""
    high: float
    """Upper end of it."""
    provenance: Provenance
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
