"""Cost against something else: plans of which none is better than another in both, each with its proof."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from tripoint.domain.plan import ConflictSet, Plan


class By(StrEnum):
    """What to trade cost against."""

    CARBON = "carbon"
    LATENCY = "latency"
    RESILIENCE = "resilience"
    VENDORS = "vendors"


class Point(NamedTuple):
    """A plan that no other found is better than in both."""

    label: str
    """What it is asked: `at most 1,234 t CO2e`, `hot`."""
    value: float
    """What the plan reaches: its measure, or its place among the classes of resilience."""
    usd: float
    """Cost over the horizon, USD."""
    npv_usd: float
    """The same discounted, USD: what plans are chosen by, stated penalties included."""
    bound_usd: float
    """No plan that is asked as much is proven to cost less, discounted USD."""
    gap: float
    """(npv_usd - bound_usd) / npv_usd."""
    plan: Plan
    """The plan behind it, without alternatives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Cost against a measure."""

    by: By
    """Which."""
    unit: str
    """Unit of the points' values; empty for classes."""
    points: tuple[Point, ...]
    """The smallest value first, which is the dearest; classes from the cheapest."""
    least: float | None = None
    """No plan is proven to have less of the measure; `None` for classes."""
    dominated: int = 0
    """Plans found that another beats in one without losing in the other, left out."""
    notes: tuple[str, ...] = ()
    """What was not found, and what the classes leave out."""
    conflict: ConflictSet | None = None
    """Why the estate has no plan at all."""

    @property
    def step_usd(self) -> tuple[float | None, ...]:
        """[points] discounted USD of each unit on the way from the next point to this one; `None` for classes."""
        if not self.unit or not self.points:
            return (None,) * len(self.points)
        pairs = pairwise(self.points)
        return (*((one.npv_usd - other.npv_usd) / (other.value - one.value) for one, other in pairs), None)

    @property
    def unit_of_step(self) -> str:
        """What a step is counted in."""
        return {By.CARBON: "a tonne saved", By.LATENCY: "a millisecond saved", By.VENDORS: "a vendor less"}.get(
            self.by, ""
        )
