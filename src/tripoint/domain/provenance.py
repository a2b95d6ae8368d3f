"""Where a figure comes from: every number that decides something can be traced, dated and graded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    """How well a catalogue figure is known, best first."""

    MEASURED = "measured"
    PUBLISHED = "published"
    DERIVED = "derived"
    RECALLED = "recalled"
    ESTIMATE = "estimate"

    @property
    def is_weak(self) -> bool:
        """True for grades that warn wherever they decide something."""
        return self in (Confidence.RECALLED, Confidence.ESTIMATE)


class Origin(StrEnum):
    """Who said it: the estate, a catalogue row, or a default of tripoint."""

    DECLARED = "declared"
    CATALOGUE = "catalogue"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Source, date and grade of one catalogue row."""

    source: str
    """Source keys, `;`-separated, expanded by the catalogue's `sources` table."""
    as_of: str
    """Date of the figure itself: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`."""
    confidence: Confidence
    """How well it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with its range and its provenance; the unit of every assumption the plan reports."""

    key: str
    """Unique within a plan, e.g. `site.colo-ams.energy_usd_per_kwh`."""
    value: float
    """The value used, in `unit`."""
    unit: str
    """Unit of `value`, `low` and `high`, e.g. `USD/kWh`."""
    origin: Origin
    """Who said it."""
    low: float | None = None
    """Lower end of the plausible range; `None` when no range is known."""
    high: float | None = None
    """Upper end of the plausible range; `None` when no range is known."""
    provenance: Provenance | None = None
    """Source of a catalogue figure; `None` for declared ones."""
    note: str = ""
    """How it was chosen or interpolated, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A figure together with the money that rests on it over the horizon."""

    figure: Figure
    """The figure."""
    money_usd: float
    """Effective cost over the horizon of all charge rows whose price used the figure, USD."""
    is_stale: bool
    """True when a catalogue row is older than 180 days at the horizon's start or at plan time."""
