"""How far objectives are met, told by how it is known: computed, tried in simulation, drilled. Never blended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.cut import Spread
from tripoint.domain.disruption import DisruptionClass


class Ground(StrEnum):
    """What a claim that an objective is met rests on, weakest first."""

    DESIGN = "design"
    """Computed from the plan: nothing was tried."""
    SIMULATION = "simulation"
    """Tried in `tripoint stress`."""
    DRILL = "drill"
    """Done for real, and measured."""


class Standing(StrEnum):
    """How one objective stands on one ground; only the first counts as met."""

    MET = "met"
    FAILED = "failed"
    EXCLUDED = "excluded"
    """Somebody decided not to try it. It still counts as asked."""
    EXPIRED = "expired"
    """It was met once, longer ago than proof lasts, or before what it rests on changed."""
    MISSING = "missing"
    """Nobody has tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One result about one objective."""

    workload: str
    """Workload id."""
    disruption: DisruptionClass
    """After which loss."""
    ground: Ground
    """What it rests on."""
    is_met: bool
    """What came out."""
    by: str = ""
    """What was done: a loss, a scenario, a drill."""
    expires: str = ""
    """First day it no longer counts, `YYYY-MM-DD`; never when empty."""
    excluded_because: str = ""
    """Why it was not tried; then `is_met` is not read."""
    expired_because: str = ""
    """Why it no longer counts, where that is not its age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One objective on one ground."""

    workload: str
    """Workload id."""
    disruption: DisruptionClass
    """After which loss."""
    standing: Standing
    """How it stands."""
    because: str
    """What failed, why it was excluded, or when it expired; empty where it is met or nobody tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """All objectives on one ground."""

    ground: Ground
    """Which."""
    graded: tuple[Graded, ...]
    """Every objective once."""

    @property
    def met(self) -> int:
        """Objectives that are met."""
        return sum(each.standing is Standing.MET for each in self.graded)

    @property
    def share(self) -> float | None:
        """Met over asked, 0 to 1; `None` where nothing is asked."""
        return self.met / len(self.graded) if self.graded else None

    def standing(self, *wanted: Standing) -> tuple[Graded, ...]:
        """Objectives that stand so."""
        return tuple(each for each in self.graded if each.standing in wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """Something worth doing next."""

    does: str
    """What, as a person says it."""
    raises: Ground
    """Which score it raises."""
    objectives: int
    """By how many objectives."""
    usd_once: float
    """What doing it costs once, USD."""
    usd_per_month: float
    """What it costs from then on, USD per month; negative where it saves."""
    avoids_usd_per_year: float | None
    """Expected loss it takes away, USD per year; `None` where nobody said what an hour costs."""
    cost_basis: str
    """Where the cost comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Side by side."""

    design: Score
    """By computation."""
    simulation: Score
    """By simulation."""
    drill: Score
    """By fresh drill."""
    usd_per_year: Spread | None
    """Expected annual loss, USD; `None` where nobody said what an hour costs."""
    steps: tuple[NextStep, ...]
    """The next things to do, the most useful first."""

    @property
    def headline(self) -> float | None:
        """The lowest of the three, 0 to 1; `None` where nothing is asked."""
        shares = [score.share for score in (self.design, self.simulation, self.drill) if score.share is not None]
        return min(shares, default=None)

    @property
    def weakest(self) -> Ground:
        """The ground the headline comes from; of equals the one to begin with."""
        return min((self.design, self.simulation, self.drill), key=lambda score: score.share or 0.0).ground
